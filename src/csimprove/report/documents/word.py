"""A document as a Word file: real headings, tables, captions, alt texts, page numbers, contents."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import docx
from docx.document import Document as DocxDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Mm, Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph as DocxParagraph

from csimprove.report.blocks import VERDICTS
from csimprove.report.documents.drawings import logo, parts, pixels
from csimprove.report.documents.layout import columns
from csimprove.report.documents.model import (
    Cell,
    Document,
    Element,
    Figure,
    Heading,
    Line,
    Listing,
    Note,
    Numbers,
    Paragraph,
    Section,
    Span,
    Table,
    Terms,
    Verdict,
    plain,
)
from csimprove.report.documents.signs import FONTS, SIGNS
from csimprove.report.documents.word_parts import (
    border,
    cell_borders,
    cell_margins,
    described,
    field,
    field_part,
    instruction,
    repeated,
    whole,
)
from csimprove.report.documents.words import Words

_WIDTH = Mm(180)
_ROOM = 104  # characters of 9 pt beside one another
_TALL = Mm(215)
#: Style = size in pt, bold, role of its ink, pt before and after.
_STYLES = {
    "Title": (28, True, "ink", 180, 10),
    "Heading 1": (18, True, "ink", 0, 8),
    "Heading 2": (12.5, True, "ink", 18, 4),
    "Heading 3": (10.5, True, "ink", 12, 4),
    "Normal": (10, False, "ink", 0, 6),
    "Lede": (10, False, "ink2", 0, 8),
    "Small": (8.5, False, "muted-text", 0, 4),
    "Caption": (8.5, False, "muted-text", 3, 10),
    "Table text": (9, False, "ink", 0, 0),
    "Key number": (20, True, "pilot", 0, 0),
    "Verdict": (17, True, "ink", 0, 2),
}


def write_word(document: Document, path: Path) -> None:
    """Write a document as a Word file.

    Parameters
    ----------
    document
        What to write.
    path
        File to write.
    """
    writer = _Writer(document)
    writer.cover()
    writer.summary()
    writer.contents()
    for section in document.sections:
        writer.section(section)
    writer.notes()
    writer.appendix()
    writer.file.save(str(path))


class _Writer:
    """Adds one part after the other to the file."""

    def __init__(self, document: Document) -> None:
        self.document, self.words = document, Words(document)
        self.colours = document.brand.colours()
        self.file: DocxDocument = docx.Document()
        self._bookmarks = 0
        self._page()
        self._styles()

    def ink(self, role: str) -> RGBColor:
        """Return the colour of a role."""
        return RGBColor.from_string(self.colours[role].removeprefix("#"))

    def _page(self) -> None:
        page = self.file.sections[0]
        page.page_width, page.page_height = Mm(210), Mm(297)
        page.left_margin = page.right_margin = Mm(15)
        page.top_margin, page.bottom_margin = Mm(18), Mm(20)
        page.different_first_page_header_footer = True
        foot = page.footer.paragraphs[0]
        foot.paragraph_format.tab_stops.add_tab_stop(_WIDTH, 2)
        self.line(foot, (Span(f"{self.words.margin}\t"),), role="muted-text", size=8)
        for name in ("PAGE", "NUMPAGES"):
            if name == "NUMPAGES":
                self.line(foot, (Span(" / "),), role="muted-text", size=8)
            field(foot, name, "1", size=8)

    def _styles(self) -> None:
        styles = self.file.styles
        language = {"en": "en-GB", "zh": "zh-CN"}[self.document.language]
        core = self.file.core_properties
        core.title, core.author = self.document.project, self.document.brand.name
        core.language, core.comments = language, ""
        for name, (size, bold, role, before, after) in _STYLES.items():
            style: Any = styles[name] if name in styles else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
            style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
            style.font.color.rgb = self.ink(role)
            style.font.name = FONTS[0]
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for key in list(fonts.attrib):
                if "heme" in key:
                    del fonts.attrib[key]
            fonts.set(qn("w:hAnsi"), FONTS[0])
            fonts.set(qn("w:eastAsia"), FONTS[1])
            if name == "Title" and (border := style.element.pPr.find(qn("w:pBdr"))) is not None:
                style.element.pPr.remove(border)
            about = style.paragraph_format
            about.space_before, about.space_after = Pt(before), Pt(after)
            about.line_spacing = 1.15 if size <= 12 else 1.0
            about.keep_with_next = name.startswith("Heading") or name == "Lede"
            about.widow_control = True
        lang = OxmlElement("w:lang")
        lang.set(qn("w:val"), "en-GB")
        lang.set(qn("w:eastAsia"), "zh-CN")
        styles["Normal"].element.get_or_add_rPr().append(lang)

    def paragraph(
        self, line: Line, style: str = "Normal", *, role: str = "", into: Any = None
    ) -> DocxParagraph:
        """Add a paragraph."""
        made: DocxParagraph = (into or self.file).add_paragraph(style=style)
        self.line(made, line, role=role)
        return made

    def line(
        self, paragraph: DocxParagraph, line: Line, *, role: str = "", size: float = 0, strong: bool = False
    ) -> None:
        """Add spans to a paragraph; what must not break keeps its spaces."""
        for span in line:
            words = span.text.replace(" ", "\u00a0") if span.unbroken else span.text
            run = paragraph.add_run(words)
            if span.strong or strong:
                run.bold = True
            if span.muted and not role:
                run.font.color.rgb = self.ink("muted-text")
            if role:
                run.font.color.rgb = self.ink(role)
            if size:
                run.font.size = Pt(size)

    def sign(self, paragraph: DocxParagraph, icon: str, size: float = 0) -> None:
        """Add the sign of an icon; without one, nothing."""
        if icon:
            said, role = SIGNS[icon]
            self.line(paragraph, (Span(said + "\u00a0"),), role=role, size=size, strong=True)

    def heading(self, line: Line, level: int, name: str = "") -> None:
        """Add a heading, with a bookmark if it has a name."""
        made = self.paragraph(line, f"Heading {level}")
        if name:
            self._bookmarks += 1
            for tag in ("w:bookmarkStart", "w:bookmarkEnd"):
                mark = OxmlElement(tag)
                mark.set(qn("w:id"), str(self._bookmarks))
                if tag.endswith("Start"):
                    mark.set(qn("w:name"), name)
                    made._p.insert(1, mark)
                else:
                    made._p.append(mark)

    def page_break(self) -> None:
        """Go to the next page."""
        self.file.paragraphs[-1].add_run().add_break(WD_BREAK.PAGE)

    def cover(self) -> None:
        """Add the first page."""
        brand = self.document.brand
        if image := logo(brand):
            shown = self.file.add_picture(image, height=Mm(14))
            described(shown, brand.name)
        if brand.name:
            self.paragraph((Span(brand.name, strong=True),), role="ink2")
        self.paragraph((Span(self.document.project),), "Title")
        rule = self.paragraph(self.document.answer, "Lede")
        rule.runs[0].font.size = Pt(14)
        for run in rule.runs:
            run.font.size = Pt(14)
        border(rule, "top", self.colours["pilot"], 18, space=10)
        rule.paragraph_format.space_after = Pt(150)
        self.facts(self.document.facts, across=1)
        self.file.add_paragraph()
        self.page_break()

    def summary(self) -> None:
        """Add the answer, the evidence and the decision asked on one page."""
        document, said = self.document, self.words.headings()
        self.heading((Span(said["summary"]),), 1, "summary")
        self.paragraph((Span(said["answer"]),), "Small")
        answer = self.paragraph(document.answer)
        for run in answer.runs:
            run.font.size, run.bold = Pt(14), True
        if document.verdict:
            self.element(document.verdict)
        else:
            self.paragraph((Span(said["no_verdict"]),), "Lede")
        self.paragraph((Span(said["evidence"]),), "Small")
        if document.numbers:
            self.element(document.numbers)
        rest = [one for one in document.sections if one is not document.judged]
        self.pairs([(one.question, one.finding) for one in rest], (0.27, 0.73))
        self.paragraph((Span(said["decision"]),), "Small").paragraph_format.space_before = Pt(8)
        asked = self.paragraph((Span(self.words.decision, strong=True),))
        asked.runs[0].font.size = Pt(12)
        if document.steps:
            self.table(document.steps, titled=False)
        self.file.add_paragraph(style="Small")
        self.page_break()

    def contents(self) -> None:
        """Add a contents field, filled with links, that Word renews with page numbers on request."""
        said = self.words.headings()
        self.heading((Span(said["contents"]),), 1)
        entries = [(f"part_{one.name}", one.finding) for one in self.document.sections]
        if any(one.notes for one in self.document.sections):
            entries.append(("notes", (Span(said["notes"]),)))
        entries.append(("appendix", (Span(said["appendix"]),)))
        for number, (name, line) in enumerate(entries):
            made = self.paragraph((), "Normal")
            made.paragraph_format.space_after = Pt(8)
            if number == 0:
                field_part(made, "begin")
                instruction(made, ' TOC \\o "1-1" \\h \\z \\u ')
                field_part(made, "separate")
            link = OxmlElement("w:hyperlink")
            link.set(qn("w:anchor"), name)
            made._p.append(link)
            run = made.add_run(plain(line))
            link.append(run._r)
            if number == len(entries) - 1:
                field_part(made, "end")
        self.page_break()

    def section(self, section: Section) -> None:
        """Add a notebook."""
        label = section.kicker or section.question
        head = self.paragraph((Span(label, strong=True),), "Small", role="ink2")
        if section.question != label:
            self.line(head, (Span(f"   {section.question}"),), role="ink2")
        head.paragraph_format.keep_with_next = True
        self.heading(section.finding, 1, f"part_{section.name}")
        self.facts(section.facts)
        for line in section.intro:
            self.paragraph(line, "Lede")
        for one in section.body:
            self.element(one)
        self.page_break()

    def notes(self) -> None:
        """Add what people said."""
        said = [(section, note) for section in self.document.sections for note in section.notes]
        if not said:
            return
        self.heading((Span(self.words.headings()["notes"]),), 1, "notes")
        for section, note in said:
            self.paragraph((Span(section.question),), "Small").paragraph_format.keep_with_next = True
            self.element(note)
        self.page_break()

    def appendix(self) -> None:
        """Add method, data quality, origin and parameters."""
        self.heading((Span(self.words.headings()["appendix"]),), 1, "appendix")
        for one in (*self.document.appendix, *self.document.parameters):
            self.element(one)

    def element(self, one: Element) -> None:
        """Add an element of any kind."""
        match one:
            case Heading():
                self.heading(one.words, min(one.level, 3))
            case Paragraph():
                self.paragraph(one.words, "Lede" if one.kind == "lede" else "Normal")
            case Verdict():
                self.verdict(one)
            case Numbers():
                self.numbers(one)
            case Table():
                self.table(one)
            case Figure():
                self.figure(one)
            case Listing():
                self.listing(one)
            case Terms():
                if one.title:
                    self.heading(one.title, 2)
                self.pairs(one.entries, (0.22, 0.78))
            case Note():
                self.note(one)

    def titled(self, title: Line, lede: Line, level: int = 2) -> None:
        """Add heading and lede."""
        if title:
            self.heading(title, min(level, 3))
        if lede:
            self.paragraph(lede, "Lede")

    def verdict(self, one: Verdict) -> None:
        """Add the banner: a table of one cell, so that it keeps its frame in every program."""
        role = VERDICTS[one.kind]
        cell = self.boxed(f"{role}-tint", role)
        head = cell.paragraphs[0]
        head.style = "Verdict"
        self.sign(head, one.icon)
        self.line(head, (Span(f"{one.word}  "),))
        self.line(head, (Span(one.follows),), role="ink2", size=12)
        head.runs[-1].bold = False
        self.paragraph(one.reason, into=cell)
        if one.limit:
            limit = self.paragraph(one.limit, into=cell)
            border(limit, "top", self.colours["line"], 4, space=5)
        self.file.add_paragraph(style="Table text")

    def boxed(self, fill: str, edge: str) -> _Cell:
        """Add a filled cell with a coloured left edge and return it."""
        table = self.grid(1, 1, [1.0])
        cell = table.cell(0, 0)
        shade = OxmlElement("w:shd")
        for key, value in (("val", "clear"), ("color", "auto"), ("fill", self.colours[fill][1:])):
            shade.set(qn(f"w:{key}"), value)
        cell._tc.get_or_add_tcPr().append(shade)
        cell_borders(cell, left=(self.colours[edge], 36))
        cell_margins(cell, 160, 110)
        return cell

    def numbers(self, one: Numbers) -> None:
        """Add the key numbers beside one another."""
        count = len(one.items)
        if not count:
            return
        table = self.grid(1, count, [1 / count] * count)
        for cell, item in zip(table.rows[0].cells, one.items, strict=True):
            cell_borders(cell, top=(self.colours["pilot"], 12))
            head = cell.paragraphs[0]
            head.style = "Table text"
            self.line(head, (Span(item.name),))
            big = self.paragraph((Span(item.value),), "Key number", into=cell)
            self.line(big, (Span(f"  {item.beside}"),), role="ink2", size=9)
            big.runs[-1].bold = False
            for below in item.below:
                self.paragraph((Span(below),), "Small", into=cell).paragraph_format.space_after = Pt(1)
        self.file.add_paragraph(style="Table text")

    def grid(self, rows: int, across: int, shares: list[float]) -> Any:
        """Add a table without rules, as wide as the page."""
        table = self.file.add_table(rows, across)
        table.alignment = WD_TABLE_ALIGNMENT.LEFT
        table.autofit = False
        for at, share in enumerate(shares):
            table.columns[at].width = Emu(int(_WIDTH * share))
            for row in table.rows:
                row.cells[at].width = Emu(int(_WIDTH * share))
        return table

    def pairs(self, entries: Any, shares: tuple[float, float]) -> None:
        """Add names and what is said of them."""
        if not entries:
            return
        table = self.grid(len(entries), 2, list(shares))
        for row, (name, said) in zip(table.rows, entries, strict=True):
            for cell, line in zip(row.cells, ((Span(name),), said), strict=True):
                cell.paragraphs[0].style = "Table text"
                self.line(cell.paragraphs[0], line)
                cell_borders(cell, bottom=(self.colours["line"], 4))
                cell_margins(cell, 0, 50)
            whole(row)
        self.file.add_paragraph(style="Table text")

    def facts(self, entries: Any, across: int = 2) -> None:
        """Add who, when and as of when."""
        if not entries:
            return
        rows = -(-len(entries) // across)
        shares = [0.12, 0.88] if across == 1 else [0.1, 0.4, 0.1, 0.4]
        if across == 1:
            shares = [0.33, 0.67]
        table = self.grid(rows, 2 * across, shares)
        for number, (name, said) in enumerate(entries):
            at = table.rows[number // across].cells
            first, second = at[number % across * 2], at[number % across * 2 + 1]
            for cell, line, role in ((first, (Span(name),), "muted-text"), (second, said, "")):
                cell.paragraphs[0].style = "Table text"
                self.line(cell.paragraphs[0], line, role=role)
                cell_margins(cell, 0, 25)
        self.file.add_paragraph(style="Table text")

    def table(self, one: Table, *, titled: bool = True) -> None:
        """Add a table: the head repeats on every page, no row is cut, rules are horizontal."""
        if titled:
            self.titled(one.title, one.lede, one.level)
        shares, scale = columns(one, _ROOM)
        table = self.grid(1 + len(one.rows), len(one.head), shares)
        last = len(one.rows)
        for y, row in enumerate([one.head, *one.rows]):
            kind = one.kinds[y - 1] if y else ""
            whole(table.rows[y])
            for x, cell in enumerate(row):
                into = table.rows[y].cells[x]
                strong = kind == "sum" or (
                    x == 0 and y > 0 and len(one.head) > 2 and not kind and not one.steps
                )
                self.cell(into, cell, 9 * scale, right=one.numeric[x], strong=strong)
                if x == 0 and kind == "sub":
                    into.paragraphs[0].paragraph_format.left_indent = Pt(10)
                edge = ("ink", 8) if y == 0 else ("ink2" if kind == "sum" else "line", 4)
                cell_borders(into, bottom=(self.colours[edge[0]], edge[1]))
                cell_margins(into, 60, 55)
                if 0 < y < last and len(one.rows) <= 12:
                    for paragraph in into.paragraphs:
                        paragraph.paragraph_format.keep_with_next = True
        repeated(table.rows[0])
        self.paragraph(one.caption, "Caption")

    def cell(self, into: _Cell, cell: Cell, size: float, *, right: bool, strong: bool) -> None:
        """Fill a cell."""
        for number, line in enumerate(cell.lines):
            made = into.paragraphs[0] if number == 0 else into.add_paragraph()
            made.style = "Table text"
            if right:
                made.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if number == 0:
                self.sign(made, cell.icon, size)
            self.line(made, line, size=size * (0.92 if number else 1), strong=strong and number == 0)

    def figure(self, one: Figure) -> None:
        """Add a figure with its description and caption."""
        self.titled(one.title, one.lede)
        picture = one.picture
        drawn = parts(pixels(picture, self.document.brand), picture, picture.width * _TALL / _WIDTH)
        for number, part in enumerate(drawn, start=1):
            shown = self.file.add_picture(io.BytesIO(part), width=_WIDTH)
            if shown.height > _TALL:
                shown.width, shown.height = Emu(int(_WIDTH * _TALL / shown.height)), _TALL
            told = plain(self.words.part_of(one.title, number, len(drawn)))
            described(shown, one.alt if number == 1 else told)
            self.file.paragraphs[-1].paragraph_format.keep_with_next = number == len(drawn)
        caption = self.paragraph((), "Caption")
        self.line(caption, (Span(self.words.figure(one.number), strong=True),), role="ink2")
        self.line(caption, one.caption)

    def listing(self, one: Listing) -> None:
        """Add points, each with its sign."""
        self.titled(one.title, one.lede)
        for item in one.items:
            for number, line in enumerate(item.lines):
                made = self.paragraph((), "Normal")
                made.paragraph_format.left_indent, made.paragraph_format.space_after = Pt(14), Pt(4)
                made.paragraph_format.first_line_indent = Pt(-14)
                if number == 0 and item.icon:
                    self.sign(made, item.icon)
                elif number == 0:
                    self.line(made, (Span("–\u00a0\u00a0"),), role="muted-text")
                self.line(made, line)

    def note(self, one: Note) -> None:
        """Add the words of a person in a box."""
        cell = self.boxed("pilot-tint", "pilot")
        head = cell.paragraphs[0]
        self.line(head, (Span(one.who, strong=True),), size=9)
        if one.old:
            self.paragraph((Span(one.old, strong=True),), "Small", role="ink2", into=cell)
        for line in one.words:
            self.paragraph(line, into=cell)
        self.file.add_paragraph(style="Table text")
