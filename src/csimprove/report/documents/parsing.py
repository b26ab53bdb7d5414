"""Pages of a run as elements: read once, then written in any format; no word of a page is lost."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from csimprove.report.brand import Brand
from csimprove.report.documents.model import (
    Cell,
    Document,
    Element,
    Figure,
    Heading,
    KeyNumber,
    Line,
    Listing,
    Note,
    Numbers,
    Paragraph,
    Picture,
    Section,
    Span,
    Table,
    Terms,
    Verdict,
    plain,
)
from csimprove.settings import Language

#: Signs that XML, and so every Office file, cannot hold.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Elements that stand on a line of their own, smaller, inside a cell.
_BELOW = ("small", "p")
_BLOCKS = ("section", "figure", "aside", "details", "header", "ul", "ol", "dl", "table", "p", "pre")
_HEADINGS = ("h1", "h2", "h3", "h4")


def read_section(name: str, page: str, pictures: Sequence[Picture]) -> Section:
    """Read the page of one notebook.

    Parameters
    ----------
    name
        Name of the page, without ending.
    page
        Its HTML, as :func:`csimprove.report.page` makes it.
    pictures
        The drawings of its figures, in order.

    Returns
    -------
    Section
        Everything between head and foot of the page.

    Raises
    ------
    ValueError
        If the page has another number of figures than there are drawings.
    """
    main = _main(page)
    if len(main.find_all("figure")) != len(pictures):
        raise ValueError(
            f"{name} shows {len(main.find_all('figure'))} figures, its notebook holds {len(pictures)}."
        )
    question, kicker = (_words(main.select_one(f".{kind}")) for kind in ("question", "kicker"))
    head = main.find("h1")
    facts = main.select_one("header.top dl")
    # parameters stand on the run's first page, all together
    taken = [main.select_one(one) for one in (".question", "header.top", "section.parameters")] + [head]
    for tag in filter(None, taken):
        tag.extract()
    intro = _taken_intro(main)
    found = list(_elements(main, iter(enumerate(pictures, start=1))))
    notes = tuple(one for one, _ in found if isinstance(one, Note))
    body = tuple(one for one, last in found if not last and not isinstance(one, Note))
    finding = _line(head)
    return Section(
        name,
        question or plain(finding),
        kicker,
        finding,
        intro,
        _entries(facts),
        body,
        notes,
        tuple(one for one, last in found if last),
    )


def read_run(
    index: str, sections: Sequence[Section], *, project: str, language: Language, brand: Brand
) -> Document:
    """Join the sections of a run to a document.

    Parameters
    ----------
    index
        The run's first page, HTML.
    sections
        Its notebooks, in order.
    project, language, brand
        Whose report it is, in what language, in whose colours.

    Returns
    -------
    Document
        With the facts and parameters of the first page.
    """
    main = _main(index)
    facts = _entries(main.select_one("header.top dl"))
    head = main.find("h1")
    answer = _line(head) if isinstance(head, Tag) else (Span(project),)
    tables = [table for table in main.find_all("table") if "runs" not in _kinds(table)]
    parameters = [one for table in tables for one, _ in _elements(table.find_parent("section"), iter(()))]
    return Document(project, language, brand, facts, answer, tuple(sections), tuple(parameters))


def pictures(notebook: Mapping[str, Any]) -> list[Picture]:
    """Return the drawings of an executed notebook (nbformat JSON), in order."""
    found = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                about = output.get("metadata", {}).get("image/png", {})
                data = base64.b64decode("".join(output["data"]["image/png"]))
                width, height = (int(about.get(side, 0)) for side in ("width", "height"))
                drawings = about.get("drawings", {})
                page, cuts = drawings.get("page", ""), tuple(about.get("cuts", ()))
                found.append(Picture(data, width, height, drawings.get("slide", page), page, cuts))
    return found


def _main(page: str) -> Tag:
    main = BeautifulSoup(_CONTROLS.sub("", page), "html.parser").find("main")
    if not isinstance(main, Tag):
        raise ValueError("the page has no main part.")
    return main


def _taken_intro(main: Tag) -> tuple[Line, ...]:
    """Take the first words of the page, which say what decision it serves."""
    prose = main.select_one(".prose")
    before = (
        [] if prose is None else [one for one in prose.find_previous_siblings() if one.get_text(strip=True)]
    )
    if prose is None or before or prose.find(_HEADINGS):
        return ()
    prose.extract()
    return tuple(_line(one) for one in prose.find_all("p"))


#: An element and whether it belongs to the appendix.
_Found = tuple[Element, bool]
_Drawings = Iterator[tuple[int, Picture]]


def _elements(parent: Tag | None, drawings: _Drawings) -> Iterator[_Found]:
    for child in parent.children if parent is not None else ():
        if isinstance(child, NavigableString):
            if child.strip():
                yield Paragraph(_tidied([Span(str(child))])), False
        elif isinstance(child, Tag):
            yield from _element(child, drawings)


def _element(tag: Tag, drawings: _Drawings) -> Iterator[_Found]:
    kinds = _kinds(tag)
    last = tag.find_parent(class_="appendix") is not None
    if own := next((one for one in kinds if one in _OWN), ""):
        yield _OWN[own](tag), False
    elif tag.name == "figure":
        yield _figure(tag, *next(drawings)), last
    elif tag.name == "section":
        yield from ((one, last or "origin" in kinds) for one in _section(tag, drawings))
    elif tag.name == "details":
        yield from _folded(tag, _line(tag.find("summary")), drawings)
    elif tag.name in _PLAIN:
        yield _PLAIN[tag.name](tag), last
    elif tag.find([*_BLOCKS, *_HEADINGS]):
        yield from _elements(tag, drawings)
    elif tag.get_text(strip=True) and tag.name != "style":
        yield Paragraph(_line(tag)), last


def _paragraph(tag: Tag) -> Paragraph:
    kind = "code" if tag.name == "pre" else next((k for k in _kinds(tag) if k in ("lede", "failed")), "")
    return Paragraph(_line(tag, keep=tag.name == "pre"), kind)


def _listing(tag: Tag) -> Listing:
    return Listing((), (), tuple(_points(tag)))


def _points(tag: Tag, depth: int = 0) -> Iterator[Cell]:
    """Yield the points of a list, those of a list within a point after it and further in."""
    for one in tag.find_all("li", recursive=False):
        inner = [part.extract() for part in one.find_all(("ul", "ol"), recursive=False)]
        cell, further = _cell(one), (Span("\u2003" * depth),) if depth else ()
        yield replace(cell, lines=tuple((*further, *line) for line in cell.lines))
        for part in inner:
            yield from _points(part, depth + 1)


def _folded(tag: Tag, title: Line, drawings: _Drawings) -> Iterator[_Found]:
    listed = tag.find("dl")
    if isinstance(listed, Tag) and "method" in _kinds(tag):
        yield Terms(title, _entries(listed)), True
        return
    yield Heading(title, 3), True
    for child in tag.children:
        if isinstance(child, Tag) and child.name != "summary":
            yield from ((one, True) for one, _ in _element(child, drawings))


def _section(tag: Tag, drawings: _Drawings) -> Iterator[Element]:
    """Give the title and the lede of a section to the first table, list or terms below them."""
    title: Line = ()
    lede: Line = ()
    level = 2
    for one, _ in _elements(tag, drawings):
        if isinstance(one, Heading) and not title:
            title, level = one.words, one.level
        elif isinstance(one, Paragraph) and one.kind == "lede" and title and not lede:
            lede = one.words
        elif isinstance(one, Table) and title:
            kept = (one.head, one.rows, one.caption, one.numeric, one.kinds, one.steps, level)
            yield Table(title, lede, *kept)
            title, lede = (), ()
        elif isinstance(one, Listing) and title:
            yield Listing(title, lede, one.items)
            title, lede = (), ()
        elif isinstance(one, Terms) and title:
            yield Terms(title, one.entries)
            title = ()
        else:
            if title:
                yield Heading(title, level)
                title = ()
            yield one
    if title:
        yield Heading(title, level)
    if lede:
        yield Paragraph(lede, "lede")


def _verdict(tag: Tag) -> Verdict:
    word = tag.select_one(".word")
    assert word is not None
    lines = [
        _line(one) if one is not None else () for one in (tag.select_one(".reason"), tag.select_one(".limit"))
    ]
    kind = next(one for one in _kinds(tag) if one != "verdict")
    said, follows = (_words(word.find(one)) for one in ("b", "span"))
    return Verdict(kind, _icon(word), said, follows, *lines)


def _numbers(tag: Tag) -> Numbers:
    items = []
    for one in tag.find_all("li"):
        big = one.select_one(".big")
        beside = _words(one.select_one(".frm"))
        value = _words(big).removesuffix(beside).strip()
        below = tuple(_words(line) for line in one.select(".s"))
        items.append(KeyNumber(_words(one.select_one(".n")), value, beside, below))
    return Numbers(tuple(items))


def _note(tag: Tag) -> Note:
    who, old = tag.select_one(".who"), tag.select_one(".old")
    rest = [one for one in tag.find_all(("p", "li", "pre", *_HEADINGS)) if one not in (who, old)]
    return Note(_words(who), _words(old), tuple(_line(one) for one in rest))


def _figure(tag: Tag, number: int, picture: Picture) -> Figure:
    title, lede, caption = (tag.find(_HEADINGS), tag.select_one(".lede"), tag.find("figcaption"))
    drawn = tag.select_one("img, svg[role=img]")
    alt = "" if drawn is None else str(drawn.get("alt") or drawn.get("aria-label") or "")
    words = (_line(one) for one in (title, lede, caption))
    first, second, third = words
    return Figure(first, second, picture, alt, third, number)


def _table(tag: Tag, title: Line, lede: Line) -> Table:
    caption = tag.find("caption")
    heads = tag.select("thead th")
    rows = tag.select("tbody tr")
    return Table(
        title,
        lede,
        tuple(_cell(one) for one in heads),
        tuple(tuple(_cell(one) for one in row.find_all(("th", "td"), recursive=False)) for row in rows),
        _line(caption),
        tuple("num" in _kinds(one) for one in heads),
        tuple(next((one for one in _kinds(row) if one in ("first", "sub", "sum")), "") for row in rows),
        steps="nexttab" in _kinds(tag),
    )


def _entries(listed: Tag | None) -> tuple[tuple[str, Line], ...]:
    if listed is None:
        return ()
    pairs = zip(listed.find_all("dt"), listed.find_all("dd"), strict=True)
    return tuple((_words(name), _line(said)) for name, said in pairs)


def _cell(tag: Tag) -> Cell:
    """Split a cell into its first line and the smaller ones below it."""
    lines: list[list[Span]] = [[]]
    kinds = _kinds(tag)
    effect, unbroken = "e" in kinds, "nb" in kinds

    def walk(node: Tag, *, strong: bool, top: bool) -> None:
        for child in node.children:
            if isinstance(child, Tag) and child.name in ("svg", "style"):
                continue
            small = isinstance(child, Tag) and (
                child.name in _BELOW or "role" in _kinds(child) or (effect and child.name == "span" and top)
            )
            if small and isinstance(child, Tag):
                below = [Span(one.text, one.strong, True, one.unbroken) for one in _spans(child)]
                lines.append(below)
            elif isinstance(child, Tag) and child.name == "div":
                walk(child, strong=strong, top=True)
            elif isinstance(child, Tag) and child.name == "span" and not _kinds(child):
                walk(child, strong=strong, top=False)
            elif isinstance(child, Tag) and _kinds(child) == ["v"]:
                walk(child, strong=True, top=False)
            elif isinstance(child, Tag):
                lines[0].extend(_spans(child, strong=strong, unbroken=unbroken))
            elif str(child):
                lines[0].append(Span(str(child), strong, False, unbroken))

    walk(tag, strong=False, top=True)
    if tag.name == "li":  # a name in bold and what is said of it
        named = [one for one in lines[0] if one.strong]
        rest = [one for one in lines[0] if not one.strong]
        lines[0] = [*named, *([Span(" ")] if named and rest else []), *rest]
    return Cell(tuple(_tidied(line) for line in lines if plain(line).strip()) or ((),), _icon(tag))


def _icon(tag: Tag) -> str:
    drawn = tag.find("svg", attrs={"data-icon": True})
    return str(drawn["data-icon"]) if isinstance(drawn, Tag) else ""


def _words(tag: object) -> str:
    return plain(_line(tag)) if isinstance(tag, Tag) else ""


def _kinds(tag: Tag) -> list[str]:
    """Classes of an element."""
    return [str(one) for one in tag.get("class") or ()]


def _line(tag: Any, *, keep: bool = False) -> Line:
    if not isinstance(tag, Tag):
        return ()
    spans = list(_spans(tag))
    return tuple(spans) if keep else _tidied(spans)


def _spans(tag: Tag, *, strong: bool = False, unbroken: bool = False) -> Iterator[Span]:
    strong = strong or tag.name in ("b", "strong")
    unbroken = unbroken or "nb" in _kinds(tag)
    for child in tag.children:
        if isinstance(child, Tag):
            if child.name == "br":
                yield Span("\n")
            elif child.name not in ("svg", "style"):
                yield from _spans(child, strong=strong, unbroken=unbroken)
        elif str(child):
            yield Span(str(child), strong, False, unbroken)


def _tidied(spans: Iterable[Span]) -> Line:
    """Join spans of one look, and white space as a browser does."""
    made: list[Span] = []
    for one in spans:
        text = re.sub(r"[ \t\r\n\f]+", " ", one.text)
        if (not made or made[-1].text.endswith(" ")) and text.startswith(" "):
            text = text[1:]
        if not text:
            continue
        look = (one.strong, one.muted, one.unbroken)
        if made and look == (made[-1].strong, made[-1].muted, made[-1].unbroken):
            made[-1] = Span(made[-1].text + text, *look)
        else:
            made.append(Span(text, *look))
    if made:
        made[-1] = Span(made[-1].text.rstrip(" "), made[-1].strong, made[-1].muted, made[-1].unbroken)
    return tuple(one for one in made if one.text)


#: Class of an element, or its tag = how it is read.
_OWN: dict[str, Callable[[Tag], Element]] = {"verdict": _verdict, "tiles": _numbers, "note": _note}
_PLAIN: dict[str, Callable[[Tag], Element]] = {
    **dict.fromkeys(("p", "pre"), _paragraph),
    **dict.fromkeys(("ul", "ol"), _listing),
    **dict.fromkeys(_HEADINGS, lambda tag: Heading(_line(tag), int(tag.name[1]))),
    "dl": lambda tag: Terms((), _entries(tag)),
    "table": lambda tag: _table(tag, (), ()),
}
