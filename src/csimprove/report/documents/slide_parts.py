"""What a slide needs to know before it is drawn: sentences, heights, layouts, rules of a table."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from csimprove.report.documents.layout import wide
from csimprove.report.documents.model import (
    Cell,
    Figure,
    Heading,
    KeyNumber,
    Line,
    Listing,
    Section,
    Span,
    Table,
    Terms,
    plain,
)

_PER_EM = 1.9  # characters to an em
_LINES, _ACROSS = 13.0, 118  # lines of points on a slide, characters in one


def speaks_of(one: Figure, item: KeyNumber) -> bool:
    """Whether a figure is about the metric of a key number and about no list of metrics."""
    return item.name.lower() in f"{plain(one.title)} {plain(one.lede)}".lower()


def split(words: str) -> list[str]:
    """Split words into sentences; a point between digits ends none."""
    return [
        one.strip()
        for one in re.findall(r"[^.!?。！？]+(?:\.(?=\d)[^.!?。！？]+)*[.!?。！？]?", words)
        if one.strip()
    ]


def sentences(words: str, most: int) -> str:
    """Return as many whole sentences as fit."""
    kept = ""
    for one in re.findall(r".+?(?:[。！？]|\.(?=\s|$)|$)", words):
        if kept and wide(kept + one) > most:
            break
        kept += one
    return kept.strip()


def fitted(shape: tuple[int, int], wide: float, high: float) -> tuple[float, float]:
    """Return the size of a picture that fits a box, in inches."""
    ratio = shape[1] / shape[0]
    return (wide, wide * ratio) if wide * ratio <= high else (high / ratio, high)


def heights(one: Table, widths: Sequence[float], size: float) -> list[float]:
    """Return the heights in pt that head and rows take in columns of these widths in inches."""
    fits = [max(int(width * 72 / size * _PER_EM - 2), 1) for width in widths]
    lines = [
        max(
            sum(math.ceil(wide(plain(line)) / fit) for line in cell.lines) or 1
            for cell, fit in zip(row, fits, strict=True)
        )
        for row in (one.head, *one.rows)
    ]
    return [count * size * 1.2 + 6 for count in lines]


def pages(high: Sequence[float], room: float) -> Iterator[range]:
    """Share the rows among slides; the head stands on each."""
    start, used = 0, high[0]
    for at, own in enumerate(high[1:]):
        if used + own > room and at > start:
            yield range(start, at)
            start, used = at, high[0]
        used += own
    yield range(start, len(high) - 1)


def elements(section: Section) -> Iterator[Figure | Table | Listing]:
    """Return what a part shows, terms as points, each list of points with a title."""
    heading: Line = ()
    for one in section.body:
        if isinstance(one, Figure | Table):
            yield one
        elif isinstance(one, Listing):
            yield replace(one, title=one.title or heading or section.finding)
        elif isinstance(one, Terms):
            items = (Cell(((Span(name, strong=True), Span(" "), *said),)) for name, said in one.entries)
            yield Listing(one.title or heading or section.finding, (), tuple(items))
        heading = one.words if isinstance(one, Heading) else heading


def dealt(items: Iterable[Cell]) -> list[list[Cell]]:
    """Share points among slides, as many on each as it holds."""
    parts: list[list[Cell]] = [[]]
    room = _LINES
    for item in items:
        taken = [math.ceil(wide(plain(line)) / _ACROSS) for line in item.lines]
        lines = 0.4 + taken[0] + 0.8 * sum(taken[1:])  # what follows is smaller
        if lines > room and parts[-1]:
            parts.append([])
            room = _LINES
        room -= lines
        parts[-1].append(item)
    return parts


def ends(box: tuple[Emu, Emu, Emu, Emu]) -> tuple[Emu, Emu, Emu, Emu]:
    """Return both ends of a line from its box."""
    left, top, wide, high = box
    return left, top, Emu(left + wide), Emu(top + high)


def emptied(deck: Any) -> None:
    """Take the slides out of a template; its master and layouts stay."""
    listed = deck.slides._sldIdLst
    for one in list(listed):
        deck.part.drop_rel(one.get(qn("r:id")))
        listed.remove(one)


def plain_layout(deck: Any) -> Any:
    """Return the layout with a title and least else."""

    def others(layout: Any) -> tuple[bool, int]:
        kinds = [one.placeholder_format.type for one in layout.placeholders]
        titled = any(str(kind).startswith("TITLE") for kind in kinds)
        return not titled, len(
            [kind for kind in kinds if not str(kind).startswith(("TITLE", "DATE", "FOOTER", "SLIDE"))]
        )

    return min(deck.slide_layouts, key=others)


def unstyled(shape: Any) -> None:
    """Take the look of PowerPoint from a table; its first row stays its head."""
    properties = shape._element.graphic.graphicData.tbl.tblPr
    properties.set("firstRow", "1")
    properties.set("bandRow", "0")
    style = properties.find(qn("a:tableStyleId"))
    if style is not None:
        style.text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # no style, no grid


def rule_below(cell: Any, colour: str, width: float) -> None:
    """Draw a rule under a cell."""
    properties = cell._tc.get_or_add_tcPr()
    line = properties.makeelement(qn("a:lnB"), {"w": str(int(Pt(width)))})
    fill = line.makeelement(qn("a:solidFill"), {})
    fill.append(fill.makeelement(qn("a:srgbClr"), {"val": colour.removeprefix("#")}))
    line.append(fill)
    properties.insert(0, line)
