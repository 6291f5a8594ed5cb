"""How leads score."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.lead import LeadActivity, LeadProfile
from workers.lead import scoring
from workers.lead.models import Heat

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

moments = st.timedeltas(min_value=timedelta(days=-100), max_value=timedelta(days=2000)).map(lambda age: NOW - age)
activities = st.lists(
    st.builds(LeadActivity, kind=st.sampled_from(sorted(scoring.POINTS)), occurred_at=moments), max_size=30
)
profiles = st.builds(
    LeadProfile,
    email=st.sampled_from([None, "a@gmail.com", "a@example.com"]),
    job_title=st.none() | st.text(max_size=30),
    company=st.none() | st.text(max_size=30),
    company_size=st.none() | st.integers(min_value=0) | st.text(max_size=30),
    country=st.none() | st.text(max_size=30),
)


def did(kind: Any, age: timedelta = timedelta()) -> LeadActivity:
    return LeadActivity(kind=kind, occurred_at=NOW - age)


def scored(*done: LeadActivity, profile: LeadProfile | None = None, now: datetime = NOW) -> int:
    return scoring.score(scoring.warm(Heat(), done, now), profile or LeadProfile())


def test_an_activity_counts_its_points_when_new() -> None:
    assert scored(did("form_submit")) == 20


def test_an_activity_counts_half_after_a_half_life() -> None:
    assert scored(did("form_submit", scoring.HALF_LIFE)) == 10


def test_an_activity_counts_a_quarter_after_two() -> None:
    assert scored(did("form_submit", 2 * scoring.HALF_LIFE)) == 5


def test_what_is_dated_in_the_future_counts_as_of_now() -> None:
    assert scored(did("form_submit", -timedelta(days=900))) == 20


def test_an_unsubscribe_takes_points() -> None:
    assert scored(did("demo_request"), did("form_submit"), did("unsubscribe")) == 5


def test_a_score_never_falls_below_zero() -> None:
    assert scored(did("unsubscribe")) == 0


def test_a_score_never_exceeds_a_hundred() -> None:
    assert scored(*[did("demo_request")] * 50, profile=LeadProfile(job_title="CEO")) == 100


def test_half_points_round_up() -> None:
    assert scored(did("email_open", scoring.HALF_LIFE)) == 2


def test_a_busy_day_is_forgotten_like_any_other() -> None:
    assert scored(*[did("demo_request", scoring.HALF_LIFE * 3)] * 1000) == 100
    heat = scoring.warm(Heat(), [did("demo_request")] * 1000, NOW)
    assert scoring.score(scoring.warm(heat, [], NOW + scoring.HALF_LIFE), LeadProfile()) == 50


@pytest.mark.parametrize(
    ("profile", "points"),
    [
        ({}, 0),
        ({"job_title": "CTO"}, 12),
        ({"job_title": "Head of Purchasing"}, 12),
        ({"job_title": "Student"}, 4),
        ({"email": "ada@example.com"}, 4),
        ({"email": "ada@gmail.com"}, 0),
        ({"company_size": 9}, 0),
        ({"company_size": 50}, 5),
        ({"company_size": "51-200"}, 5),
        ({"company_size": "1,000+"}, 10),
        ({"company_size": "> 250"}, 8),
        ({"company_size": "many"}, 0),
        ({"company_size": "", "company": "", "country": "", "job_title": ""}, 0),
        (
            {"email": "a@b.example", "job_title": "VP", "company": "B", "company_size": 5000, "country": "DE"},
            30,
        ),
    ],
)
def test_a_profile_counts_for_what_is_known(profile: dict[str, Any], points: int) -> None:
    assert scoring.profile_points(LeadProfile.model_validate(profile)) == points


def test_the_later_word_on_a_lead_counts_and_silence_changes_nothing() -> None:
    known = LeadProfile(job_title="Student", company="A")
    assert scoring.merged(known, LeadProfile(job_title="CTO")) == LeadProfile(job_title="CTO", company="A")
    assert scoring.merged(known, None) == known


def test_endless_texts_of_a_profile_are_not_carried_from_run_to_run() -> None:
    kept = scoring.merged(LeadProfile(), LeadProfile(job_title="x" * 1_000_000)).job_title
    assert kept == "x" * scoring.TEXT_CHARACTERS_MAX


@given(activities, profiles)
def test_a_score_is_a_whole_number_from_0_to_100(done: list[LeadActivity], profile: LeadProfile) -> None:
    assert 0 <= scored(*done, profile=profile) <= 100


@given(activities, profiles)
def test_profile_points_stay_within_30(done: list[LeadActivity], profile: LeadProfile) -> None:
    assert 0 <= scoring.profile_points(profile) <= 30


@given(st.lists(st.integers(min_value=0, max_value=400), min_size=2, max_size=20))
def test_without_activity_a_hot_lead_cools(days: list[int]) -> None:
    heat = scoring.warm(Heat(), [did("demo_request")], NOW)
    later = [scoring.warm(heat, [], NOW + timedelta(days=day)).points for day in sorted(days)]
    assert all(before >= after for before, after in pairwise(later))


@given(activities.filter(bool), st.integers(min_value=0, max_value=30))
def test_it_does_not_matter_how_activities_are_spread_over_commands(done: list[LeadActivity], cut: int) -> None:
    small = [activity for activity in done if scoring.POINTS[activity.kind] in range(4)]  # far from the bounds
    at_once = scoring.warm(Heat(), small, NOW)
    in_two = scoring.warm(scoring.warm(Heat(), small[:cut], NOW), small[cut:], NOW)
    assert abs(at_once.points - in_two.points) <= Decimal("1E-11")


@given(activities)
def test_heat_survives_being_carried_over_as_json(done: list[LeadActivity]) -> None:
    heat = scoring.warm(Heat(), done, NOW)
    assert Heat.model_validate_json(heat.model_dump_json()) == heat
