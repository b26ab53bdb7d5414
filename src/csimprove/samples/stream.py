"""Who asks what, where and when; the opening hours; the limits."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Variant = Literal["standard", "null", "mix_shift", "regional_shock"]
Array = npt.NDArray[Any]

#: Region = share of all tickets. The first one is the pilot: chosen for its volume.
REGIONS = {"East China": 0.31, "North China": 0.25, "South China": 0.25, "Southwest": 0.19}
TEAMS = 5
AGENTS = 4
CHANNELS = {"phone": 0.42, "online": 0.30, "email": 0.13, "social": 0.08, "branch": 0.07}
SEVERITIES = {"A": 0.10, "B": 0.33, "C": 0.57}
#: What the pilot region gets during the pilot in the variant ``mix_shift``.
EASY_CHANNELS = {"phone": 0.62, "online": 0.24, "email": 0.06, "social": 0.02, "branch": 0.06}
EASY_SEVERITIES = {"A": 0.04, "B": 0.13, "C": 0.83}
#: Category = its stage and share.
CATEGORIES = {
    "Product enquiry": ("pre-sales", 0.14),
    "Price and offers": ("pre-sales", 0.08),
    "Order change": ("in-sales", 0.07),
    "Payment": ("in-sales", 0.06),
    "Delivery": ("in-sales", 0.08),
    "Product fault": ("after-sales", 0.25),
    "Returns": ("after-sales", 0.19),
    "Invoice": ("after-sales", 0.13),
}
STAGES = ("pre-sales", "in-sales", "after-sales")

#: First days of history, preparation, pilot, roll-out, solidify; the export is written when all is over.
PHASES = np.array(["2025-06-09", "2025-08-04", "2025-08-25", "2025-09-22", "2025-10-13"], "datetime64[D]")
END = np.datetime64("2025-10-27")
#: Public holidays and make-up workdays within the programme: General Office of the State Council, 2024-11-12.
HOLIDAYS = np.arange(np.datetime64("2025-10-01"), np.datetime64("2025-10-09"))
MAKE_UP = np.array(["2025-09-28", "2025-10-11"], "datetime64[D]")

DAY = 86_400
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Tickets on a day of the week against a Wednesday; a closed day keeps what comes in writing.
_VOLUME = np.array([1.15, 1.05, 1.0, 1.0, 0.95, 0.55, 0.25])
_CLOSED_VOLUME = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Tickets as they come in, in order of opening: codes and local seconds since 1970."""

    opened: Array
    phase: Array
    week: Array
    region: Array
    team: Array  # 0-19
    agent: Array  # 0-79
    category: Array
    stage: Array
    channel: Array
    severity: Array


class OpenTime:
    """Seconds of opening hours since the first day, and back."""

    def __init__(self, starts: Array, ends: Array) -> None:
        self.starts = starts
        self.total = np.cumsum(ends - starts)
        self.before = self.total - (ends - starts)

    def elapsed(self, moment: Array) -> Array:
        """Open seconds up to each moment."""
        at = np.searchsorted(self.starts, moment, side="right") - 1
        passed: Array = np.minimum(self.before[at] + moment - self.starts[at], self.total[at])
        return passed

    def after(self, moment: Array, seconds: Array) -> Array:
        """Moments at which that many open seconds have passed, the year's end at the latest."""
        wanted = np.minimum(self.elapsed(moment) + seconds, self.total[-1])
        at = np.searchsorted(self.total, wanted, side="left")
        reached: Array = self.starts[at] + wanted - self.before[at]
        return reached


def packaged(name: str) -> str:
    """Text of a file beside this module."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def in_language(language: str) -> str:
    """Return the settings file with the lines of one language; values still English."""
    lines = (
        line
        for line in packaged("playbook.template").splitlines()
        if line[:3] not in ("en|", "zh|") or line[:2] == language
    )
    return "\n".join(line.removeprefix(f"{language}| ") for line in lines) + "\n"


@cache
def settings() -> dict[str, Any]:
    """Return the settings file as data: the limits and opening hours that the programme obeys."""
    return tomllib.loads(in_language("en"))


@cache
def hours() -> tuple[Array, Array]:
    """Return opening and closing second of the days, from two before the programme to the year's end."""
    days = np.arange(PHASES[0] - 2, np.datetime64("2026-01-01"))
    weekly = settings()["calendar"]["hours"]
    spans = [_span(weekly.get(name, [])) for name in _WEEKDAYS]
    span = np.array(spans)[(days.astype("int64") + 3) % 7]
    span[np.isin(days, MAKE_UP)] = spans[0]
    span[np.isin(days, HOLIDAYS)] = 0
    midnight = days.astype("int64") * DAY
    return midnight + span[:, 0], midnight + span[:, 1]


@cache
def open_time() -> OpenTime:
    """Return the opening hours as a clock."""
    starts, ends = hours()
    return OpenTime(starts[ends > starts], ends[ends > starts])


def first_response_limits() -> tuple[Array, Array]:
    """Limit in seconds and whether it runs in business time, by stage, channel and severity."""
    rules = [rule for rule in settings()["sla"]["rules"] if rule["measure"] == "first_response"]
    shape = (len(STAGES), len(CHANNELS), len(SEVERITIES))
    limit, business = np.zeros(shape, "int64"), np.zeros(shape, bool)
    for i, j, k in np.ndindex(shape):
        ticket = {"stage": STAGES[i], "channel": [*CHANNELS][j], "severity": [*SEVERITIES][k]}
        matching = [
            rule for rule in rules if all(rule.get(key, ticket[key]) == ticket[key] for key in ticket)
        ]
        rule = max(matching, key=len)  # most keys named wins
        number, unit = rule["limit"].split()
        limit[i, j, k] = float(number) * {"min": 60, "h": 3600}[unit]
        business[i, j, k] = rule["clock"] == "business"
    return limit, business


def draw_stream(rng: np.random.Generator, tickets: int, *, easy_mix: bool) -> Stream:
    """Draw when each ticket is opened, by which way, with what, and who gets it."""
    days = np.arange(PHASES[0], END)
    starts, ends = (part[2 : 2 + len(days)] for part in hours())
    volume = np.where(ends > starts, _VOLUME[(days.astype("int64") + 3) % 7], _CLOSED_VOLUME)
    volume[np.isin(days, MAKE_UP)] = 1.0
    day = _pick(rng.random(tickets), volume)
    phase = np.searchsorted(PHASES, days[day], side="right") - 1
    size = np.repeat([*REGIONS.values()], TEAMS) * np.exp(0.1 * rng.standard_normal(len(REGIONS) * TEAMS))
    team = _pick(rng.random(tickets), size)
    easy = easy_mix & (team < TEAMS) & (phase == 2)
    channel = _mixed(rng.random(tickets), easy, CHANNELS, EASY_CHANNELS)
    closed = ends[day] == starts[day]
    in_person = np.isin(channel, [[*CHANNELS].index(name) for name in ("phone", "branch")])
    channel = np.where(closed & in_person, [*CHANNELS].index("online"), channel)
    severity = _mixed(rng.random(tickets), easy, SEVERITIES, EASY_SEVERITIES)
    category = _pick(rng.random(tickets), [share for _, share in CATEGORIES.values()])
    agent = team * AGENTS + np.floor(AGENTS * rng.random(tickets)).astype("int64")
    within = ~closed & (in_person | (rng.random(tickets) < 0.85))
    midnight = days[day].astype("int64") * DAY
    # In hours: two humps, mid-morning and mid-afternoon; else: any time between seven and midnight.
    hump = np.where(rng.random(tickets) < 0.55, 0.25, 0.66) + 0.13 * rng.standard_normal(tickets)
    share = 1 - np.abs(1 - np.abs(hump))
    evening = midnight + 7 * 3600 + np.floor(rng.random(tickets) * 17 * 3600).astype("int64")
    office = starts[day] + np.floor(share * (ends - starts)[day]).astype("int64")
    opened = np.where(within, office, evening)
    stage = np.array([STAGES.index(stage) for stage, _ in CATEGORIES.values()])[category]
    order = np.argsort(opened, kind="stable")
    columns = (opened, phase, day // 7, team // TEAMS, team, agent, category, stage, channel, severity)
    return Stream(*(column[order] for column in columns))


def seconds(moment: np.datetime64) -> int:
    """Seconds since 1970 of a local moment."""
    return int(moment.astype("datetime64[s]").astype("int64"))


def _span(intervals: list[str]) -> tuple[int, int]:
    """Seconds of the day of one interval; the programme has at most one a day."""
    if not intervals:
        return 0, 0
    start, end = (int(part[:2]) * 3600 + int(part[3:]) * 60 for part in intervals[0].split("-"))
    return start, end


def _pick(uniform: Array, weights: Sequence[float] | Array) -> Array:
    """Codes with chances in proportion to the weights."""
    edges = np.cumsum(weights)
    return np.searchsorted(edges[:-1] / edges[-1], uniform, side="right")


def _mixed(uniform: Array, easy: Array, usual: dict[str, float], other: dict[str, float]) -> Array:
    return np.where(easy, _pick(uniform, [*other.values()]), _pick(uniform, [*usual.values()]))
