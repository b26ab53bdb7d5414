"""Figures of the regular reports: control charts, pilot beside control, small multiples, funnel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.sheet import DASHES, SHORT_DASHES, Panel, Place, Sheet, Span, dashed, dot
from csimprove.charts.theme import Scale, fit, scale, text_width, wrapped
from csimprove.monitoring import MonitoringResult, verdict
from csimprove.settings import Language
from csimprove.spc import ControlChart, Signal

#: Signals labelled in a chart, the latest; all of them stand in the table.
MOST_LABELS = 3
#: A label farther from its point than this, px, is left to the table.
FAR = 150.0
#: Limits of days with next to no tickets are cut, so that the others can be read.
_LIMITS_SHOWN = (0.08, 0.92)
_FROZEN = ("frozen_ucl", "frozen_center", "frozen_lcl")
#: Left, top, right, bottom, px.
Box = tuple[float, float, float, float]
#: Point labelled, px, words and colour.
Label = tuple[float, float, str, str]

_TINTS = {True: theme.PILOT_TINT, False: "#EDF0F3"}
_INKS = {True: theme.PILOT, False: theme.NEUTRAL}
_ICONS = {
    ("improvement", True): "better_up",
    ("improvement", False): "better_down",
    ("concern", True): "worse_down",
    ("concern", False): "worse_up",
    ("always_met", True): "met_above",
    ("always_met", False): "met_below",
    ("never_met", True): "missed_below",
    ("never_met", False): "missed_above",
}


@theme.drawn
def control_chart(result: MonitoringResult, *, language: Language = "en") -> Figure:
    """Draw the control chart of the chosen metric.

    Parameters
    ----------
    result
        A regular report.
    language
        Language of the words.

    Returns
    -------
    Figure
        Phases named and dated, own limits solid and filled, frozen limits dashed through the next phase, the
        latest signals labelled with date, value and limit.
    """
    variant = result.variants[result.metric]
    return _control_sheet([("", result.chart)], variant, language, heights=[theme.tall(300)])


@theme.drawn
def control_arms(result: MonitoringResult, *, language: Language = "en") -> Figure | None:
    """Draw pilot beside control with paired phases, and below the chart of their difference.

    Parameters
    ----------
    result
        A regular report.
    language
        Language of the words.

    Returns
    -------
    Figure or None
        ``None`` without a pilot.
    """
    arms = result.arms
    if arms is None:
        return None
    parts = [("pilot", arms.pilot), ("control", arms.control), ("difference", arms.difference)]
    return _control_sheet(parts, result.variants[result.metric], language, heights=[170.0, 170.0, 190.0])


def _control_sheet(
    parts: Sequence[tuple[str, ControlChart]], variant: str, language: Language, *, heights: Sequence[float]
) -> Figure:
    """Stack charts over one axis of days; the phases are named once, on top."""
    first = parts[0][1]
    ordinals = [day.toordinal() for day in first.points["period"]] or [0]
    days = min(ordinals) - 1.0, max(ordinals) + 1.0
    draft = Sheet(1, language)
    # charts of one figure share their scale, so that levels can be compared; the difference has its own
    shared = _axis([one for name, one in parts if name != "difference"])
    axes = [_axis([one], signed=True) if name == "difference" else shared for name, one in parts]
    left = _left(draft, axes)
    right = _right(name for _, one in parts for _, name, _ in _line_names(draft, one, ""))
    rows = _phase_rows(draft, first, days, (left, right), means=len(parts) == 1)
    top = 18.0 + 38 * (1 + max((row for *_, row in rows), default=0))
    titled = 32.0 if len(parts) > 1 else 0.0
    gap, foot = 22.0, 48 + theme.ABOVE * theme.narrow()  # on a phone the words below take two lines
    sheet = Sheet(top + sum(heights) + len(parts) * titled + (len(parts) - 1) * gap + foot, language)
    for number, (at, name, facts, row) in enumerate(rows):
        ink = _INKS[number == len(rows) - 1 and number > 0]
        sheet.text(at, 14 + 38 * row, fit(name, theme.width() - at), color=ink, strong=True)
        sheet.text(at, 30 + 38 * row, facts, "small")
    y = top
    sheet.cuts.append(top)
    for (name, one), axis, height in zip(parts, axes, heights, strict=True):
        if titled:
            y += titled
            head = sheet.by_unit("arms_difference", one.unit) if axis.signed else sheet.words(f"arms_{name}")
            sheet.text(0, y - 14, head, "heading", strong=True)
        panel = sheet.value_weeks(left, y, right - left, height, axis, days, hang=True)
        _draw(sheet, panel, one, focus=name != "control")
        y += height + gap
        sheet.cuts.append(y - gap + 6)  # below the lowest tick, above the names of days
    sheet.mondays(panel, days[0] + 1, days[1], 0.0)
    name = wording.metric_name(first.metric, language, variant=variant)
    sheet.axis_label(replace(panel, scale=shared), "y", f"control_axis_{first.by}", metric=name)
    return sheet.figure


def _axis(charts: Sequence[ControlChart], *, signed: bool = False) -> Scale:
    values: list[float | None] = []
    for one in charts:
        points = one.points
        values += [*points["value"], *points["target"].dropna()]
        for name in ("lcl", "ucl", *_FROZEN):
            known = points[name].dropna()
            values += [] if known.empty else known.quantile(list(_LIMITS_SHOWN)).tolist()
    return scale(values, charts[0].unit, count=5, signed=signed)


def _right(names: Iterable[str]) -> float:
    """Right edge of the panels: what the names of lines leave; on a phone they take several lines."""
    widest = max([60.0, *(text_width(name, theme.SMALL) for name in names)])
    return float(theme.width() - (min(widest, 72.0) if theme.narrow() else widest) - 14)


def _left(sheet: Sheet, axes: Iterable[Scale]) -> float:
    """Left edge of the panels, the same for all; on a phone no wider than the ticks need."""
    if not theme.narrow():
        return 60.0
    return max(text_width(name, theme.TICK) for axis in axes for name in axis.names(sheet.language)) + 8


def _phase_rows(
    sheet: Sheet, of: ControlChart, days: Span, across: Span, *, means: bool
) -> list[tuple[float, str, str, int]]:
    """Place (px), name and facts of each phase, and the row in which they overlap no other."""
    found: list[tuple[float, str, str, int]] = []
    ends: list[float] = []
    for number, phase in enumerate(of.phases):
        own = of.points[of.points["phase"] == number]
        if own.empty:
            continue
        first, last = (own["period"].iloc[place].date() for place in (0, -1))
        name = wording.phase_name(phase.name, sheet.language)
        facts = wording.period_text(first, last, sheet.language)
        if means:
            key = "phase_facts_trial" if phase.trial else "phase_facts"
            value = wording.level(phase.center, of.unit, sheet.language)
            facts = sheet.words(key, period=facts, value=value)
        width = max(text_width(name, theme.LABEL), text_width(facts, theme.SMALL))
        at = float(np.interp(first.toordinal() - 0.5, days, across))
        at = max(0.0, min(at, theme.width() - 4 * theme.narrow() - width))
        row = next((row for row, end in enumerate(ends) if end + 14 < at), len(ends))
        ends[row : row + 1] = [at + width]
        found.append((at, name, facts, row))
    return found


def _draw(sheet: Sheet, panel: Panel, of: ControlChart, *, focus: bool) -> None:
    """Draw limits, points and signals of one chart, and name its lines at their end."""
    points = of.points.assign(x=[day.toordinal() for day in of.points["period"]])
    half, axis = 0.5 if of.by == "day" else 3.5, panel.scale
    many = len(points) > 60
    thin, size = (0.7 if many and theme.narrow() else 1.0), (3.0 if many else 4.2)
    for number, (_, own) in enumerate(points.groupby("phase")):
        latest = focus and number == len(of.phases) - 1 and number > 0
        _limits(panel, own, half, latest=latest, thin=thin)
        _points(panel, own.dropna(subset=["value"]), _INKS[latest], size, thin)
        if number:
            border = float(own["x"].iloc[0]) - half
            panel.axes.plot([border] * 2, [axis.low, axis.high], color=theme.INK, lw=1.2, clip_on=False)
    if of.target is not None and not (points["target"] == of.target).all():
        edges = np.column_stack([points["x"] - half, points["x"] + half]).ravel()
        style: dict[str, Any] = {"color": theme.TARGET, "lw": 1.4, "ls": DASHES, "zorder": 2}
        panel.axes.plot(edges, np.repeat(points["target"].to_numpy(), 2), clip_on=False, **style)
    elif of.target is not None:
        dashed(panel, of.target)
    if axis.signed:
        panel.axes.axhline(0, color=theme.CONTROL, lw=1.0, zorder=1, clip_on=False)
    _signals(sheet, panel, points, of, labelled=focus)
    ink = _INKS[focus and len(of.phases) > 1]
    entries = [
        (panel.y(min(max(value, axis.low), axis.high)), name, color)
        for value, name, color in _line_names(sheet, of, ink)
    ]
    sheet.end_names(panel, entries, "small", 13)


def _limits(panel: Panel, own: pd.DataFrame, half: float, *, latest: bool, thin: float = 1.0) -> None:
    """Own limits stepped, solid and filled; limits frozen from the phase before dashed."""
    edges = np.column_stack([own["x"] - half, own["x"] + half]).ravel()

    def stepped(name: str) -> Any:
        return np.clip(np.repeat(own[name].to_numpy(), 2), *panel.y_limits)

    style: dict[str, Any] = {"color": _INKS[latest], "clip_on": False}
    panel.axes.fill_between(edges, stepped("lcl"), stepped("ucl"), color=_TINTS[latest], lw=0, zorder=-1)
    for name, width in (("lcl", 1.0), ("ucl", 1.0), ("center", 1.6)):
        panel.axes.plot(edges, stepped(name), lw=thin * width, zorder=1, **style)
    style = {"color": theme.NEUTRAL, "lw": thin, "ls": SHORT_DASHES, "clip_on": False}
    for name in _FROZEN:
        panel.axes.plot(edges, stepped(name), zorder=1.5, **style)


def _points(panel: Panel, own: pd.DataFrame, ink: str, size: float, thin: float) -> None:
    """Join the points of a phase, but not over its border; common causes keep one colour."""
    kept, out = own[~own["excluded"]], own[own["excluded"]]
    panel.axes.plot(kept["x"], kept["value"], color=ink, lw=0.7 * thin, alpha=0.55, zorder=3, clip_on=False)
    style: dict[str, Any] = {"zorder": 4, "clip_on": False, "ms": size * thin}
    panel.axes.plot(kept["x"], kept["value"], "o", color=ink, mew=0, **style)
    panel.axes.plot(out["x"], out["value"], "o", mfc=theme.PAPER, mec=ink, mew=0.8, **style)


def _signals(sheet: Sheet, panel: Panel, points: pd.DataFrame, of: ControlChart, *, labelled: bool) -> None:
    """Mark signals against own limits: points by a diamond or a large dot, runs by a bar under them.

    The bar ends in diamonds on the bad side, in triangles where no side is bad.
    """
    labels = []
    for one in (one for one in of.signals if one.limits == "own"):
        color = _signal_color(one, of)
        xs, value = points["x"].iloc[[one.first, one.last]].tolist(), points["value"].iloc[one.last]
        if one.rule != "beyond_limits":
            style: dict[str, Any] = {"color": color, "lw": 4, "solid_capstyle": "butt", "zorder": 2}
            ends = {theme.BAD: "D", theme.ALERT: "^"}.get(color, "")
            panel.axes.plot(xs, panel.y_limits[:1] * 2, marker=ends, ms=6, clip_on=False, **style)
            continue
        _beyond(panel, xs[0], value, color, 6.5)
        words = _signal_words(sheet, points.iloc[one.last], one, of)
        labels.append((panel.x(xs[0]), panel.y(value), words, color))
    if labelled:
        told = {one.first for one in of.signals if one.rule == "beyond_limits" and one.limits == "own"}
        excluded = [
            (
                panel.x(point["x"]),
                panel.y(point["value"]),
                _excluded_words(sheet, point, of),
                theme.MUTED_TEXT,
            )
            for place, point in enumerate(points.to_dict("records"))
            if point["excluded"] and place not in told and not wording.missing(point["value"])
        ]
        chosen = [*labels[-MOST_LABELS:], *excluded[-MOST_LABELS:]]
        _callouts(sheet, panel, chosen, points, of.target)


def _beyond(panel: Panel, x: float, value: float, color: str, size: float) -> None:
    """Mark a point beyond the limits: a large dot on the good side, a diamond else."""
    mark, rim = "o" if color == theme.GOOD else "D", 0.6 if size < 8 else 1.0
    style: dict[str, Any] = {"mec": theme.PAPER, "mew": rim, "zorder": 5, "clip_on": False}
    panel.axes.plot([x], [value], mark, ms=size, color=color, **style)


def _signal_color(one: Signal, of: ControlChart) -> str:
    if one.side is None or of.better is None:
        return theme.ALERT
    return theme.GOOD if (one.side == "above") == (of.better == "higher") else theme.BAD


def _signal_words(sheet: Sheet, point: Any, one: Signal, of: ControlChart) -> str:
    limit = point["ucl" if one.side == "above" else "lcl"]
    words = sheet.words(
        f"signal_{one.side}_{of.by}",
        date=sheet.day(point["period"].date()),
        value=_value(point["value"], of, sheet.language),
        limit=_value(limit, of, sheet.language),
    )
    return "\n".join(filter(None, [words, fit(str(point["reason"]), FAR)]))


def _excluded_words(sheet: Sheet, point: Any, of: ControlChart) -> str:
    reason = fit(str(point["reason"]), FAR)
    return sheet.words(f"excluded_{of.by}", date=sheet.day(point["period"].date()), reason=reason)


def _value(value: float, of: ControlChart, language: Language) -> str:
    if of.group == "difference":
        return wording.trimmed(round(value, 3), of.unit, sign=True)
    return wording.level(value, of.unit, language)


def _callouts(
    sheet: Sheet, panel: Panel, labels: Sequence[Label], points: pd.DataFrame, target: float | None
) -> None:
    """Write labels of points where they cover least, each with a thin leader line; no two overlap."""
    size = theme.SMALL
    known = points.dropna(subset=["value"])
    dots = [(panel.x(x), panel.y(y)) for x, y in zip(known["x"], known["value"], strict=True)]
    lines = [
        (panel.x(x), panel.y(y))
        for name in ("center", "lcl", "ucl", *_FROZEN)
        for x, y in zip(points["x"], points[name].clip(*panel.y_limits), strict=True)
        if not wording.missing(y)
    ]
    if target is not None:
        lines += [(float(x), panel.y(target)) for x in np.linspace(panel.left, panel.right, 100)]
    marks, strokes = (np.reshape(spots, (-1, 2)).astype(float) for spots in (dots, lines))
    taken: list[Box] = []
    for x, y, words, color in labels:
        rows = words.split("\n")
        width = max(text_width(row, size) for row in rows)
        height = theme.pitch(size) * len(rows)
        lefts = np.linspace(panel.left + 2, panel.right - width - 2, 40)
        tops = np.linspace(panel.top + 2, panel.bottom - height - 2, 16)
        spots = []
        for left, top in product(lefts.tolist(), tops.tolist()):
            box = (left, top, left + width, top + height)
            if _holds(box, (x, y)) or any(_meet(box, other) for other in taken):
                continue
            end = _nearest(box, (x, y))
            if (far := float(np.hypot(end[0] - x, end[1] - y))) > FAR:
                continue
            covered = 4 * _held(box, marks) + _held(box, strokes)
            along = [(x + (end[0] - x) * t, y + (end[1] - y) * t) for t in np.linspace(0.1, 1, 8)]
            crossed = sum(_holds(other, spot) for other in taken for spot in along)
            spots.append((10 * covered + 100 * crossed + far, box))
        if spots:
            _, box = min(spots)
            taken.append(box)
            sheet.leader((x, y), _nearest(box, (x, y)), color)
            sheet.text(box[0], box[1] + size * theme.PIXELS / 72, words, "small", color=color, over=True)


def _nearest(box: Box, spot: tuple[float, float]) -> tuple[float, float]:
    return min(max(spot[0], box[0]), box[2]), min(max(spot[1], box[1]), box[3])


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] + 4 and other[0] < one[2] + 4 and one[1] < other[3] + 2 and other[1] < one[3] + 2


def _holds(box: Box, spot: tuple[float, float]) -> bool:
    return box[0] - 3 < spot[0] < box[2] + 3 and box[1] - 3 < spot[1] < box[3] + 3


def _held(box: Box, spots: NDArray[np.float64]) -> int:
    """Count the spots that `_holds` would find in a box."""
    inside = (spots > (box[0] - 3, box[1] - 3)) & (spots < (box[2] + 3, box[3] + 3))
    return int(inside.all(axis=1).sum())


def _line_names(sheet: Sheet, of: ControlChart, ink: str) -> list[tuple[float, str, str]]:
    """Value at the right end, words and colour of every line of a chart."""
    if of.points.empty:
        return []
    last = of.points.iloc[-1]
    found = [
        (last[name], sheet.words(f"line_{name}", value=_value(last[name], of, sheet.language)), color)
        for names, color in ((("ucl", "center", "lcl"), ink), (_FROZEN, theme.MUTED_TEXT))
        for name in names
        if not wording.missing(last[name])
    ]
    if of.target is not None:
        words = sheet.words("target", value=wording.target_level(of.target, of.unit, sheet.language))
        found.append((of.target, words, theme.INK))
    return found


@theme.drawn
def kpi_multiples(result: MonitoringResult, *, language: Language = "en") -> Figure:
    """Draw every metric by week as a small control chart with its verdicts.

    Parameters
    ----------
    result
        A regular report.
    language
        Language of the words.

    Returns
    -------
    Figure
        Name, value of the last week, variation and assurance mark with their words, band of each phase's
        limits, dashed target; each chart has its own axis.
    """
    places, height = theme.grid(len(result.kpis), 142.0)
    sheet = Sheet(max(height, 40), language, cuts=[*{top: 0 for _, top, _ in places}, height])
    if not places:
        sheet.text(0, 20, sheet.words("no_week"), "small")
    for place, one in zip(places, result.kpis, strict=True):
        _kpi(sheet, place, one, result.variants[one.metric])
    return sheet.figure


def _kpi(sheet: Sheet, place: Place, of: ControlChart, variant: str) -> None:
    left, _, width = place
    points = of.points.assign(x=[day.toordinal() for day in of.points["period"]], group="")
    known = points.dropna(subset=["value"]).rename(columns={"x": "day"})
    band = [*points["lcl"].dropna(), *points["ucl"].dropna()]
    axis = scale([*points["value"], of.target, *band], of.unit, count=3)
    value = wording.level(known["value"].iloc[-1] if len(known) else None, of.unit, sheet.language)
    ends = (points["x"].iloc[0], points["x"].iloc[-1])
    name = wording.metric_name(of.metric, sheet.language, variant=variant)
    panel = sheet.small_chart(place, name, value, axis, (ends[0] - 4.0, ends[1] + 4.0), ends)
    course = verdict(of)
    for number, (_, own) in enumerate(points.groupby("phase")):
        _limits(panel, own.assign(**dict.fromkeys(_FROZEN, np.nan)), 3.5, latest=False)
        last = number == len(of.phases) - 1
        role = {"improvement": theme.GOOD, "concern": theme.BAD}.get(course, theme.NEUTRAL)
        ink, mark = (role if last else theme.NEUTRAL), ("D" if last and course == "concern" else "o")
        line = own.dropna(subset=["value"])
        panel.axes.plot(line["x"], line["value"], color=theme.NEUTRAL, lw=1.0, zorder=2, clip_on=False)
        panel.axes.plot(line["x"], line["value"], mark, color=ink, ms=3.4, mew=0, zorder=4, clip_on=False)
    sheet.noted_target(panel, of.target, known, "target_min" if of.better == "higher" else "target_max")
    higher, x, y = of.better == "higher", left + width - 38, panel.top - 26
    sheet.icon(_ICONS.get((course, higher), "steady" if course == "common_cause" else "watch"), x, y, 18)
    if of.assurance is not None:
        sheet.icon(_ICONS.get((of.assurance, higher), "hit_and_miss"), x + 25, y, 18)
    said = [wording.course_text(course, sheet.language), wording.assurance_text(of.assurance, sheet.language)]
    joint = {"en": "; ", "zh": "；"}[sheet.language]
    words = wrapped(joint.join(filter(None, said)), width, theme.SMALL, most=theme.name_lines())
    sheet.text(left, panel.bottom + 44, "\n".join(words), "small")


@theme.drawn
def funnel(result: MonitoringResult, *, language: Language = "en") -> Figure | None:
    """Draw the groups of the chosen cut against their number of tickets; there is no ranking.

    Parameters
    ----------
    result
        A regular report.
    language
        Language of the words.

    Returns
    -------
    Figure or None
        Limits of 95 % (dashed) and 3 sigma (solid), widened by the dispersion between groups; only groups
        beyond are named. ``None`` if the metric is no rate or there are fewer than two groups.
    """
    of = result.funnel
    if of is None:
        return None
    points = of.points.assign(x=of.points["denominator"])
    most = float(points["x"].max()) * 1.06
    phase = of.phases[0]
    center = phase.center or 0.0
    sigma = np.sqrt(center * (1 - center)) * (phase.sigma_z or 1.0)
    half = 3 * sigma / np.sqrt(max(float(points["x"].quantile(0.1)), 1.0))
    near = [min(max(end, 0.0), 1.0) for end in (center - half, center + half)]
    axis = scale([*points["value"], *near], of.unit, count=6)
    sheet = Sheet(10 + 320 + 48 + theme.ABOVE * theme.narrow(), language)
    middle = sheet.words("all", value=wording.level(phase.center, of.unit, language))
    names = [sheet.words("funnel_3sigma"), sheet.words("funnel_95"), middle]
    left = _left(sheet, [axis])
    panel = sheet.value_weeks(left, 10.0, _right(names) - left, 320.0, axis, (0.0, most), hang=True)
    _funnel_limits(sheet, panel, names, center, sigma)
    if of.target is not None and axis.low <= of.target <= axis.high:
        sheet.noted_target(panel, of.target, points.assign(day=points["x"], group=""), "standard")
    _funnel_points(sheet, panel, points, of)
    base = 10.0 ** np.floor(np.log10(max(most, 1)) - 1)
    steps = (max(base * factor, 1.0) for factor in (1, 2, 5, 10, 20, 50))
    tick = next(step for step in steps if most / step <= 7)
    ticks = np.arange(0, most, tick)
    sheet.ticks_below(panel, ticks.tolist(), [wording.count(tick) for tick in ticks])
    name = wording.metric_name(of.metric, language, variant=result.variants[of.metric])
    sheet.axis_label(panel, "y", "funnel_axis", metric=name)
    return sheet.figure


def _funnel_limits(sheet: Sheet, panel: Panel, names: Sequence[str], center: float, sigma: float) -> None:
    axis = panel.scale
    xs = np.linspace(max(panel.x_limits[1] / 400, 1e-9), panel.x_limits[1], 400)

    def at(sigmas: float, x: Any) -> Any:
        return np.clip(center + sigmas * sigma / np.sqrt(x), axis.low, axis.high)

    panel.axes.fill_between(xs, at(-3, xs), at(3, xs), color=_TINTS[False], lw=0, zorder=-1)
    for sigmas, dashes, width in ((3.0, "-", 1.2), (1.96, SHORT_DASHES, 1.0)):
        for sign in (1, -1):
            ys = at(sign * sigmas, xs)
            inside = (ys > axis.low) & (ys < axis.high)
            panel.axes.plot(xs[inside], ys[inside], color=theme.NEUTRAL, lw=width, ls=dashes, clip_on=False)
    panel.axes.axhline(center, color=theme.INK2, lw=1.6, zorder=1, clip_on=False)
    ends = [panel.y(float(at(sigmas, panel.x_limits[1]))) for sigmas in (3, 1.96, 0)]
    inks = (theme.MUTED_TEXT, theme.MUTED_TEXT, theme.INK)
    sheet.end_names(panel, list(zip(ends, names, inks, strict=True)), "small", 13)


def _funnel_points(sheet: Sheet, panel: Panel, points: pd.DataFrame, of: ControlChart) -> None:
    """Draw every group; name those beyond the limits, with k of n."""
    beyond = {one.first: one for one in of.signals}
    labels = []
    for place, row in enumerate(points.to_dict("records")):
        if place not in beyond:
            dot(panel, row["x"], row["value"], theme.NEUTRAL)
            continue
        color = _signal_color(beyond[place], of)
        _beyond(panel, row["x"], row["value"], color, 8)
        words = sheet.words(
            "funnel_point",
            group=fit(str(row["period"]), 200, theme.SMALL),
            value=wording.level(row["value"], of.unit, sheet.language),
            k=wording.count(row["numerator"]),
            n=wording.count(row["denominator"]),
        )
        labels.append((panel.x(row["x"]), panel.y(row["value"]), words, color))
    _callouts(sheet, panel, labels, points, of.target)
