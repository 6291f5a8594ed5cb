"""How promising a lead is, 0 to 100. Pure, in decimals: a replay on another machine counts the same to the last digit.

The score is what the lead did, each activity weighted and halved with every two weeks of age, plus what is known of
it, rounded half up and kept within 0 and 100.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Final

from topics.lead import ActivityKind, LeadActivity, LeadProfile
from workers.lead.models import Heat

QUALIFYING_SCORE: Final = 70
HALF_LIFE: Final = timedelta(days=14)

POINTS: Final[Mapping[ActivityKind, int]] = {
    "page_view": 2,
    "email_open": 3,
    "email_click": 8,
    "form_submit": 20,
    "demo_request": 45,
    "unsubscribe": -60,
}
HEAT_MAX: Final = 100
"""Beyond this, more of the same says nothing new; without it a busy day would keep a lead hot for months."""

SENIOR_TITLE: Final = re.compile(r"\b(chief|c[efimt]o|founder|owner|president|vp|head|director)\b", re.IGNORECASE)
SENIOR_POINTS: Final = 12
TITLE_POINTS: Final = 4
COMPANY_POINTS: Final = 3
COUNTRY_POINTS: Final = 1
OWN_DOMAIN_POINTS: Final = 4
FREE_MAIL: Final = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "gmx.de", "web.de"}
)
SIZE_POINTS: Final = ((1000, 10), (200, 8), (50, 5), (10, 2))
"""Points from this many people on, largest first."""

TEXT_CHARACTERS_MAX: Final = 500
"""What is kept of each text of a profile; it is carried from run to run."""

_EXACT: Final = Context(prec=34, rounding=ROUND_HALF_UP)
_POINTS_DIGITS: Final = Decimal("1E-12")
_HALF_LIFE_MICROSECONDS: Final = HALF_LIFE // timedelta(microseconds=1)


def warm(heat: Heat, activities: Iterable[LeadActivity], now: datetime) -> Heat:
    """Return `heat` as it stands at `now` with `activities` added; what lies in the future counts as of now."""
    with localcontext(_EXACT):
        points = heat.points if heat.as_of is None else heat.points * remaining(now - heat.as_of)
        for activity in activities:
            points += POINTS[activity.kind] * remaining(now - activity.occurred_at)
        bounded = max(Decimal(-HEAT_MAX), min(Decimal(HEAT_MAX), points))
        return Heat(points=bounded.quantize(_POINTS_DIGITS), as_of=now)


def remaining(age: timedelta) -> Decimal:
    """Return what is left of a point after `age`: 1 when new, 1/2 after a half-life."""
    halvings = Decimal(max(age // timedelta(microseconds=1), 0)) / _HALF_LIFE_MICROSECONDS
    return _EXACT.power(2, -halvings)


def score(heat: Heat, profile: LeadProfile) -> int:
    """Return the score, 0 to 100, of a lead whose heat was brought up to the moment of interest by `warm`."""
    points = heat.points + profile_points(profile)
    return int(max(Decimal(0), min(Decimal(100), points)).quantize(Decimal(1), context=_EXACT))


def profile_points(profile: LeadProfile) -> int:
    """Return the points, 0 to 30, for what is known of a lead."""
    points = 0
    if profile.job_title:
        points += SENIOR_POINTS if SENIOR_TITLE.search(profile.job_title) else TITLE_POINTS
    if profile.email and profile.email.rpartition("@")[2].lower() not in FREE_MAIL:
        points += OWN_DOMAIN_POINTS
    points += COMPANY_POINTS if profile.company else 0
    points += COUNTRY_POINTS if profile.country else 0
    people = _people(profile.company_size)
    return points + next((size_points for size, size_points in SIZE_POINTS if people >= size), 0)


def merged(known: LeadProfile, told: LeadProfile | None) -> LeadProfile:
    """Return what is known once `told` is heard: the later word counts, silence changes nothing."""
    if told is None:
        return known
    cut = {
        name: value[:TEXT_CHARACTERS_MAX] if isinstance(value, str) else value
        for name, value in told
        if value is not None
    }
    return known.model_copy(update=cut)


def _people(company_size: int | str | None) -> int:
    """Return a head count; of a range such as "51-200" or "1,000+" its lower end."""
    if isinstance(company_size, int):
        return company_size
    digits = re.match(r"\D{0,3}([0-9][0-9.,' ]{0,12})", company_size or "", re.ASCII)
    return int(re.sub(r"[^0-9]", "", digits[1])) if digits else 0
