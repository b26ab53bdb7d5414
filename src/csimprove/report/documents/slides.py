"""A document as slides: one finding a slide, tables that can be edited, the method in the notes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from csimprove.report.blocks import VERDICTS
from csimprove.report.documents.drawings import logo, parts, pixels
from csimprove.report.documents.layout import columns, wide
from csimprove.report.documents.model import (
    Cell,
    Document,
    Figure,
    KeyNumber,
    Line,
    Listing,
    Numbers,
    Section,
    Span,
    Table,
    Terms,
    plain,
)
from csimprove.report.documents.signs import FONTS, SIGNS
from csimprove.report.documents.slide_parts import (
    dealt,
    elements,
    emptied,
    ends,
    fitted,
    heights,
    pages,
    plain_layout,
    rule_below,
    sentences,
    speaks_of,
    split,
    unstyled,
)
from csimprove.report.documents.words import Words

#: A slide of 16:9 in inches; a client's template of another size is filled in proportion.
WIDTH, HEIGHT = 13.333, 7.5
_LEFT, _RIGHT, _TOP, _FOOT = 0.5, 12.833, 1.65, 6.88
_CHART = 8.45  # width of a chart beside its take-away
_WIDEST = 700  # px of a chart that leaves room for a take-away
_TALLEST = 420.0  # px of a chart 620 px wide: a taller one would shrink too much
_TAKE = 9.46  # left edge of the take-away
_TEXT, _SMALL = 16.0, 11.0
_TITLES = ((108, 25), (128, 21), (150, 18))  # characters that two lines hold, pt
_TABLE = (16.0, 15.0, 14.0, 13.0, 12.0, 11.5, 10.5)  # pt, the largest that fits is taken
_SPLIT = 13.0  # pt, at which a table rather goes on on the next slide
_PER_EM = 1.75  # characters to an em
_SENTENCES = 3
_SHORT, _LISTS = 2, 2  # slides of a table or list, and lists of a part, at most outside the appendix
_FIELD = "{00000000-0000-4000-8000-000000000001}"
_FOOTER = 280  # Latin characters; the rest of a caption stands in the notes


def write_slides(document: Document, path: Path, *, template: Path | None = None) -> None:
    """Write a document as slides.

    Parameters
    ----------
    document
        What to write.
    path
        File to write.
    template
        A client's .pptx: its master, layouts, fonts and size are taken, its slides are not.
    """
    deck = _Deck(document, template)
    deck.cover()
    deck.summary()
    for section in document.sections:
        deck.section(section)
    deck.notes()
    deck.appendix()
    deck.file.save(str(path))


class _Deck:
    """Adds one slide after the other."""

    def __init__(self, document: Document, template: Path | None) -> None:
        self.document, self.words = document, Words(document)
        self.colours = document.brand.colours()
        self.own = template is None
        self.file: Any = Presentation(str(template) if template else None)
        if self.own:
            self.file.slide_width, self.file.slide_height = Inches(WIDTH), Inches(HEIGHT)
        else:
            emptied(self.file)
        self.across = self.file.slide_width / Inches(WIDTH)
        self.along = self.file.slide_height / Inches(HEIGHT)
        self.file.core_properties.title = document.project
        self.file.core_properties.author = document.brand.name
        self.layout = plain_layout(self.file)
        self.slide: Any = None
        self.later: list[tuple[Section, Table | Listing]] = []

    def ink(self, role: str) -> RGBColor:
        """Return the colour of a role."""
        return RGBColor.from_string(self.colours[role].removeprefix("#"))

    def box(self, x: float, y: float, wide: float, high: float) -> tuple[Emu, Emu, Emu, Emu]:
        """Return a place in inches of a 16:9 slide as the file measures it."""
        lengths = (x * self.across, y * self.along, wide * self.across, high * self.along)
        first, second, third, fourth = (Emu(Inches(one)) for one in lengths)
        return first, second, third, fourth

    def new(self, title: Line, said: Sequence[str] = (), foot: str = "") -> None:
        """Start a slide: its title is the finding; what was said is for the notes."""
        self.slide = self.file.slides.add_slide(self.layout)
        shape = self.slide.shapes.title
        for one in list(self.slide.placeholders):
            if shape is None or one.shape_id != shape.shape_id:
                one._element.getparent().remove(one._element)
        if shape is None:
            shape = self.slide.shapes.add_textbox(*self.box(_LEFT, 0.4, 12.333, 1.1))
        frame = shape.text_frame
        frame.word_wrap = True
        if self.own:
            shape.left, shape.top, shape.width, shape.height = self.box(_LEFT, 0.4, 12.333, 1.1)
            frame.vertical_anchor = MSO_ANCHOR.TOP
            frame.margin_left = frame.margin_right = frame.margin_top = 0
        size = next((one for most, one in _TITLES if wide(plain(title)) <= most), 16)
        self.say(
            frame.paragraphs[0],
            title,
            size if self.own else 0,
            strong=self.own,
            role="ink" if self.own else "",
        )
        frame.paragraphs[0].alignment = PP_ALIGN.LEFT if self.own else None
        self.footer(foot)
        if said:
            self.slide.notes_slide.notes_text_frame.text = "\n\n".join(filter(None, said))

    def footer(self, words: str) -> None:
        """Add definition, n and period, and the page number."""
        rule = self.slide.shapes.add_connector(1, *ends(self.box(_LEFT, _FOOT, 12.333, 0)))
        rule.line.color.rgb, rule.line.width = self.ink("line"), Pt(0.75)
        words = sentences(words, _FOOTER)
        self.text((Span(words or self.words.margin),), (_LEFT, _FOOT + 0.05, 11.6, 0.5), _SMALL, "muted-text")
        frame = self.frame((_RIGHT - 0.6, _FOOT + 0.05, 0.6, 0.3))
        paragraph = frame.paragraphs[0]
        paragraph.alignment = PP_ALIGN.RIGHT
        field = paragraph._p.makeelement(qn("a:fld"), {"id": _FIELD, "type": "slidenum"})
        look = field.makeelement(qn("a:rPr"), {"lang": "en-GB", "sz": str(int(_SMALL * 100))})
        shown = field.makeelement(qn("a:t"), {})
        shown.text = str(len(self.file.slides))
        field.extend([look, shown])
        paragraph._p.append(field)

    def frame(self, place: tuple[float, float, float, float]) -> Any:
        """Add an empty text box."""
        frame = self.slide.shapes.add_textbox(*self.box(*place)).text_frame
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        return frame

    def text(
        self, line: Line, place: tuple[float, float, float, float], size: float, role: str = "ink"
    ) -> None:
        """Add one paragraph in a box of its own."""
        self.say(self.frame(place).paragraphs[0], line, size, role=role)

    def say(
        self, paragraph: Any, line: Line, size: float, *, role: str = "ink", strong: bool = False
    ) -> None:
        """Add spans to a paragraph."""
        for span in line:
            run = paragraph.add_run()
            run.text = span.text.replace(" ", "\u00a0") if span.unbroken else span.text
            if size:
                run.font.size = Pt(size)
            if span.strong or strong:
                run.font.bold = True
            if role:
                run.font.color.rgb = self.ink("muted-text" if span.muted else role)
            properties = run._r.get_or_add_rPr()
            properties.set("lang", {"en": "en-GB", "zh": "zh-CN"}[self.document.language])
            if self.own:
                run.font.name = FONTS[0]
                east = properties.makeelement(qn("a:ea"), {"typeface": FONTS[1]})
                properties.append(east)

    def sign(self, paragraph: Any, icon: str, size: float) -> None:
        """Add the sign of an icon; without one, nothing."""
        if icon:
            said, role = SIGNS[icon]
            self.say(paragraph, (Span(f"{said}\u00a0"),), size, role=role, strong=True)

    def cover(self) -> None:
        """Add the first slide."""
        document, brand = self.document, self.document.brand
        self.new((Span(document.project),), foot=self.words.margin)
        title = self.slide.shapes.title
        if self.own and title is not None:
            title.left, title.top, title.width, title.height = self.box(_LEFT, 2.35, 12.333, 0.9)
            for run in title.text_frame.paragraphs[0].runs:
                run.font.size = Pt(40)
            self.bar((_LEFT, 2.1, 0.9, 0.05), "pilot")
        if image := logo(brand):
            place = self.box(_LEFT, 0.5, 0, 0.6)
            shown = self.slide.shapes.add_picture(image, place[0], place[1], height=place[3])
            shown._element.nvPicPr.cNvPr.set("descr", brand.name)
        self.text(document.answer, (_LEFT, 3.4, 11.0, 1.2), 20, "ink2")
        frame = self.frame((_LEFT, 4.9, 11.0, 1.8))
        for number, (name, said) in enumerate(document.facts[-3:]):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            self.say(paragraph, (Span(f"{name}  "),), 13, role="muted-text")
            self.say(paragraph, said, 13)

    def bar(self, place: tuple[float, float, float, float], role: str) -> None:
        """Add a filled bar."""
        shape = self.slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *self.box(*place))
        shape.fill.solid()
        shape.fill.fore_color.rgb = self.ink(role)
        shape.line.fill.background()
        shape.shadow.inherit = False

    def summary(self) -> None:
        """Add the answer, the evidence and the decision asked."""
        document, heads = self.document, self.words.headings()
        self.new(document.answer, self.method(document.judged))
        y = _TOP - 0.05
        if verdict := document.verdict:
            role = VERDICTS[verdict.kind]
            size = 14 if wide(plain(verdict.reason)) < 330 else 12
            high = 0.72 + size * 1.25 / 72 * -(-wide(plain(verdict.reason)) * size // 1580)
            self.bar((_LEFT, y, 12.333, high), f"{role}-tint")
            self.bar((_LEFT, y, 0.07, high), role)
            frame = self.frame((_LEFT + 0.3, y + 0.12, 11.8, high - 0.2))
            head = frame.paragraphs[0]
            self.sign(head, verdict.icon, 22)
            self.say(head, (Span(f"{verdict.word}  "),), 22, strong=True)
            self.say(head, (Span(verdict.follows),), 15, role="ink2")
            reason = frame.add_paragraph()
            self.say(reason, verdict.reason, size)
            y += high + 0.2
        else:
            self.text((Span(heads["no_verdict"]),), (_LEFT, y, 12.3, 0.4), _TEXT, "ink2")
            y += 0.6
        if document.numbers:
            self.tiles(document.numbers.items, y)
            y += 1.75
        self.text((Span(heads["decision"]),), (_LEFT, y, 12.3, 0.3), 12, "muted-text")
        frame = self.frame((_LEFT, y + 0.25, 12.333, 1.1))
        self.say(frame.paragraphs[0], (Span(self.words.decision),), _TEXT, strong=True)
        for row in document.steps.rows[:2] if document.steps else ():
            step = frame.add_paragraph()
            self.say(
                step, (Span(self.words.of("separator").join(cell.words() for cell in row)),), 13, role="ink2"
            )

    def tiles(self, items: Sequence[KeyNumber], y: float) -> None:
        """Add key numbers beside one another."""
        gap, count = 0.3, max(len(items), 1)
        wide = (12.333 - gap * (count - 1)) / count
        for at, item in enumerate(items):
            x = _LEFT + at * (wide + gap)
            self.bar((x, y, wide, 0.03), "pilot")
            frame = self.frame((x, y + 0.08, wide, 1.5))
            self.say(frame.paragraphs[0], (Span(item.name),), 13)
            big = frame.add_paragraph()
            self.say(big, (Span(f"{item.value} "),), 28, role="pilot", strong=True)
            self.say(big, (Span(item.beside),), 13, role="ink2")
            for below in item.below[:2]:
                self.say(frame.add_paragraph(), (Span(below),), 12, role="muted-text")

    def section(self, section: Section) -> None:
        """Add a notebook: its finding with the key numbers, its charts, its first table, a few short lists.

        Everything else is for the appendix.
        """
        numbers = next((one.items for one in section.body if isinstance(one, Numbers)), ())
        self.opener(section, numbers)
        every = list(elements(section))
        table = next((one for one in every if isinstance(one, Table)), None)
        lists = [one for one in every if isinstance(one, Listing)]
        for one in every:
            if isinstance(one, Figure):
                self.figure(one, section, numbers)
            elif self.slides(one) <= _SHORT and (one is table or one in lists[:_LISTS] == lists):
                self.add(one, section)
            else:
                self.later.append((section, one))

    def slides(self, one: Table | Listing) -> int:
        """Count the slides that a table or list takes."""
        return len(self.fit(one)[3] if isinstance(one, Table) else dealt(one.items))

    def add(self, one: Table | Listing, section: Section) -> None:
        """Add a table or points."""
        if isinstance(one, Table):
            self.table(one, section)
        else:
            self.listing(one, section)

    def appendix(self) -> None:
        """Add what was put off, after a slide that says of which questions."""
        if self.later:
            asked = dict.fromkeys(section.question for section, _ in self.later)
            items = tuple(Cell(((Span(question),),)) for question in asked)
            self.listing(Listing((Span(self.words.of("further")),), (), items))
        for section, one in self.later:
            self.add(one, section)

    def opener(self, section: Section, numbers: Sequence[KeyNumber]) -> None:
        """Add the slide that a part begins with."""
        self.new(section.finding, self.method(section), section.question)
        y = _TOP + 0.1
        self.text((Span(section.question, strong=True),), (_LEFT, y, 12.3, 0.4), 18, "pilot")
        frame = self.frame((_LEFT, y + 0.5, 9.5, 1.2))
        for number, line in enumerate(section.intro):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            self.say(paragraph, line, _TEXT, role="ink2")
        if numbers:
            self.tiles(numbers, 3.45)
        frame = self.frame((_LEFT, 5.55, 12.333, 1.2))
        for number, (name, said) in enumerate(section.facts):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            self.say(paragraph, (Span(f"{name}  "),), 12, role="muted-text")
            self.say(paragraph, said, 12)

    def figure(self, one: Figure, section: Section, numbers: Sequence[KeyNumber]) -> None:
        """Add a chart beside what a reader takes away from it; a tall one goes on on the next slide."""
        caption = plain(one.caption)
        said = (plain(one.lede), caption, f"{self.words.of('description')}: {one.alt}", *self.method(section))
        about = next((item for item in numbers if speaks_of(one, item)), None)
        shown = parts(pixels(one.picture, self.document.brand), one.picture, _TALLEST)
        beside = one.picture.width <= _WIDEST
        for number, picture in enumerate(shown, start=1):
            self.new(self.words.part_of(one.title or section.finding, number, len(shown)), said, caption)
            self.picture(picture, one.alt, _CHART if beside else _RIGHT - _LEFT)
            if beside:
                self.takeaway(split(plain(one.lede) or plain(one.title)), about)
            else:
                self.text(one.lede, (_LEFT, 1.3, 12.333, 0.35), 14, "ink2")

    def picture(self, png: bytes, alt: str, room: float) -> None:
        """Add a picture as large as there is room."""
        shown = self.slide.shapes.add_picture(io.BytesIO(png), 0, 0)
        wide, high = fitted((shown.width, shown.height), room, _FOOT - 0.12 - _TOP)
        scale = min(self.across, self.along)
        shown.left, shown.top = self.box(_LEFT, _TOP, 0, 0)[:2]
        shown.width, shown.height = Inches(wide * scale), Inches(high * scale)
        shown._element.nvPicPr.cNvPr.set("descr", alt)

    def takeaway(self, said: Sequence[str], about: KeyNumber | None) -> None:
        """Add what a reader takes away: the number that a chart is about, and a few sentences."""
        self.bar((_TAKE, _TOP, 0.042, 4.6), "pilot")
        frame = self.frame((_TAKE + 0.25, _TOP, 3.12, 4.9))
        self.say(frame.paragraphs[0], (Span(self.words.of("takeaway")),), 12, role="muted-text")
        if about:
            self.say(frame.add_paragraph(), (Span(about.name),), 13, role="ink2")
            big = {"en": 33, "zh": 28}[self.document.language]
            self.say(frame.add_paragraph(), (Span(about.value),), big, role="pilot", strong=True)
            below = [about.beside, *about.below[:1]]
            self.say(
                frame.add_paragraph(),
                (Span(self.words.of("separator").join(filter(None, below))),),
                13,
                role="ink2",
            )
        for sentence in said[:_SENTENCES]:
            paragraph = frame.add_paragraph()
            paragraph.space_before = Pt(10)
            self.say(paragraph, (Span(sentence),), _TEXT)

    def table(self, one: Table, section: Section) -> None:
        """Add a table that can be edited; one that is too long goes on on the next slide."""
        shares, size, high, parts = self.fit(one)
        caption = plain(one.caption)
        for number, rows in enumerate(parts, start=1):
            title = self.words.part_of(one.title or section.finding, number, len(parts))
            self.new(title, (plain(one.lede), caption, *self.method(section)), caption)
            if one.lede and number == 1:
                self.text(one.lede, (_LEFT, 1.3, 12.333, 0.35), 14, "ink2")
            self.grid(one, rows, shares, size, high)

    def fit(self, one: Table) -> tuple[list[float], float, list[float], list[range]]:
        """Return shares of the columns, type size, heights and rows a slide: the largest type that fits."""
        for size in _TABLE:
            shares, scale = columns(one, 12.333 * self.across * 72 / size * _PER_EM)
            high = heights(one, [share * 12.333 * self.across for share in shares], size)
            parts = list(pages(high, (_FOOT - 0.15 - _TOP) * 72 * self.along))
            if scale == 1 and (len(parts) == 1 or size <= _SPLIT):
                break
        return shares, size, high, parts

    def grid(
        self, one: Table, rows: range, shares: Sequence[float], size: float, high: Sequence[float]
    ) -> None:
        """Add the native table with some of the rows; ``high`` are the heights of head and rows in pt."""
        place = self.box(_LEFT, _TOP, 12.333, 0.3 * (len(rows) + 1))
        shape = self.slide.shapes.add_table(len(rows) + 1, len(one.head), *place)
        shape.name = plain(one.title) or shape.name
        table = shape.table
        unstyled(shape)
        for at, share in enumerate(shares):
            table.columns[at].width = Emu(int(place[2] * share))
        for number, at in enumerate([None, *rows]):
            cells = one.head if at is None else one.rows[at]
            kind = "" if at is None else one.kinds[at]
            table.rows[number].height = Pt(high[0 if at is None else at + 1])
            for x, cell in enumerate(cells):
                strong = kind == "sum" or (x == 0 and at is not None and not one.kinds[at] and len(cells) > 2)
                self.cell(table.cell(number, x), cell, size, right=one.numeric[x], strong=strong)
                edge = "ink" if at is None else "ink2" if kind == "sum" else "line"
                rule_below(table.cell(number, x), self.colours[edge], 1.0 if at is None else 0.5)

    def cell(self, into: Any, cell: Cell, size: float, *, right: bool, strong: bool) -> None:
        """Fill a cell."""
        into.margin_left = into.margin_right = Inches(0.06)
        into.margin_top = into.margin_bottom = Inches(0.035)
        into.fill.background()
        frame = into.text_frame
        for number, line in enumerate(cell.lines):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            paragraph.alignment = PP_ALIGN.RIGHT if right else PP_ALIGN.LEFT
            if number == 0:
                self.sign(paragraph, cell.icon, size)
            self.say(paragraph, line, size if number == 0 else size - 1.5, strong=strong and number == 0)

    def listing(self, one: Listing, section: Section | None = None) -> None:
        """Add points, as many on a slide as it holds."""
        parts = dealt(one.items)
        said, foot = (self.method(section), section.question) if section else ((), "")
        for number, part in enumerate(parts, start=1):
            self.new(self.words.part_of(one.title, number, len(parts)), said, foot)
            frame = self.frame((_LEFT, _TOP, 12.0, 4.9))
            for at, item in enumerate(part):
                for level, line in enumerate(item.lines):
                    paragraph = frame.paragraphs[0] if at == level == 0 else frame.add_paragraph()
                    paragraph.space_after = Pt(8)
                    if level == 0:
                        self.sign(paragraph, item.icon, _TEXT)
                    self.say(paragraph, line, _TEXT if level == 0 else 13)

    def notes(self) -> None:
        """Add what people said."""
        items = []
        for note in (note for section in self.document.sections for note in section.notes):
            old = ((Span(line, muted=True),) for line in filter(None, [note.old]))
            items.append(Cell(((Span(note.who, strong=True),), *old, *note.words)))
        if items:
            self.listing(Listing((Span(self.words.of("notes")),), (), tuple(items)))

    def method(self, section: Section) -> tuple[str, ...]:
        """Return how a part was measured, for the notes."""
        found: list[Terms] = [one for one in section.appendix if isinstance(one, Terms)]
        lines = [
            f"{name}: {plain(said)}" for one in found if isinstance(one, Terms) for name, said in one.entries
        ]
        return (self.words.of("method"), *lines) if lines else ()
