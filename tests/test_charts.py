from __future__ import annotations

import hashlib
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from csimprove import charts, wording
from csimprove.baseline import BaselineResult, Indicator
from csimprove.charts import drawing, theme
from csimprove.pilot import Cell, PilotMetric, PilotResult, Reason
from csimprove.report.brand import ROLES
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
    return Indicator(**{**fields, **other})


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
            "value": np.nan
            if row.value is None or week == 3
            else min(row.value * rng.uniform(0.93, 1.07), 9 if row.unit == "minutes" else 1),
            "complete": week < weeks - incomplete,
        }
        for row in INDICATORS
        for week in range(weeks)
    ]
    return pd.DataFrame(rows)


USUAL_TREND = trend(12)


def a_baseline(**other: object) -> BaselineResult:
    fields: dict[str, object] = {
        "indicators": INDICATORS,
        "cuts": cuts([f"East {i}" for i in range(5)], [0.8, 0.75, None, 0.75, 0.62]),
        "trend": USUAL_TREND,
        "goals": (),
        "unavailable": (),
        "first": MONDAY,
        "last": date(2025, 9, 21),
        "as_of": datetime(2025, 9, 26, tzinfo=UTC),
        "zone": "UTC",
        "tickets": 1000,
        "reading": None,
    }
    return BaselineResult(**{**fields, **other})


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
    return PilotMetric(**{**empty, **fields, **other})


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
        "as_of": datetime(2025, 9, 26, tzinfo=UTC),
        "zone": "UTC",
        "decided_on": date(2025, 9, 26),
        "reading": None,
    }
    return PilotResult(**{**fields, **other})


def every_figure(base: BaselineResult, pilot: PilotResult, language: str) -> dict[str, Figure]:
    figures = {
        "indicators": charts.baseline_indicators(base, language=language),
        "cuts": charts.baseline_cuts(base, "response_on_time", "team", language=language),
        "questions": charts.pilot_questions(pilot, language=language),
        "dumbbell": charts.pilot_dumbbell(pilot, "response_on_time", language=language),
        "arms": charts.pilot_arms(pilot, "response_on_time", language=language),
    }
    # the slowest figure is drawn only where it can tell something new
    if base.indicators is not INDICATORS or base.trend is not USUAL_TREND:
        figures["trend"] = charts.baseline_trend(base, language=language)
    return figures


def faults(figure: Figure) -> list[str]:
    """Texts that lie over one another or outside the canvas; they stand at fixed places, drawn or not."""
    canvas = FigureCanvasAgg(figure)
    width, height = canvas.get_width_height()
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in figure.texts]
    found = [
        f"{words!r} leaves the canvas"
        for words, box in boxes
        if box.x0 < -1.5 or box.y0 < -1.5 or box.x1 > width + 1.5 or box.y1 > height + 1.5
    ]
    for (one, a), (other, b) in combinations(boxes, 2):
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1.0:
            found.append(f"{one!r} lies over {other!r}")
    return found


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def points(figure: Figure, axes: int = 0, face: str | None = None) -> list[tuple[float, float]]:
    """Single dots of an axes, optionally only those of one face colour."""
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in figure.axes[axes].lines
        if line.get_marker() == "o"
        and len(line.get_xdata()) == 1
        and (face is None or line.get_markerfacecolor() == face)
    ]


LONG_EN = "{group} enterprise team number {i:02d}"
LONG_ZH = "{group}区域企业客户与渠道伙伴服务支持中心第{i:02d}综合服务班组甲乙"
CASES = {
    "as_usual": (a_baseline(trend=trend(12)), a_pilot()),
    "one_unit": (
        a_baseline(cuts=cuts(["East"], [0.8]), trend=trend(1, 0), indicators=INDICATORS[:1]),
        a_pilot(teams=teams(1), weekly=weekly(1), metrics=METRICS[:1]),
    ),
    "four_units": (
        a_baseline(cuts=cuts(list("abcd"), [0.8, 0.7, 0.9, 0.6]), indicators=INDICATORS[:2]),
        a_pilot(teams=teams(4), metrics=(METRICS[0], *METRICS[3:])),
    ),
    "forty_long_names": (
        a_baseline(
            cuts=cuts(
                [LONG_EN.format(group="East", i=i) for i in range(40)], [0.5 + i / 100 for i in range(40)]
            ),
            trend=trend(52),
        ),
        a_pilot(teams=teams(40, LONG_EN), weekly=weekly(12, undecided=300)),
    ),
    "forty_long_chinese_names": (
        a_baseline(cuts=cuts([LONG_ZH.format(group="华东", i=i) for i in range(13)], [0.5] * 13)),
        a_pilot(teams=teams(40, LONG_ZH), weekly=weekly(12, missing=4)),
    ),
    "nothing_known": (
        a_baseline(
            indicators=tuple(
                replace(row, value=None, ci_low=None, ci_high=None, denominator=0, on_target=None)
                for row in INDICATORS
            ),
            cuts=cuts(["", "b"], [None, None]),
            trend=trend(3, 3),
        ),
        a_pilot(
            teams=teams(6, before=None, during=None),
            weekly=weekly(12).assign(value=np.nan),
            metrics=tuple(
                replace(
                    row,
                    effect=None,
                    ci_low=None,
                    ci_high=None,
                    level=None,
                    level_low=None,
                    level_high=None,
                    pilot_before=cell(None),
                    target_status="cannot_tell",
                    status="no_interval",
                )
                for row in METRICS
            ),
        ),
    ),
    "half_known": (a_baseline(), a_pilot(teams=teams(6, during=None))),
    "equal_values": (
        a_baseline(
            cuts=cuts(["a", "b"], [0.95, 0.95]),
            indicators=tuple(
                indicator(
                    row.metric,
                    0.95,
                    unit=row.unit,
                    target=0.95,
                    alert_threshold=0.95,
                    on_target="cannot_tell",
                )
                for row in INDICATORS
            ),
        ),
        a_pilot(
            teams=teams(8, before=0.95, during=0.95),
            weekly=weekly().assign(value=0.95),
            metrics=tuple(
                replace(
                    row,
                    effect=0.05,
                    ci_low=0.05,
                    ci_high=0.05,
                    asked=0.05,
                    level=row.target,
                    level_low=row.target,
                    level_high=row.target,
                    pilot_before=cell(row.target),
                )
                for row in METRICS
            ),
        ),
    ),
    "near_zero": (
        a_baseline(
            cuts=cuts(["a", "b"], [0.0, 0.001]),
            indicators=tuple(
                indicator(row.metric, 0.001, unit=row.unit, target=0.0, alert_threshold=0.002)
                for row in INDICATORS
            ),
        ),
        a_pilot(
            teams=teams(8, before=0.0, during=0.001),
            weekly=weekly().assign(value=0.0),
            metrics=(
                replace(METRICS[0], target=0.0, level=0.0, level_low=0.0, level_high=0.001, effect=-0.0004),
            ),
        ),
    ),
    "near_one": (
        a_baseline(
            cuts=cuts(["a", "b"], [1.0, 0.999]),
            indicators=tuple(
                indicator(row.metric, 0.999, unit=row.unit, target=1.0, alert_threshold=1.0)
                for row in INDICATORS
            ),
        ),
        a_pilot(
            teams=teams(8, before=0.999, during=1.0),
            weekly=weekly().assign(value=1.0),
            metrics=(replace(METRICS[0], target=1.0, level=1.0, level_low=0.999, level_high=1.0),),
        ),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_no_text_lies_over_another_or_leaves_the_canvas(case: str, language: str) -> None:
    figures = every_figure(*CASES[case], language)

    assert {name: found for name, figure in figures.items() if (found := faults(figure))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "case",
    ["as_usual", "forty_long_names", "forty_long_chinese_names", "nothing_known", "equal_values", "near_one"],
)
def test_a_baseline_has_no_text_over_another_on_slides_and_phones(
    case: str, language: wording.Language
) -> None:
    base, _ = CASES[case]
    figures = {
        "indicators": charts.baseline_indicators(base, language=language),
        "cuts": charts.baseline_cuts(base, "response_on_time", "team", language=language),
        "trend": charts.baseline_trend(base, language=language),
    }

    for width in (charts.SLIDE, charts.PHONE):
        drawn = {name: charts.at_width(figure, width) for name, figure in figures.items()}
        assert {name: found for name, figure in drawn.items() if (found := faults(figure))} == {}, width


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_a_pilot_has_no_text_over_another_on_slides_and_phones(case: str, language: wording.Language) -> None:
    _, pilot = CASES[case]
    figures = {
        "questions": charts.pilot_questions(pilot, language=language),
        "dumbbell": charts.pilot_dumbbell(pilot, "response_on_time", language=language),
        "arms": charts.pilot_arms(pilot, "response_on_time", language=language),
    }

    for width in (charts.SLIDE, charts.PHONE):
        drawn = {name: charts.at_width(figure, width) for name, figure in figures.items()}
        assert {name: found for name, figure in drawn.items() if (found := faults(figure))} == {}, width


def test_on_a_phone_the_second_question_stands_under_the_first() -> None:
    figure = charts.at_width(charts.pilot_questions(a_pilot()), charts.PHONE)

    gains, levels = ([axes.get_position() for axes in figure.axes[i::2]] for i in (0, 1))
    assert min(box.y0 for box in gains) > max(box.y1 for box in levels)
    assert {(round(box.x0, 6), round(box.width, 6)) for box in (*gains, *levels)} == {
        (round(8 / 358, 6), round(254 / 358, 6))
    }
    said = words(figure)
    assert [said.count(word) for word in ("First-contact resolution", "guardrail", "+14.5")] == [2, 4, 1]


@pytest.mark.parametrize(("name", "above"), [("{group} {i}", False), (LONG_EN, True)])
def test_on_a_phone_teams_are_named_beside_their_marks_if_the_names_are_short(name: str, above: bool) -> None:
    result = a_pilot(teams=teams(8, name))
    figure = charts.at_width(charts.pilot_dumbbell(result, "response_on_time"), charts.PHONE)

    axes = figure.axes[0]
    to_figure = axes.transData + figure.transFigure.inverted()
    marks = sorted({round(to_figure.transform(point)[1] * figure.bbox.height, 1) for point in points(figure)})
    units = set(result.teams["unit"])
    names = [text for text in figure.texts if text.get_text() in units]
    bases = sorted(text.get_position()[1] * figure.bbox.height for text in names)
    lifts = [base - mark for base, mark in zip(bases, marks, strict=True)]
    assert lifts == pytest.approx([11 if above else -4] * 8, abs=0.1)
    ends = max(text.get_window_extent().x1 for text in names)
    assert (ends < axes.get_position().x0 * figure.bbox.width) == (not above)


def test_on_a_phone_lines_are_named_inside_their_panel() -> None:
    figure = charts.at_width(charts.pilot_arms(a_pilot(), "response_on_time"), charts.PHONE)

    box = figure.axes[0].get_window_extent()
    assert box.width > 0.85 * charts.PHONE
    names = [text for text in figure.texts if "last week" in text.get_text()]
    assert [text.get_text().split("  ")[0] for text in names] == ["Control groups", "华东, pilot"]
    assert all(
        box.x0 < text.get_window_extent().x0 and text.get_window_extent().x1 < box.x1 for text in names
    )
    assert {"before, 30 Jun to 24 Aug", "pilot, 25 Aug to 21 Sep"} <= set(words(figure))


def test_on_a_phone_names_and_values_of_a_baseline_stand_whole_above_their_marks() -> None:
    names = [LONG_EN.format(group="East", i=i) for i in range(3)]
    base = a_baseline(cuts=cuts(names, [0.9, 0.8, 0.7]))
    figure = charts.at_width(charts.baseline_cuts(base, "response_on_time", "team"), charts.PHONE)

    heights = {text.get_text(): text.get_position()[1] for text in figure.texts}
    axes = figure.axes[0]
    to_figure = axes.transData + figure.transFigure.inverted()
    marks = [to_figure.transform(point)[1] for point in points(figure)]
    above = [(heights[name] - mark) * figure.bbox.height for name, mark in zip(names, marks, strict=True)]
    assert above == pytest.approx([theme.ABOVE - 4] * 3, abs=0.5)
    assert heights["90.0%"] == heights[names[0]]
    assert axes.get_position().width > 0.9
    rows = charts.at_width(charts.baseline_indicators(a_baseline()), charts.PHONE)
    assert not [word for word in words(rows) if "..." in word]


def test_indicators_stand_at_their_values_on_axes_that_hold_them() -> None:
    figure = charts.baseline_indicators(a_baseline())
    shares, small, minutes = figure.axes

    bars = [(round(bar.get_x(), 6), round(bar.get_x() + bar.get_width(), 6)) for bar in shares.patches]
    assert bars == [(0.7144, 0.7896), (0.5738, 0.6342), (0.61845, 0.68355), (0.19285, 0.21315)]
    assert [axes.get_xlim() for axes in (shares, small, minutes)] == [(0, 1), (0, 0.1), (0, 8)]
    assert {"75.2%", "6.4 min", "target 95%", "alert 90%", "n = 1,000, thin", "no decided tickets"} <= set(
        words(figure)
    )
    assert [words(figure).count(word) for word in ("reached", "not reached", "cannot tell")] == [1, 4, 1]


def test_groups_of_a_cut_are_sorted_with_the_best_on_top() -> None:
    figure = charts.baseline_cuts(a_baseline(), "response_on_time", "team")

    assert [x for x, _ in points(figure)] == [0.8, 0.75, 0.75, 0.62]
    names = [word for word in words(figure) if word.startswith("East")]
    assert names == ["East 0", "East 1", "East 3", "East 4", "East 2"]
    assert {"all 75.2%", "target 95%", "896"} <= set(words(figure))


def test_the_shortest_waiting_time_stands_on_top() -> None:
    figure = charts.baseline_cuts(a_baseline(), "waiting_time", "team")

    assert [x for x, _ in points(figure)] == [0.62, 0.75, 0.75, 0.8]


def test_groups_beyond_twelve_are_told_in_words() -> None:
    base = a_baseline(cuts=cuts([f"t{i:02d}" for i in range(14)], [0.5] * 12 + [0.8, 0.4]))
    figure = charts.baseline_cuts(base, "response_on_time", "team")

    assert len(points(figure)) == 12
    assert "Not drawn: 2 smaller groups, 1,775 tickets, together 60.0%" in words(figure)


def test_a_group_without_a_name_is_said_to_be_not_stated() -> None:
    base = a_baseline(cuts=cuts(["", "East"], [0.8, 0.7]))

    assert "not stated" in words(charts.baseline_cuts(base, "response_on_time", "team"))


def test_incomplete_weeks_are_rings_and_no_line_runs_over_a_gap() -> None:
    figure = charts.baseline_trend(a_baseline())
    lines = figure.axes[0].lines

    runs = [
        list(line.get_xdata())
        for line in lines
        if line.get_marker() in ("", "None") and len(line.get_xdata()) > 2
    ]
    first = MONDAY.toordinal()
    assert runs == [[first + 7 * i for i in weeks] for weeks in ((0, 1, 2), (4, 5, 6, 7, 8, 9))]
    rings = [list(line.get_xdata()) for line in lines if line.get_markerfacecolor() == theme.PAPER]
    assert rings == [[first + 70, first + 77]]
    assert "Rings: weeks that are not complete" in words(figure)
    assert words(figure).count("week of 1 Sep") == 7


def test_questions_show_effect_level_and_both_verdicts() -> None:
    figure = charts.pilot_questions(a_pilot())
    effects, levels = figure.axes[:2]

    spans = [(round(bar.get_x(), 6), round(bar.get_x() + bar.get_width(), 6)) for bar in effects.patches]
    assert spans == [(0.124, 0.165), (0.211, 0.283), (0.1, 0.209)]
    spans = [(round(bar.get_x(), 6), round(bar.get_x() + bar.get_width(), 6)) for bar in levels.patches]
    assert spans == [(0.945, 0.959), (0.838, 0.866), (0.789, 0.848)]
    assert [x for x, _ in points(figure, axes=1, face=theme.PAPER) if x in (0.80, 0.598, 0.655)] == [
        0.80,
        0.598,
        0.655,
    ]
    said = set(words(figure))
    assert {"+14.5", "12.4 to 16.5", "at least +5", "worth", "having", "95.2%", "80.0%", "target 95%"} <= said
    assert {"not below −3", "safe", "below", "target", "not above +0.5", "−3.4 to −2.8", "above"} <= said


def test_the_plan_mark_stands_on_the_side_it_guards() -> None:
    figure = charts.pilot_questions(a_pilot())

    marks = [
        line.get_xdata()[0] for axes in figure.axes[::2] for line in axes.lines if line.get_linewidth() == 2.4
    ]
    assert marks == [0.05, 0.1, -0.03, 0.5]


def test_dumbbells_put_pilot_first_and_sort_by_improvement() -> None:
    result = a_pilot(teams=teams(8))
    figure = charts.pilot_dumbbell(result, "response_on_time")

    ends = result.teams.set_index("unit")
    names = [word for word in words(figure) if word in ends.index]
    assert names[:2] in (["华东 1", "华东 2"], ["华东 2", "华东 1"])
    changes = [ends.loc[name, "change"] for name in names]
    assert changes[:2] == sorted(changes[:2], reverse=True)
    assert changes[2:4] == sorted(changes[2:4], reverse=True)
    rings = [x for x, _ in points(figure, face=theme.PAPER)]
    dots = [x for x, _ in points(figure) if x not in rings]
    assert rings == [ends.loc[name, "before"] for name in names]
    assert dots == [ends.loc[name, "during"] for name in names]
    mean = ends.loc[ends["group"] == "华东", "change"].mean()
    assert {"华东, pilot", "North China, control", f"mean +{100 * mean:.1f}"} <= set(words(figure))


def test_arms_stand_in_the_middle_of_their_week_under_the_shaded_window() -> None:
    result = a_pilot()
    figure = charts.pilot_arms(result, "response_on_time")
    axes = figure.axes[0]

    pooled = result.weekly.loc[(result.weekly["arm"] == "pilot") & (result.weekly["group"] == "")]
    assert points(figure, face=theme.PILOT) == [
        (week.toordinal() + 3.5, value) for week, value in zip(pooled["week"], pooled["value"], strict=True)
    ]
    window = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (round(window.x0, 6), round(window.x1, 6)) == (
        date(2025, 8, 25).toordinal(),
        date(2025, 9, 22).toordinal(),
    )
    assert sum(line.get_color() == theme.MUTED for line in axes.lines) == 3
    last = f"last week {100 * pooled['value'].iloc[-1]:.1f}%"
    assert {"pilot, 25 Aug – 21 Sep 2025", "华东, pilot", "Control groups", "target 95%", last} <= set(
        words(figure)
    )
    assert "thin lines: each of the 3 control groups" in words(figure)


def test_arms_leave_out_undecided_weeks_and_draw_no_line_over_a_missing_one() -> None:
    figure = charts.pilot_arms(a_pilot(weekly=weekly(12, undecided=100, missing=4)), "response_on_time")

    pilot = [
        line for line in figure.axes[0].lines if line.get_color() == theme.PILOT and len(line.get_xdata()) > 1
    ]
    assert [len(line.get_xdata()) for line in pilot] == [4, 6]
    assert "weeks with less than 95% of tickets decided are not drawn" in words(figure)


def test_unknown_metric_and_cut_name_what_there_is() -> None:
    with pytest.raises(ValueError, match="metric") as error:
        charts.pilot_arms(a_pilot(metrics=METRICS[:2]), "csat")
    assert (
        str(error.value) == "`metric` must be one of response_on_time, first_contact_resolution, not 'csat'."
    )
    with pytest.raises(ValueError, match="cut") as error:
        charts.baseline_cuts(a_baseline(), "response_on_time", "stage")
    assert str(error.value) == "`cut` must be one of team, not 'stage'."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M 1 2 \nL 3.1234 4 \nL 5 4 \nL 5 8.000 \nL 5 8 \nL 6 9 z", "M1 2L3.12 4H5V8L6 9z"),
        ("M 6 9 L 7 9 M 7 9 L 7 1", "M6 9H7M7 9V1"),
        ("M 1 2 C 1 2 3 4 5.554 6 L 5.554 6 ", "M1 2C1 2 3 4 5.55 6L5.55 6"),
    ],
)
def test_paths_say_no_coordinate_twice(path: str, short: str) -> None:
    assert drawing._short(path) == short


def test_png_is_the_same_twice_and_keeps_the_colours_of_every_role() -> None:
    one, two = (charts.png(charts.baseline_indicators(a_baseline())) for _ in range(2))

    assert one == two
    image = Image.open(io.BytesIO(one))
    assert image.size == (1760, 1196)
    kept = {"#{:02X}{:02X}{:02X}".format(*colour) for _, colour in image.convert("RGB").getcolors(2**24)}
    assert {theme.PILOT, theme.GOOD, theme.BAD, theme.ALERT, theme.INK, theme.PAPER} <= kept


def test_characters_that_no_font_has_and_dollar_signs_draw_without_a_warning() -> None:
    base = a_baseline(cuts=cuts(["$a_b$ \U0010ffff", "𠮷野家 ₿"], [0.8, 0.7]))
    figure = charts.baseline_cuts(base, "response_on_time", "team")

    charts.png(figure)
    assert "$a_b$ □" in words(figure)
    assert not any(text.get_parse_math() for text in figure.texts)


def test_the_shipped_font_holds_gb2312_and_the_signs_of_figures() -> None:
    own = set(font_manager.get_font(font_manager.findfont(theme.families()[0])).get_charmap())

    signs = "".join(
        bytes((row, cell)).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFF)
    )
    assert {sign for sign in signs + "−–≥≤→×·…，。：；（）0Aé" if ord(sign) not in own} == set()


def test_the_font_is_what_its_source_note_says() -> None:
    folder = Path(charts.__file__).parents[1] / "fonts"
    note = (folder / "SOURCE.txt").read_text(encoding="utf-8")

    assert hashlib.sha256((folder / "csimprove-figures.otf").read_bytes()).hexdigest() in note
    assert "SIL OPEN FONT LICENSE Version 1.1" in (folder / "LICENSE.txt").read_text(encoding="utf-8")


def test_drawing_leaves_the_readers_settings_alone() -> None:
    before = dict(mpl.rcParams)
    charts.png(charts.pilot_arms(a_pilot(), "response_on_time"))

    assert dict(mpl.rcParams) == before


def test_labels_keep_apart_and_inside_their_bounds() -> None:
    placed = theme.spread([0, 1, 2, 99], [10, 20, 10, 30], low=0, high=120, gap=2)

    assert placed == [5.0, 22.0, 39.0, 99.0]


def test_a_long_name_is_cut_to_its_room() -> None:
    long = "华东区域企业客户与渠道伙伴服务支持中心第07班组"

    short = theme.fit(long, 200)
    assert short.startswith("华东区域")
    assert short.endswith("班组")
    assert theme.text_width(short) <= 200
    assert theme.fit(long, 1000) == long


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_drawing_has_its_words_as_text_and_only_colours_of_roles(language: wording.Language) -> None:
    figure = charts.pilot_arms(a_pilot(), "response_on_time", language=language)
    drawn = charts.svg(figure)
    assert drawn == charts.svg(charts.pilot_arms(a_pilot(), "response_on_time", language=language))
    root = ElementTree.fromstring(drawn)
    words = ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert set(words) == {text.get_text() for text in figure.texts}
    assert set(re.findall(r"#[0-9a-f]{6}\b", drawn)) <= {one.lower() for one in ROLES.values()}
    ids = re.findall(r'id="([^"]+)"', drawn)
    assert len(ids) == len(set(ids))
    assert {*re.findall(r'href="#([^"]+)"', drawn), *re.findall(r"url\(#([^)]+)\)", drawn)} <= set(ids)
    # the rims are back: a PNG of the same figure afterwards is as before
    assert any(text.get_path_effects() for text in figure.findobj(Text))
    assert not re.search(
        r"\d\.\d{3}", re.sub(r'transform="[^"]*"|stroke-dasharray:[^;"]*|style="[^"]*"', "", drawn)
    )
