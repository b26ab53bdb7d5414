"""Who asks what, where and when; the opening hours; the limits."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Language = Literal["en", "zh"]
Variant = Literal["standard", "null", "mix_shift", "regional_shock"]
Array = npt.NDArray[Any]

DAY = 86_400
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _packaged(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


#: Everything that is planted.
PLAN: dict[str, Any] = tomllib.loads(_packaged("programme.toml"))
WORDS: dict[str, Any] = tomllib.loads(_packaged("words.toml"))
#: English heading, value or name in the settings file = its translation.
TRANSLATIONS: dict[Language, dict[str, str]] = {"en": {}, "zh": WORDS["chinese"]}

PHASES = np.array(PLAN["phases"], "datetime64[D]")
END = np.datetime64(PLAN["end"])
HOLIDAYS, MAKE_UP = (np.array(PLAN[name], "datetime64[D]") for name in ("holidays", "make_up"))


def playbook(language: Language, name: str = "playbook.template") -> str:
    """Return the text of the settings file (or another template), comments and values in the language."""
    other = {"en": "zh|", "zh": "en|"}[language]
    lines = [line for line in _packaged(name).splitlines() if not line.startswith(other)]
    text = "\n".join(line.removeprefix(f"{language}| ") for line in lines) + "\n"
    words = TRANSLATIONS[language]
    return re.sub(r'"([^"]+)"', lambda found: f'"{words.get(found[1], found[1])}"', text)


def register(language: Language) -> list[dict[str, Any]]:
    """Return what people do in the register: for each cycle the steps, with who, when and what."""
    cycles: list[dict[str, Any]] = tomllib.loads(playbook(language, "register.template"))["cycles"]
    return cycles


@cache
def settings() -> dict[str, Any]:
    """Return the settings file as data: the limits and opening hours that the programme obeys."""
    return tomllib.loads(playbook("en"))


@cache
def opening_hours() -> Array:
    """Return opening and closing second of the days, from two before the programme to the year's end."""
    days = np.arange(PHASES[0] - 2, np.datetime64("2026-01-01"))
    weekly = settings()["calendar"]["hours"]
    spans = [weekly.get(name, ["00:00-00:00"])[0].split("-") for name in _WEEKDAYS]
    seconds = np.array([[int(at[:2]) * 3600 + int(at[3:]) * 60 for at in span] for span in spans])
    hours: Array = seconds[_weekday(days)]
    hours[np.isin(days, MAKE_UP)] = seconds[0]
    hours[np.isin(days, HOLIDAYS)] = 0
    hours += days.astype("int64")[:, None] * DAY
    return hours


def open_after(moment: Array, seconds: Array) -> Array:
    """Return the moments at which that many open seconds have passed, the year's end at the latest."""
    hours = opening_hours()
    knots = hours[hours[:, 1] > hours[:, 0]].ravel()
    passed = np.cumsum(np.diff(knots, prepend=knots[0]) * (np.arange(len(knots)) % 2))
    wanted = np.interp(moment, knots, passed) + seconds
    # Half a second less: what is due at closing time must not wait for the next opening.
    return np.ceil(np.interp(wanted - 0.5, passed, knots)).astype("int64")


def first_response_limits(tickets: pd.DataFrame) -> tuple[Array, Array]:
    """Return the limit of each ticket in seconds, and whether it runs in business time."""
    limit, business = np.zeros(len(tickets), "int64"), np.zeros(len(tickets), bool)
    rules = [rule for rule in settings()["sla"]["rules"] if rule["measure"] == "first_response"]
    for rule in sorted(rules, key=len):  # most keys named wins: written last
        named = {"stage", "channel", "severity"} & rule.keys()
        rows = np.logical_and.reduce([tickets[key] == rule[key] for key in named])
        number, unit = rule["limit"].split()
        limit[rows] = float(number) * {"min": 60, "h": 3600}[unit]
        business[rows] = rule["clock"] == "business"
    return limit, business


def draw_stream(rng: np.random.Generator, count: int, *, easy_mix: bool) -> pd.DataFrame:
    """Draw when each ticket is opened, by which way, with what, and who gets it.

    Returns
    -------
    pandas.DataFrame
        Tickets in order of opening: ``opened`` in local seconds since 1970; ``phase``, ``week``, ``team``
        (0-19) and ``agent`` (0-79) counted from 0; ``region``, ``category``, ``stage``, ``channel``,
        ``severity`` as words; ``group``, a number for each region with a category.
    """
    days = np.arange(PHASES[0], END)
    opening, closing = opening_hours()[2 : 2 + len(days)].T
    volume = np.where(closing > opening, np.array(PLAN["volume"])[_weekday(days)], PLAN["closed_volume"])
    volume[np.isin(days, MAKE_UP)] = 1.0
    day = _pick(rng.random(count), volume)
    phase = np.searchsorted(PHASES, days[day], side="right") - 1
    regions, categories, teams = PLAN["region"], PLAN["category"], PLAN["teams"]
    size = np.repeat([*regions.values()], teams) * np.exp(0.1 * rng.standard_normal(len(regions) * teams))
    team = _pick(rng.random(count), size)
    easy = easy_mix & (team < teams) & (phase == 2)
    channel = _mixed(rng.random(count), PLAN["channel"], easy)
    closed = closing[day] == opening[day]
    in_person = np.isin(channel, ["phone", "branch"])
    severity = _mixed(rng.random(count), PLAN["severity"], easy)
    category = _pick(rng.random(count), categories.values())
    agent = team * PLAN["agents"] + np.floor(PLAN["agents"] * rng.random(count)).astype("int64")
    within = ~closed & (in_person | (rng.random(count) < 0.85))
    midnight = days[day].astype("int64") * DAY
    # In hours: two humps, mid-morning and mid-afternoon; else: any time between seven and midnight.
    hump = np.where(rng.random(count) < 0.55, 0.25, 0.66) + 0.13 * rng.standard_normal(count)
    share = 1 - np.abs(1 - np.abs(hump))
    evening = midnight + 7 * 3600 + np.floor(rng.random(count) * 17 * 3600).astype("int64")
    office = opening[day] + np.floor(share * (closing - opening)[day]).astype("int64")
    stages = {name: stage for stage, names in PLAN["stage"].items() for name in names}
    tickets = pd.DataFrame(
        {
            "opened": np.where(within, office, evening),
            "phase": phase,
            "week": day // 7,
            "region": named(regions, team // teams),
            "team": team,
            "agent": agent,
            "category": named(categories, category),
            "stage": named([stages[name] for name in categories], category),
            "channel": np.where(closed & in_person, "online", channel),
            "severity": severity,
            "group": team // teams * len(categories) + category,
        }
    )
    return tickets.sort_values("opened", kind="stable", ignore_index=True)


def named(names: Iterable[str], codes: Array) -> Array:
    """Return the names to codes."""
    return np.array([*names], object)[codes]


def _weekday(days: Array) -> Array:
    return (days.astype("int64") + 3) % 7


def _pick(uniform: Array, weights: Iterable[float]) -> Array:
    """Codes with chances in proportion to the weights."""
    edges = np.cumsum([*weights])
    return np.searchsorted(edges[:-1] / edges[-1], uniform, side="right")


def _mixed(uniform: Array, shares: Mapping[str, Mapping[str, float]], easy: Array) -> Array:
    usual, other = (named(mix, _pick(uniform, mix.values())) for mix in (shares["usual"], shares["easy"]))
    return np.where(easy, other, usual)


def time_texts(seconds: Array | pd.Series[int]) -> Array:
    """Return local seconds since 1970 as they stand in a file; 0 is no time."""
    moment = np.asarray(seconds)
    text = np.datetime_as_string(moment.astype("datetime64[s]"))
    return np.where(moment > 0, np.char.replace(text, "T", " "), "")
