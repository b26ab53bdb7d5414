"""Figures of a pilot's design and tracking: what it could show, both arms day by day, its looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.pilot import DECIDED_SHARE, arm_name, asked_words, effect_words, omitted, windows
from csimprove.charts.sheet import Panel, Sheet, dashed, dot, estimate, weekly_lines
from csimprove.charts.theme import fit, scale, text_width
from csimprove.pilot import Look, LookMetric, PilotDesign, PilotResult
from csimprove.settings import Language

_LOOK = 24.0  # px, of a look in `pilot_looks`


@theme.drawn
def power_curve(design: PilotDesign, metric: str, *, language: Language = "en") -> Figure:
    """Draw the smallest gain that a pilot would detect, by its length and its teams.

    Parameters
    ----------
    design
        What the planned pilot could show.
    metric
        One of the plan's metrics.
    language
        Language of the words.

    Returns
    -------
    Figure
        Left by length, as planned (thick) and spread over groups; right by number of pilot units at the
        planned length, spread. Rings: lengths that the history cannot hold, from the fitted variance
        components.
    """
    unit, weeks = wording.unit_of(metric, design), wording.planned_weeks(design)
    pilot = int((design.units["arm"] == "pilot").sum())
    power = design.power.loc[(design.power["metric"] == metric) & design.power["detectable"].notna()]
    asked = design.plan.minimum_gain.get(metric) or design.plan.margin.get(metric)
    axis = replace(scale([*power["detectable"], asked], unit, signed=True), low=0.0)
    lengths = power.loc[power["units_pilot"] == pilot]
    teams = power.loc[(power["assignment"] == "spread") & (power["weeks"] == weeks)]
    sheet = Sheet(40 + 230 + 48 + 20 * bool(power["modelled"].any()), language)
    name = wording.design_metric(metric, design, language, inline=True)
    sheet.text(0, 14, sheet.by_unit("detectable", unit, metric=name), "small")
    side = max(text_width(sheet.words(f"power_{key}"), theme.TICK) for key in ("planned", "spread"))
    wide = len(teams) > 1
    across = 540 if wide else sheet.width - side - 20
    panel = sheet.value_weeks(0, 40, across, 230, axis, (0, _end(lengths["weeks"])))
    ends = []
    for assignment, arm, width in (("spread", "control", 1.4), ("planned", "pilot", theme.MAIN_LINE)):
        color, ink = theme.ARMS[arm]
        frame = lengths.loc[lengths["assignment"] == assignment].sort_values("weeks")
        _curve(panel, frame, "weeks", color, width)
        words = sheet.words(f"power_{assignment}")
        ends += [(panel.y(value), words, ink) for value in frame["detectable"].tail(1)]
    sheet.end_names(panel, ends, "name", 21)
    lines = lengths.assign(day=lengths["weeks"], value=lengths["detectable"], group=lengths["assignment"])
    sheet.noted_target(panel, asked, lines, "minimum_gain")
    _axis(sheet, panel, lengths["weeks"], "length_axis")
    if wide:
        left = panel.right + side + 30
        days = (0, _end(teams["units_pilot"]))
        panel = sheet.value_weeks(left, 40, sheet.width - left - 8, 230, axis, days)
        _curve(panel, teams.sort_values("units_pilot"), "units_pilot", theme.CONTROL, 1.4)
        if asked is not None:
            dashed(panel, asked)
        kind, length = design.plan.unit, wording.trimmed(weeks, "minutes")
        names = {"unit": wording.unit_name(kind, language, many=False)}
        names["units"] = wording.unit_name(kind, language, many=True)
        _axis(sheet, panel, teams["units_pilot"], "units_axis", weeks=length, **names)
    if power["modelled"].any():
        sheet.text(0, sheet.height - 8, sheet.words("modelled"), "small")
    return sheet.figure


def _end(values: pd.Series[Any]) -> float:
    return float(max([*values, 4])) * 1.04


def _curve(panel: Panel, frame: pd.DataFrame, along: str, color: str, width: float) -> None:
    """Join what was tried and what is modelled, but not the one to the other: they are two methods."""
    for modelled in (False, True):
        part = frame.loc[frame["modelled"].astype(bool) == modelled]
        panel.axes.plot(part[along], part["detectable"], color=color, lw=width, clip_on=False, zorder=2.5)
        for x, y in zip(part[along], part["detectable"], strict=True):
            dot(panel, float(x), float(y), color, hollow=modelled, size=5)


def _axis(sheet: Sheet, panel: Panel, values: pd.Series[Any], key: str, **words: str) -> None:
    ticks = sorted({float(value) for value in values})
    sheet.ticks_below(panel, ticks, [wording.trimmed(tick, "minutes") for tick in ticks])
    sheet.axis_label(panel, "y", key, **words)


@theme.drawn
def pilot_daily(result: PilotResult, metric: str, *, language: Language = "en") -> Figure:
    """Draw both arms day by day as run charts with the median before the pilot; no test, no p-value.

    Parameters
    ----------
    result
        A pilot.
    metric
        One of its metrics.
    language
        Language of the words.

    Returns
    -------
    Figure
        Pilot above, controls below, on the same axis. Days with less than 95 % of their tickets decided are
        left out and the figure says so.

    Raises
    ------
    ValueError
        If the result has no such metric.
    """
    row = theme.row_of(result.metrics, metric)
    daily = result.daily
    eligible = daily["denominator"] + daily["undecided"]
    days = daily.loc[(daily["metric"] == metric) & (eligible > 0)].sort_values("day")
    decided = days["denominator"] >= DECIDED_SHARE * eligible.loc[days.index]
    drawn = days.loc[decided].assign(date=pd.to_datetime(days["day"]), group="")
    drawn = drawn.assign(day=[moment.toordinal() + 0.5 for moment in drawn["date"]])
    axis = scale([*drawn["value"], row.target], row.unit, count=4)
    height, foot = 150.0, 40.0
    sheet = Sheet(28 + 2 * height + foot + 44 + 20 * (not decided.all()), language)
    names = {arm: arm_name(sheet, result, arm) for arm in ("pilot", "control")}
    words = sheet.words("median_before", value=wording.level(1.0, axis.unit, language))
    side = max(text_width(words, theme.SMALL), *(text_width(name, theme.HEADING) for name in names.values()))
    ends = (float(result.plan.before[0].toordinal()), float(result.plan.during[1].toordinal() + 1))
    for i, arm in enumerate(("pilot", "control")):
        top = 28 + i * (height + foot)
        panel = sheet.value_weeks(0, top, sheet.width - side - 22, height, axis, ends)
        windows(sheet, panel, result, named=i == 0)
        color, ink = theme.ARMS[arm]
        sheet.text(panel.right + 14, top + 20, names[arm], "heading", color=ink, strong=True)
        _run(sheet, panel, drawn.loc[drawn["arm"] == arm], color, result.plan.before[1], row.target)
    sheet.mondays(panel, *ends, 0.5, 10)
    sheet.axis_label(panel, "y", "day_axis")
    omitted(sheet, panel, decided, "days")
    return sheet.figure


def _run(
    sheet: Sheet, panel: Panel, frame: pd.DataFrame, color: str, last_before: date, target: float | None
) -> None:
    weekly_lines(panel, frame, color, 1.0)
    panel.axes.plot(frame["day"], frame["value"], "o", ms=3.2, color=color, mew=0, clip_on=False, zorder=3)
    before = frame.loc[frame["date"] <= pd.Timestamp(last_before), "value"]
    if len(before):
        median = float(before.median())
        panel.axes.axhline(median, color=theme.INK2, lw=1.0, zorder=2)
        words = sheet.words("median_before", value=wording.level(median, panel.scale.unit, sheet.language))
        sheet.text(panel.right + 14, panel.top + 37, words, "small")
    if target is not None:
        dashed(panel, target)
        sheet.text(panel.right + 14, panel.top + 54, sheet.target(panel, target), "mark")


@theme.drawn
def pilot_looks(result: PilotResult, *, language: Language = "en") -> Figure:
    """Draw the repeated interval of every metric at every look made, beside what the plan asked.

    Parameters
    ----------
    result
        A pilot.
    language
        Language of the words.

    Returns
    -------
    Figure
        One row a look: its day, the information it had, |t| and the bound on it. An interval beyond what was
        asked passes, one wholly on the worse side of zero is harm.
    """
    every = [(look, one) for look in result.looks for one in (*look.metrics, *look.expected)]
    found = [(row, [pair for pair in every if pair[1].metric == row.metric]) for row in result.metrics]
    blocks = [(row, block) for row, block in found if block]
    heads = 34.0
    sheet = Sheet(24 + sum(heads + _LOOK * len(block) + 40 for _, block in blocks) + 12, language)
    left = 236.0
    for key, at in (("look_day", 0.0), ("look_information", 150.0)):
        sheet.text(at, 16, sheet.words(key), "small")
    sheet.text(sheet.width, 16, sheet.words("look_bound"), "small", align="right")
    top = 24.0
    for row, block in blocks:
        mark = wording.asked_value(row)
        values = [value for _, one in block for value in (one.effect, one.ci_low, one.ci_high)]
        axis = scale([*values, mark], row.unit, count=5, signed=True)
        panel = sheet.value_rows(left, top + heads, 360, _LOOK * len(block), axis)
        sheet.rule(top + 4.5)
        sheet.text(0, top + 24, fit(sheet.metric(row), left - 12), strong=True)
        panel.axes.axvline(0, color=theme.CONTROL, lw=1.2, zorder=1)
        if mark is not None:
            panel.axes.axvline(mark, color=theme.TARGET, lw=2.0, zorder=1, clip_on=False)
            entry = (panel.x(mark), asked_words(sheet, panel, row, mark), theme.INK)
            sheet.labels(panel, panel.top - 8, [entry], out=20)
        for i, (look, one) in enumerate(block):
            _look(sheet, panel, (i + 0.5) * _LOOK, look, one)
        top += heads + _LOOK * len(block) + 40
    if not blocks:
        sheet.text(0, 30, sheet.words("no_look"), "small")
    return sheet.figure


def _look(sheet: Sheet, panel: Panel, y: float, look: Look, one: LookMetric) -> None:
    base = panel.top + y + 4
    words = sheet.words("look", n=str(look.number), date=sheet.day(look.date))
    sheet.text(0, base, words, "name")
    sheet.text(220, base, wording.percent(one.information, places=0), "name", align="right")
    bound = wording.bound_text(one)
    if not look.made:
        words = sheet.words("look_ahead", bound=bound)
        sheet.text(panel.right + 18, base, words, "small")
        return
    if one.effect is not None:
        estimate(panel, y, one.effect, one.ci_low, one.ci_high)
    sheet.text(panel.right + 18, base, effect_words(sheet, panel, one), "name")
    sheet.icon(one.status, sheet.width - 112, base - 4, 12)
    if one.t is not None:
        said = sheet.words("t_of_bound", t=f"{abs(one.t):.2f}", bound=bound)
        sheet.text(sheet.width, base, said, "name", align="right")
