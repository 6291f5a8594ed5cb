"""An account of a command as a tree."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.cli import output, spans
from bridge.lookup.reader import Looked

_LAST, _OTHER, _UNDER_LAST, _UNDER_OTHER = "└─ ", "├─ ", "   ", "│  "


@dataclass(slots=True)
class Branch:
    """A line, and what belongs under it."""

    text: str
    under: "list[Branch]" = field(default_factory=list)

    def add(self, text: str) -> "Branch":
        """Put a line under this one, and return it."""
        self.under.append(Branch(text))
        return self.under[-1]

    def lines(self, before: str = "") -> Iterator[str]:
        """Yield the lines under this one."""
        for branch in self.under:
            is_last = branch is self.under[-1]
            yield before + (_LAST if is_last else _OTHER) + branch.text
            yield from branch.lines(before + (_UNDER_LAST if is_last else _UNDER_OTHER))


def show(account: Mapping[str, Any]) -> None:
    """Print an account; nothing in it reaches the terminal raw."""
    root = branches(account)
    output.write(output.bold(_escaped(root.text)))
    for line in root.lines():
        output.write(_plain(_escaped(line)))


def branches(account: Mapping[str, Any]) -> Branch:
    """Return an account as a tree, by what followed from what."""
    command = account["command"]
    root = Branch(f"{command['type'] or 'record'} {command['id'] or 'without an id'}")
    _arrived(root, account)
    _decided(root, account)
    for run in account["runs"]:
        _ran(root, run, account)
    _records(root, "events", account["events"])
    told = account["lifecycle"] if not account["runs"] else ()
    _records(root, "lifecycle", told)
    _records(root, "replies", account["replies"])
    _dead(root, account["dead_letters"])
    _spans(root, account.get("spans", ()))
    for name, link in account["links"].items():
        root.add(f"{name}: {link}")
    if account["trace_id"] and "trace" not in account["links"]:
        root.add(f"trace id: {account['trace_id']}")
    for note in account["notes"]:
        root.add(f"note: {note}")
    looked_at = root.add("looked at")
    for line in _summed((each["where"], each["records"], each["found"]) for each in account["looked"]):
        looked_at.add(line)
    return root


def looked(places: Sequence[Looked]) -> list[str]:
    """Return where was looked, a line each."""
    asked = [f"{each.where}: {each.how}" for each in places if not _is_partition(each.where)]
    return [*asked, *_summed((each.where, each.records, each.found) for each in places if _is_partition(each.where))]


def _arrived(root: Branch, account: Mapping[str, Any]) -> None:
    command = account["command"]
    arrived = root.add(
        f"arrived {command['time'] or 'at a time that is not known'}, from {command['source'] or 'nobody'}"
    )
    for each in account["arrivals"]:
        again = f", put back for the {each['replays']}. time" if each["replays"] else ""
        arrived.add(f"{each['place']} at {each['time']}{again}")


def _decided(root: Branch, account: Mapping[str, Any]) -> None:
    outcome = account["outcome"] or "nothing is decided yet"
    why = f": {account['reason']}" if account["reason"] else ""
    decided = root.add(f"{outcome}{why}")
    route = account["route"]
    if route is not None:
        what = " ".join(filter(None, (route["verb"], route["workflow"], route["signal"], route["update"])))
        queue = f" on {route['task_queue']}" if route["task_queue"] else ""
        decided.add(f"route {route['command']}: {what}{queue}")
    if account["detail"]:
        decided.add(account["detail"])
    workflow, against = account["workflow"], account["against"]
    if workflow["workflow_id"]:
        decided.add(f"workflow id {workflow['workflow_id']}")
    if against is not None:
        decided.add(f"the latest run of it is {against['run_id']}, {against['state']} since {_since(against)}")


def _ran(root: Branch, run: Mapping[str, Any], account: Mapping[str, Any]) -> None:
    ran = root.add(f"run {run['run_id']} of {run['workflow_type']} on {run['task_queue']}: {run['state']}")
    ran.add(f"started {run['started_at']}")
    if run["closed_at"]:
        ran.add(f"closed {run['closed_at']}")
    if run["failure"]:
        ran.add(f"{run['failure']['type']}: {run['failure']['message']}")
    for wait in run["waits"]:
        ran.add(wait)
    own = [each for each in account["lifecycle"] if _run_id(each) == run["run_id"]]
    _records(ran, "lifecycle", own)


def _records(root: Branch, name: str, records: Iterable[Mapping[str, Any]]) -> None:
    listed = list(records)
    if not listed:
        return
    under = root.add(name)
    for each in listed:
        under.add(f"{each['time'] or each['timestamp']} {each['type']} in {_place(each)}")


def _dead(root: Branch, records: Sequence[Mapping[str, Any]]) -> None:
    if not records:
        return
    under = root.add("dead letters")
    for each in records:
        letter = under.add(f"{each['timestamp']} {each['reason']} in {_place(each)}: {each['state']}")
        letter.add(each["detail"])


def _spans(root: Branch, found: Sequence[Mapping[str, Any]]) -> None:
    if not found:
        return
    path = [root.add("spans")]
    for depth, line in spans.lines(found):
        del path[depth + 1 :]
        path.append(path[-1].add(line))


def _since(run: Mapping[str, Any]) -> str:
    return str(run["closed_at"] or run["started_at"])


def _place(record: Mapping[str, Any]) -> str:
    return f"{record['topic']}/{record['partition']}/{record['offset']}"


def _run_id(record: Mapping[str, Any]) -> object:
    data = record["data"]
    return data.get("run_id") if isinstance(data, dict) else None


def _summed(places: Iterable[tuple[str, int, int]]) -> list[str]:
    """Return a line for each topic: how many partitions, how many records."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for where, records, found in places:
        topic = where.rpartition("/")[0] or where
        for number, value in enumerate((1, records, found)):
            sums[topic][number] += value
    return [f"{topic}: {records} records, {found} of them meant" for topic, (_, records, found) in sums.items()]


def _is_partition(where: str) -> bool:
    return where.rpartition("/")[2].isdecimal()


def _escaped(text: str) -> str:
    return output.escape(text)


def _plain(line: str) -> str:
    """Return a line in characters that the terminal's encoding has."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        for character, instead in (("└─", "`-"), ("├─", "|-"), ("│", "|")):
            line = line.replace(character, instead)
    return line
