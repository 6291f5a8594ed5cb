"""The runs that a command began or reached, or the one that stood in its way."""

import dataclasses

from bridge.lookup import clue
from bridge.lookup.case import Case
from bridge.lookup.clue import Clue
from bridge.lookup.findings import Findings
from bridge.lookup.runs import RunFound, Runs
from bridge.lookup.sources import Sources

RUNS_MAX = 10


async def look(sources: Sources, found: Findings) -> None:
    """Add the runs to what was found of a command."""
    case = found.case
    for namespace, workflow_id, run_id in case.runs[:RUNS_MAX]:
        runs = sources.runs.get(namespace)
        run = await runs.describe(workflow_id, run_id) if runs is not None else None
        if runs is None or run is None:
            found.notes.append(f"Temporal does not know the run {run_id} of {workflow_id} any more")
            continue
        begun = clue.of_run(run)
        if begun is not None and case.is_of(begun):
            case.clues.append(begun)
        known = {each.run_id for each in found.runs}
        found.runs = [*found.runs, *(each for each in await runs.chain(run) if each.run_id not in known)]
    if found.runs and not found.is_in_effect and found.outcome is not None:
        found.against, found.runs = found.runs[0], []
    if not found.runs and found.against is None:
        await _look_at_latest(sources, found)


async def _look_at_latest(sources: Sources, found: Findings) -> None:
    case, route = found.case, found.route
    workflow_id = case.first("workflow_id")
    if workflow_id is None:
        return
    runs = sources.runs[(route.namespace if route is not None else None) or sources.own_namespace]
    latest = await runs.describe(workflow_id)
    took = await _took(runs, latest, case) if latest is not None else None
    if latest is not None and took is not None:
        case.clues.append(took)
        found.runs = await runs.chain(latest)
    else:
        found.against = latest


async def _took(runs: Runs, run: RunFound, case: Case) -> Clue | None:
    """Return what a run's history tells of a command of which nobody was told that it took effect."""
    for came in (await runs.past(run)).came:
        told = clue.of_history(came, run)
        if told is not None and case.is_of(told):
            return dataclasses.replace(told, time_ms=None)  # the event's, not the record's
        if came.request_id == case.request_id:
            where = (run.namespace, run.workflow_id, run.run_id)
            return Clue(id=case.id, source=case.source, run=where, took=True)
    return None
