"""Small hand-made tickets with causes, and what is counted of them: no file, no engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from csimprove.causes import CausesResult, causes
from csimprove.metrics import CATALOGUE, Measures
from csimprove.settings import Settings
from made_measures import reading

AS_OF = datetime(2025, 12, 31, 12, tzinfo=UTC)
#: Columns of a timed ticket that are always there.
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("category", "cause", "stage", "region", "suggested_cause"), None),
    "is_complaint": False,
    "csat": None,
    "no_reply": 0,
    **{
        f"{event}_{clock}_minutes": None
        for event in ("first_response", "resolution")
        for clock in ("business", "calendar")
    },
    **{f"{short}_{part}": 0 for short in ("response", "resolution") for part in ("business", "clock_s")},
    "response_decided": 1,
    "resolution_decided": 0,
    "resolution_met": None,
    "resolved_at": None,
}

FILE = """
problem = { en = "Delays", zh = "延误" }
category_set = "6M"
[[causes]]
name = "Queue"
label = { en = "Long queue", zh = "排队长" }
category = "method"
status = "confirmed"
controllable = true
evidence = "counted in a trial week"
[[causes.subcauses]]
name = "Peak"
label = { en = "Peak hours", zh = "高峰时段" }
[[causes.whys]]
id = "1"
answer = { en = "too few agents at noon", zh = "中午坐席不足" }
evidence = { en = "roster", zh = "排班表" }
status = "confirmed"
[[causes.whys]]
id = "2a"
after = "1"
answer = { en = "shifts start at nine", zh = "九点才上班" }
[[causes.whys]]
id = "2b"
after = "1"
answer = { en = "lunch is at noon", zh = "中午集中用餐" }
status = "ruled_out"
[[causes]]
name = "Forms"
label = { en = "Too many forms", zh = "表单过多" }
category = "machine"
status = "ruled_out"
controllable = false
[[causes]]
name = "Staff"
label = { en = "Staff not trained", zh = "员工未培训" }
category = "people"
"""


def ticket(
    number: int, day: str, cause: str | None, *, wait: int | None = 30, limit: int = 60, **more: Any
) -> dict[str, Any]:
    """Return a timed ticket: opened at ten on a day, answered after ``wait`` minutes (``None``: not yet)."""
    opened = pd.Timestamp(f"{day} 10:00")
    answered = pd.NaT if wait is None else opened + timedelta(minutes=wait)
    found = {
        "ticket_id": str(number),
        "opened_at": opened,
        "day": pd.Timestamp(day),
        "first_response_at": answered,
        "response_met": int(wait is not None and wait <= limit),
        "age_s": (pd.Timestamp(AS_OF.replace(tzinfo=None)) - opened).total_seconds(),
    }
    return _EMPTY | found | {"cause": cause} | more


def made_tickets(rows: Sequence[dict[str, Any]], *, limit: bool = True) -> Measures:
    """Return measures that list the tickets; without ``limit`` nothing is late."""
    frame = pd.DataFrame(rows)
    frame["csat"] = frame["csat"].astype("Int16")
    for name in ("first_response_at", "resolved_at"):
        frame[name] = pd.to_datetime(frame[name])

    def listed(names: tuple[str, ...], first: date, last: date) -> pd.DataFrame:
        kept = frame[frame["day"].between(pd.Timestamp(first), pd.Timestamp(last))]
        days = (kept["day"] - pd.Timestamp("1970-01-01")).dt.days
        return kept.assign(day=days)[list(names)].reset_index(drop=True)

    there = tuple(name for name in ("category", "cause", "stage", "region", "is_complaint") if name in frame)
    metrics = tuple(metric for metric in CATALOGUE if metric.name == "response_on_time") if limit else ()
    return Measures(
        frame=pd.DataFrame({"day": frame["day"], "tickets": 1}),
        keys=("day",),
        metrics=metrics,
        unavailable=(),
        reading=dataclasses.replace(reading(len(rows)), columns=("ticket_id", "opened_at", *there)),
        as_of=AS_OF,
        zone="UTC",
        key="0" * 16,
        list_tickets=listed,
    )


def made_settings(folder: Path, file: str = "", **own: Any) -> Settings:
    """Return settings with these keys of [causes], and a file of causes if there is one."""
    if file:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "causes.toml").write_text(file, encoding="utf-8")
        own["file"] = "causes.toml"
    source = {"path": "tickets.csv"}
    data = {"project": "Made", "source": source, "causes": own, "file": folder / "playbook.toml"}
    return Settings.model_validate(data)


def made_causes(folder: Path, rows: Sequence[dict[str, Any]], file: str = "", **own: Any) -> CausesResult:
    """Count the causes of hand-made tickets."""
    limit = own.pop("limit", True)
    return causes(made_tickets(rows, limit=limit), settings=made_settings(folder, file, **own))


def mixed() -> list[dict[str, Any]]:
    """Fifteen tickets of one day, ten of them with a cause."""
    codes = [
        *[("Queue", 90)] * 4,
        *[("long QUEUE", 30)] * 2,
        ("Peak", 120),
        *[("Staff", 30)] * 2,
        ("Weather", 30),
        *[("", 30)] * 2,
        (None, 30),
        ("can't tell", 30),
        ("-", 30),
    ]
    return [
        ticket(number, "2025-03-03", cause, wait=wait) for number, (cause, wait) in enumerate(codes, start=1)
    ]
