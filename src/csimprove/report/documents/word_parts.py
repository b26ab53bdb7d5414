"""What python-docx has no call for: fields, borders, margins, alt texts, rows that stay whole."""

from __future__ import annotations

from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph as DocxParagraph


def field(paragraph: DocxParagraph, name: str, shown: str, size: float) -> None:
    """Add a field such as a page number, with what it shows until it is renewed."""
    field_part(paragraph, "begin")
    instruction(paragraph, f" {name} ")
    field_part(paragraph, "separate")
    run = paragraph.add_run(shown)
    run.font.size = Pt(size)
    field_part(paragraph, "end")


def field_part(paragraph: DocxParagraph, kind: str) -> None:
    """Add the begin, the separator or the end of a field."""
    part = OxmlElement("w:fldChar")
    part.set(qn("w:fldCharType"), kind)
    paragraph.add_run()._r.append(part)


def instruction(paragraph: DocxParagraph, words: str) -> None:
    """Add what a field computes."""
    part = OxmlElement("w:instrText")
    part.set(qn("xml:space"), "preserve")
    part.text = words
    paragraph.add_run()._r.append(part)


def described(shown: Any, alt: str) -> None:
    """Give a picture its description."""
    about = shown._inline.docPr
    about.set("descr", alt)
    about.set("name", f"Picture {about.get('id')}")


def border(paragraph: DocxParagraph, side: str, colour: str, eighths: int, *, space: int = 1) -> None:
    """Draw a rule above or below a paragraph."""
    borders = OxmlElement("w:pBdr")
    borders.append(_edge(side, colour, eighths, space))
    paragraph._p.get_or_add_pPr().append(borders)


def cell_borders(cell: _Cell, **edges: tuple[str, int]) -> None:
    """Draw edges of a cell: side = hex and width in eighths of a point."""
    borders = OxmlElement("w:tcBorders")
    for side in ("top", "left", "bottom", "right"):
        if side in edges:
            borders.append(_edge(side, *edges[side]))
    cell._tc.get_or_add_tcPr().append(borders)


def _edge(side: str, colour: str, eighths: int, space: int = 0) -> Any:
    edge = OxmlElement(f"w:{side}")
    about = {"val": "single", "sz": str(eighths), "space": str(space), "color": colour.removeprefix("#")}
    for key, value in about.items():
        edge.set(qn(f"w:{key}"), value)
    return edge


def cell_margins(cell: _Cell, across: int, along: int) -> None:
    """Set the margins of a cell in twentieths of a point."""
    margins = OxmlElement("w:tcMar")
    for side, size in (("top", along), ("left", across), ("bottom", along), ("right", max(across, 60))):
        part = OxmlElement(f"w:{side}")
        part.set(qn("w:w"), str(size))
        part.set(qn("w:type"), "dxa")
        margins.append(part)
    cell._tc.get_or_add_tcPr().append(margins)


def whole(row: Any) -> None:
    """Keep a row on one page."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def repeated(row: Any) -> None:
    """Repeat a row at the head of every page."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
