"""A sheet measured in pixels: panels, labels that keep apart, rules, axes and status marks.

A sheet is as wide as the figure that is being drawn; its height comes from its content. Texts stand on their
baseline at pixel positions, so rows keep their pitch whatever the letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D

from csimprove import wording
from csimprove.baseline import Indicator
from csimprove.charts import theme
from csimprove.charts.theme import Scale, scale, text_width, wrapped
from csimprove.pilot import PilotMetric
from csimprove.settings import Language

Style = Literal["label", "name", "value", "tick", "small", "mark", "heading", "large"]
Align = Literal["left", "center", "right"]
Span = tuple[float, float]
Place = tuple[float, float, float]
#: Place along an edge of a panel, px, words and colour.
Entries = Sequence[tuple[float, str, str]]

#: Style = size in points and ink.
STYLES: dict[Style, tuple[float, str]] = {
    "label": (theme.LABEL, theme.INK),
    "name": (theme.TICK, theme.INK2),
    "value": (theme.LABEL, theme.PILOT),
    "tick": (theme.TICK, theme.MUTED_TEXT),
    "small": (theme.SMALL, theme.MUTED_TEXT),
    "mark": (theme.SMALL, theme.INK),
    "heading": (theme.HEADING, theme.INK),
    "large": (theme.LARGE, theme.INK),
}
DASHES = (0, (5, 2.2))
SHORT_DASHES = (0, (2.6, 1.4))
#: The mark of each status of an indicator, of a metric of a pilot and of its target.
_STATUS = {
    **dict.fromkeys(("reached", "worth_having", "safe", "better"), "tick"),
    **dict.fromkeys(("cannot_tell", "not_shown", "not_shown_safe", "no_interval"), "unknown"),
    **dict.fromkeys(("not_reached", "too_small", "worse"), "cross"),
    "harmed": "stop",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """Axes of a sheet without frame or own text: data in, pixels of the sheet out."""

    axes: Axes
    scale: Scale  # of the values
    left: float
    top: float
    width: float
    height: float
    x_limits: Span
    y_limits: Span  # bottom, top

    @property
    def right(self) -> float:
        """Right edge, px."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Lower edge, px from the top of the sheet."""
        return self.top + self.height

    def x(self, value: float) -> float:
        """Px from the left edge of the sheet."""
        first, last = self.x_limits
        return self.left + (value - first) / (last - first) * self.width

    def y(self, value: float) -> float:
        """Px from the top of the sheet."""
        bottom, top = self.y_limits
        return self.top + (top - value) / (top - bottom) * self.height

    def apart(
        self, heights: Sequence[float], pitch: float | Sequence[float], below: float = 8.5
    ) -> list[float]:
        """Move heights beside the panel until they are ``pitch`` px apart; each may have its own."""
        sizes = np.broadcast_to(pitch, len(heights)).tolist()
        return theme.spread(heights, sizes, low=self.top - 6.5, high=self.bottom + below, gap=0.0)


class Sheet:
    """A figure ``height`` px high on which everything is placed in px from the top left.

    ``cuts`` are the heights at which it may be cut for slides: what lies above the first and below the last
    is on every part.
    """

    def __init__(self, height: float, language: Language, cuts: Sequence[float] = ()) -> None:
        self.height = height = np.ceil(max(height, 1.0))
        self.language = language
        self.width = theme.width()
        size = (self.width / theme.PIXELS, height / theme.PIXELS)
        self.figure = Figure(figsize=size, dpi=theme.PIXELS, facecolor=theme.PAPER)
        self.cuts = list(cuts)
        vars(self.figure)["cuts"] = self.cuts
        self._notes: list[tuple[float, float, float]] = []  # left, right, baseline
        share = Affine2D().scale(1 / self.width, -1 / height).translate(0, 1)
        self._pixels = share + self.figure.transFigure

    def words(self, key: str, **values: str) -> str:
        """Return a phrase of the figures in the sheet's language."""
        return wording.text(f"chart.{key}", self.language, **values)

    def by_unit(self, key: str, unit: str, **values: str) -> str:
        """Return a phrase that reads one way for shares and another way, with the unit, for all else."""
        if unit == "share":
            return self.words(f"{key}_share", **values)
        return self.words(f"{key}_other", unit=wording.text(f"axis.{unit}", self.language), **values)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        style: Style = "label",
        *,
        color: str | None = None,
        align: Align = "left",
        strong: bool = False,
        over: bool = False,
    ) -> None:
        """Write lines, the first on baseline ``y``; ``strong`` by a thin stroke, ``over`` data by a rim."""
        size, ink = STYLES[style]
        rims = [(2.5, theme.PAPER)] * over + [(0.45, color or ink)] * strong
        for i, line in enumerate(words.split("\n")):
            baseline = 1 - (y + i * theme.pitch(size)) / self.height
            text = self.figure.text(x / self.width, baseline, theme.drawable(line))
            text.set(ha=align, va="baseline", fontsize=size, color=color or ink, parse_math=False)
            text.set_fontfamily(list(theme.families()))
            text.set_path_effects([patheffects.withStroke(linewidth=w, foreground=c) for w, c in rims])

    def labels(self, panel: Panel, y: float, entries: Entries, style: Style = "mark", out: float = 0) -> None:
        """Write labels (centre in px, words, colour) on one baseline, moved apart where they overlap.

        They stay on the sheet and inside the panel, or within ``out`` px of it.
        """
        sizes = [text_width(words, STYLES[style][0]) for _, words, _ in entries]
        wanted = [x for x, _, _ in entries]
        low, high = max(panel.left - out, 1.0), min(panel.right + out, self.width - 1)
        centers = theme.spread(wanted, sizes, low=low, high=high)
        for center, (_, words, color) in zip(centers, entries, strict=True):
            self.text(center, y, words, style, color=color, align="center", over=True)

    def end_names(self, panel: Panel, entries: Entries, style: Style, pitch: float) -> None:
        """Name lines (end in px, words, colour) on the right of a panel, at least ``pitch`` px apart.

        Names that are wider than the room there take several lines.
        """
        size, room, close = STYLES[style][0], self.width - panel.right - 9, 12.5
        names = [wrapped(words, room, size) for _, words, _ in entries]
        gap = 3.0 if max(map(len, names), default=1) > 1 else 0.0
        bases = panel.apart(
            [y for y, _, _ in entries], [pitch + gap + (len(one) - 1) * close for one in names]
        )
        for base, lines, (_, _, color) in zip(bases, names, entries, strict=True):
            for i, line in enumerate(lines):
                at = base + 4 + (i - (len(lines) - 1) / 2) * close
                self.text(panel.right + 10, at, line, style, color=color)

    def target(self, panel: Panel, value: float, key: str = "target") -> str:
        """Name a value that people set."""
        return self.words(key, value=panel.scale.name(value, self.language))

    def noted_target(
        self, panel: Panel, value: float | None, lines: pd.DataFrame, key: str = "target"
    ) -> None:
        """Draw the line of a target, if there is one, and note it beside."""
        if value is not None:
            dashed(panel, value)
            at = panel.y(value)
            self.note(panel, self.target(panel, value, key), [at - 5, at + 14], lines)

    def line_name(
        self,
        panel: Panel,
        words: str,
        color: str,
        own: pd.DataFrame,
        lines: pd.DataFrame,
        target: float | None,
    ) -> None:
        """Name a line inside its panel at its end, above or below it, where that covers less."""
        if target is not None:
            across = pd.DataFrame({"day": panel.x_limits, "value": target, "group": ""})
            lines = pd.concat([lines, across])
        x, y = _path(panel, own)
        end = min(x.max() + 8, panel.right - 4)
        left = max(end - text_width(words, theme.SMALL), panel.left + 4)
        near = y[x >= min(left, x.max())]
        bases = [near.min() - 9, near.max() + 17, near.min() - 25, near.max() + 33]
        self.note(panel, words, bases, lines, color=color, left=left)

    def note(
        self,
        panel: Panel,
        words: str,
        bases: Sequence[float],
        lines: pd.DataFrame,
        style: Style = "mark",
        *,
        color: str | None = None,
        left: float | None = None,
    ) -> None:
        """Write a note in a panel, on one of the baselines, where it covers least of lines and earlier notes.

        ``lines`` has the columns ``day``, ``value`` and ``group``; with ``left`` it begins there.
        """
        width = text_width(words, STYLES[style][0])
        inside = [base for base in bases if panel.top + 8 <= base <= panel.bottom + 2] or list(bases)
        lefts = np.linspace(panel.left + 4, max(panel.right - width - 4, panel.left + 4), 9)
        lefts = lefts if left is None else np.array([left])
        paths = [_path(panel, one) for _, one in lines.groupby("group")]

        def covered(spot: tuple[float, float]) -> int:
            left, base = spot
            notes = [
                abs(base - y) < 16 and left < end + 3 and left + width > start - 3
                for start, end, y in self._notes
            ]
            near = [(abs(x - left - width / 2) < width / 2 + 4) & (abs(y - base + 4) < 11) for x, y in paths]
            return 1000 * sum(notes) + sum(int(points.sum()) for points in near)

        start, base = min(((float(start), base) for base in inside for start in lefts), key=covered)
        self._notes.append((start, start + width, base))
        self.text(start, base, words, style, color=color, over=True)

    def rule(self, y: float, left: float = 0.0, right: float | None = None) -> None:
        """Draw a horizontal rule."""
        end = self.width if right is None else right
        self._add(Outline([(left, y), (end, y)]), line=theme.LINE, width=theme.GRID_LINE)

    def leader(self, start: Span, end: Span, color: str, width: float = 0.8) -> None:
        """Draw a line, thin as from a mark to its label, px."""
        self._add(Outline([start, end]), line=color, width=width)

    def dashes(self, start: Span, end: Span) -> None:
        """Draw the dashed line of a target, px."""
        patch = self._add(Outline([start, end]), line=theme.TARGET, width=1.2)
        patch.set_linestyle(DASHES)

    def box(self, left: float, top: float, width: float, height: float) -> None:
        """Draw the panel of a name, px."""
        x = [left, left + width, left + width, left, left]
        y = [top, top, top + height, top + height, top]
        self._add(
            Outline(list(zip(x, y, strict=True)), closed=True), line=theme.LINE, width=1.0, fill=theme.PANEL
        )

    def polygon(self, corners: Sequence[Span], color: str) -> None:
        """Fill a polygon, px."""
        outline = Outline([*corners, corners[0]], closed=True)
        self._add(outline, line="none", width=0, fill=color)

    def value_rows(self, left: float, top: float, width: float, height: float, axis: Scale) -> Panel:
        """Add axes for rows: values run along a labelled axis below, the other data are px from the top."""
        panel = self._panel((left, top, width, height), (axis.low, axis.high), (height, 0.0), axis)
        panel.axes.vlines(
            axis.ticks, 0, height, color=theme.GRID, lw=theme.GRID_LINE, zorder=0, clip_on=False
        )
        self.ticks_below(panel, axis.ticks, axis.names(self.language))
        return panel

    def calendar(self, left: float, top: float, width: float, height: float, days: Span) -> Panel:
        """Add axes for rows over days (ordinals): the other data are px from the top."""
        return self._panel((left, top, width, height), days, (height, 0.0), scale([0, 1], "minutes"))

    def value_weeks(
        self, left: float, top: float, width: float, height: float, axis: Scale, x: Span, hang: bool = False
    ) -> Panel:
        """Add axes for weeks: days run along, values upwards; their labels stand at ``left``, or hang out."""
        names = axis.names(self.language)
        indent = 0.0 if hang else max(text_width(name, theme.TICK) for name in names) + 8
        box = (left + indent, top, width - indent, height)
        panel = self._panel(box, x, (axis.low, axis.high), axis)
        panel.axes.hlines(axis.ticks, *x, color=theme.GRID, lw=theme.GRID_LINE, zorder=0, clip_on=False)
        # where there is no room for all names, the lowest is one that stays
        step = int(np.ceil(14 * (len(names) - 1) / height)) or 1
        for tick, name in list(zip(axis.ticks, names, strict=True))[::step]:
            self.text(panel.left - 6, panel.y(tick) + 4, name, "tick", align="right")
        return panel

    def small_chart(self, place: Place, name: str, value: str, axis: Scale, days: Span, ends: Span) -> Panel:
        """Add a small chart: name and large value over the panel, its first and last day under it."""
        left, top, width = place
        self.rule(top + 0.5, left, left + width)
        lines = wrapped(name, width, most=theme.name_lines())
        top += (theme.name_lines() - 1) * theme.pitch(theme.LABEL)
        self.text(left, top + 21 - (len(lines) - 1) * theme.pitch(theme.LABEL), "\n".join(lines), strong=True)
        self.text(left, top + 46, value, "large")
        panel = self.value_weeks(left, top + 66, width - 6, theme.small_panel(), axis, days)
        entries = [
            (panel.x(day), self.day(date.fromordinal(int(day))), theme.MUTED_TEXT) for day in sorted({*ends})
        ]
        self.labels(panel, panel.bottom + 20, entries, "tick", out=6)
        return panel

    def row_words(
        self, panel: Panel, base: float, name: str, value: str, ink: str | None = None, strong: bool = False
    ) -> None:
        """Write what a row is left of its panel, and a value at the right edge; on a phone both above."""
        room = panel.left - 12
        if theme.narrow():
            base -= theme.ABOVE
            room = self.width - text_width(value, theme.TICK) - 12
        words, over = theme.fit(name, room, theme.TICK), theme.narrow()
        self.text(0, base, words, "name", color=ink, strong=strong, over=over)
        self.text(self.width, base, value, "name", color=ink, align="right", strong=strong, over=over)

    def ticks_below(self, panel: Panel, ticks: Sequence[float], names: Sequence[str]) -> None:
        """Draw the base line of a panel with ticks, and as many of their names as there is room for."""
        self.rule(panel.bottom, panel.left, panel.right)
        halves = [text_width(name, theme.TICK) / 2 for name in names]
        for tick in ticks:
            at = panel.x(tick)
            mark = Outline([(at, panel.bottom), (at, panel.bottom + 4)])
            self._add(mark, line=theme.LINE, width=theme.GRID_LINE)
        span = panel.x(max(ticks, default=0.0)) - panel.x(min(ticks, default=0.0))
        step = int(np.ceil((2 * max(halves, default=0.0) + 4) * (len(ticks) - 1) / span)) if span else 1
        for tick, name, half in list(zip(ticks, names, halves, strict=True))[::step]:
            at = min(max(panel.x(tick), half), self.width - half)
            self.text(at, panel.bottom + 18, name, "tick", align="center")

    def mondays(self, panel: Panel, first: float, last: float, offset: float, room: float = 14) -> None:
        """Name as many Mondays from ``first`` to before ``last`` as there is room for."""
        start = int(first) + -(int(first) - 1) % 7
        days = range(start, int(last), 7)
        names = [self.day(date.fromordinal(day)) for day in days]
        widest = max((text_width(name, theme.TICK) for name in names), default=0.0) + room
        step = max(1, int(np.ceil(widest * len(names) / panel.width)))
        self.ticks_below(panel, [day + offset for day in days][::step], names[::step])

    def metric(self, row: Indicator | PilotMetric, *, inline: bool = False) -> str:
        """Name a metric of a result."""
        return wording.metric_name(row.metric, self.language, variant=row.variant, inline=inline)

    def day(self, day: date) -> str:
        """Name a day without its year."""
        return wording.date_text(day, self.language, year=False)

    def axis_label(self, panel: Panel, side: Literal["x", "y"], key: str, **values: str) -> None:
        """Write what is below the ticks, and where the axis of values starts if not at 0."""
        self.axis_words(panel, side, self.words(key, **values))

    def axis_words(self, panel: Panel, side: Literal["x", "y"], words: str) -> None:
        """Write ready-made words as `axis_label` does."""
        axis = panel.scale
        if not axis.signed and axis.low > theme.least(axis.unit):
            start = axis.name(axis.low, self.language)
            words = self.words(f"axis_from_{side}", label=words, value=start)
        room = self.width - 8
        lines = wrapped(words, room, theme.TICK, most=2)
        left = min(panel.left, room - max(text_width(line, theme.TICK) for line in lines))
        self.text(left, panel.bottom + 38, "\n".join(lines), "tick")

    def icon(self, kind: str, x: float, y: float, size: float = 14.0) -> None:
        """Draw a mark, or that of a status, centred on a point; a word beside it must say the same."""
        own, *parts = _ICONS[_STATUS.get(kind, kind)]
        place = Affine2D().scale(size / 2).translate(x, y)
        for outline, fill, line, width in parts:
            ink = {"own": own, **_LINES}[line]
            self._add(
                outline.transformed(place),
                fill=own if fill is True else fill or "none",
                line=ink,
                width=width,
            )

    def _panel(self, box: tuple[float, float, float, float], x: Span, y: Span, axis: Scale) -> Panel:
        left, top, width, height = box
        bottom = 1 - (top + height) / self.height
        place = (left / self.width, bottom, width / self.width, height / self.height)
        axes = self.figure.add_axes(place, xlim=x, ylim=y, xticks=[], yticks=[])
        axes.set_axis_off()
        return Panel(axes, axis, *box, x, y)

    def _add(self, outline: Outline, *, line: str, width: float, fill: str = "none") -> PathPatch:
        patch = PathPatch(outline, fc=fill, ec=line, lw=width, capstyle="round", joinstyle="round")
        patch.set(transform=self._pixels, zorder=2)
        self.figure.add_artist(patch)
        return patch


def _path(panel: Panel, line: pd.DataFrame) -> tuple[Any, Any]:
    """Points of a line in px, close enough together to find what a label covers."""
    days = np.union1d(np.linspace(*panel.x_limits, 200), line["day"])
    days = days[(days >= line["day"].min()) & (days <= line["day"].max())]
    values = np.interp(days, line["day"], line["value"])
    return np.array([panel.x(day) for day in days]), np.array([panel.y(value) for value in values])


def dot(
    panel: Panel, x: float, y: float, color: str, *, hollow: bool = False, size: float = 6, zorder: float = 3
) -> None:
    """Draw a dot with a paper-coloured rim, or a ring, at a point of the data."""
    face, edge, rim = (theme.PAPER, color, 1.5) if hollow else (color, theme.PAPER, 1.0)
    panel.axes.plot([x], [y], "o", ms=size, mfc=face, mec=edge, mew=rim, clip_on=False, zorder=zorder)


def dashed(panel: Panel, value: float, *, upright: bool = False, zorder: float = 2) -> None:
    """Draw the line of a target over the whole panel."""
    draw = panel.axes.axvline if upright else panel.axes.axhline
    draw(value, color=theme.TARGET, lw=1.4, ls=DASHES, zorder=zorder, clip_on=False)


def estimate(panel: Panel, y: float, value: float, low: float | None, high: float | None) -> None:
    """Draw an interval as a bar on row ``y`` with a pip at the value; no pip where it would cover the bar."""
    if low is None or high is None:
        dot(panel, value, y, theme.PILOT)
        return
    wide = panel.x(high) - panel.x(low)
    rim = 0 if wide > 3 else 1.5
    panel.axes.barh(y, high - low, left=low, height=10, fc=theme.PILOT, ec=theme.PILOT, lw=rim, clip_on=False)
    if wide >= 20:
        panel.axes.plot([value], [y], "o", ms=5, mfc=theme.PAPER, mec=theme.PAPER, clip_on=False)


def weekly_lines(panel: Panel, frame: pd.DataFrame, color: str, width: float, zorder: float = 2) -> None:
    """Join the weeks (``day``, ``value``) of each ``group``, but not over a week that is missing."""
    if frame.empty:
        return
    weeks = frame.sort_values(["group", "day"])
    gap = weeks.groupby("group")["day"].diff() > 7
    sns.lineplot(
        data=weeks.assign(stretch=weeks["group"] + "/" + gap.cumsum().astype(str)),
        x="day",
        y="value",
        units="stretch",
        estimator=None,
        color=color,
        linewidth=width,
        zorder=zorder,
        clip_on=False,
        ax=panel.axes,
    )


def _polygon(corners: int, start: float = 90.0, radius: float = 1.0) -> Outline:
    angles = np.radians(start + np.arange(corners + 1) * 360 / corners)
    # the sheet's y runs downwards
    return Outline(radius * np.column_stack([np.cos(angles), -np.sin(angles)]), closed=True)


def _strokes(*lines: Sequence[tuple[float, float]]) -> Outline:
    return Outline.make_compound_path(*(Outline(np.asarray(line)) for line in lines))


_CROSS = _strokes([(-0.3, -0.3), (0.3, 0.3)], [(-0.3, 0.3), (0.3, -0.3)])
_SAW, _SPOT = _strokes([(-0.75, -0.75), (0.75, 0.75)], [(-0.75, 0.75), (0.75, -0.75)]), Outline.unit_circle()
_CHECK = _strokes([(-0.42, 0.04), (-0.12, 0.34), (0.44, -0.32)])
_EXCLAMATION = _strokes([(0, -0.4), (0, 0.08)], [(0, 0.32), (0, 0.33)])
_HOOK = [(-0.3, -0.2), (-0.3, -0.66), (0.34, -0.66), (0.32, -0.2), (0.3, 0.02), (0.0, 0.0), (0.0, 0.22)]
_QUESTION = Outline([*_HOOK, (0.0, 0.5), (0.0, 0.53)], [1, 4, 4, 4, 3, 3, 2, 1, 2])
_UP = _strokes([(-0.36, 0.36), (0.36, -0.36)], [(-0.08, -0.36), (0.36, -0.36), (0.36, 0.08)])
_DOWN = _UP.transformed(Affine2D().scale(1, -1))
_WAVE = Outline([(-0.55, 0.05), (-0.3, -0.75), (0.0, 0.0), (0.3, 0.75), (0.55, -0.05)], [1, 3, 3, 3, 3])
_SQUARE = Outline([(-0.95, -0.95), (0.95, -0.95), (0.95, 0.95), (-0.95, 0.95), (-0.95, -0.95)], closed=True)
_TARGET = _strokes(*([(x - 0.16, 0), (x + 0.16, 0)] for x in (-0.52, 0, 0.52)))


def _against_target(color: str, *dots: tuple[float, float]) -> tuple[Any, ...]:
    """Colour and parts of a mark: the dashed target, and dots (bad: crosses) on the side of the data."""
    cross = _CROSS.transformed(Affine2D().scale(0.6))
    parts = ((_SQUARE, False, "own", 1.3), (_TARGET, False, "ink", 1.2))
    if color == theme.BAD:
        return (
            color,
            *parts,
            *((cross.transformed(Affine2D().translate(*at)), False, "own", 1.3) for at in dots),
        )
    return (color, *parts, *((Outline.circle(at, 0.17), True, "", 0) for at in dots))


_LINES = {"paper": theme.PAPER, "ink": theme.INK, "dark": theme.DARK, "focus": theme.PILOT, "": "none"}
_ABOVE = ((-0.5, -0.45), (0, -0.45), (0.5, -0.45))
_BELOW = ((-0.5, 0.45), (0, 0.45), (0.5, 0.45))
_DISC, _RING = (Outline.unit_circle(), True, "", 0), (Outline.unit_circle(), False, "own", 1.3)
_KITE, _DIAMOND = (_polygon(4, radius=1.2), True, "", 0), (_polygon(4, radius=1.25), True, "", 0)
#: Colour and parts of a mark in a square from -1 to 1: outline, whether filled, colour of line, line width.
_ICONS: dict[str, tuple[Any, ...]] = {
    "tick": (theme.GOOD, _DISC, (_CHECK, False, "paper", 1.6)),
    "cross": (theme.BAD, _KITE, (_CROSS, False, "paper", 1.6)),
    "unknown": (theme.NEUTRAL, _RING, (_QUESTION, False, "own", 1.2)),
    "stop": (theme.BAD, (_polygon(8, 22.5, 1.08), True, "", 0), (_CROSS, False, "paper", 1.6)),
    "confirmed": (theme.PILOT, (Outline.unit_circle(), True, "paper", 1.0)),
    "suggested": (theme.PAPER, (Outline.unit_circle(), True, "focus", 1.6)),
    "ruled_out": (theme.NEUTRAL, (_SPOT, theme.PAPER, "", 0), (_SAW, False, "own", 1.5)),
    "watch": (theme.ALERT, (_polygon(3, radius=1.2), True, "", 0), (_EXCLAMATION, False, "dark", 1.2)),
    "better_up": (theme.GOOD, _DISC, (_UP, False, "paper", 1.6)),
    "better_down": (theme.GOOD, _DISC, (_DOWN, False, "paper", 1.6)),
    "worse_up": (theme.BAD, _DIAMOND, (_UP, False, "paper", 1.4)),
    "worse_down": (theme.BAD, _DIAMOND, (_DOWN, False, "paper", 1.4)),
    "steady": (theme.NEUTRAL, _RING, (_WAVE, False, "own", 1.3)),
    "met_above": _against_target(theme.GOOD, *_ABOVE),
    "met_below": _against_target(theme.GOOD, *_BELOW),
    "missed_above": _against_target(theme.BAD, *_ABOVE),
    "missed_below": _against_target(theme.BAD, *_BELOW),
    "hit_and_miss": _against_target(theme.NEUTRAL, (-0.5, -0.45), (0.4, -0.45), (0, 0.45)),
}
