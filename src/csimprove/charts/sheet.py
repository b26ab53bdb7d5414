"""A sheet measured in pixels: panels, labels that keep apart, rules, axes and status marks.

A sheet is 880 px wide; its height comes from its content. Texts stand on their baseline at pixel positions,
so rows keep their pitch whatever the letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from csimprove.charts.theme import (
    ALERT,
    BAD,
    GOOD,
    GRID,
    GRID_LINE,
    INK,
    LABEL,
    LINE,
    MUTED_TEXT,
    NEUTRAL,
    PAPER,
    PILOT,
    PIXELS,
    SMALL,
    TICK,
    WIDTH,
    drawable,
    families,
    pitch,
    spread,
    text_width,
)

Align = Literal["left", "center", "right"]
Floats = npt.NDArray[np.float64]
Icon = Literal["tick", "cross", "unknown", "stop", "watch"]


@dataclass(frozen=True, slots=True)
class Panel:
    """Axes of a sheet without frame or own text: data in, pixels of the sheet out."""

    axes: Axes
    left: float
    top: float
    width: float
    height: float
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]  # bottom, top

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


class Sheet:
    """A figure of 880 px by ``height`` px on which everything is placed in px from the top left."""

    def __init__(self, height: float) -> None:
        self.height = height = np.ceil(height)
        self.figure = Figure(figsize=(WIDTH / PIXELS, height / PIXELS), dpi=PIXELS, facecolor=PAPER)
        self._notes: list[tuple[float, float, float]] = []  # left, right, baseline
        self._pixels = Affine2D().scale(1 / WIDTH, -1 / height).translate(0, 1) + self.figure.transFigure

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = LABEL,
        color: str = INK,
        align: Align = "left",
        strong: bool = False,
        over: bool = False,
    ) -> list[Text]:
        """Write lines, the first on baseline ``y``; ``strong`` by a thin stroke, ``over`` data by a rim."""
        effects: list[patheffects.AbstractPathEffect] = []
        if over:
            effects.append(patheffects.withStroke(linewidth=2.5, foreground=PAPER))
        if strong:
            effects.append(patheffects.withStroke(linewidth=0.45, foreground=color))
        written = []
        for i, line in enumerate(words.split("\n")):
            baseline = y + i * pitch(size)
            text = self.figure.text(x / WIDTH, 1 - baseline / self.height, drawable(line))
            text.set(ha=align, va="baseline", fontsize=size, color=color, parse_math=False)
            text.set_fontfamily(list(families()))
            text.set_path_effects(effects)
            written.append(text)
        return written

    def labels(
        self,
        y: float,
        entries: Sequence[tuple[float, str, str]],
        *,
        low: float,
        high: float,
        size: float = SMALL,
        over: bool = True,
    ) -> None:
        """Write labels (centre in px, words, colour) on one baseline, moved apart where they overlap."""
        centers = spread(
            [x for x, _, _ in entries], [text_width(w, size) for _, w, _ in entries], low=low, high=high
        )
        for center, (_, words, color) in zip(centers, entries, strict=True):
            self.text(center, y, words, size=size, color=color, align="center", over=over)

    def note(
        self, panel: Panel, words: str, bases: Sequence[float], lines: pd.DataFrame, *, color: str = INK
    ) -> None:
        """Write a note in a panel, on one of the baselines, where it covers least of lines and earlier notes.

        ``lines`` has the columns ``day``, ``value`` and ``group``.
        """
        width = text_width(words, SMALL)
        inside = [base for base in bases if panel.top + 8 <= base <= panel.bottom + 2] or list(bases)
        lefts = np.linspace(panel.left + 4, max(panel.right - width - 4, panel.left + 4), 9)
        paths = [self._path(panel, one) for _, one in lines.groupby("group")]

        def covered(spot: tuple[float, float]) -> int:
            left, base = spot
            notes = sum(
                abs(base - y) < 16 and left < end and left + width > start for start, end, y in self._notes
            )
            x_near, y_near = (left - 4, left + width + 4), (base - 15, base + 7)
            points = sum(
                int(((x > x_near[0]) & (x < x_near[1]) & (y > y_near[0]) & (y < y_near[1])).sum())
                for x, y in paths
            )
            return 1000 * notes + points

        left, base = min(((float(left), base) for base in inside for left in lefts), key=covered)
        self._notes.append((left, left + width, base))
        self.text(left, base, words, size=SMALL, color=color, over=True)

    @staticmethod
    def _path(panel: Panel, line: pd.DataFrame) -> tuple[Floats, Floats]:
        days = np.union1d(np.linspace(*panel.x_limits, 200), line["day"])
        days = days[(days >= line["day"].min()) & (days <= line["day"].max())]
        values = np.interp(days, line["day"], line["value"])
        return np.array([panel.x(day) for day in days]), np.array([panel.y(value) for value in values])

    def rule(self, y: float, left: float = 0.0, right: float = WIDTH, color: str = LINE) -> None:
        """Draw a horizontal rule."""
        self._add(Outline([(left, y), (right, y)]), line=color, width=GRID_LINE)

    def panel(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
        *,
        x: tuple[float, float],
        y: tuple[float, float] | None = None,
    ) -> Panel:
        """Add axes; without ``y`` their vertical data are px from the top, for rows."""
        limits = y or (height, 0.0)
        box = (left / WIDTH, 1 - (top + height) / self.height, width / WIDTH, height / self.height)
        axes = self.figure.add_axes(box, xlim=x, ylim=limits)
        axes.set_axis_off()
        return Panel(axes, left, top, width, height, x, limits)

    def x_axis(
        self, panel: Panel, ticks: Sequence[float], names: Sequence[str], *, grid: bool = True
    ) -> None:
        """Draw the base line of a panel with ticks, their names and, for values, a vertical grid."""
        if grid:
            panel.axes.vlines(ticks, *panel.y_limits, color=GRID, lw=GRID_LINE, zorder=0, clip_on=False)
        self._add(
            Outline([(panel.left, panel.bottom), (panel.right, panel.bottom)]), line=LINE, width=GRID_LINE
        )
        for tick, name in zip(ticks, names, strict=True):
            at = panel.x(tick)
            self._add(Outline([(at, panel.bottom), (at, panel.bottom + 4)]), line=LINE, width=GRID_LINE)
            self.text(at, panel.bottom + 18, name, size=TICK, color=MUTED_TEXT, align="center")

    def y_axis(self, panel: Panel, ticks: Sequence[float], names: Sequence[str]) -> None:
        """Draw the horizontal grid of a panel and the names of its ticks on the left."""
        panel.axes.hlines(ticks, *panel.x_limits, color=GRID, lw=GRID_LINE, zorder=0, clip_on=False)
        for tick, name in zip(ticks, names, strict=True):
            self.text(panel.left - 6, panel.y(tick) + 4, name, size=TICK, color=MUTED_TEXT, align="right")

    def icon(self, kind: Icon, x: float, y: float, size: float = 14.0) -> None:
        """Draw a status mark centred on a point; a word beside it must say the same."""
        color = {"tick": GOOD, "cross": BAD, "unknown": NEUTRAL, "stop": BAD, "watch": ALERT}[kind]
        place = Affine2D().scale(size / 2).translate(x, y)
        for outline, fill, line, width in _ICONS[kind]:
            shape = outline.transformed(place)
            self._add(
                shape,
                fill=color if fill else None,
                line={"own": color, "paper": PAPER, "ink": INK, "": None}[line],
                width=width,
            )

    def _add(
        self, outline: Outline, *, fill: str | None = None, line: str | None = None, width: float = 1.0
    ) -> None:
        patch = PathPatch(
            outline, fc=fill or "none", ec=line or "none", lw=width, capstyle="round", joinstyle="round"
        )
        patch.set(transform=self._pixels, zorder=2)
        self.figure.add_artist(patch)


def dot(
    panel: Panel,
    x: float,
    y: float,
    color: str,
    *,
    hollow: bool = False,
    size: float = 6.0,
    zorder: float = 3,
) -> None:
    """Draw a dot with a paper-coloured rim, or a ring, at a point of the data."""
    panel.axes.plot(
        [x],
        [y],
        "o",
        ms=size,
        mfc=PAPER if hollow else color,
        mec=color if hollow else PAPER,
        mew=1.5 if hollow else 1.0,
        clip_on=False,
        zorder=zorder,
    )


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


def estimate(panel: Panel, y: float, value: float, low: float | None, high: float | None) -> None:
    """Draw an interval as a bar on row ``y`` with a pip at the value; no pip where it would cover the bar."""
    if low is None or high is None:
        dot(panel, value, y, PILOT)
        return
    wide = panel.x(high) - panel.x(low)
    panel.axes.barh(
        y, high - low, left=low, height=10, color=PILOT, ec=PILOT, lw=0 if wide > 3 else 1.5, clip_on=False
    )
    if wide >= 20:
        panel.axes.plot([value], [y], "o", ms=5, mfc=PAPER, mec=PAPER, clip_on=False)


def _polygon(corners: int, start: float = 90.0, radius: float = 1.0) -> Outline:
    angles = np.radians(start + np.arange(corners + 1) * 360 / corners)
    # the sheet's y runs downwards
    return Outline(radius * np.column_stack([np.cos(angles), -np.sin(angles)]), closed=True)


def _strokes(*lines: Sequence[tuple[float, float]]) -> Outline:
    return Outline.make_compound_path(*(Outline(np.asarray(line)) for line in lines))


_CROSS = _strokes([(-0.3, -0.3), (0.3, 0.3)], [(-0.3, 0.3), (0.3, -0.3)])
_QUESTION = Outline(
    [
        (-0.3, -0.2),
        (-0.3, -0.66),
        (0.34, -0.66),
        (0.32, -0.2),
        (0.3, 0.02),
        (0.0, 0.0),
        (0.0, 0.22),
        (0, 0.5),
        (0, 0.53),
    ],
    [
        Outline.MOVETO,
        *[Outline.CURVE4] * 3,
        *[Outline.CURVE3] * 2,
        Outline.LINETO,
        Outline.MOVETO,
        Outline.LINETO,
    ],
)
#: Parts of a mark in a square from -1 to 1: outline, whether filled, colour of its line, line width.
_ICONS: dict[Icon, tuple[tuple[Outline, bool, Literal["own", "paper", "ink", ""], float], ...]] = {
    "tick": (
        (Outline.unit_circle(), True, "", 0),
        (_strokes([(-0.42, 0.04), (-0.12, 0.34), (0.44, -0.32)]), False, "paper", 1.6),
    ),
    "cross": ((_polygon(4, radius=1.2), True, "", 0), (_CROSS, False, "paper", 1.6)),
    "unknown": ((Outline.unit_circle(), False, "own", 1.3), (_QUESTION, False, "own", 1.2)),
    "stop": ((_polygon(8, 22.5, 1.08), True, "", 0), (_CROSS, False, "paper", 1.6)),
    "watch": (
        (_polygon(3, radius=1.2), True, "", 0),
        (_strokes([(0, -0.4), (0, 0.08)], [(0, 0.32), (0, 0.33)]), False, "ink", 1.2),
    ),
}
