"""Figures of a pilot: the two questions, every unit before and during, both arms week by week."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.sheet import SHORT_DASHES, Panel, Sheet, Span, dashed, dot, estimate, weekly_lines
from csimprove.charts.theme import fit, scale, text_width, wrapped
from csimprove.pilot import LookMetric, PilotMetric, PilotResult, Robustness
from csimprove.settings import Language

#: A week of `pilot_arms` is drawn when at least this share of its tickets is decided.
DECIDED_SHARE = 0.95

_ROW = 62.0  # px, of a metric in `pilot_questions`
_UNIT = 17.0  # px, of a unit in `pilot_dumbbell`


@theme.drawn
def pilot_questions(result: PilotResult, *, language: Language = "en") -> Figure:
    """Draw the two questions: whether the gain is worth having and whether the pilot is at its target.

    Parameters
    ----------
    result
        A pilot evaluation.
    language
        Language of the words.

    Returns
    -------
    Figure
        One row a metric. Left: effect with 95 % interval against what the plan asked. Right: level with
        interval against the target; a ring for the weeks before.
    """
    blocks = theme.by_axis(result.metrics, _levels)
    names = [wording.metric_name(row.metric, language, variant=row.variant) for row in result.metrics]
    left, pitch = theme.column(names, at_most=220), _ROW + theme.ABOVE * theme.narrow()
    # on a phone the second question stands under the first
    half = theme.width() if theme.narrow() else (theme.width() - left - 24) / 2
    units = [block[0].unit for block in blocks]
    said = [wrapped(Sheet(1, language).by_unit("gain", unit), half, theme.SMALL) for unit in units]
    more = (max(len(lines) for lines in said) - 1) * theme.pitch(theme.SMALL)
    # headings stand once; the unit of the effect again where it changes
    heads = [
        62 + more if i == 0 else 34 + more if units[i] != units[i - 1] else 14 for i in range(len(units))
    ]
    height = sum(heads) + sum(len(block) * pitch + 28 for block in blocks)
    below = (height + 24) * theme.narrow()
    sheet = Sheet(height + below, language, cuts=heads[:1])
    top = 0.0
    for i, (block, head) in enumerate(zip(blocks, heads, strict=True)):
        top += head
        places = ((left, top), (0.0 if below else left + half + 24, below + top))
        _question_panels(sheet, block, half, places)
        if i == 0:
            for (x, y), key in zip(places, ("gain_heading", "level_heading"), strict=True):
                sheet.text(x, y - head + 20, sheet.words(key), "heading", strong=True)
            sheet.text(x, y - head + 39, sheet.words("level_reading"), "small")
        if i == 0 or head > 20:
            sheet.text(left, 39 if i == 0 else top - 10 - more, "\n".join(said[i]), "small")
        top += len(block) * pitch + 28
        sheet.cuts.append(top)
    return sheet.figure


def _levels(row: PilotMetric) -> list[float | None]:
    return [row.level, row.level_low, row.level_high, row.target, row.pilot_before.value]


def _question_panels(sheet: Sheet, rows: list[PilotMetric], half: float, places: tuple[Span, Span]) -> None:
    above = theme.ABOVE * theme.narrow()
    inset = 8.0 * theme.narrow()  # marks at the edge of the sheet are whole
    width, height = half - 96 - inset, len(rows) * (_ROW + above)
    gains = [value for row in rows for value in (row.effect, row.ci_low, row.ci_high)]
    gains += [wording.asked_value(row) for row in rows]
    gain_axis = scale(gains, rows[0].unit, count=4, signed=True)
    (left, top), (second, below) = places
    effects = sheet.value_rows(left + inset, top, width, height, gain_axis)
    effects.axes.axvline(0, color=theme.CONTROL, lw=1.2, zorder=1)
    level_axis = scale([value for row in rows for value in _levels(row)], rows[0].unit, count=4)
    levels = sheet.value_rows(second + inset, below, width, height, level_axis)
    for i, row in enumerate(rows):
        start, y = i * (_ROW + above), (i + 0.5) * (_ROW + above) + above / 2
        sheet.rule(top + start + 0.5, 0, left + half)
        sheet.rule(below + start + 0.5, second)
        _row_name(sheet, row, left, top + y)
        if theme.narrow():
            _row_name(sheet, row, left, below + y)
        _gain(sheet, effects, y, row)
        _level(sheet, levels, y, row)


def _row_name(sheet: Sheet, row: PilotMetric, left: float, y: float) -> None:
    """Write a metric and what it is for, beside its marks; on a phone above them."""
    name, role = sheet.metric(row), sheet.words(f"role_{row.role}")
    if theme.narrow():
        room = sheet.width - text_width(role, theme.SMALL) - 12
        sheet.text(0, y - 32, fit(name, room), over=True)
        sheet.text(sheet.width, y - 32, role, "small", align="right")
    else:
        sheet.text(0, y - 4, fit(name, left - 8))
        sheet.text(0, y + 13, role, "small")


def _gain(sheet: Sheet, panel: Panel, y: float, row: PilotMetric) -> None:
    asked = wording.asked_value(row)
    below = []
    if asked is not None:
        style: dict[str, Any] = {"color": theme.TARGET, "lw": 2.4, "solid_capstyle": "round"}
        panel.axes.plot([asked] * 2, [y - 14, y + 11], clip_on=False, **style)
        below.append((panel.x(asked), asked_words(sheet, panel, row, asked), theme.INK))
    if row.effect is not None:
        estimate(panel, y, row.effect, row.ci_low, row.ci_high)
        _beside(sheet, panel, y, wording.number(row.effect, panel.scale.unit, sign=True), row.effect, asked)
    if row.ci_low is not None and row.ci_high is not None:
        center = panel.x((row.ci_low + row.ci_high) / 2)
        words = wording.interval(row.ci_low, row.ci_high, panel.scale.unit, sheet.language)
        below.append((center, words, theme.MUTED_TEXT))
    sheet.labels(panel, panel.top + y + 24, below, out=8)
    _verdict(sheet, panel, y, row.status, f"status_{row.status}")


def effect_words(sheet: Sheet, panel: Panel, one: Robustness | LookMetric) -> str:
    """Write an effect with its interval, if it has one."""
    words, unit = wording.number(one.effect, panel.scale.unit, sign=True), panel.scale.unit
    if one.ci_low is None:
        return words
    return f"{words}  ({wording.interval(one.ci_low, one.ci_high, unit, sheet.language)})"


def asked_words(sheet: Sheet, panel: Panel, row: PilotMetric, asked: float) -> str:
    """Name what the plan asked of a metric."""
    kind = "gain" if row.role == "co_primary" else "margin"
    return sheet.target(panel, asked, f"asked_{kind}_{row.better}")


def _level(sheet: Sheet, panel: Panel, y: float, row: PilotMetric) -> None:
    before, target, unit = row.pilot_before.value, row.target, panel.scale.unit
    below = []
    if before is not None:
        if row.level is not None:
            panel.axes.hlines(y, before, row.level, color=theme.MUTED, lw=1.4, zorder=1, clip_on=False)
        dot(panel, before, y, theme.PILOT, hollow=True)
        below.append((panel.x(before), wording.level(before, unit, sheet.language), theme.MUTED_TEXT))
    if row.level is not None:
        estimate(panel, y, row.level, row.level_low, row.level_high)
        _beside(sheet, panel, y, wording.level(row.level, unit, sheet.language), row.level, target)
    if target is not None:
        ends = [y - 17, y + 12]
        panel.axes.plot([target] * 2, ends, color=theme.TARGET, lw=1.6, ls=SHORT_DASHES, clip_on=False)
        below.append((panel.x(target), sheet.target(panel, target), theme.INK))
    sheet.labels(panel, panel.top + y + 24, below, out=8)
    if row.target_status is not None:
        keys = {
            "reached": "level_reached",
            "cannot_tell": "level_unknown" if row.level_low is None else "level_line",
            "not_reached": f"level_short_{row.better}",
        }
        _verdict(sheet, panel, y, row.target_status, keys[row.target_status])


def _beside(sheet: Sheet, panel: Panel, y: float, words: str, value: float, line: float | None) -> None:
    """Write a value over its bar, moved to that side of a vertical line on which it lies."""
    half, at = text_width(words, theme.LABEL) / 2, panel.x(value)
    if line is not None and abs(at - (mark := panel.x(line))) < half + 5:
        right = (at > mark or mark - 2 * half - 5 < panel.left) and mark + 2 * half + 5 < panel.right + 8
        at = mark + half + 5 if right else mark - half - 5
    sheet.text(at, panel.top + y - 10, words, "value", align="center", over=True)


def _verdict(sheet: Sheet, panel: Panel, y: float, status: str, key: str) -> None:
    words, middle = sheet.words(key), panel.top + y
    sheet.icon(status, panel.right + 20, middle)
    sheet.text(panel.right + 33, middle + 4 - words.count("\n") * theme.pitch(theme.SMALL) / 2, words, "mark")


@theme.drawn
def pilot_dumbbell(result: PilotResult, metric: str, *, language: Language = "en") -> Figure:
    """Draw every unit before (ring) and during the pilot (dot): pilot groups first, sorted by change.

    Parameters
    ----------
    result
        A pilot evaluation.
    metric
        One of its metrics.
    language
        Language of the words.

    Returns
    -------
    Figure
        The change in a column on the right, its mean in the heading of each group.

    Raises
    ------
    ValueError
        If the result has no such metric.
    """
    row = theme.row_of(result.metrics, metric)
    groups = _groups(result.teams.loc[result.teams["metric"] == metric], row.better)
    units = pd.concat([units for _, _, units in groups])
    axis = scale([*units["before"], *units["during"], row.target], row.unit, count=6)
    widest = max(text_width(name, theme.TICK) for name in units["unit"]) + 16
    # on a phone long names stand above their marks, and a line of its own says which mark is which
    above = (theme.ABOVE + 5) * (theme.narrow() and widest > theme.width() / 3)
    line = 15.0 * theme.narrow()
    top, steps = 38.0, [34.0 + (_UNIT + above) * len(units) for _, _, units in groups]
    steps[0] += line
    cuts = [top, *(top + np.cumsum(steps))]
    sheet = Sheet(top + sum(steps) + 48 + line, language, cuts=cuts)
    names = [(arm, wording.group_name(name, language)) for name, arm, _ in groups]
    headings = [sheet.words(f"group_{arm}", group=name) for arm, name in names]
    left = max(theme.column(headings), theme.column(units["unit"], theme.TICK)) or (8 if above else widest)
    panel = sheet.value_rows(left, top, sheet.width - 90 - left, sum(steps), axis)
    if row.target is not None:
        dashed(panel, row.target, upright=True, zorder=1)
        sheet.labels(panel, top - 7, [(panel.x(row.target), sheet.target(panel, row.target), theme.INK)])
    sheet.text(sheet.width, top - 26, sheet.by_unit("change", axis.unit), "small", align="right")
    first = groups[0][2].iloc[0]
    if not wording.missing(first["change"]):
        ends = [(panel.x(first[end]), sheet.words(end), theme.PILOT) for end in ("before", "during")]
        sheet.labels(panel, panel.top + 24 + line, ends)
    y = 0.0
    for heading, step, (_, arm, frame) in zip(headings, steps, groups, strict=True):
        _group_heading(sheet, panel, y, heading, arm, frame)
        _dumbbells(sheet, panel, y + step - 6 - (_UNIT + above) * len(frame), above, arm, frame)
        y += step
    key = "axis" if row.basis == "crude" else "teams_standardised"
    words = sheet.by_unit(key, axis.unit, metric=sheet.metric(row))
    sheet.axis_words(panel, "x", words)
    return sheet.figure


def _groups(teams: pd.DataFrame, better: str) -> list[tuple[str, str, pd.DataFrame]]:
    """Group, arm and units: pilot groups first, units with the largest improvement first."""
    found = []
    for (arm, group), units in teams.groupby(["arm", "group"], sort=True):
        ranked = units.sort_values(["change", "unit"], ascending=[better == "lower", True])
        found.append((str(group), str(arm), ranked))
    return sorted(found, key=lambda item: (item[1] != "pilot", item[0]))


def _group_heading(sheet: Sheet, panel: Panel, y: float, heading: str, arm: str, frame: pd.DataFrame) -> None:
    base, ink = panel.top + y + 20, theme.ARMS[arm][1]
    mean = sheet.words("mean", value=wording.number(frame["change"].mean(), panel.scale.unit, sign=True))
    room = panel.right if theme.narrow() else panel.left - 16
    sheet.text(0, base, fit(heading, room), color=ink, strong=True, over=theme.narrow())
    sheet.text(sheet.width, base, mean, "name", color=ink, align="right", strong=True)


def _dumbbells(sheet: Sheet, panel: Panel, y: float, above: float, arm: str, frame: pd.DataFrame) -> None:
    (mark, ink), unit = theme.ARMS[arm], panel.scale.unit
    for i, row in enumerate(frame.to_dict("records")):
        at = y + (i + 0.5) * (_UNIT + above) + above / 2
        base = panel.top + at + 4
        room = sheet.width - 8 if above else panel.left - 16
        lift = 15.0 if above else 0.0  # nearer to its own mark than to the one before
        sheet.text(0, base - lift, fit(str(row["unit"]), room, theme.TICK), "name", over=above > 0)
        change = wording.number(row["change"], unit, sign=True)
        sheet.text(sheet.width, base, change, "name", color=ink, align="right")
        known = [end for end in ("before", "during") if not wording.missing(row[end])]
        if not known:
            sheet.text(panel.left + 6, base, sheet.words("no_data"), "small", over=True)
        ends = [row[end] for end in known]
        panel.axes.plot(ends, [at] * len(ends), color=mark, lw=theme.MAIN_LINE, zorder=2, clip_on=False)
        for end in known:
            dot(panel, row[end], at, mark, hollow=end == "before")


@theme.drawn
def pilot_arms(result: PilotResult, metric: str, *, language: Language = "en") -> Figure:
    """Draw both arms week by week, pooled, with the pilot window shaded and each control group thin.

    Parameters
    ----------
    result
        A pilot evaluation.
    metric
        One of its metrics.
    language
        Language of the words.

    Returns
    -------
    Figure
        Values stand in the middle of their week. Weeks with less than 95 % of their tickets decided are left
        out, the figure says so, and no line runs over them.

    Raises
    ------
    ValueError
        If the result has no such metric.
    """
    row = theme.row_of(result.metrics, metric)
    weekly = result.weekly.loc[(result.weekly["metric"] == metric) & result.weekly["value"].notna()]
    decided = weekly["denominator"] >= DECIDED_SHARE * (weekly["denominator"] + weekly["undecided"])
    drawn = weekly.loc[decided].sort_values("week")
    drawn = drawn.assign(day=[pd.Timestamp(week).toordinal() + 3.5 for week in drawn["week"]])
    axis = scale([*drawn["value"], row.target], row.unit)
    sheet = Sheet(28 + 256 + 48 + foot(decided), language)
    titles = {arm: arm_name(sheet, result, arm) for arm in ("control", "pilot")}
    last_week = sheet.words("last_week", value=wording.level(1.0, axis.unit, language))
    side = max(
        text_width(last_week, theme.SMALL), *(text_width(title, theme.HEADING) for title in titles.values())
    )
    days = (_monday(result.plan.before[0]), _monday(result.plan.during[1]) + 7)
    panel = sheet.value_weeks(0, 28, sheet.width - (0 if theme.narrow() else side + 22), 256, axis, days)
    windows(sheet, panel, result)
    _arms(sheet, panel, drawn, titles, row.target)
    sheet.mondays(panel, *days, 3.5)
    sheet.axis_label(panel, "y", "week_axis")
    omitted(sheet, panel, decided, "weeks")
    return sheet.figure


def foot(decided: pd.Series[bool]) -> float:
    """Px under the axis for what `omitted` says, and on a phone for a second line of words of the axis."""
    return 20.0 * (not decided.all()) + theme.ABOVE * theme.narrow()


def omitted(sheet: Sheet, panel: Panel, decided: pd.Series[bool], what: Literal["days", "weeks"]) -> None:
    """Say under a figure that undecided days or weeks are left out, if some are."""
    if not decided.all():
        share = wording.target_level(DECIDED_SHARE, "share", sheet.language)
        x, y = (0.0, theme.ABOVE) if theme.narrow() else (panel.left, 0.0)
        sheet.text(x, panel.bottom + 58 + y, sheet.words(f"{what}_omitted", share=share), "small")


def arm_name(sheet: Sheet, result: PilotResult, arm: str) -> str:
    """Return the name of an arm: that of its group if it has only one."""
    groups = result.plan.pilot if arm == "pilot" else result.plan.control
    if len(groups) > 1:
        return sheet.words(f"arm_{arm}")
    name = wording.group_name(groups[0], sheet.language)
    return fit(sheet.words(f"group_{arm}", group=name), 200, theme.HEADING)


def _monday(day: date) -> float:
    return float(day.toordinal() - day.weekday())


def windows(sheet: Sheet, panel: Panel, result: PilotResult, *, named: bool = True) -> None:
    """Shade the pilot weeks and write both periods over the panel."""
    entries = []
    for key, color in (("before", theme.MUTED_TEXT), ("during", theme.PILOT)):
        first, last = getattr(result.plan, key)
        start, end = first.toordinal(), last.toordinal() + 1
        if key == "during":
            panel.axes.axvspan(start, end, color=theme.PILOT_TINT, lw=0, zorder=-1)
        name = "window_before" if key == "before" else "window_pilot"
        period = wording.period_text(first, last, sheet.language)
        if theme.narrow():  # there is no room for years
            period = sheet.words("range", low=sheet.day(first), high=sheet.day(last))
        words = sheet.words(name, period=period)
        entries.append((panel.x((start + end) / 2), words, color))
    if named:
        sheet.labels(panel, panel.top - 12, entries, out=max(sheet.width - panel.right, panel.left))


def _arms(
    sheet: Sheet, panel: Panel, drawn: pd.DataFrame, titles: dict[str, str], target: float | None
) -> None:
    """Draw control groups thin, the pooled arms over them, and name these at their ends."""
    pooled = drawn["group"] == ""
    groups = drawn.loc[~pooled & (drawn["arm"] == "control")]
    if len(groups["group"].unique()) > 1:
        weekly_lines(panel, groups, theme.MUTED, theme.CONTEXT_LINE, 1)
    ends = []
    for arm, (color, ink) in theme.ARMS.items():
        weeks = drawn.loc[pooled & (drawn["arm"] == arm)]
        weekly_lines(panel, weeks, color, theme.MAIN_LINE, 3)
        for week in weeks.to_dict("records"):
            dot(panel, week["day"], week["value"], color, hollow=arm == "control", zorder=4)
        ends += [(week, titles[arm], ink, weeks) for week in weeks["value"].tail(1)]
    bases = panel.apart([panel.y(value) for value, *_ in ends], 39, 6.5)
    lines = drawn.assign(group=drawn["arm"] + "/" + drawn["group"])
    for base, (value, title, ink, weeks) in zip(bases, ends, strict=True):
        words = sheet.words("last_week", value=wording.level(value, panel.scale.unit, sheet.language))
        if theme.narrow():
            sheet.line_name(panel, f"{title}  {words}", ink, weeks, lines, target)
            continue
        sheet.text(panel.right + 14, base, title, "heading", color=ink, strong=True)
        sheet.text(panel.right + 14, base + 16, words, "small")
    _notes(sheet, panel, lines, target)


def _notes(sheet: Sheet, panel: Panel, lines: pd.DataFrame, target: float | None) -> None:
    """Draw the target and write what line and thin lines are, where they cover least."""
    sheet.noted_target(panel, target, lines)
    bases = [panel.bottom - 10, panel.top + 18, panel.bottom - 30, panel.top + 36]
    thin = len(lines.loc[(lines["arm"] == "control") & (lines["group"] != "control/"), "group"].unique())
    if thin > 1:
        sheet.note(panel, sheet.words("thin_lines", count=str(thin)), bases, lines, "small")
    if lines.empty:
        sheet.note(panel, sheet.words("no_data"), bases, lines, "small")
