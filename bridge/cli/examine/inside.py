"""What a daemon that is up tells of itself at `/v1/overview`, judged."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from bridge.cli.examine.finding import Finding, fail, ok, warn
from bridge.telemetry.names import Metric

TRIES_MANY = 5  # by then a command has been tried for 3 s
LANE_LONG = 20
LANES_SHOWN = 5
FEED_BEHIND = timedelta(minutes=2)  # what the alert BridgeFeedBehind takes for late
ANSWER_SLOW = timedelta(milliseconds=500)

Overview = Mapping[str, Any]

_HELD: Mapping[str, str] = {
    "a person has paused it": "End it with POST /v1/routes/{command}/resume, or on the page.",
    "its last records were bad": "`bridge dlq list {topic}` shows them: mend their producer.",
    "too much waits": "See the lanes here, and what the commands wait for.",
}


def findings(overview: Overview) -> Iterator[Finding]:
    """Yield what is wrong, and what is well of the figures that a person would ask for."""
    for judged in (_alerts, _paused, _lanes, _dead, _again, _answers, _feed):
        yield from judged(overview)


def _alerts(overview: Overview) -> Iterator[Finding]:
    for about, text in overview["health"]["alerts"].items():
        yield warn("alert", f"{about}: {text}", "")


def _paused(overview: Overview) -> Iterator[Finding]:
    for each in overview["topics"]:
        if not each["partitions_paused"]:
            continue
        why = each["held_by"] or "it goes on in a moment"
        advice = _HELD.get(why, "See the daemon above.").format(
            topic=each["topic"], command=each["commands"][0]["command"]
        )
        detail = f"{each['topic']}: {each['partitions_paused']} of {each['partitions']} partitions are paused: {why}"
        yield warn("paused", f"{detail}; {each['lag']} record(s) are not done", advice)


def _lanes(overview: Overview) -> Iterator[Finding]:
    full = [each for each in overview["lanes"] if each["attempts"] >= TRIES_MANY or each["commands"] >= LANE_LONG]
    for each in full[:LANES_SHOWN]:
        first = each["first"]
        place = f"{each['topic']}/{each['partition']}/{first['offset']}"
        of = each["workflow_id"] or place
        detail = f"{of}: {each['commands']} command(s) wait, the first since {round(first['age_ms'] / 1000)} s"
        advice = f"`bridge trace {place}` tells of the first."
        yield warn("lane", f"{detail}, tried {each['attempts']} time(s)", advice)
    if not full:
        waiting = sum(each["waiting"] for each in overview["topics"])
        yield ok("lane", f"no key is held up; {waiting} command(s) are on their way")


def _dead(overview: Overview) -> Iterator[Finding]:
    is_none = True
    for each in overview["topics"]:
        for reason, count in each["dead_letters"].items():
            is_none = False
            advice = f"`bridge dlq list {each['topic']} --reason {reason}` shows them."
            yield warn("dead letters", f"{each['topic']}: {count} {reason} since this process started", advice)
    if is_none:
        yield ok("dead letters", "none since this process started")


def _again(overview: Overview) -> Iterator[Finding]:
    for each in overview["topics"]:
        duplicates = each["outcomes"].get("duplicate", 0)
        if duplicates:
            detail = f"{each['topic']}: {duplicates} of {sum(each['outcomes'].values())} commands came again"
            advice = (
                "Nothing took effect twice. `bridge trace ID` of one tells where it came from: a producer sends anew."
            )
            yield warn("duplicates", f"{detail} since this process started", advice)


def _answers(overview: Overview) -> Iterator[Finding]:
    seconds, limit = _value(overview, Metric.ANSWER_SECONDS), _value(overview, Metric.ADMISSION_LIMIT)
    if not seconds:
        return
    detail = f"Temporal's newest answers to commands took {seconds:.3g} s in the mean; {limit:g} may be with it at once"
    if seconds > ANSWER_SLOW.total_seconds():
        yield warn("answers", detail, "See Temporal's own load, its database, and the network to it.")
    else:
        yield ok("answers", detail)


def _feed(overview: Overview) -> Iterator[Finding]:
    seconds, gaps = _value(overview, Metric.FEED_LAG_SECONDS), _value(overview, Metric.FEED_GAPS)
    if gaps:
        yield fail("feed", f"ends of runs were lost {gaps:g} time(s)", "The log (`ends lost to retention`) says when.")
    detail = f"ends of runs are told {round(seconds)} s late at most"
    if seconds > FEED_BEHIND.total_seconds():
        yield warn("feed", detail, "See the daemon above; else Temporal's visibility is slow.")
    else:
        yield ok("feed", detail)


def _value(overview: Overview, metric: Metric) -> float:
    """Return a number of the process, the sum of those that have labels; 0 where there is none."""
    return float(sum(each["value"] for each in overview["numbers"].get(metric.value, [])))
