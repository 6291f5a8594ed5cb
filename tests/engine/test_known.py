"""The runs that a process has met before."""

from bridge.dispatch.known import KnownRuns


def test_of_more_runs_than_there_is_room_for_the_newer_half_stays_known() -> None:
    known = KnownRuns(4)
    for number, run_id in enumerate("abcde"):
        known.add(run_id, number)
    assert [run_id in known for run_id in "abcde"] == [False, False, True, True, True]
    assert [known.get(run_id) for run_id in "abcde"] == [None, None, 2, 3, 4]
