"""The 46 faults: what is done, and, where it is not done here, why. The page of the faults is made from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A row; `elsewhere` says what is not shown here and why, empty where all of it is."""

    number: int
    what: str
    elsewhere: str = ""
    has_test: bool = True


LEAP = "the clocks of Kafka and Temporal are the machine's, and stay right"
NO_PATTERN = "topics by regular expression: there are none, the routes name each"
NO_CGROUP = "a memory limit of the kernel needs a cgroup, and so root: the record kills its process itself"
ONE_BY_ONE = (
    "what Temporal refuses of one command alone: `tests/engine/test_temporal_refuses.py` has it as a dead letter"
)
NO_BATCH = (
    "a wrong CRC, an unknown codec, a broken block: `tests/engine/test_damage_on_kafka.py` has them, on the same Kafka"
)
REPLACED = "certificates that rotate, the CA included: `tests/wire/test_line.py` has them, on servers with TLS"
NO_NAMES = "names that do not resolve: to change what the machine resolves needs root"
NO_VERSION = "there is no released version before this one"
FAULTS: tuple[Fault, ...] = (
    Fault(1, "kill -9 of the bridge at random moments, 20 times"),
    Fault(2, "kill -9 when Temporal has accepted a start and nobody was told"),
    Fault(3, "the same for a signal: its run open, closed, continued as new"),
    Fault(4, "kill -9 between a dead letter's acknowledgement and the commit"),
    Fault(5, "kill -9 between an event's acknowledgement and what remembers it"),
    Fault(6, "SIGTERM with 256 commands in flight"),
    Fault(7, "SIGTERM while Temporal is away, and a second one"),
    Fault(8, "a process frozen for twice its session, then thawed"),
    Fault(9, "the event loop blocked by code that does not yield"),
    Fault(10, "members that join and leave every 1 to 3 s"),
    Fault(11, "a rolling restart of three members, with and without static membership"),
    Fault(12, "kill -9 of the broker, and its restart"),
    Fault(13, "leader and coordinator move, of three brokers"),
    Fault(14, "the network to Kafka swallows everything for 60 s, then resets"),
    Fault(15, "requests reach Kafka and the answers are lost"),
    Fault(16, "a slow link to Kafka: 200 ms, 10 kB/s"),
    Fault(17, "Temporal away for 5 min under steady input"),
    Fault(18, "Temporal flaps: 2 s up, 2 s down"),
    Fault(19, "Temporal's answer is lost after it accepted"),
    Fault(20, "Temporal asks for less for 60 s (RESOURCE_EXHAUSTED)"),
    Fault(21, "Temporal answers after the deadlines"),
    Fault(22, "Temporal denies permission; its namespace is gone", ONE_BY_ONE),
    Fault(23, "one command sent twice: same partition, other partition, after its run has closed, after retention"),
    Fault(24, "the group is set back to the earliest offset"),
    Fault(25, "the committed offset is below the start of the log"),
    Fault(26, "a topic is deleted and made again"),
    Fault(27, "a topic of nothing but bad records"),
    Fault(28, "one bad record in a hundred, over all keys"),
    Fault(29, "a dead-letter topic is missing"),
    Fault(30, "dead letters that would be too large"),
    Fault(31, "the lifecycle topic is away while runs end"),
    Fault(32, "bytes that break the Kafka client", NO_BATCH),
    Fault(33, "aborted and long-open transactions"),
    Fault(34, "gaps of compaction, control records"),
    Fault(35, "one key with half of the traffic"),
    Fault(36, "a cold start before a backlog of a million"),
    Fault(37, "partitions are added; a topic is deleted under load", NO_PATTERN),
    Fault(38, "a process that one record ends each time", NO_CGROUP),
    Fault(39, "nobody reads the log; the disk under it is full"),
    Fault(40, "the bridge's clock leaps by an hour, there and back", LEAP),
    Fault(41, "a login that expires, is revoked and given back", REPLACED),
    Fault(42, "no descriptors left", NO_NAMES),
    Fault(43, "a worker is killed after it told of an event"),
    Fault(44, "two versions in one group, in turns", NO_VERSION, has_test=False),
    Fault(45, "a configuration with mistakes at a start", "there is no reload: a restart is one"),
    Fault(46, "a random mix of the above", "30 min by `make soak`"),
)
