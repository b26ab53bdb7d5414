"""A small service for the tests of regular reports: no file, no engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from csimprove.metrics import Measures
from csimprove.settings import Settings, Source
from made_measures import made_measures

FIRST = date(2025, 6, 2)  # a Monday
TEAMS = ("East 1", "East 2", "West 1", "West 2", "West 3", "West 4")


def settings(**fields: Any) -> Settings:
    return Settings(project="p", source=Source(path="tickets.csv"), **fields)


def measures(
    days: int = 98,
    *,
    as_of: datetime | None = None,
    rate: Any = lambda day, team: 0.95,
    open_last: int = 0,
    teams: Sequence[str] = TEAMS,
    size: int = 40,
    metrics: tuple[str, ...] = ("response_on_time", "first_contact_resolution", "waiting_time"),
) -> Measures:
    """``size`` tickets a day and team, with binomial noise; the last days may hold undecided ones."""
    rng = np.random.default_rng(7)
    rows = []
    for place in range(days):
        day = FIRST + timedelta(days=place)
        for team in teams:
            met = int(rng.binomial(size, rate(day, team)))
            decided = size if place < days - open_last else size // 4
            solved = int(rng.binomial(size, 0.82))
            rows.append(
                {
                    "day": day,
                    "region": team.split()[0],
                    "team": team,
                    "severity": "A" if team == teams[0] else "B",
                    "tickets": size,
                    "response_on_time": (min(met, decided), decided, size),
                    "first_contact_resolution": (solved, size),
                    "waiting_time": (size * 150 + place % 3 * 60, size, size, size * 150**2 + size * 900),
                }
            )
    moment = as_of or datetime.combine(FIRST + timedelta(days=days), datetime.min.time(), UTC).replace(hour=6)
    return made_measures(rows, metrics=metrics, as_of=moment)
