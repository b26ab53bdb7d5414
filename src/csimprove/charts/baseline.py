"""Figures of a baseline: indicators against targets, one metric by groups, weeks."""

from __future__ import annotations

from datetime import date

import pandas as pd
from matplotlib.figure import Figure

from csimprove.baseline import BaselineResult, Indicator
from csimprove.charts.sheet import Icon, Panel, Sheet, dot, estimate, weekly_lines
from csimprove.charts.theme import (
    ALERT,
    GRID_LINE,
    HEADING,
    INK,
    INK2,
    LABEL,
    LARGE,
    MAIN_LINE,
    MUTED_TEXT,
    NEUTRAL,
    PAPER,
    PILOT,
    SMALL,
    TARGET,
    TICK,
    WIDTH,
    as_unit,
    by_axis,
    fit,
    row_of,
    scale,
    text_width,
    theme,
)
from csimprove.settings import Language
from csimprove.wording import group_name, metric_name, text
from csimprove.wording.numbers import Unit, count, date_text, level, missing, target_level

#: Rows of `baseline_cuts`; the groups with most tickets are drawn.
MOST_GROUPS = 12

_STATUS: dict[str, Icon] = {"reached": "tick", "not_reached": "cross", "cannot_tell": "unknown"}


@theme()
def baseline_indicators(result: BaselineResult, *, language: Language = "en") -> Figure:
    """Draw every indicator with its 95 % interval against target and alert threshold.

    Parameters
    ----------
    result
        A baseline.
    language
        Language of the words.

    Returns
    -------
    Figure
        One row an indicator; shares, small shares and minutes on axes of their own.
    """
    blocks = by_axis(result.indicators, _values)
    pitch, foot = 60.0, 44.0
    names = max(
        (
            text_width(metric_name(row.metric, language, variant=row.variant), LABEL)
            for row in result.indicators
        ),
        default=100.0,
    )
    left = min(max(names, 110.0), 260.0) + 24
    sheet = Sheet(max(1.0, sum(len(block) * pitch + foot for block in blocks)))
    top = 0.0
    for block in blocks:
        unit = as_unit(block[0].unit)
        axis = scale([0.0, *(value for row in block for value in _values(row))], unit)
        panel = sheet.panel(left, top, 640 - left, len(block) * pitch, x=(axis.low, axis.high))
        sheet.x_axis(panel, axis.ticks, [target_level(tick, unit, language) for tick in axis.ticks])
        for i, row in enumerate(block):
            sheet.rule(top + i * pitch + 0.5)
            _indicator(sheet, panel, i * pitch + pitch / 2, row, language)
        top += len(block) * pitch + foot
    return sheet.figure


def _values(row: Indicator) -> list[float | None]:
    return [row.value, row.ci_low, row.ci_high, row.target, row.alert_threshold]


def _indicator(sheet: Sheet, panel: Panel, y: float, row: Indicator, language: Language) -> None:
    unit = as_unit(row.unit)
    middle = panel.top + y
    sheet.text(
        0,
        middle - 2,
        fit(metric_name(row.metric, language, variant=row.variant), panel.left - 12),
        strong=True,
    )
    sheet.text(0, middle + 15, text(f"chart.better_{row.better}", language), size=SMALL, color=MUTED_TEXT)
    if row.alert_threshold is not None:
        at = row.alert_threshold
        panel.axes.plot(
            [at, at], [y - 13, y + 7], color=ALERT, lw=MAIN_LINE, solid_capstyle="butt", clip_on=False
        )
        words = text("chart.alert", language, value=target_level(at, unit, language))
        half = text_width(words, SMALL) / 2
        center = min(max(panel.x(at), panel.left + half + 14), panel.right - half)
        sheet.text(center, middle - 16, words, size=SMALL, color=INK2, align="center", over=True)
        sheet.icon("watch", center - half - 8, middle - 20, 10)
    if row.target is not None:
        panel.axes.plot(
            [row.target] * 2, [y - 11, y + 13], color=TARGET, lw=1.6, ls=(0, (2.6, 1.4)), clip_on=False
        )
        words = text("chart.target", language, value=target_level(row.target, unit, language))
        sheet.labels(middle + 24, [(panel.x(row.target), words, INK)], low=panel.left, high=panel.right)
    right = 748
    if row.value is None:
        sheet.text(
            panel.left, middle + 4, text("chart.no_data", language), size=TICK, color=MUTED_TEXT, over=True
        )
    else:
        estimate(panel, y, row.value, row.ci_low, row.ci_high)
    key = "chart.tickets_thin" if row.thin else "chart.tickets"
    sheet.text(
        right,
        middle - 1,
        level(row.value, unit, language),
        size=HEADING,
        color=PILOT,
        align="right",
        strong=True,
    )
    sheet.text(
        right,
        middle + 15,
        text(key, language, count=count(row.denominator)),
        size=SMALL,
        color=MUTED_TEXT,
        align="right",
    )
    if row.on_target is not None:
        sheet.icon(_STATUS[row.on_target], right + 28, middle)
        sheet.text(right + 42, middle + 4, text(f"chart.{row.on_target}", language), size=TICK)


@theme()
def baseline_cuts(result: BaselineResult, metric: str, cut: str, *, language: Language = "en") -> Figure:
    """Draw one metric by the groups of one cut: dot and 95 % interval, best group first.

    Parameters
    ----------
    result
        A baseline.
    metric
        Name of a metric of the result.
    cut
        One of the cuts of the result.
    language
        Language of the words.

    Returns
    -------
    Figure
        At most twelve groups, those with most tickets; the rest is stated in words.
    """
    pooled = row_of(result.indicators, metric)
    if cut not in set(result.cuts["cut"]):
        raise ValueError(f"`cut` must be one of {', '.join(result.cuts['cut'].unique())}, not {cut!r}.")
    unit = as_unit(pooled.unit)
    frame = result.cuts.loc[(result.cuts["cut"] == cut) & (result.cuts["metric"] == metric)]
    frame = frame.sort_values(["denominator", "group"], ascending=[False, True])
    shown, folded = frame.iloc[:MOST_GROUPS], frame.iloc[MOST_GROUPS:]
    shown = shown.sort_values(["value", "group"], ascending=[pooled.better == "lower", True])
    names = [group_name(group, language) for group in shown["group"]]
    left = min(max([60.0, *(text_width(name, TICK) for name in names)]), 0.45 * WIDTH) + 20
    row_pitch, top = 25.0, 26.0
    height = len(shown) * row_pitch
    marks = [pooled.value, pooled.target]
    axis = scale([*shown["value"], *shown["ci_low"], *shown["ci_high"], *marks], unit)
    sheet = Sheet(top + height + 48 + (22 if len(folded) else 0))
    panel = sheet.panel(left, top, WIDTH - 150 - left, height, x=(axis.low, axis.high))
    sheet.x_axis(panel, axis.ticks, [target_level(tick, unit, language) for tick in axis.ticks])
    _cut_marks(sheet, panel, pooled, language)
    sheet.text(
        WIDTH, top - 10, text("chart.tickets_head", language), size=SMALL, color=MUTED_TEXT, align="right"
    )
    rows = zip(names, shown.to_dict("records"), strict=True)
    for i, (name, row) in enumerate(rows):
        y = (i + 0.5) * row_pitch
        sheet.text(0, top + y + 4, fit(name, left - 16, TICK), size=TICK, color=INK2)
        sheet.text(WIDTH, top + y + 4, count(row["denominator"]), size=TICK, color=INK2, align="right")
        if missing(row["value"]):
            words = text("chart.no_data", language)
            sheet.text(panel.left, top + y + 4, words, size=SMALL, color=MUTED_TEXT, over=True)
            continue
        panel.axes.hlines(
            y, row["ci_low"], row["ci_high"], color=PILOT, lw=MAIN_LINE, zorder=2, clip_on=False
        )
        dot(panel, row["value"], y, PILOT, size=7)
        sheet.text(
            WIDTH - 72,
            top + y + 4,
            level(row["value"], unit, language),
            size=TICK,
            color=PILOT,
            align="right",
        )
    _axis_label(sheet, panel, metric, unit, language)
    if len(folded):
        sheet.text(left, top + height + 60, _folded(folded, unit, language), size=SMALL, color=MUTED_TEXT)
    return sheet.figure


def _cut_marks(sheet: Sheet, panel: Panel, pooled: Indicator, language: Language) -> None:
    unit = as_unit(pooled.unit)
    labels = []
    if pooled.value is not None:
        panel.axes.axvline(pooled.value, color=NEUTRAL, lw=1.0, zorder=1, clip_on=False)
        labels.append(
            (
                panel.x(pooled.value),
                text("chart.all", language, value=level(pooled.value, unit, language)),
                INK2,
            )
        )
    if pooled.target is not None:
        panel.axes.axvline(pooled.target, color=TARGET, lw=1.4, ls=(0, (5, 2.2)), zorder=1, clip_on=False)
        words = text("chart.target", language, value=target_level(pooled.target, unit, language))
        labels.append((panel.x(pooled.target), words, INK))
    sheet.labels(panel.top - 10, labels, low=panel.left, high=panel.right)


def _axis_label(sheet: Sheet, panel: Panel, metric: str, unit: Unit, language: Language) -> None:
    words = text(f"chart.axis_{unit}", language, metric=metric_name(metric, language))
    start = panel.x_limits[0]
    if start > 0:
        words = text("chart.axis_from_x", language, label=words, value=target_level(start, unit, language))
    sheet.text(panel.left, panel.bottom + 38, words, size=TICK, color=MUTED_TEXT)


def _folded(folded: pd.DataFrame, unit: Unit, language: Language) -> str:
    tickets = float(folded["denominator"].sum())
    value = float(folded["numerator"].sum()) / tickets if tickets else None
    key = "chart.folded_one" if len(folded) == 1 else "chart.folded"
    return text(
        key, language, groups=count(len(folded)), tickets=count(tickets), value=level(value, unit, language)
    )


@theme()
def baseline_trend(result: BaselineResult, *, language: Language = "en") -> Figure:
    """Draw the weekly values of every metric as small charts with their own axes.

    Parameters
    ----------
    result
        A baseline.
    language
        Language of the words.

    Returns
    -------
    Figure
        Name, value of the last complete week, weeks and target of each metric; weeks that are not complete
        are rings, joined to nothing.
    """
    rows = [row for row in result.indicators if (result.trend["metric"] == row.metric).any()]
    across = 4 if len(rows) > 3 else max(len(rows), 2)
    gap, height = 26.0, 206.0
    width = (WIDTH - (across - 1) * gap) / across
    hollow = not result.trend["complete"].all()
    sheet = Sheet(max(1, -(-len(rows) // across)) * height + (20 if hollow else 0))
    for i, row in enumerate(rows):
        weeks = result.trend.loc[result.trend["metric"] == row.metric].sort_values("week")
        place = (i % across * (width + gap), i // across * height)
        _weeks(sheet, place, width, row, weeks, language)
    if hollow:
        sheet.text(0, sheet.height - 8, text("chart.hollow", language), size=SMALL, color=MUTED_TEXT)
    return sheet.figure


def _weeks(
    sheet: Sheet,
    place: tuple[float, float],
    width: float,
    row: Indicator,
    weeks: pd.DataFrame,
    language: Language,
) -> None:
    left, top = place
    unit = as_unit(row.unit)
    sheet.rule(top + 0.5, left, left + width)
    sheet.text(
        left, top + 21, fit(metric_name(row.metric, language, variant=row.variant), width), strong=True
    )
    last = weeks.loc[weeks["complete"] & weeks["value"].notna()].tail(1)
    value = float(last["value"].iloc[0]) if len(last) else None
    large = level(value, unit, language)
    note = text("chart.no_week", language)
    if value is not None:
        note = text(
            "chart.week_of", language, date=date_text(_day(last["week"].iloc[0]), language, year=False)
        )
    sheet.text(left, top + 46, large, size=LARGE)
    sheet.text(left + text_width(large, LARGE) + 8, top + 46, note, size=SMALL, color=MUTED_TEXT)
    axis = scale([*weeks["value"], row.target], unit, count=3)
    names = [target_level(tick, unit, language) for tick in axis.ticks]
    indent = max(text_width(name, TICK) for name in names) + 8
    first, final = _day(weeks["week"].iloc[0]), _day(weeks["week"].iloc[-1])
    days = max((final - first).days, 7)
    panel = sheet.panel(
        left + indent,
        top + 66,
        width - indent - 6,
        94,
        x=(-0.03 * days, 1.03 * days),
        y=(axis.low, axis.high),
    )
    sheet.y_axis(panel, axis.ticks, names)
    frame = weeks.assign(group="", day=[(_day(week) - first).days for week in weeks["week"]])
    _week_marks(panel, frame)
    ends = [(panel.x(0), date_text(first, language, year=False), MUTED_TEXT)]
    if final != first:
        ends.append((panel.x((final - first).days), date_text(final, language, year=False), MUTED_TEXT))
    sheet.labels(panel.bottom + 20, ends, low=panel.left, high=left + width, size=TICK)
    if row.target is not None:
        panel.axes.axhline(row.target, color=TARGET, lw=1.4, ls=(0, (5, 2.2)), zorder=3, clip_on=False)
        key = "chart.target_min" if row.better == "higher" else "chart.target_max"
        words = text(key, language, value=target_level(row.target, unit, language))
        line = panel.y(row.target)
        sheet.note(panel, words, [line - 5, line + 14], frame.loc[frame["value"].notna()])


def _week_marks(panel: Panel, frame: pd.DataFrame) -> None:
    known = frame.loc[frame["value"].notna()]
    full = known.loc[known["complete"]]
    size = 3.6 if len(frame) <= 30 else 2.2
    weekly_lines(panel, full, NEUTRAL, 1.2)
    panel.axes.plot(full["day"], full["value"], "o", color=NEUTRAL, ms=size, mew=0, zorder=4, clip_on=False)
    part = known.loc[~known["complete"]]
    panel.axes.plot(
        part["day"],
        part["value"],
        "o",
        ms=size + 0.6,
        mfc=PAPER,
        mec=NEUTRAL,
        mew=GRID_LINE,
        zorder=4,
        clip_on=False,
    )


def _day(week: date | pd.Timestamp) -> date:
    return pd.Timestamp(week).date()
