"""The look of every figure: colours by role, sizes, the shipped font, the room that words and values need.

Colours are roles, never series numbers. Lengths are pixels of the page (96 an inch), text sizes points.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache, partial, wraps
from importlib.resources import files
from typing import Any, ParamSpec, Protocol, TypeVar

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from csimprove.settings import Language
from csimprove.wording import Unit, missing, shown_scale, target_level, trimmed

# Roles of colour, light mode (on paper).
PILOT, CONTROL, TARGET = "#0B4A9B", "#7C8896", "#16202A"
GOOD, BAD, ALERT, NEUTRAL, MUTED = "#007A63", "#B3260F", "#BD7700", "#54616D", "#BAC4CD"
INK, INK2, MUTED_TEXT = "#16202A", "#465460", "#5C6975"
DARK = "#16202B"  # on amber, which is light in both modes
PAPER, LINE, GRID, PANEL = "#FFFFFF", "#CBD3DA", "#E6EAEE", "#F5F7F9"
PILOT_TINT, BAD_TINT, NEUTRAL_TINT = "#E8EFF8", "#FBEAE6", "#EDF0F3"
#: Fill and ink of plan, do, check and act.
PDCA = {"P": (PILOT_TINT, INK), "D": ("#B9D0EC", INK), "C": ("#3B70B0", PAPER), "A": (PILOT, PAPER)}
#: Marks and words of an arm.
ARMS = {"control": (CONTROL, INK2), "pilot": (PILOT, PILOT)}

# Sizes in points; nothing smaller than SMALL.
LARGE, HEADING, LABEL, TICK, SMALL = 16.0, 10.5, 10.0, 9.5, 9.0
ABOVE = 17.0  # px by which the words of a row stand above its mark on a phone
MAIN_LINE, CONTEXT_LINE, GRID_LINE = 2.2, 1.0, 0.8

#: Widths of a figure in px: on a page, on a slide and between the margins of Word, on a phone.
PAGE, SLIDE, PHONE = 880, 620, 358
PIXELS = 96  # px an inch on the page
SAVED = 192  # px an inch in files

FAMILY = "Csimprove Figures"
#: Installed fonts to try for characters outside GB2312; the last one comes with matplotlib.
FALLBACKS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "DejaVu Sans",
)
_UNDRAWABLE = "□"
_PAPER = 0xFFFFFF

#: Share metrics that lie wholly below get an axis of their own; beside 95 % nobody could read them.
SMALL_SHARE = 0.2


class _Measured(Protocol):
    @property
    def metric(self) -> str: ...
    @property
    def unit(self) -> str: ...


T = TypeVar("T", bound=_Measured)
P = ParamSpec("P")
D = TypeVar("D", bound=Figure | None)

_width: ContextVar[int] = ContextVar("width", default=PAGE)


def width() -> int:
    """Width in px of the figure that is being drawn."""
    return _width.get()


def narrow() -> bool:
    """Whether the figure that is being drawn is for a phone: names stand above their marks, not beside."""
    return width() <= PHONE


@cache
def families() -> tuple[str, ...]:
    """Register the shipped font and return it with the installed fonts that may fill its gaps."""
    manager = font_manager.fontManager
    manager.addfont(str(files("csimprove") / "fonts" / "csimprove-figures.otf"))
    installed = {font.name for font in manager.ttflist}
    return (FAMILY, *(name for name in FALLBACKS if name in installed))


@cache
def _characters() -> frozenset[int]:
    paths = [font_manager.findfont(family) for family in families()]
    return frozenset(code for path in paths for code in font_manager.get_font(path).get_charmap())


def drawable(words: str) -> str:
    """Replace what no font has by a box, so that drawing never warns."""
    return "".join(sign if ord(sign) in _characters() else _UNDRAWABLE for sign in words)


@contextmanager
def applied() -> Iterator[None]:
    """Context or decorator in which figures are made and saved; the reader's own settings stay."""
    settings: Any = {
        **sns.axes_style("white"),
        "font.family": list(families()),
        "font.size": LABEL,
        "text.hinting": "none",
        "svg.hashsalt": "csimprove",
    }
    with mpl.rc_context(settings):
        yield


def tall(height: float) -> float:
    """Height in px of a panel: lower on a slide, where words must stay large."""
    return height * 0.79 if width() == SLIDE else height


def drawn(chart: Callable[P, D]) -> Callable[P, D]:
    """Decorate a chart: it draws in the shipped font, and `at_width` can draw it again."""

    @wraps(chart)
    def draw(*args: P.args, **options: P.kwargs) -> D:
        with applied():
            figure = chart(*args, **options)
        if figure is not None:
            vars(figure)["again"] = partial(draw, *args, **options)
        return figure

    return draw


def at_width(figure: Figure, px: int) -> Figure:
    """Draw a figure of this package again at another width.

    Parameters
    ----------
    figure
        A figure of this package; one that has a single drawing (the fishbone) is returned as it is.
    px
        `PAGE`, `SLIDE` or `PHONE`.

    Returns
    -------
    Figure
        The same result in the layout of that width, as high as it needs.
    """
    if "again" not in vars(figure):
        return figure
    before = _width.set(px)
    try:
        again: Figure = vars(figure)["again"]()
    finally:
        _width.reset(before)
    return again


def cuts(figure: Figure) -> list[float]:
    """Return the heights in px from the top at which a figure of this package may be cut.

    Parameters
    ----------
    figure
        A figure of this package.

    Returns
    -------
    list of float
        Rising; above the first is the head and below the last the foot that every part needs. Empty or one:
        the figure is one piece.
    """
    return [round(float(height), 1) for height in vars(figure).get("cuts", ())]


def png(figure: Figure) -> bytes:
    """Return a figure as PNG at 192 px an inch: the same bytes for the same figure.

    Parameters
    ----------
    figure
        A figure of this package.

    Returns
    -------
    bytes
        The file, without date or software name, of at most 256 colours: a third of the size.
    """
    raw, written = io.BytesIO(), io.BytesIO()
    with applied():
        figure.savefig(raw, format="rgba", dpi=SAVED)
    across = int(figure.bbox.width * SAVED / figure.dpi)
    packed = np.frombuffer(raw.getvalue(), "<u4") & 0xFFFFFF
    # most is paper, the last of all colours: sorting the rest alone takes a tenth of the time
    ink = packed != _PAPER
    colours, place, counts = np.unique(packed[ink], return_inverse=True, return_counts=True)
    colours, counts = np.append(colours, _PAPER), np.append(counts, len(packed) - len(place))
    where = np.full(len(packed), len(colours) - 1)
    where[ink] = place
    # marks and inks are flat, so the most frequent colours are exact; only rims of letters move a little
    every = np.column_stack([colours & 255, colours >> 8 & 255, colours >> 16]).astype(float)
    palette = every[np.argsort(-counts, kind="stable")[:256]]
    # the squared distance, less what is the same for the whole palette
    nearest = ((palette**2).sum(axis=1) - 2 * every @ palette.T).argmin(axis=1)
    image = Image.fromarray(nearest.astype(np.uint8)[where].reshape(-1, across))
    image.putpalette(palette.astype(np.uint8).tobytes())
    image.save(written, "png", dpi=(SAVED, SAVED))
    return written.getvalue()


@lru_cache(maxsize=8192)
def text_width(words: str, size: float = LABEL) -> float:
    """Width of one line in px."""
    renderer: Any = RendererAgg(1, 1, PIXELS)  # type: ignore[no-untyped-call]
    font = font_manager.FontProperties(family=list(families()), size=size)
    width, _, _ = renderer.get_text_width_height_descent(drawable(words), font, False)
    return float(width)


def pitch(size: float) -> float:
    """Distance of two baselines in px."""
    return size * PIXELS / 72 * 1.3


def fit(words: str, width: float, size: float = LABEL) -> str:
    """Cut a line to a width in px; the middle goes, because names of teams differ at their end."""
    whole = text_width(words, size)
    if whole <= width:
        return words
    kept = min(len(words), int(len(words) * width / whole) + 3)
    short = words
    while kept > 2 and text_width(short, size) > width:
        kept -= 1
        short = words[: -(-kept * 3 // 5)] + "..." + words[len(words) - kept * 2 // 5 :]
    return short


#: Marks that no line may begin with, and none may end with.
_CLOSING, _OPENING = "，。、；：！？）】》」』,.;:!?)]}%", "（【《「『([{"
_HAN = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_TOKEN = re.compile(rf"[{_HAN}]|[^\s{_HAN}]+")


def wrapped(words: str, width: float, size: float = LABEL, *, most: int = 4) -> list[str]:
    """Break words into lines of about the same length, none wider than ``width`` px.

    English breaks at spaces, Chinese between characters, neither before closing nor after opening marks; a
    word that is too long breaks anywhere. Beyond ``most`` lines the last one is cut.

    Examples
    --------
    >>> wrapped("Too few agents at peak hours", 110, 9.5)
    ['Too few agents', 'at peak hours']
    >>> wrapped("关键词分类过粗，转派不准", 90, 9.5)
    ['关键词分类过', '粗，转派不准']
    """
    lines = _filled(words, width, size)
    if len(lines) > most:
        rest = " ".join(lines[most - 1 :]) if words.isascii() else "".join(lines[most - 1 :])
        return [*lines[: most - 1], fit(rest, width, size)]
    low, high = width / (len(lines) + 1), width
    while high - low > 4:  # the narrowest width that needs no more lines
        middle = (low + high) / 2
        low, high = (low, middle) if len(_filled(words, middle, size)) == len(lines) else (middle, high)
    balanced = _filled(words, high, size)
    return balanced if max(text_width(line, size) for line in balanced) <= width else lines


def _filled(words: str, width: float, size: float) -> list[str]:
    """Fill lines one after the other."""
    lines, end = [""], 0
    for found in _TOKEN.finditer(words):
        token, space = found.group(), " " if found.start() > end else ""
        end = found.end()
        while text_width(lines[-1] + space + token, size) > width:
            kept = lines[-1]
            if len(kept) > 1 and (token[0] in _CLOSING or kept[-1] in _OPENING):
                token, lines[-1] = kept[-1] + space + token, kept[:-1].rstrip()
            elif not kept:  # a word longer than the line
                fitting = (n for n in range(1, len(token)) if text_width(token[:n], size) <= width)
                part = max(fitting, default=1)
                if part >= len(token):
                    break
                lines[-1], token = token[:part], token[part:]
            lines.append("")
            space = ""
        lines[-1] += (space if lines[-1] else "") + token
    return [line for line in lines if line] or [""]


def column(names: Iterable[str], size: float = LABEL, *, at_most: float = PAGE) -> float:
    """Px that a column of names takes, with the room to what follows; none where names stand above."""
    if narrow():
        return 0.0
    widest = max([100.0, *(text_width(name, size) for name in names)])
    return min(widest, at_most, 0.45 * width()) + 20


def spread(
    centers: Sequence[float], sizes: Sequence[float], *, low: float, high: float, gap: float = 5.0
) -> list[float]:
    """Move labels along one axis, as little as possible, until none overlaps another or leaves its bounds.

    Examples
    --------
    >>> spread([10, 12], [10, 10], low=0, high=100, gap=2)
    [5.0, 17.0]
    >>> spread([98], [10], low=0, high=100)
    [95.0]
    """
    order = np.argsort(centers, kind="stable")
    half = np.asarray(sizes, float)[order] / 2
    steps = half[:-1] + half[1:] + gap
    wanted = np.clip(np.asarray(centers, float)[order], low + half, high - half)
    up, down = wanted.copy(), wanted.copy()
    for i, step in enumerate(steps):
        up[i + 1] = max(up[i + 1], up[i] + step)
    for i, step in reversed(list(enumerate(steps))):
        down[i] = min(down[i], down[i + 1] - step)
    placed = (up + down) / 2  # both keep the distances, so their mean does
    for i, step in reversed(list(enumerate(steps))):
        placed[-1] = min(placed[-1], high - half[-1])
        placed[i] = min(placed[i], placed[i + 1] - step)
    for i, step in enumerate(steps):
        placed[0] = max(placed[0], low + half[0])
        placed[i + 1] = max(placed[i + 1], placed[i] + step)
    back = np.empty(len(order))
    back[order] = placed
    return [float(value) for value in back]


def grid(charts: int, height: float) -> tuple[list[tuple[float, float, float]], float]:
    """Left, top and width of small charts, ``height`` px beside the panel, and the height of all rows."""
    most, gap = min(width() // 170, 4), 26.0
    height += (name_lines() - 1) * pitch(LABEL) + small_panel()
    across = min(max(charts, 2), most)
    wide = (width() - (across - 1) * gap) / across
    places = [(i % across * (wide + gap), i // across * height, wide) for i in range(charts)]
    return places, -(-charts // across) * height


def small_panel() -> float:
    """Height in px of the panel of a small chart; two rows of them fit a slide."""
    return 50.0 if width() == SLIDE else 94.0


def name_lines() -> int:
    """Lines that the name of a small chart may take; the page cuts a name that is too long."""
    return 1 if width() >= PAGE else 2


def row_of(rows: Sequence[T], metric: str) -> T:
    """Return the row of a metric."""
    for row in rows:
        if row.metric == metric:
            return row
    raise ValueError(f"`metric` must be one of {', '.join(row.metric for row in rows)}, not {metric!r}.")


def by_axis(rows: Iterable[T], values: Callable[[T], Iterable[float | None]]) -> list[list[T]]:
    """Split rows into those that share an axis: shares, small shares, each other unit."""
    blocks: dict[str, list[T]] = {"share": [], "small": []}
    for row in rows:
        known = [value for value in values(row) if value is not None]
        small = bool(known) and max(known) <= SMALL_SHARE
        blocks.setdefault("small" if small and row.unit == "share" else row.unit, []).append(row)
    return [block for block in blocks.values() if block]


def in_parts(rows: Sequence[T], most: int) -> list[Sequence[T]]:
    """Share rows among parts with an axis each, where the figure is for a slide; else they are one part."""
    if width() != SLIDE:
        return [rows]
    return [rows[start : start + most] for start in range(0, len(rows), most)]


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis in the metric's unit; unless changes are drawn, its ends are ticks."""

    unit: Unit
    signed: bool
    low: float
    high: float
    ticks: tuple[float, ...]

    def name(self, value: float, language: Language) -> str:
        """Return a value that people set with its unit, a change with its sign."""
        if self.signed:
            return trimmed(value, self.unit, sign=True)
        return target_level(value, self.unit, language)

    def names(self, language: Language) -> list[str]:
        """Return the names of the ticks."""
        return [self.name(tick, language) for tick in self.ticks]


#: Ends that an axis of levels stays within, as shown.
_ENDS = {"share": (0.0, 100.0), "nps": (-100.0, 100.0), "index": (0.0, 100.0)}


def least(unit: Unit) -> float:
    """Return the lowest level that an axis can show."""
    return _ENDS.get(unit, (0.0, np.inf))[0] / shown_scale(unit)


def scale(values: Iterable[float | None], unit: str, *, count: int = 5, signed: bool = False) -> Scale:
    """Choose an axis that holds all values, with about ``count`` steps.

    Parameters
    ----------
    values
        What must be on it; ``None`` and NaN are passed over.
    unit
        ``share`` (the axis stays within 0 and 1), ``nps`` (-100 to 100), ``index`` (0 to 100), else it
        starts at 0 or above.
    count
        About how many steps.
    signed
        Changes: zero is on the axis and nothing bounds it.

    Examples
    --------
    >>> scale([0.72, 0.96, None], "share", count=3).names("en")
    ['70%', '80%', '90%', '100%']
    """
    factor = shown_scale(unit)
    lowest, highest = _ENDS.get(unit, (0.0, np.inf))
    known = [value * factor for value in values if value is not None and not missing(value)] or [0.0]
    low, high = (min(0.0, *known), max(0.0, *known)) if signed else (min(known), max(known))
    room = 0.1 * (high - low) if signed else 0.0
    if low == high:
        room = 0.02 * abs(high) or 1.0
    low, high = low - room, high + room
    if not signed:
        low, high = max(low, lowest), min(high, highest)
    ticks = MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high)
    if not signed:
        low = max((tick for tick in ticks if tick <= low + 1e-9), default=low)
        high = min((tick for tick in ticks if tick >= high - 1e-9), default=high)
    kept = tuple(round(float(tick), 10) / factor for tick in ticks if low <= tick <= high)
    return Scale(unit, signed, float(low) / factor, float(high) / factor, kept)
