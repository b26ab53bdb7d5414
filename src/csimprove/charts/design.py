"""Figures of a pilot's design and tracking: what it could show, both arms day by day, its looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.pilot import DECIDED_SHARE, arm_name, asked_words, effect_words, foot, omitted, windows
from csimprove.charts.sheet import Panel, Place, Sheet, Span, dashed, dot, estimate, weekly_lines
from csimprove.charts.theme import fit, scale, text_width, wrapped
from csimprove.pilot import Look, LookMetric, PilotDesign, PilotResult
from csimprove.settings import Language

_LOOK, _LINE = 24.0, 16.0  # px, of a look in `pilot_looks` and of a line of small words


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
    name, say = wording.design_metric(metric, design, language, inline=True), Sheet(1, language)
    heading = wrapped(say.by_unit("detectable", unit, metric=name), theme.width(), theme.SMALL)
    noted = wrapped(say.words("modelled"), theme.width(), theme.SMALL) if power["modelled"].any() else []
    side = max(text_width(say.words(f"power_{key}"), theme.TICK) for key in ("planned", "spread"))
    places = _places(side, 40 + _LINE * (len(heading) - 1), len(teams) > 1)
    below = 4 + _LINE * len(noted) if noted else 0.0
    sheet = Sheet(places[-1][1] + 230 + 48 + below, language)
    sheet.text(0, 14, "\n".join(heading), "small")
    left, top, across = places[0]
    panel = sheet.value_weeks(left, top, across, 230, axis, (0, _end(lengths["weeks"])))
    lines = lengths.assign(day=lengths["weeks"], value=lengths["detectable"], group=lengths["assignment"])
    ends = []
    for assignment, arm, width in (("spread", "control", 1.4), ("planned", "pilot", theme.MAIN_LINE)):
        color, ink = theme.ARMS[arm]
        frame = lengths.loc[lengths["assignment"] == assignment].sort_values("weeks")
        _curve(panel, frame, "weeks", color, width)
        words = sheet.words(f"power_{assignment}")
        if theme.narrow() and len(frame):
            sheet.line_name(panel, words, ink, lines.loc[frame.index], lines, asked)
        else:
            ends += [(panel.y(value), words, ink) for value in frame["detectable"].tail(1)]
    sheet.end_names(panel, ends, "name", 21)
    sheet.noted_target(panel, asked, lines, "minimum_gain")
    _axis(sheet, panel, lengths["weeks"], "length_axis")
    for left, top, across in places[1:]:
        days = (0, _end(teams["units_pilot"]))
        panel = sheet.value_weeks(left, top, across, 230, axis, days)
        _curve(panel, teams.sort_values("units_pilot"), "units_pilot", theme.CONTROL, 1.4)
        if asked is not None:
            dashed(panel, asked)
        kind, length = design.plan.unit, wording.trimmed(weeks, "minutes")
        names = {"unit": wording.unit_name(kind, language, many=False)}
        names["units"] = wording.unit_name(kind, language, many=True)
        _axis(sheet, panel, teams["units_pilot"], "units_axis", weeks=length, **names)
    if noted:
        sheet.text(0, sheet.height - 8 - _LINE * (len(noted) - 1), "\n".join(noted), "small")
    return sheet.figure


def _places(side: float, top: float, two: bool) -> list[Place]:
    """Return left, top and width of the panel by length and of that by units, on a phone under the first."""
    width = theme.width()
    if theme.narrow():
        return [(0.0, top, width - 8.0), (0.0, top + 320, width - 8.0)][: 1 + two]
    across = 540.0 - (theme.PAGE - width) if two else width - side - 20
    left = across + side + 30
    return [(0.0, top, across), (left, top, width - left - 8)][: 1 + two]


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
    height, above = theme.tall(150), theme.ABOVE * theme.narrow()
    first, step = 28 + 2 * above, height + 40 + above
    sheet = Sheet(first + step + height + 44 + foot(decided), language)
    names = {arm: arm_name(sheet, result, arm) for arm in ("pilot", "control")}
    words = sheet.words("median_before", value=wording.level(1.0, axis.unit, language))
    side = max(text_width(words, theme.SMALL), *(text_width(name, theme.HEADING) for name in names.values()))
    ends = (float(result.plan.before[0].toordinal()), float(result.plan.during[1].toordinal() + 1))
    for i, arm in enumerate(("pilot", "control")):
        across = sheet.width - (4 if above else side + 22)
        panel = sheet.value_weeks(0, first + i * step, across, height, axis, ends)
        at, base = panel.right + 14, panel.top + 20
        if above:  # the first panel has the periods above it
            at, base = panel.left, panel.top - (46 if i == 0 else 29)
        windows(sheet, panel, result, named=i == 0)
        color, ink = theme.ARMS[arm]
        sheet.text(at, base, names[arm], "heading", color=ink, strong=True)
        of_arm = drawn.loc[drawn["arm"] == arm]
        _run(sheet, panel, of_arm, color, result.plan.before[1], row.target, (at, base + 17))
    sheet.mondays(panel, *ends, 0.5, 10)
    sheet.axis_label(panel, "y", "day_axis")
    omitted(sheet, panel, decided, "days")
    return sheet.figure


def _run(
    sheet: Sheet,
    panel: Panel,
    frame: pd.DataFrame,
    color: str,
    last_before: date,
    target: float | None,
    place: Span,
) -> None:
    """Draw the days of an arm, their median before and the target; say both from a place on."""
    at, base = place
    weekly_lines(panel, frame, color, 1.0)
    panel.axes.plot(frame["day"], frame["value"], "o", ms=3.2, color=color, mew=0, clip_on=False, zorder=3)
    before = frame.loc[frame["date"] <= pd.Timestamp(last_before), "value"]
    if len(before):
        median = float(before.median())
        panel.axes.axhline(median, color=theme.INK2, lw=1.0, zorder=2)
        words = sheet.words("median_before", value=wording.level(median, panel.scale.unit, sheet.language))
        sheet.text(at, base, words, "small")
    if target is not None:
        dashed(panel, target)
        words = sheet.target(panel, target)
        if theme.narrow():
            sheet.text(panel.right, base, words, "mark", align="right")
        else:
            sheet.text(at, base + 17, words, "mark")


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
    above = theme.ABOVE * theme.narrow()
    pitch, (information, left, beside) = _LOOK + above, _columns()
    names = [wording.metric_name(row.metric, language, variant=row.variant) for row, _ in blocks]
    # a name that is wider than its column has a line of its own, as every name on a phone
    heads = [34 + theme.ABOVE * (text_width(name) > left - 12) for name in names]
    height = 24 + sum(heads) + sum(pitch * len(block) + 40 for _, block in blocks) + 12
    sheet = Sheet(height, language, cuts=[24.0])
    for key, at in (("look_day", 0.0), ("look_information", information - 70)):
        sheet.text(at, 16, sheet.words(key), "small")
    sheet.text(sheet.width, 16, sheet.words("look_bound"), "small", align="right")
    top = 24.0
    for name, head, (row, block) in zip(names, heads, blocks, strict=True):
        mark = wording.asked_value(row)
        values = [value for _, one in block for value in (one.effect, one.ci_low, one.ci_high)]
        axis = scale([*values, mark], row.unit, count=5, signed=True)
        panel = sheet.value_rows(left, top + head, sheet.width - left - beside, pitch * len(block), axis)
        sheet.rule(top + 4.5)
        sheet.text(0, top + 24, fit(name, sheet.width), strong=True)
        rows = [(i + 0.5) * pitch + above / 2 for i in range(len(block))]
        _upright(panel, 0, rows, color=theme.CONTROL, lw=1.2, zorder=1)
        if mark is not None:
            _upright(panel, mark, rows, color=theme.TARGET, lw=2.0, zorder=1, clip_on=False)
            entry = (panel.x(mark), asked_words(sheet, panel, row, mark), theme.INK)
            sheet.labels(panel, panel.top - 8, [entry], out=20)
        for y, (look, one) in zip(rows, block, strict=True):
            _look(sheet, panel, y, look, one)
        top += head + pitch * len(block) + 40
        sheet.cuts.append(top)
    if not blocks:
        sheet.text(0, 30, sheet.words("no_look"), "small")
    return sheet.figure


def _columns() -> tuple[float, float, float]:
    """Right end of the information and left end of the panel, and px for the words right of it."""
    if theme.narrow():
        return 172.0, 8.0, 160.0
    return (220.0, 236.0, 284.0) if theme.width() >= theme.PAGE else (172.0, 188.0, 266.0)


def _upright(panel: Panel, value: float, rows: list[float], **style: Any) -> None:
    """Draw a vertical line; on a phone only beside the marks, because words stand between."""
    if theme.narrow():
        panel.axes.vlines([value] * len(rows), [y - 9 for y in rows], [y + 9 for y in rows], **style)
    else:
        panel.axes.axvline(value, **style)


def _look(sheet: Sheet, panel: Panel, y: float, look: Look, one: LookMetric) -> None:
    """Write a look beside its interval; on a phone all but the effect stands above."""
    over, middle = theme.narrow(), panel.top + y
    base = middle + 4 - theme.ABOVE * over
    words = sheet.words("look", n=str(look.number), date=sheet.day(look.date))
    sheet.text(0, base, words, "name", over=over)
    share = wording.percent(one.information, places=0)
    sheet.text(_columns()[0], base, share, "name", align="right", over=over)
    bound, beside = wording.bound_text(one), panel.right + (18 if theme.width() >= theme.PAGE else 12)
    if not look.made:
        words = sheet.words("look_ahead", bound=bound)
        sheet.text(beside, base, words, "small")
        return
    if one.effect is not None:
        estimate(panel, y, one.effect, one.ci_low, one.ci_high)
    sheet.text(beside, middle + 4, effect_words(sheet, panel, one), "name")
    sheet.icon(one.status, sheet.width - (112 if theme.width() >= theme.PAGE else 96), base - 4, 12)
    if one.t is not None:
        said = sheet.words("t_of_bound", t=f"{abs(one.t):.2f}", bound=bound)
        sheet.text(sheet.width, base, said, "name", align="right", over=over)
