from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from csimprove import charts
from csimprove.baseline import BaselineResult, Indicator
from csimprove.charts import theme
from csimprove.pilot import Cell, PilotMetric, PilotResult, Reason
from csimprove.settings import PilotPlan

LANGUAGES = ("en", "zh")
MONDAY = date(2025, 6, 30)


def indicator(metric: str, value: float | None, **other: object) -> Indicator:
    half = 0.05 * (value or 0)
    fields: dict[str, object] = {
        "metric": metric,
        "unit": "share",
        "better": "higher",
        "variant": "",
        "group": "all",
        "numerator": 0.0 if value is None else value * 1000,
        "denominator": 0 if value is None else 1000,
        "undecided": 0,
        "left_out": 0,
        "value": value,
        "ci_low": None if value is None else max(value - half, 0),
        "ci_high": None if value is None else min(value + half, 1) if value <= 1 else value + half,
        "target": None,
        "alert_threshold": None,
        "below_threshold": None,
        "statistically_below": None,
        "on_target": None,
        "thin": False,
    }
    return Indicator(**{**fields, **other})  # type: ignore[arg-type]


INDICATORS = (
    indicator("response_on_time", 0.752, target=0.95, alert_threshold=0.90, on_target="not_reached"),
    indicator("first_contact_resolution", 0.604, target=0.85, alert_threshold=0.80, on_target="not_reached"),
    indicator("waiting_time", 6.4, unit="minutes", better="lower", target=3.0, on_target="not_reached"),
    indicator("complaint_rate", 0.0249, better="lower", target=0.01, on_target="not_reached"),
    indicator("csat", 0.651, target=0.66, alert_threshold=0.65, on_target="cannot_tell", thin=True),
    indicator("csat_response", 0.203),
    indicator("reopen_rate", 0.081, better="lower", target=0.1, on_target="reached"),
    indicator("resolution_on_time", None, target=0.95),
)


def cuts(groups: list[str], values: list[float | None]) -> pd.DataFrame:
    rows = [
        {
            "cut": "team",
            "group": group,
            "metric": metric,
            "numerator": 0.0 if value is None else (900 - i) * value,
            "denominator": 0 if value is None else 900 - i,
            "undecided": 3,
            "value": np.nan if value is None else value,
            "ci_low": np.nan if value is None else max(value - 0.02, 0),
            "ci_high": np.nan if value is None else value + 0.02,
        }
        for metric in ("response_on_time", "waiting_time")
        for i, (group, value) in enumerate(zip(groups, values, strict=True))
    ]
    return pd.DataFrame(rows)


def trend(weeks: int, incomplete: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = [
        {
            "week": MONDAY + timedelta(days=7 * week),
            "metric": row.metric,
            "numerator": 1.0,
            "denominator": 0 if row.value is None or week == 3 else 400,
            "undecided": 0,
            "value": np.nan if row.value is None or week == 3 else row.value * rng.uniform(0.93, 1.07),
            "complete": week < weeks - incomplete,
        }
        for row in INDICATORS
        for week in range(weeks)
    ]
    return pd.DataFrame(rows)


def a_baseline(**other: object) -> BaselineResult:
    fields: dict[str, object] = {
        "indicators": INDICATORS,
        "cuts": cuts([f"East {i}" for i in range(5)], [0.8, 0.75, None, 0.75, 0.62]),
        "trend": trend(12),
        "goals": (),
        "unavailable": (),
        "first": MONDAY,
        "last": date(2025, 9, 21),
        "as_of": datetime(2025, 9, 26, tzinfo=timezone.utc),
        "zone": "UTC",
        "tickets": 1000,
        "reading": None,
    }
    return BaselineResult(**{**fields, **other})  # type: ignore[arg-type]


def cell(value: float | None) -> Cell:
    return Cell(0.0 if value is None else value * 1000, 0 if value is None else 1000, 0, value)


def pilot_metric(metric: str, **other: object) -> PilotMetric:
    fields: dict[str, object] = {
        "metric": metric,
        "role": "co_primary",
        "unit": "share",
        "better": "higher",
        "pilot_before": cell(0.80),
        "pilot_during": cell(0.952),
        "control_before": cell(0.79),
        "control_during": cell(0.80),
        "basis": "standardised",
        "effect": 0.145,
        "ci_low": 0.124,
        "ci_high": 0.165,
        "level": 0.952,
        "level_low": 0.945,
        "level_high": 0.959,
        "asked": 0.05,
        "target": 0.95,
        "target_status": "cannot_tell",
        "status": "worth_having",
        "strata": 12,
        "renormalised": 0,
        "units_pilot": 5,
        "units_control": 15,
        "information": 1.0,
    }
    names = ("pvalue", "pvalue_holm", "smallest_pvalue", "crude_effect", "crude_ci_low", "crude_ci_high")
    empty = dict.fromkeys((*names, "mix_effect", "tickets_per_week", "tickets_low", "tickets_high"))
    return PilotMetric(**{**empty, **fields, **other})  # type: ignore[arg-type]


METRICS = (
    pilot_metric("response_on_time"),
    pilot_metric(
        "first_contact_resolution",
        pilot_before=cell(0.598),
        effect=0.247,
        ci_low=0.211,
        ci_high=0.283,
        level=0.851,
        level_low=0.838,
        level_high=0.866,
        asked=0.1,
        target=0.85,
    ),
    pilot_metric(
        "csat",
        role="guardrail",
        pilot_before=cell(0.655),
        effect=0.154,
        ci_low=0.100,
        ci_high=0.209,
        level=0.817,
        level_low=0.789,
        level_high=0.848,
        asked=0.03,
        target=0.9,
        target_status="not_reached",
        status="safe",
    ),
    pilot_metric(
        "complaint_rate",
        role="secondary",
        better="lower",
        pilot_before=cell(0.026),
        effect=-0.009,
        ci_low=-0.019,
        ci_high=0.001,
        level=0.016,
        level_low=0.012,
        level_high=0.02,
        asked=None,
        target=0.01,
        target_status="not_reached",
        status="not_shown",
    ),
    pilot_metric(
        "waiting_time",
        role="guardrail",
        unit="minutes",
        better="lower",
        pilot_before=cell(6.2),
        effect=-3.1,
        ci_low=-3.4,
        ci_high=-2.8,
        level=3.0,
        level_low=2.7,
        level_high=3.3,
        asked=0.5,
        target=3.0,
        status="not_shown_safe",
    ),
)


def teams(units: int, names: str = "{group} {i}", groups: int = 4, **fixed: float | None) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    regions = ["华东", "North China", "South China", "西南"][:groups]
    rows = []
    for i in range(units):
        group = regions[i % len(regions)]
        before = rng.uniform(0.72, 0.85)
        during = rng.uniform(0.93, 0.97) if group == "华东" else before + rng.uniform(-0.02, 0.03)
        row = {
            "metric": "response_on_time",
            "unit": names.format(group=group, i=i // len(regions) + 1),
            "group": group,
            "arm": "pilot" if group == "华东" else "control",
            "before": before,
            "during": during,
        } | fixed
        known = row["before"] is not None and row["during"] is not None
        rows.append({**row, "change": row["during"] - row["before"] if known else None})
    frame = pd.DataFrame(rows).astype({"before": float, "during": float, "change": float})
    return frame.assign(tickets_before=400, tickets_during=200)


def weekly(weeks: int = 12, undecided: int = 0, missing: int | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    for week in range(weeks):
        arms = [("pilot", "", 0.95 if week >= 8 else 0.8), ("pilot", "华东", 0.95 if week >= 8 else 0.8)]
        arms += [("control", group, 0.79) for group in ("", "华北", "华南", "西南")]
        for arm, group, value in arms:
            rows.append(
                {
                    "metric": "response_on_time",
                    "week": MONDAY + timedelta(days=7 * week),
                    "arm": arm,
                    "group": group,
                    "numerator": 1.0,
                    "denominator": 0 if week == missing else 400,
                    "undecided": undecided if week == weeks - 1 else 0,
                    "value": np.nan if week == missing else value + rng.normal(0, 0.012),
                }
            )
    return pd.DataFrame(rows)


PLAN = PilotPlan(
    pilot=("华东",),
    control=("华北", "华南", "西南"),
    before=(MONDAY, date(2025, 8, 24)),
    during=(date(2025, 8, 25), date(2025, 9, 21)),
    minimum_gain={"response_on_time": 0.05, "first_contact_resolution": 0.1},
)


def a_pilot(**other: object) -> PilotResult:
    fields: dict[str, object] = {
        "verdict": "go",
        "reason": Reason("both_worth_having", {}),
        "metrics": METRICS,
        "conditions": (),
        "teams": teams(20),
        "weekly": weekly(),
        "left_out": pd.DataFrame(),
        "volume": None,
        "volume_ok": True,
        "one_group": True,
        "plan": PLAN,
        "as_of": datetime(2025, 9, 26, tzinfo=timezone.utc),
        "zone": "UTC",
        "decided_on": date(2025, 9, 26),
        "reading": None,
    }
    return PilotResult(**{**fields, **other})  # type: ignore[arg-type]
