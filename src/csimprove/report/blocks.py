"""The pieces of a report: HTML for notebooks and pages, and the same as plain text."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csimprove.settings import Language
from csimprove.wording import capital, text

#: What makes a block decent in a notebook that is not a page; pages leave it out, they have their own style.
FALLBACK_STYLE = (
    "<style>.csi{max-width:880px}.csi table{border-collapse:collapse}.csi th,.csi td{text-align:left;"
    "vertical-align:top;padding:4px 10px 4px 0;border-bottom:1px solid #8884}.csi .num{text-align:right}"
    ".csi small,.csi .role,.csi .e span,.csi .s,.csi caption{display:block;opacity:.75;font-size:90%}"
    ".csi caption{caption-side:bottom;display:table-caption;text-align:left}.csi .nb{white-space:nowrap}"
    ".csi dl{display:grid;grid-template-columns:auto 1fr;gap:2px 12px}.csi dd{margin:0}"
    ".csi svg{margin-right:6px;vertical-align:-3px}.csi .verdict{border-left:6px solid;padding:2px 16px}"
    ".csi .go{border-color:#007A63}.csi .extend{border-color:#BD7700}.csi .stop{border-color:#B3260F}"
    ".csi .big,.csi .word{font-size:24px;margin:0}.csi .tiles,.csi .checks{list-style:none;padding:0}"
    ".csi .tiles{display:flex;flex-wrap:wrap;gap:24px}.csi .tiles p{margin:0}.csi .checks b{margin-right:8px}"
    "</style>"
)

_DAY_EN = r"\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?: \d{4})?"
_NUMBER = r"[−+±]?\d+(?:[.,]\d+)*%?"
#: Dates and intervals, which must not be broken between lines.
_UNBROKEN = re.compile(
    rf"{_DAY_EN}|(?:\d{{4}}年)?\d{{1,2}}月\d{{1,2}}日(?:\d\d:\d\d)?"
    rf"|{_NUMBER}(?: to |至){_NUMBER}(?!\d*年|\d*月)"
)

_ICONS = {
    "good": (
        "good",
        '<circle r="9"/><path d="M-4 0-1 3.5 4.5-3.5" '
        'style="fill:none;stroke:var(--paper,#fff);stroke-width:2.2"/>',
    ),
    "bad": (
        "bad",
        '<path d="M0-9.5 9.5 0 0 9.500-9.500 0z"/><path d="M-3-3 3 3M3-3-3 3" '
        'style="fill:none;stroke:var(--paper,#fff);stroke-width:2"/>',
    ),
    "stop": (
        "bad",
        '<path d="M-3.900-9.400h7.800l5.500 5.500v7.800l-5.500 5.500h-7.800l-5.500-5.500v-7.800z"/>'
        '<path d="M-4.500 0h9" style="stroke:var(--paper,#fff);stroke-width:2.600"/>',
    ),
    "alert": (
        "alert",
        '<path d="M0-8.600 9.600 7.600H-9.600z"/><path d="M0-3.500V2" style="stroke:#16202A;stroke-width:2"/>'
        '<circle cy="5" r="1.2" style="fill:#16202A"/>',
    ),
    "clock": (
        "alert",
        '<circle r="9"/><path d="M0-5V0L3.600 2.600" style="fill:none;stroke:#16202A;stroke-width:2"/>',
    ),
    "open": (
        "neutral",
        '<circle r="8.200" style="fill:none;stroke:currentColor;stroke-width:1.600"/>'
        '<path d="M-2.800-2.400a2.900 2.900 0 1 1 4.300 2.600C.4.9 0 1.300 0 2.500" '
        'style="fill:none;stroke:currentColor;stroke-width:1.700"/><circle cy="5" r="1.1"/>',
    ),
}
_ROLES = {"good": "#007A63", "bad": "#B3260F", "alert": "#BD7700", "neutral": "#54616D"}
#: Verdict = role of its colours.
VERDICTS = {"go": "good", "extend": "alert", "stop": "bad", "cannot_tell": "neutral"}


@dataclass(frozen=True, slots=True, repr=False)
class Block:
    """A piece of a report that a notebook cell shows.

    Parameters
    ----------
    html
        Its HTML, everything that comes from data escaped.
    plain
        The same as plain text, equal under every version of the libraries.
    """

    html: str
    plain: str

    def _repr_html_(self) -> str:
        return f'{FALLBACK_STYLE}<div class="csi">{self.html}</div>'

    def __repr__(self) -> str:
        return self.plain


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Parameters
    ----------
    html, plain
        Both forms.
    kind
        CSS classes.
    """

    html: str
    plain: str
    kind: str = ""


def escaped(words: object) -> str:
    """Return text as HTML in which dates and intervals do not break.

    Examples
    --------
    >>> escaped("<b> 12.4 to 16.5")
    '&lt;b&gt; <span class="nb">12.4 to 16.5</span>'
    >>> escaped("25 Aug – 21 Sep 2025")
    '<span class="nb">25 Aug</span> – <span class="nb">21 Sep 2025</span>'
    """
    return _UNBROKEN.sub(r'<span class="nb">\g<0></span>', html.escape(str(words)))


def icon(name: str) -> str:
    """Return an icon as inline SVG: the word beside it says the same.

    Parameters
    ----------
    name
        ``good``, ``bad``, ``stop``, ``alert``, ``clock`` or ``open``.
    """
    role, shape = _ICONS[name]
    colour = f"var(--{role},{_ROLES[role]})"
    return (
        f'<svg data-icon="{name}" viewBox="-10 -10 20 20" width="17" height="17" aria-hidden="true" '
        f'style="fill:{colour};color:{colour}">{shape}</svg>'
    )


def drawn_icons(colours: Mapping[str, str]) -> dict[str, str]:
    """Return every icon as an SVG file in these colours of roles, for formats without style sheets."""
    made = {}
    for name in _ICONS:
        svg = re.sub(r"var\(--(\w+),#\w+\)", lambda found: colours[found[1]], icon(name))
        svg = svg.replace("currentColor", colours[_ICONS[name][0]])
        made[name] = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return made


def cell(words: object, kind: str = "") -> Cell:
    """Return a cell of plain words."""
    return Cell(escaped(words), str(words), kind)


def state(name: str, words: str) -> Cell:
    """Return a cell with an icon (empty: none) and a word."""
    if not name:
        return cell(words, "verd")
    return Cell(f'<span class="v">{icon(name)}<span>{escaped(words)}</span></span>', words, "verd")


#: Where an interval lies against a target = icon.
_TARGETS = {"reached": "good", "not_reached": "bad", "cannot_tell": "open"}


def target_state(on_target: str | None, language: Language, *more: str, name: str = "") -> Cell:
    """Return a cell that says the target first, then more states; ``name`` is an icon that goes before."""
    key = on_target or "none"
    said = commas((text(f"state.{one}", language) for one in (key, *more)), language)
    return state(name or _TARGETS.get(key, ""), said)


def noted(words: str, *notes: str, strong: bool = False) -> Cell:
    """Return a cell of words with smaller ones below."""
    first = f"<b>{escaped(words)}</b>" if strong else escaped(words)
    small = "".join(f"<small>{escaped(note)}</small>" for note in notes)
    return Cell(first + small, f"{words} ({'; '.join(notes)})" if notes else words)


def named(words: str, role: str, kind: str = "") -> Cell:
    """Return a cell of a name with its role below."""
    return Cell(f'{escaped(words)}<span class="role">{escaped(role)}</span>', f"{words} ({role})", kind)


def commas(parts: Iterable[str], language: Language) -> str:
    """Return parts with a comma between them, of the language's own width."""
    return {"en": ", ", "zh": "，"}[language].join(parts)


def heads(keys: Iterable[str], language: Language, **words: str) -> list[str]:
    """Return the column heads of keys; after a slash the key of a note, by itself that of the head's own."""
    made = []
    for one in keys:
        key, slash, note = one.partition("/")
        below = "\n" + text(f"head.{note or f'{key}.note'}", language) if slash else ""
        made.append(text(f"head.{key}", language, **words) + below)
    return made


def phrased(
    name: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell | str]],
    language: Language,
    words: Mapping[str, str] | None = None,
    **options: Any,
) -> Block:
    """Return a table whose title and caption are the phrases of a name.

    Parameters
    ----------
    name
        Of the phrases ``title.…`` and ``caption.…``.
    head, rows, language
        As for `table`.
    words
        Values of the placeholders in title and caption.
    options
        More for `table`; a title or caption given here goes before the phrase.
    """
    if "caption" not in options:
        options["caption"] = text(f"caption.{name}", language, **words or {})
    if "title" not in options:
        options["title"] = capital(text(f"title.{name}", language, **words or {}))
    return table(head=head, rows=rows, language=language, **options)


def table(
    *,
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell | str]],
    language: Language,
    caption: str = "",
    lede: str = "",
    kind: str = "",
    kinds: Sequence[str] = (),
    numeric: Iterable[int] = (),
    sub: bool = False,
) -> Block:
    """Return a titled table.

    Parameters
    ----------
    title
        The finding, as heading.
    head
        Column heads; what follows a line break is set smaller.
    rows
        Cells; the first of each row is its head.
    language
        Language of the reader.
    caption, lede
        Text under and above.
    kind
        CSS class of the table.
    kinds
        CSS class of each row.
    numeric
        Positions of columns set to the right.
    sub
        Whether the heading is one level down, under that of the block before.

    Returns
    -------
    Block
        A section.
    """
    right = set(numeric)
    made = [[cell(one) if isinstance(one, str) else one for one in row] for row in rows]
    heads = "".join(
        f'<th scope="col" role="columnheader"{_kind("num" if at in right else "")}>{_head(one)}</th>'
        for at, one in enumerate(head)
    )
    labels = [one.partition("\n")[0] for one in head]
    body = "".join(
        f'<tr role="row"{_kind(kinds[number] if kinds else "")}>'
        + "".join(_cell(one, at, labels[at], number=at in right) for at, one in enumerate(row))
        + "</tr>"
        for number, row in enumerate(made)
    )
    level = "h3" if sub else "h2"
    scroll = html.escape(f"{text('page.table_scroll', language)}: {title}")
    parts = [
        f"<section><{level}>{escaped(title)}</{level}>",
        f'<p class="lede">{escaped(lede)}</p>' if lede else "",
        f'<div class="scroll" role="region" tabindex="0" aria-label="{scroll}">',
        f'<table role="table"{_kind(kind)}>',
        f"<caption>{escaped(caption)}</caption>" if caption else "",
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>',
        f'<tbody role="rowgroup">{body}</tbody></table></div></section>',
    ]
    grid = [labels, *([one.plain for one in row] for row in made)]
    plain = filter(None, [title, lede, *_grid(grid, right), caption])
    return Block("".join(parts), "\n".join(plain))


def _kind(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _head(words: str) -> str:
    first, _, note = words.partition("\n")
    return escaped(first) + (f"<small>{escaped(note)}</small>" if note else "")


def _cell(one: Cell, at: int, label: str, *, number: bool) -> str:
    kind = _kind(" ".join(filter(None, [one.kind, "num" if number else ""])))
    if at == 0 and one.html:
        return f'<th scope="row" role="rowheader"{kind}>{one.html}</th>'
    return f'<td role="cell"{kind} data-l="{html.escape(label)}"><div>{one.html}</div></td>'


def _grid(rows: list[list[str]], right: set[int]) -> list[str]:
    """Columns of equal width, counted as terminals show them: a Chinese character is two wide."""
    widths = [max(_width(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        padded = []
        for at, words in enumerate(row):
            space = " " * (widths[at] - _width(words))
            padded.append(space + words if at in right else words + space)
        lines.append("  ".join(padded).rstrip())
    return lines


def _width(words: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in words)


def terms(entries: Iterable[tuple[str, str]], kind: str = "") -> tuple[str, list[str]]:
    """Return names and what they mean as an HTML list and as lines of text."""
    entries = list(entries)
    listed = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(words)}</dd>" for name, words in entries)
    return f"<dl{_kind(kind)}>{listed}</dl>", [f"{name}: {words}" for name, words in entries]


def listing(title: str, items: Sequence[tuple[str, str, str]]) -> Block:
    """Return a titled list; each item an icon (empty: none), a name in bold (may be empty) and words."""
    listed = "".join(
        f"<li>{icon(name) if name else ''}<span>{f'<b>{escaped(what)}</b>' if what else ''}{escaped(words)}"
        "</span></li>"
        for name, what, words in items
    )
    html = f'<section><h2>{escaped(title)}</h2><ul class="checks">{listed}</ul></section>'
    lines = (f"{what}: {words}" if what else words for _, what, words in items)
    return Block(html, "\n".join([title, *lines]))


def paragraph(title: str, words: str = "") -> Block:
    """Return a heading and, if there are any, words."""
    below = f"<p>{escaped(words)}</p>" if words else ""
    html = f"<section><h2>{escaped(title)}</h2>{below}</section>"
    return Block(html, f"{title}\n{words}".rstrip())


def stacked(*blocks: Block) -> Block:
    """Return several blocks as one."""
    return Block("".join(block.html for block in blocks), "\n\n".join(block.plain for block in blocks))
