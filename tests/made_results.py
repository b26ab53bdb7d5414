"""Small hand-made results for the tests of wording and report: no data, no engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from csimprove.baseline import BaselineResult, Goal, Indicator
from csimprove.errors import Failure
from csimprove.inference import TeamTest
from csimprove.pilot import Cell, PilotMetric, PilotResult, Reason
from csimprove.settings import NextStep, PilotPlan
from csimprove.tickets import Reading

AS_OF = datetime(2025, 9, 30, 1, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"

READING = Reading(
    source="tickets_<2025>.csv",
    sha256="9f2c41d7" + "0" * 56,
    encoding="utf-8",
    delimiter=",",
    preset=None,
    rows=1100,
    used=1000,
    rejected_rows=60,
    excluded={"test tickets": 30, "duplicate_id": 10},
    rejects=(Failure("Created <at>", 17, "3█/█5 <script>", "is not a time."),),
    reject_count=61,
    flags={"answered_before_opened": 3, "reversed_pause": 1},
    columns=("ticket_id", "opened_at", "region", "csat"),
    filled={"ticket_id": 1.0, "opened_at": 1.0, "region": 0.995, "csat": 0.24},
    headings={"ticket_id": "No.", "opened_at": "Created <at>", "region": "区域", "csat": "Score"},
    first_opened=datetime(2025, 6, 29, 16, 5, tzinfo=UTC),
    last_opened=datetime(2025, 9, 29, 12, 0, tzinfo=UTC),
    latest=AS_OF,
    zone=ZONE,
)


def indicator(metric: str, value: float | None, **fields: Any) -> Indicator:
    """Return an indicator with plausible numbers around a value."""
    half = 0.02 if value is not None and value < 1.5 else 0.3
    base: dict[str, Any] = {
        "metric": metric,
        "unit": "share",
        "better": "higher",
        "variant": "",
        "group": "all",
        "numerator": (value or 0) * 900,
        "denominator": 900 if value is not None else 0,
        "undecided": 60,
        "left_out": 40,
        "value": value,
        "ci_low": None if value is None else value - half,
        "ci_high": None if value is None else value + half,
        "target": None,
        "alert_threshold": None,
        "below_threshold": None,
        "statistically_below": None,
        "on_target": None,
        "thin": False,
    }
    return Indicator(**{**base, **fields})


INDICATORS = (
    indicator(
        "response_on_time",
        0.752,
        target=0.95,
        on_target="not_reached",
        alert_threshold=0.9,
        below_threshold=True,
        statistically_below=True,
    ),
    indicator("first_contact_resolution", 0.84, target=0.85, on_target="cannot_tell"),
    indicator("waiting_time", 2.4, unit="minutes", better="lower", target=3.0, on_target="reached"),
    indicator(
        "complaint_rate",
        0.025,
        better="lower",
        target=0.01,
        on_target="not_reached",
        ci_low=0.02,
        ci_high=0.03,
    ),
    indicator("csat", 0.65, target=0.9, on_target="not_reached", denominator=25, thin=True),
    indicator("csat_response", 0.24),
    indicator("reopen_rate", 0.08, better="lower"),
    indicator("resolution_on_time", 0.91, target=0.95, on_target="not_reached"),
)

_CUTS = [
    ("region", "华东", "response_on_time", 200, 250, 10, 0.80, 0.75, 0.84),
    ("region", "<North>", "response_on_time", 180, 250, 12, 0.72, 0.66, 0.77),
    ("region", "", "response_on_time", 0, 0, 3, None, None, None),
    ("region", "华东", "csat", 30, 50, 0, 0.60, 0.46, 0.72),
    ("region", "<North>", "csat", 35, 50, 0, 0.70, 0.56, 0.81),
]
_TREND = [
    (date(2025, 6, 30), "response_on_time", 70, 100, 0, 0.70, True),
    (date(2025, 7, 7), "response_on_time", 78, 100, 0, 0.78, True),
    (date(2025, 7, 14), "response_on_time", 75, 100, 0, 0.75, True),
    (date(2025, 7, 21), "response_on_time", 20, 25, 9, 0.80, False),
]

BASELINE = BaselineResult(
    indicators=INDICATORS,
    cuts=pd.DataFrame(
        _CUTS,
        columns=[
            "cut",
            "group",
            "metric",
            "numerator",
            "denominator",
            "undecided",
            "value",
            "ci_low",
            "ci_high",
        ],
    ),
    trend=pd.DataFrame(
        _TREND,
        columns=[
            "week",
            "metric",
            "numerator",
            "denominator",
            "undecided",
            "value",
            "complete",
        ],
    ).astype({"week": "datetime64[ns]"}),
    goals=(
        Goal("response_on_time", 0.752, 0.95, 0.198, 31.4, "Desk <lead>", date(2025, 12, 31)),
        Goal("waiting_time", 2.4, 3.0, -0.6, None, None, None),
        Goal("complaint_rate", 0.025, 0.01, 0.015, 2.0, None, None),
    ),
    unavailable=("nps",),
    first=date(2025, 6, 30),
    last=date(2025, 8, 24),
    as_of=AS_OF,
    zone=ZONE,
    tickets=1000,
    reading=READING,
)

PLAN = PilotPlan(
    pilot=("华东",),
    control=("华北", "华南"),
    before=(date(2025, 6, 30), date(2025, 8, 24)),
    during=(date(2025, 8, 25), date(2025, 9, 21)),
    co_primary=("response_on_time", "first_contact_resolution"),
    secondary=("complaint_rate",),
    guardrail=("csat", "waiting_time"),
    minimum_gain={"response_on_time": 0.05, "first_contact_resolution": 0.1},
    margin={"csat": 0.03, "waiting_time": 0.5},
    decision_date=date(2025, 9, 28),
    next_steps=(
        NextStep(verdict="go", action="Start wave 1 <two teams>", owner="Director", due=date(2025, 10, 9)),
        NextStep(verdict="stop", action="Return to the old process", owner="Director"),
    ),
)


def cell(value: float | None, n: int = 1000) -> Cell:
    """Return a pooled cell."""
    return Cell((value or 0) * n, n if value is not None else 0, 20, value)


def pilot_metric(metric: str, **fields: Any) -> PilotMetric:
    """Return a co-primary rate that gained 14.5 points, with any field replaced."""
    base: dict[str, Any] = {
        "metric": metric,
        "role": "co_primary",
        "unit": "share",
        "better": "higher",
        "pilot_before": cell(0.80),
        "pilot_during": cell(0.951),
        "control_before": cell(0.791, 3000),
        "control_during": cell(0.799, 3000),
        "basis": "standardised",
        "effect": 0.145,
        "ci_low": 0.124,
        "ci_high": 0.165,
        "pvalue": 0.00006,
        "pvalue_holm": None,
        "smallest_pvalue": 0.00006,
        "crude_effect": 0.144,
        "crude_ci_low": 0.12,
        "crude_ci_high": 0.166,
        "mix_effect": -0.001,
        "strata": 6,
        "renormalised": 0,
        "units_pilot": 5,
        "units_control": 15,
        "asked": 0.05,
        "level": 0.952,
        "level_low": 0.941,
        "level_high": 0.963,
        "target": 0.95,
        "target_status": "cannot_tell",
        "status": "worth_having",
        "tickets_per_week": 210.0,
        "tickets_low": 180.0,
        "tickets_high": 239.0,
        "information": 1.0,
    }
    return PilotMetric(**{**base, **fields})


METRICS = (
    pilot_metric("response_on_time"),
    pilot_metric(
        "first_contact_resolution",
        pilot_before=cell(0.597),
        pilot_during=cell(0.851),
        effect=0.247,
        ci_low=0.211,
        ci_high=0.283,
        asked=0.1,
        target=0.85,
        level=0.851,
        target_status="reached",
    ),
    pilot_metric(
        "complaint_rate",
        role="secondary",
        better="lower",
        pilot_before=cell(0.027),
        pilot_during=cell(0.022),
        control_before=cell(0.025, 3000),
        control_during=cell(0.024, 3000),
        effect=-0.004,
        ci_low=-0.011,
        ci_high=0.002,
        pvalue=0.2,
        pvalue_holm=0.2,
        asked=None,
        level=0.022,
        target=0.01,
        target_status="not_reached",
        status="not_shown",
        tickets_per_week=-6.0,
        tickets_low=-16.0,
        tickets_high=3.0,
    ),
    pilot_metric(
        "csat",
        role="guardrail",
        pilot_before=cell(0.654),
        pilot_during=cell(0.819),
        effect=0.154,
        ci_low=0.1,
        ci_high=0.209,
        asked=0.03,
        level=0.817,
        target=0.9,
        target_status="not_reached",
        status="safe",
    ),
    pilot_metric(
        "waiting_time",
        role="guardrail",
        unit="minutes",
        better="lower",
        pilot_before=cell(6.9),
        pilot_during=cell(3.9),
        control_before=cell(6.8),
        control_during=cell(6.9),
        effect=-3.1,
        ci_low=-3.4,
        ci_high=-2.8,
        asked=0.5,
        level=3.9,
        target=None,
        target_status=None,
        status="safe",
        tickets_per_week=None,
        tickets_low=None,
        tickets_high=None,
        mix_effect=0.02,
        crude_effect=-3.08,
    ),
)

_TEAMS = [
    ("response_on_time", f"{group}{number}组", group, arm, before, before + change, change, 500, 260)
    for group, arm, changes in (
        ("华东", "pilot", (0.196, 0.163, 0.108)),
        ("华北", "control", (0.013, -0.005)),
        ("华南", "control", (0.029, -0.008)),
    )
    for number, (before, change) in enumerate(zip((0.75, 0.78, 0.84), changes, strict=False), start=1)
]
_WEEKLY = [
    ("response_on_time", monday, arm, group, value * 100, 100, 0, value)
    for arm, group, values in (
        ("pilot", "", (0.80, 0.79, 0.946, 0.96)),
        ("control", "", (0.78, 0.80, 0.79, 0.80)),
        ("pilot", "华东", (0.80, 0.79, 0.946, 0.96)),
    )
    for monday, value in zip(
        (date(2025, 8, 11), date(2025, 8, 18), date(2025, 8, 25), date(2025, 9, 1)), values, strict=True
    )
]
_LEFT_OUT = [
    (name, arm, period, received, 0, no_limit, 5, undecided, received - no_limit - 5 - undecided)
    for name, no_limit, undecided in (("response_on_time", 2, 0), ("first_contact_resolution", 0, 30))
    for arm, received in (("pilot", 1100), ("control", 3100))
    for period in ("before", "during")
]

PILOT = PilotResult(
    verdict="go",
    reason=Reason("both_worth_having", {"metric": "response_on_time", "effect": 0.145}),
    metrics=METRICS,
    conditions=(),
    teams=pd.DataFrame(
        _TEAMS,
        columns=[
            "metric",
            "unit",
            "group",
            "arm",
            "before",
            "during",
            "change",
            "tickets_before",
            "tickets_during",
        ],
    ),
    weekly=pd.DataFrame(
        _WEEKLY,
        columns=[
            "metric",
            "week",
            "arm",
            "group",
            "numerator",
            "denominator",
            "undecided",
            "value",
        ],
    ).astype({"week": "datetime64[ns]"}),
    left_out=pd.DataFrame(
        _LEFT_OUT,
        columns=[
            "metric",
            "arm",
            "period",
            "received",
            "no_unit",
            "no_limit",
            "not_counted",
            "undecided",
            "used",
        ],
    ),
    volume=TeamTest(0.015, 0.02, 17.0, 0.7, 0.5, -0.03, 0.059),
    volume_ok=True,
    one_group=True,
    plan=PLAN,
    as_of=AS_OF,
    zone=ZONE,
    decided_on=date(2025, 9, 28),
    reading=READING,
)


def decided(verdict: str, code: str, **values: Any) -> PilotResult:
    """Return the pilot with another verdict and reason."""
    return replace(PILOT, verdict=verdict, reason=Reason(code, values))


#: One result for every reason code of the gate.
VERDICTS = (
    PILOT,
    decided("extend", "before_decision_date", date="2025-09-28"),
    decided("extend", "not_yet_shown", metric="response_on_time", date="2025-10-19", weeks=4),
    decided("stop", "guardrail_harmed", metric="csat"),
    decided("stop", "co_primary_harmed", metric="response_on_time"),
    decided("stop", "gain_too_small", metric="response_on_time"),
    decided("cannot_tell", "nothing_left_to_extend", metric="response_on_time", weeks_needed=9),
    decided("cannot_tell", "too_few_units", units_pilot=2, units_control=15, smallest_pvalue=1.0),
    decided("cannot_tell", "too_few_units", units_pilot=3, units_control=3, smallest_pvalue=0.1),
    decided(
        "cannot_tell", "low_information", metric="first_contact_resolution", information=0.43, needed=0.5
    ),
    decided("cannot_tell", "volume_moved", change=0.18, ci_low=0.12, ci_high=0.25, margin=0.1),
)
