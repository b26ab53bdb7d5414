"""A small project with a register, for the tests of actions: no tickets, no engine."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from csimprove.metrics import Measures
from csimprove.pdca import Cycle, add_cycle, plan_cycle, start_cycle
from csimprove.settings import Settings, read_settings
from made_measures import made_measures

ZONE = ZoneInfo("Asia/Shanghai")
WORKDAYS = ", ".join(f'{day} = ["09:00-18:00"]' for day in ("mon", "tue", "wed", "thu", "fri"))
PLAYBOOK = f"""
project = "p"
[source]
path = "tickets.csv"
[calendar]
zone = "Asia/Shanghai"
holidays = "CN"
hours = {{ {WORKDAYS} }}
[pdca]
clock = "business"
levels = ["Team lead", "Service manager", "Service director"]
report_within = "1 d"
correct_within = "3 d"
"""
PLAN = {
    "owner": "Desk manager",
    "due": date(2025, 9, 26),
    "metric": "response_on_time",
    "where": {"region": ("East",)},
    "compare": {"region": ("West",)},
    "gain": 0.05,
    "predicted": 0.1,
    "baseline": (date(2025, 7, 7), date(2025, 8, 3)),
    "window": (date(2025, 8, 4), date(2025, 8, 31)),
}
QUALITY, LEAD, OWNER = "Quality manager", "Programme lead", "Desk manager"


def project(folder: Path, text: str = PLAYBOOK) -> Settings:
    (folder / "playbook.toml").write_text(text, encoding="utf-8")
    return read_settings(folder / "playbook.toml")


def at(day: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00").replace(tzinfo=ZONE)


def planned(made: Settings, *, title: str = "Remind the agent", **fields: Any) -> Cycle:
    cycle = add_cycle(made, title=title, who=QUALITY, at=at("2025-07-28"))
    return plan_cycle(made, cycle.id, who=QUALITY, at=at("2025-07-29"), fields=PLAN | fields)


def started(made: Settings, **fields: Any) -> Cycle:
    cycle = planned(made, **fields)
    return start_cycle(made, cycle.id, who=OWNER, at=at("2025-08-01"))


def measures(
    gain: float = 0.15, *, east: int = 5, west: int = 8, as_of: str = "2025-09-08", weeks: int = 8
) -> Measures:
    """So many weeks: the teams of the East gain, the others move by chance; 200 tickets a team and week."""
    rng = np.random.default_rng(3)
    rows = []
    for number in range(east + west):
        region = "East" if number < east else "West"
        level = 0.78 + 0.04 * rng.standard_normal()
        for week in range(weeks):
            rate = level + 0.01 * rng.standard_normal() + (gain if region == "East" and week >= 4 else 0)
            counts = (round(200 * rate), 200)
            rows.append(
                {
                    "day": date(2025, 7, 7) + timedelta(days=7 * week),
                    "region": region,
                    "team": f"{region} {number}",
                    "tickets": 200,
                    "response_on_time": counts,
                    "first_contact_resolution": counts,
                }
            )
    return made_measures(rows, as_of=at(as_of, 20))
