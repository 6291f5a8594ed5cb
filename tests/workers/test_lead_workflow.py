"""The lead's entity: every command once, over continue-as-new."""

from tests.workers.leads import now, score, scoring, signal
from tests.workers.stage import Stage
from workers.lead.workflow import LeadScoring


async def test_a_command_is_told_with_its_score_and_the_one_before(stage: Stage) -> None:
    async with stage.working("leads"):
        run = await signal(stage, scoring(1, "form_submit", at=await now(stage)))
        await stage.told_in_all(1)
        await signal(stage, scoring(2, "form_submit", at=await now(stage)))
        await stage.told_in_all(2)
        answer = await score(run)
    assert stage.events("ce_type", "score", "previous", "command_id", "lead_id") == [
        ("lead.scored", 20, 0, "score-1", "L-1"),
        ("lead.scored", 40, 20, "score-2", "L-1"),
    ]
    assert answer == 40


async def test_a_lead_qualifies_once(stage: Stage) -> None:
    async with stage.working("leads"):
        for number, told in enumerate((1, 3, 4, 5)):
            await signal(stage, scoring(number, "form_submit", "form_submit", at=await now(stage)))
            await stage.told_in_all(told)
    assert stage.types == ["lead.scored", "lead.scored", "lead.qualified", "lead.scored", "lead.scored"]
    assert stage.events("score")[2] == 80


async def test_each_score_is_caused_by_its_command(stage: Stage) -> None:
    first, second = scoring(1, "demo_request", "form_submit", "form_submit"), scoring(2)
    await signal(stage, first)
    await signal(stage, second)
    async with stage.working("leads"):
        await stage.told_in_all(2)
    assert stage.events("ce_causationid", "command_id") == [("score-1", "score-1"), ("score-2", "score-2")]


async def test_a_command_that_comes_again_is_told_once(stage: Stage) -> None:
    async with stage.working("leads"):
        for number in (1, 1, 2, 1):
            await signal(stage, scoring(number))
        await stage.told_in_all(2)
        await signal(stage, scoring(3))
        await stage.told_in_all(3)
    assert stage.events("command_id") == ["score-1", "score-2", "score-3"]


async def test_two_hundred_commands_on_twenty_leads_are_two_hundred_scores(stage: Stage) -> None:
    sent = [(lead, number) for number in range(10) for lead in range(20)]
    async with stage.working("leads"):
        for lead, number in sent:
            await signal(stage, scoring(number, lead_id=f"L-{lead}"))
        await stage.told_in_all(200)
    assert sorted(stage.events("lead_id", "command_id")) == sorted(
        (f"L-{lead}", f"score-{number}") for lead, number in sent
    )


async def test_kafka_away_delays_scores_and_loses_none(stage: Stage) -> None:
    stage.emitter.away = 3
    for number in range(5):
        run = await signal(stage, scoring(number))
    async with stage.working("leads"):
        await stage.environment.sleep(60)
        await stage.told_in_all(5)
        answer = await score(run)
    assert (stage.events("command_id"), answer) == ([f"score-{number}" for number in range(5)], 0)


async def test_a_run_without_any_command_waits(stage: Stage) -> None:
    async with stage.working("leads"):
        run = await stage.client.start_workflow(LeadScoring.run, id="lead-L-1", task_queue="leads")
        answer = await score(run)
    assert (answer, stage.types) == (0, [])
