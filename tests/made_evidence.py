"""Small hand-made evidence, design and looks of a pilot for the tests of charts, wording and report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from csimprove.pilot import (
    Look,
    LookMetric,
    PilotCredibility,
    PilotDesign,
    PlanChange,
    PlanLock,
    PreTrend,
    Reason,
    Robustness,
    Routing,
    StaffShare,
)
from made_results import PILOT, PLAN

_NAME = "response_on_time"


def robust(way: Any, effect: float | None, half: float | None = 0.02, **fields: Any) -> Robustness:
    """Return a way of looking at response on time."""
    low, high = (None, None) if half is None or effect is None else (effect - half, effect + half)
    base = {"pvalue": 0.00001, "units": 20, "left_out": None}
    return Robustness(_NAME, way, effect, low, high, **{**base, **fields})


_DATES = ["metric", "start", "real", "weeks_before", "weeks_after", "effect", "ci_low", "ci_high"]
_GROUPS = ["metric", "group", "real", "units", "effect", "ci_low", "ci_high", "rank", "of"]
_WEEKS = ["metric", "week", "start", "effect", "ci_low", "ci_high", "units", "decided_share"]


def study(weeks: range = range(-8, 4), *, last_decided: float = 1.0, half: float = 0.03) -> pd.DataFrame:
    """Return an event study: near zero before, 15 points from the start on."""
    rows = []
    for week in weeks:
        effect = (0.15 if week >= 0 else 0.0) + 0.005 * (-1) ** week
        share = last_decided if week == weeks[-1] else 1.0
        start = date(2025, 8, 25) + timedelta(days=7 * week)
        rows.append((_NAME, week, start, effect, effect - half, effect + half, 20, share))
    return pd.DataFrame(rows, columns=_WEEKS)


CREDIBILITY = PilotCredibility(
    robustness=(
        robust("main", 0.145),
        robust("crude", 0.144),
        robust("ticket_weighted", 0.151),
        robust("pooled_t", 0.145, 0.025),
        robust("wild_bootstrap", 0.145, None, pvalue=0.0005),
        robust("agents", 0.139, units=80),
        robust("leave_one_out", 0.12, units=19, left_out="<华东> 1组"),
    ),
    placebo_dates=pd.DataFrame(
        [
            (_NAME, date(2025, 7, 7), False, 1, 7, -0.015, -0.04, 0.01),
            (_NAME, date(2025, 7, 28), False, 4, 4, 0.017, -0.01, 0.044),
            (_NAME, date(2025, 8, 25), True, 8, 4, 0.145, 0.125, 0.165),
        ],
        columns=_DATES,
    ),
    placebo_groups=pd.DataFrame(
        [
            (_NAME, "华东", True, 5, 0.145, 0.125, 0.165, 1, 3),
            (_NAME, "华北", False, 5, 0.03, 0.01, 0.05, 2, 3),
            (_NAME, "华南", False, 5, -0.02, -0.04, 0.001, 3, 3),
        ],
        columns=_GROUPS,
    ),
    event_study=study(),
    pretrends=(PreTrend(_NAME, 8, 0.002, -0.01, 0.014, 0.05, "parallel"),),
)
#: Nothing could be tried.
BARE = replace(
    CREDIBILITY,
    robustness=(robust("main", 0.145, None),),
    placebo_dates=CREDIBILITY.placebo_dates.iloc[:0],
    placebo_groups=CREDIBILITY.placebo_groups.iloc[:0],
    event_study=study(range(-1, 1), last_decided=0.5),
    pretrends=(PreTrend(_NAME, 1, None, None, None, 0.05, "cannot_tell"),),
)


def look_metric(
    metric: str, information: float, effect: float | None, half: float, **fields: Any
) -> LookMetric:
    """Return a metric at a look."""
    base: dict[str, Any] = {
        "role": "co_primary",
        "better": "higher",
        "asked": 0.05,
        "decided": int(1000 * information),
        "planned": 1000.0,
        "t": 6.51,
        "df": 8.2,
        "bound_z": 4.333,
        "nominal_p": 1.5e-5,
        "bound_t": 6.49,
        "status": "worth_having",
    }
    ends = (None, None) if effect is None else (effect - half, effect + half)
    base |= {"information": information, "effect": effect, "ci_low": ends[0], "ci_high": ends[1]}
    return LookMetric(metric=metric, **{**base, **fields})


LOOKS = (
    Look(
        1,
        date(2025, 8, 31),
        False,
        True,
        (
            look_metric("response_on_time", 0.25, 0.16, 0.12, status="not_shown"),
            look_metric(
                "waiting_time",
                0.25,
                -2.9,
                0.8,
                role="guardrail",
                better="lower",
                asked=0.5,
                status="safe",
            ),
        ),
        "continue",
        None,
    ),
    Look(
        2,
        date(2025, 9, 7),
        False,
        False,
        (),
        "continue",
        None,
        (
            look_metric(
                "response_on_time", 0.5, None, 0.0, t=None, df=None, bound_t=None, status="no_interval"
            ),
        ),
    ),
    Look(
        3,
        date(2025, 9, 28),
        True,
        True,
        (
            look_metric("response_on_time", 1.0, 0.145, 0.02),
            look_metric("first_contact_resolution", 1.0, 0.247, 0.036, asked=0.1),
            look_metric("csat", 1.0, None, 0.0, role="guardrail", asked=0.03, status="no_interval", t=None),
        ),
        "go",
        Reason("both_worth_having", {}),
    ),
)

CAVEATS = (
    Reason("too_few_units", {"units_pilot": 2, "units_control": 3, "smallest_pvalue": 0.1}),
    Reason("one_group", {"group": "华东"}),
    Reason("not_randomised", {}),
    Reason("regression_to_the_mean", {"metric": _NAME, "pilot_before": 0.8, "control_before": 0.79}),
    Reason("unequally_decided", {"metric": _NAME, "gap": 0.083}),
    Reason("co_primary_not_shown", {"metric": _NAME}),
    Reason("secondary_not_shown", {"metric": "complaint_rate"}),
    Reason("guardrail_not_shown_safe", {"metric": "csat"}),
    Reason("target_cannot_tell", {"metric": _NAME}),
    Reason("volume_moved", {"change": 0.18, "ci_low": 0.12, "ci_high": 0.25, "margin": 0.1}),
    Reason(
        "routing_moved",
        {"column": "channel", "value": "<phone>", "change": -0.18, "ci_low": -0.25, "ci_high": -0.12},
    ),
    Reason("look_not_made", {"date": "2025-09-07"}),
    Reason("not_locked", {}),
    Reason("locked_late", {"locked_on": "2025-09-02"}),
    Reason("plan_changed", {"fields": 2}),
)
ROUTING = (
    Routing("channel", "phone", 0.4, 0.38, 0.41, 0.4, -0.01, -0.03, 0.01, True),
    Routing("severity", "A", 0.1, 0.3, 0.1, 0.1, 0.2, 0.15, 0.25, False),
)
LOCK = PlanLock(
    "9f2c41d7" + "0" * 56,
    date(2025, 8, 20),
    (
        PlanChange("minimum_gain.response_on_time", 0.08, 0.05),
        PlanChange("looks", ["2025-08-31"], ["2025-08-31", "2025-09-07"]),
    ),
)
DAILY = pd.DataFrame(
    [
        (_NAME, pd.Timestamp(2025, 6, 30) + pd.Timedelta(days=day), arm, 40 * value, 40, 0, value)
        for day in range(84)
        for arm, value in (
            ("pilot", (0.95 if day >= 56 else 0.8) + 0.01 * (day % 5)),
            ("control", 0.78 + 0.01 * (day % 3)),
        )
    ],
    columns=["metric", "day", "arm", "numerator", "denominator", "undecided", "value"],
)

TRACKED = replace(
    PILOT,
    looks=LOOKS,
    daily=DAILY,
    cannot_conclude=CAVEATS,
    routing=ROUTING,
    lock=LOCK,
    staff=StaffShare(18, 20, 0.9, 0.699, 0.972),
)

_POWER = [
    (weeks, assignment, pilot, 20 - pilot, weeks > 4)
    for weeks in (1, 2, 4, 8)
    for assignment, pilot in (("planned", 5), ("spread", 5))
] + [(4, "spread", pilot, 20 - pilot, True) for pilot in (3, 10)]

DESIGN = PilotDesign(
    units=pd.DataFrame(
        [
            (f"{group} <{number}>", group, arm, 60.4, 0.78, 0.6)
            for group, arm in (
                ("华东", "pilot"),
                ("华北", "control"),
                ("华南", "control"),
                ("西南", "control"),
            )
            for number in range(1, 6)
        ],
        columns=["unit", "group", "arm", "tickets_per_week", "response_on_time", "csat"],
    ),
    balance=pd.DataFrame(
        [
            ("tickets_per_week", 60.0, 52.0, 8.0, 0.9),
            ("response_on_time", 0.8, 0.79, 0.01, 0.2),
            ("waiting_time", 5.1, 5.0, 0.1, None),
        ],
        columns=["measure", "pilot", "control", "difference", "standardised"],
    ).astype({"standardised": float}),
    variation=pd.DataFrame(
        [("response_on_time", 0.79, 0.057, 0.014, 0.021, 0.017, 0.0011, 5)],
        columns=[
            *("metric", "value", "unit_sd", "drift_sd", "group_drift_sd", "icc_unit", "icc_drift", "weeks"),
        ],
    ),
    power=pd.DataFrame(
        [
            {
                "metric": metric,
                "assignment": assignment,
                "weeks": weeks,
                "units_pilot": pilot,
                "units_control": control,
                "placebos": 0 if modelled else 40,
                "independent": 0 if modelled else 25 - weeks,
                "enough": not modelled and weeks < 4,
                "false_alarms": 0.05 if assignment == "spread" else 0.27,
                "false_low": None if modelled else 0.02,
                "false_high": None if modelled else 0.4,
                "se": 0.03 / weeks**0.5,
                "detectable": (0.09 if assignment == "planned" else 0.06) / weeks**0.3 + 0.02 / pilot,
                "needed_for_go": 0.14,
                "power": 0.61,
                "modelled": modelled,
            }
            for metric in ("response_on_time",)
            for weeks, assignment, pilot, control, modelled in _POWER
        ]
    ).astype({"false_low": float, "false_high": float}),
    smallest_pvalue=6.45e-5,
    history=(date(2025, 3, 3), date(2025, 8, 24)),
    advice=(
        Reason("too_few_units", {"units_pilot": 2, "units_control": 3, "smallest_pvalue": 0.1}),
        Reason("not_enough_history", {"independent": 4, "needed": 20}),
        Reason(
            "spread",
            {
                "metric": "response_on_time",
                "weeks": 4,
                "se_planned": 0.049,
                "se_spread": 0.029,
                "false_planned": 0.27,
                "false_spread": 0.046,
                "detectable_planned": 0.08,
                "detectable_spread": 0.062,
                "modelled": True,
            },
        ),
        Reason(
            "cannot_detect",
            {"metric": "response_on_time", "weeks": 8, "detectable": 0.073, "minimum_gain": 0.05},
        ),
        Reason(
            "longer", {"metric": "response_on_time", "weeks": 6, "detectable": 0.048, "minimum_gain": 0.05}
        ),
        Reason(
            "detects", {"metric": "response_on_time", "weeks": 4, "detectable": 0.031, "minimum_gain": 0.05}
        ),
    ),
    plan=PLAN,
)
