"""The planted bugs: what each does, which law it breaks, and the tests that must go red for that law."""

from dataclasses import dataclass

FAULTS = "tests/faults/test_killed_after_the_effect.py::"
STARTS = f"{FAULTS}test_a_start_that_was_accepted_and_not_committed_starts_one_run"
ANSWERS = "tests/faults/test_temporal_away.py::test_an_answer_that_is_lost_after_temporal_accepted_doubles_nothing"
SIGNALS = f"{FAULTS}test_a_signal_that_was_accepted_and_not_committed_reaches_its_run_once_also_when_that_has_closed"
LETTERS = "tests/faults/test_records.py::test_a_dead_letter_topic_that_is_missing_holds_the_offset_until_it_is_there"
SIGTERM = "tests/faults/test_members.py::test_sigterm_with_256_in_flight_resolves_them_and_redelivers_nothing"
UNHURT = "tests/faults/test_blocked.py::test_a_full_disk_under_the_log_holds_up_no_command"  # nobody kills who stalls
AGAIN = (
    "tests/lifecycle/test_redelivered.py::"
    "test_commands_that_come_again_are_answered_as_before_whatever_has_become_of_their_runs"
)
AWAY = "tests/lifecycle/test_owner.py::test_what_ends_while_the_bridge_is_away_for_longer_than_its_window_is_announced"


@dataclass(frozen=True, slots=True)
class Bug:
    """`name` is a module of `tests.planted.bugs`; `shows` is found in the failure of one of the `tests`.

    The last group of `shows` is what the table of the docs tells of it.
    """

    name: str
    does: str
    law: str
    shows: str
    tests: tuple[str, ...]


def _law(name: str) -> str:
    """Return how `Scene.check` tells that a law is broken."""
    return rf"""'{name}': \(\d+, \[("[^"]+"|'[^']+')"""


def _lifecycle_law(name: str) -> str:
    """Return how `Stage` tells it."""
    return rf"{name}: \d+\s+(.+)"


BUGS: tuple[Bug, ...] = (
    Bug(
        "commit_before_effect",
        "a record counts as done as soon as it is queued, so that it is committed before its effect",
        "L5 watermark",
        _law("L5 watermark"),
        (ANSWERS,),
    ),
    Bug(
        "commit_without_offsets",
        "the consumer commits what it has read, not what is done",
        "L5 watermark",
        _law("L5 watermark"),
        (ANSWERS,),
    ),
    Bug(
        "watermark_over_gap",
        "the watermark is behind the last record that is done, whatever before it is not",
        "L5 watermark",
        _law("L5 watermark"),
        (ANSWERS,),
    ),
    Bug(
        "random_request_id",
        "each try of a command has a request id of its own, as the SDK draws them",
        "L2 nothing doubled",
        _law("L2 nothing doubled"),
        (ANSWERS,),
    ),
    Bug(
        "dead_letter_not_awaited",
        "a dead letter is sent, and nobody waits for Kafka's acknowledgement",
        "a topic that takes no dead letter turns readiness red, and holds the offset",
        r"(/readyz answers .*, not 503|True = is_ready|the offset of \(.+\) moved by \d+)",
        (LETTERS,),
    ),
    Bug(
        "event_id_with_clock",
        "the id of a lifecycle event holds the time at which it is made",
        "L4 events",
        _law("L4 events"),
        (STARTS,),
    ),
    Bug(
        "answer_id_with_clock",
        "the id of an answer holds the time at which it is made",
        "L4 events, of answers",
        _lifecycle_law("replies"),
        (AGAIN,),
    ),
    Bug(
        "dropped_reply",
        "one answer in fifty is not sent",
        "L1 nothing lost, of answers",
        r"(\d+ commands are answered; \d+ are)",
        (ANSWERS,),
    ),
    Bug(
        "feed_watermark_in_memory",
        "the feed's watermark is in memory alone: who becomes the owner begins at the start of its process",
        "L4 events: no end missing",
        _lifecycle_law("missing"),
        (AWAY,),
    ),
    Bug(
        "order_lost",
        "the newest command for a workflow goes before those that wait",
        "L3 order",
        _law("L3 order"),
        (SIGNALS,),
    ),
    Bug(
        "stalls",
        "once, in the middle of the work, nothing is begun for 30 s",
        "L6 liveness",
        _law("L6 liveness"),
        (UNHURT,),
    ),
    Bug(
        "unbounded_lanes",
        "twice as many commands are in flight as may be",
        "L7 bounded",
        _law("L7 bounded"),
        (SIGTERM,),
    ),
)
