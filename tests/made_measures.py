"""Small hand-made measures for the tests of the analyses: no file, no engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from csimprove.metrics import CATALOGUE, Measures
from csimprove.settings import PilotPlan
from csimprove.tickets import Reading

BEFORE = date(2025, 7, 7), date(2025, 8, 3)
DURING = date(2025, 8, 4), date(2025, 8, 31)
DECIDED = datetime(2025, 9, 8, 12, tzinfo=UTC)

KEYS = ("day", "region", "team", "channel", "severity")


def reading(tickets: int = 0) -> Reading:
    """Return the account of a file that was read without trouble."""
    return Reading(
        source="tickets.csv",
        sha256="0" * 64,
        encoding="utf-8",
        delimiter=",",
        preset=None,
        rows=tickets,
        used=tickets,
        rejected_rows=0,
        excluded={},
        rejects=(),
        reject_count=0,
        flags={},
        columns=("ticket_id", "opened_at"),
        filled={"ticket_id": 1.0, "opened_at": 1.0},
        headings={"ticket_id": "Id", "opened_at": "Created"},
        first_opened=datetime(2025, 7, 7, tzinfo=UTC),
        last_opened=datetime(2025, 8, 31, tzinfo=UTC),
        latest=DECIDED,
        zone="UTC",
    )


def made_measures(
    rows: Iterable[Mapping[str, Any]],
    *,
    metrics: Sequence[str] = ("response_on_time", "first_contact_resolution"),
    unavailable: Sequence[str] = (),
    as_of: datetime = DECIDED,
    keys: tuple[str, ...] = KEYS,
) -> Measures:
    """Return measures from rows of keys, ``tickets`` and metric = (sum, decided[, eligible[, squares]])."""
    wide = []
    for row in rows:
        record: dict[str, Any] = {key: row.get(key, "") for key in keys}
        record |= {"tickets": row["tickets"], "no_reply": row.get("no_reply", 0)}
        for name in metrics:
            total, decided, *rest = row.get(name, (0, 0))
            eligible = rest[0] if rest else decided
            record |= {f"{name}__sum": total, f"{name}__decided": decided, f"{name}__eligible": eligible}
            if name == "waiting_time":
                record[f"{name}__squares"] = rest[1] if len(rest) > 1 else 0
        wide.append(record)
    frame = pd.DataFrame(wide)
    frame["day"] = pd.to_datetime(frame["day"])
    return Measures(
        frame=frame,
        keys=keys,
        metrics=tuple(metric for metric in CATALOGUE if metric.name in metrics),
        unavailable=tuple(unavailable),
        reading=reading(int(frame["tickets"].sum())),
        as_of=as_of,
        zone="UTC",
        key="0" * 16,
    )


def pilot_rows(
    counts: Mapping[str, Sequence[Sequence[int]]], *, pilot: int, **keys: str
) -> list[dict[str, Any]]:
    """Return one row a team and window.

    ``counts`` is metric = (decided before, sum before, decided during, sum during) of each team; the first
    ``pilot`` teams belong to the East, the others to the West.
    """
    rows = []
    for number in range(len(next(iter(counts.values())))):
        team = {"region": "East" if number < pilot else "West", "team": f"Team {number + 1:02}", **keys}
        for window, (day, _) in enumerate((BEFORE, DURING)):
            parts = {name: teams[number][2 * window : 2 * window + 2] for name, teams in counts.items()}
            cells = {name: (total, decided) for name, (decided, total) in parts.items()}
            rows.append({"day": day, "tickets": max(n for n, _ in parts.values()), **team, **cells})
    return rows


def weekly_rows(
    rates: Sequence[Sequence[float]],
    *,
    regions: Sequence[str],
    n: int = 100,
    metrics: Sequence[str] = ("response_on_time", "first_contact_resolution"),
    first: date = BEFORE[0],
    **keys: str,
) -> list[dict[str, Any]]:
    """Return one row a team and week: ``rates`` holds the rate of each team week by week from ``first``."""
    return [
        {
            "day": first + timedelta(days=7 * week),
            "region": region,
            "team": f"Team {number + 1:02}",
            "tickets": n,
            **dict.fromkeys(metrics, (round(n * rate), n)),
            **keys,
        }
        for number, (region, weeks) in enumerate(zip(regions, rates, strict=True))
        for week, rate in enumerate(weeks)
    ]


def pilot_plan(**fields: Any) -> PilotPlan:
    """Return the plan that fits `pilot_rows`, with any field replaced; co-primaries must gain 5 points."""
    base: dict[str, Any] = {
        "pilot": ("East",),
        "control": ("West",),
        "before": BEFORE,
        "during": DURING,
        "minimum_gain": dict.fromkeys(
            fields.get("co_primary", PilotPlan.model_fields["co_primary"].default), 0.05
        ),
    }
    return PilotPlan(**{**base, **fields})
