"""The layout of a fishbone: where every word, bone and mark of its pages stands, measured before it is drawn.

Words keep clear of one another and of the bones, at any number of causes: what does not fit is folded to
"+n" and gets a page of its category. Lengths are pixels of the page, y runs downwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from csimprove.charts import theme
from csimprove.charts.theme import pitch, text_width, wrapped

#: Printed on A4 a figure shrinks to 0.77: at this size, in points, letters stay above 7 pt.
SIZE, NAME_SIZE = theme.TICK, theme.HEADING
#: Page: width, and the height that a printed page holds beside its heading and caption.
WIDTH, HEIGHT = theme.PAGE, 1000.0
#: Bones on a page, and pages of bones; what is beyond stands in the outline only.
BONES, PAGES = 6, 2
#: Px: room at the head, how far a bone leans, room between words and bones, of a row above its words.
_HEAD, _LEAN, _CLEAR, _GAP = 150.0, 60.0, 12.0, 7.0
_LINE = pitch(SIZE)
#: Px from the spine to the first row, from the last row to the box.
_START, _END = 12.0, 12.0
#: Lines of a label at most.
_LINES = 4

Role = Literal["plain", "strong", "focus", "faint", "name", "small"]


@dataclass(frozen=True, slots=True)
class Twig:
    """A cause or sub-cause: its words, tickets and status."""

    words: str
    count: int
    status: str
    parts: tuple[Twig, ...] = ()


@dataclass(frozen=True, slots=True)
class Bone:
    """A category: its name, a line about it, its share (0-1), its causes in the order of reading."""

    words: str
    note: str
    share: float
    twigs: tuple[Twig, ...]


@dataclass(frozen=True, slots=True)
class Fish:
    """A problem with its categories in the order of reading, and what is said around them.

    Parameters
    ----------
    head, notes
        The problem, and lines below it.
    bones
        The categories.
    legend
        Status and its word.
    hint
        How to read numbers and lines.
    further, beyond
        Phrases for ``n`` folded causes and, with ``tickets``, for ``n`` categories that are not drawn.
    number
        How a count is written.
    """

    head: str
    notes: tuple[str, ...]
    bones: tuple[Bone, ...]
    legend: tuple[tuple[str, str], ...]
    hint: str
    further: str
    beyond: str
    number: Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Label:
    """One line of words on a baseline."""

    x: float
    y: float
    words: str
    role: Role
    size: float = SIZE
    align: Literal["left", "center", "right"] = "left"

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the tallest letters in px."""
        width, em = text_width(self.words, self.size), self.size * theme.PIXELS / 72
        left = self.x - {"left": 0.0, "center": 0.5, "right": 1.0}[self.align] * width
        return left, self.y - 0.88 * em, left + width, self.y + 0.24 * em


@dataclass(slots=True)
class Page:
    """What is drawn on a page.

    Words; bones from box to spine with their width; the spine and the point of its arrow; rules under causes
    and whether they are confirmed; marks with their size; boxes as left, top, width, height.
    ``shows`` are the places of its categories; ``alone``: of one of which something was folded.
    """

    height: float = 0.0
    labels: list[Label] = field(default_factory=list)
    bones: list[tuple[tuple[float, float], tuple[float, float], float]] = field(default_factory=list)
    spine: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))
    rules: list[tuple[tuple[float, float], tuple[float, float], bool]] = field(default_factory=list)
    marks: list[tuple[str, float, float, float]] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    arrow: tuple[float, float] = (0.0, 0.0)
    shows: tuple[int, ...] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """Lines of a cause and of its sub-causes between two distances from the spine."""

    twig: Twig | None
    near: float
    far: float
    lines: tuple[str, ...]
    parts: tuple[tuple[Twig, tuple[str, ...]], ...]
    count: int
    #: room for words and count
    width: float


def layout(fish: Fish) -> tuple[Page, ...]:
    """Lay out the pages of a fishbone: all categories, then each category of which something is folded."""
    shown = fish.bones[: BONES * PAGES]
    pages, folded = [], []
    for start in range(0, len(shown), BONES):
        bones = shown[start : start + BONES]
        page, cut = _fish_page(fish, bones, last=start + BONES >= len(shown))
        page.shows = tuple(range(start, start + len(bones)))
        pages.append(page)
        folded += [start + place for place in cut]
    for place in folded:
        pages += _category_pages(fish, place)
    return tuple(pages)


def _fish_page(fish: Fish, bones: Sequence[Bone], *, last: bool) -> tuple[Page, list[int]]:
    """Lay out up to six categories; return also the places of those of which something is folded."""
    page = Page()
    top = _legend(page, fish)
    columns = -(-len(bones) // 2) or 1
    head = _head(fish)
    end = WIDTH - _HEAD - 14  # of the spine, where the arrow's point is
    step = (end - 20 - _LEAN) / columns
    boxes = [_box_lines(bone, step - 14) for bone in bones]
    tall = max(_box_height(lines) for lines in boxes)
    beyond = fish.bones[BONES * PAGES :] if last else ()
    rest = 26.0 if beyond else 0.0
    room = (HEIGHT - top - rest) / 2 - tall - _START - _END
    lean = 0.25
    for steepest in (False, False, True, True):
        fitted = [_rows(bone, step, lean, room, fish) for bone in bones]
        longest = max(rows[-1].far if rows else 0.0 for rows, _ in fitted)
        half = max(longest + _END, head[1] / 2 + 12)
        if lean * half <= _LEAN:
            break
        lean = _LEAN / (max(room + _START + _END, half) if steepest else half)
    cut = [place for place, (_, complete) in enumerate(fitted) if not complete]
    spine = top + tall + half
    for place, (bone, (rows, _), lines) in enumerate(zip(bones, fitted, boxes, strict=True)):
        up = -1.0 if place % 2 == 0 else 1.0
        x = end - 20 - place // 2 * step
        _bone(page, bone, rows, fish, at=(x, spine), up=up, half=half, lean=lean)
        _category_box(page, lines, x - lean * half, spine + up * half, up)
    left = 0.0 if columns > 1 else _leftmost(page)
    below = tall + half if len(bones) > 1 else max(head[1] / 2 + 4, 12.0)
    _spine(page, head, (left, spine), end)
    page.height = spine + below
    if beyond:
        tickets = fish.number(sum(_count(bone.twigs) for bone in beyond))
        words = fish.beyond.format(n=len(beyond), tickets=tickets)
        page.labels.append(Label(0, page.height + 20, words, "small"))
        page.height += rest
    return page, cut


def _category_pages(fish: Fish, place: int) -> Iterator[Page]:
    """Lay out one category on as many pages as it needs, each cause with all of its sub-causes."""
    bone = fish.bones[place]
    twigs = list(bone.twigs)
    while twigs:
        page = Page(shows=(place,), alone=True)
        top = _legend(page, fish)
        head = _head(fish)
        end = WIDTH - _HEAD - 14
        step = end - 20 - _LEAN
        lines = _box_lines(bone, step)
        tall, foot = _box_height(lines), max(head[1] / 2 + 4, 12.0)
        room = HEIGHT - top - tall - foot - _START - _END
        rows = list(_stacked(twigs, step, _LEAN / room, room))
        twigs = twigs[len(rows) :]
        half = max(rows[-1].far + _END, head[1] / 2 + 12)
        spine = top + tall + half
        lean = min(_LEAN / half, _LEAN / room)
        _bone(page, bone, rows, fish, at=(end - 20, spine), up=-1.0, half=half, lean=lean)
        _category_box(page, lines, end - 20 - lean * half, spine - half, -1.0)
        _spine(page, head, (_leftmost(page), spine), end)
        page.height = spine + foot
        yield page


# --- rows of a bone ----------------------------------------------------------------------------------


def _rows(bone: Bone, step: float, lean: float, room: float, fish: Fish) -> tuple[list[_Row], bool]:
    """Return the rows of a bone that fit, and whether no cause and no sub-cause had to be folded."""
    rows = list(_stacked(bone.twigs, step, lean, room))
    if len(rows) == len(bone.twigs):
        return rows, True
    folded = tuple(
        replace(one, words=f"{one.words} +{len(one.parts)}" if one.parts else one.words, parts=())
        for one in bone.twigs
    )
    rows = list(_stacked(folded, step, lean, room))
    kept = len(rows)
    while kept < len(folded):  # a last row tells what is not shown
        rest = folded[kept:]
        more = Twig(fish.further.format(n=len(rest)), _count(rest), "")
        rows = list(_stacked((*folded[:kept], more), step, lean, room))
        if len(rows) == kept + 1:
            rows[-1] = replace(rows[-1], twig=None)
            break
        kept -= 1
    return rows, False


def _stacked(twigs: Sequence[Twig], step: float, lean: float, room: float) -> Iterator[_Row]:
    """Stack causes away from the spine as long as there is room."""
    near = _START
    numbers = [one.count for twig in twigs for one in (twig, *twig.parts)]
    count = max((text_width(f"{number:,}", SIZE) for number in numbers), default=0.0)
    for twig in twigs:
        rows, row = 1, None
        while row is None or len(row.lines) + sum(len(lines) for _, lines in row.parts) > rows:
            rows = rows if row is None else len(row.lines) + sum(len(lines) for _, lines in row.parts)
            far = near + _GAP + rows * _LINE
            width = step - lean * (far - near) - 2 * _CLEAR
            words = width - count - 10
            parts = tuple(
                (part, tuple(wrapped(part.words, words - 18, SIZE, most=_LINES))) for part in twig.parts
            )
            lines = tuple(wrapped(twig.words, words, SIZE, most=_LINES))
            row = _Row(twig, near, far, lines, parts, twig.count, width)
        if row.far > room + _START:
            return
        yield row
        near = row.far


def _bone(
    page: Page,
    bone: Bone,
    rows: Sequence[_Row],
    fish: Fish,
    *,
    at: tuple[float, float],
    up: float,
    half: float,
    lean: float,
) -> None:
    """Place a bone with its rows; ``up`` is -1 above the spine and 1 below it."""
    x, spine = at
    page.bones.append(((x - lean * half, spine + up * half), (x, spine), 2.0 + 8 * bone.share))
    for row in rows:
        # words stand above their rule, on both sides of the spine
        rule = row.near if up < 0 else row.far
        right = x - lean * row.far - _CLEAR
        bottom = spine + up * rule
        mark = x - lean * rule
        left = _words(page, row, right, bottom, fish)
        status = row.twig.status if row.twig else ""
        page.rules.append(((left - 5, bottom), (mark, bottom), status == "confirmed"))
        if status:
            page.marks.append((status, mark, bottom, 9.0))


def _words(page: Page, row: _Row, right: float, bottom: float, fish: Fish) -> float:
    """Write a cause and its sub-causes above a rule; return where they begin."""
    status = row.twig.status if row.twig else ""
    ink: Role = "plain" if status == "confirmed" else "faint" if status == "ruled_out" else "small"
    counts: list[tuple[str, Role]] = [(fish.number(row.count), "focus" if status == "confirmed" else ink)]
    blocks = [(row.lines, ink, 0.0, "")]
    for part, lines in row.parts:
        blocks.append((lines, "faint" if part.status == "ruled_out" else "small", 18.0, part.status))
        counts.append((fish.number(part.count), "small"))
    room = max(text_width(words, SIZE) for words, _ in counts) + 10
    widest = max(indent + text_width(line, SIZE) for lines, _, indent, _ in blocks for line in lines)
    left = right - room - widest
    baseline = bottom - 4 - (sum(len(lines) for lines, *_ in blocks) - 1) * _LINE
    for (lines, role, indent, mark), (number, kind) in zip(blocks, counts, strict=True):
        if mark:
            page.marks.append((mark, left + 7, baseline - 4, 6.0))
        for line in lines:
            page.labels.append(Label(left + indent, baseline, line, role))
            baseline += _LINE
        page.labels.append(Label(right, baseline - _LINE, number, kind, align="right"))
    return left


# --- what stands around --------------------------------------------------------------------------------


def _legend(page: Page, fish: Fish) -> float:
    """Write the legend and the hint; return where the bones may begin."""
    x, y = 6.0, 12.0
    for status, words in fish.legend:
        page.marks.append((status, x, y - 4, 9.0))
        page.labels.append(Label(x + 11, y, words, "small"))
        x += 11 + text_width(words, SIZE) + 26
    lines = wrapped(fish.hint, WIDTH, SIZE, most=3)
    if len(lines) == 1 and x + text_width(fish.hint, SIZE) <= WIDTH:
        page.labels.append(Label(WIDTH, y, fish.hint, "small", align="right"))
        return y + 18
    for line in lines:
        y += _LINE + 2
        page.labels.append(Label(0, y, line, "small"))
    return y + 18


def _head(fish: Fish) -> tuple[list[tuple[str, Role, float]], float]:
    """Return the lines of the head and its height."""
    room = _HEAD - 20
    lines: list[tuple[str, Role, float]] = [
        (line, "name", NAME_SIZE) for line in wrapped(fish.head, room, NAME_SIZE, most=5)
    ]
    for note in fish.notes:
        # where a note says that it may break it does so only if it must
        whole = note.replace("至\n", "至").replace("\n", " ")
        for part in [whole] if text_width(whole, SIZE) <= room else note.split("\n"):
            lines += [(line, "small", SIZE) for line in wrapped(part, room, SIZE, most=5)]
    return lines, sum(pitch(size) for *_, size in lines) + 18


def _spine(
    page: Page, head: tuple[list[tuple[str, Role, float]], float], start: tuple[float, float], end: float
) -> None:
    lines, tall = head
    spine = start[1]
    page.spine = (start, (end - 6, spine))
    page.arrow = (end, spine)
    left, top = end + 2, spine - tall / 2
    page.boxes.append((left, top, WIDTH - left - 1, tall))
    y = top + 9
    for words, role, size in lines:
        y += pitch(size)
        page.labels.append(Label((left + WIDTH) / 2, y - 5, words, role, size, "center"))


def _leftmost(page: Page) -> float:
    """Return where the spine of a single column begins."""
    rules = [start[0] for start, _, _ in page.rules]
    return max(min([*rules, WIDTH / 2]) - 24, 0.0)


def _box_lines(bone: Bone, width: float) -> list[tuple[str, Role, float]]:
    name: list[tuple[str, Role, float]] = [
        (line, "name", NAME_SIZE) for line in wrapped(bone.words, width - 20, NAME_SIZE, most=3)
    ]
    return name + [(line, "small", SIZE) for line in wrapped(bone.note, width - 20, SIZE, most=3)]


def _box_height(lines: Sequence[tuple[str, Role, float]]) -> float:
    return sum(pitch(size) for *_, size in lines) + 12


def _category_box(
    page: Page, lines: Sequence[tuple[str, Role, float]], center: float, edge: float, up: float
) -> None:
    """Place the box of a category at the end of its bone."""
    tall = _box_height(lines)
    wide = max(text_width(words, size) for words, _, size in lines) + 20
    left = min(max(center - wide / 2, 0.5), WIDTH - wide)
    top = edge - tall if up < 0 else edge
    page.boxes.append((left, top, wide, tall))
    y = top + 6
    for words, role, size in lines:
        y += pitch(size)
        page.labels.append(Label(left + 10, y - 5, words, role, size))


def _count(twigs: Sequence[Twig]) -> int:
    return sum(one.count for one in twigs)
