"""What a report is made of, whatever the format: elements without HTML and without drawing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from csimprove.report.brand import Brand
from csimprove.settings import Language


@dataclass(frozen=True, slots=True)
class Span:
    """Words in one look: strong, muted (what stands smaller below), unbroken (a date, an interval)."""

    text: str
    strong: bool = False
    muted: bool = False
    unbroken: bool = False


#: Spans of one line.
Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: lines, smaller after the first, and the icon of its state (or ``""``)."""

    lines: tuple[Line, ...]
    icon: str = ""

    def words(self) -> str:
        """Return the cell as one line of text."""
        return " ".join(plain(line) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    words: Line
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words; ``kind`` is ``""``, ``lede``, ``failed`` or ``code``."""

    words: Line
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The banner of a verdict; ``kind`` is ``go``, ``extend``, ``stop`` or ``cannot_tell``."""

    kind: str
    icon: str
    word: str
    follows: str
    reason: Line
    limit: Line


@dataclass(frozen=True, slots=True)
class KeyNumber:
    """A number that a reader takes away: name, value, what stands beside it, lines below."""

    name: str
    value: str
    beside: str
    below: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The key numbers of a section."""

    items: tuple[KeyNumber, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table.

    Parameters
    ----------
    title, lede, caption
        The finding, the words above, the words below.
    head
        Column heads, with a smaller second line if they have a note.
    rows
        Cells; the first of each row is its head.
    numeric
        Columns set to the right.
    kinds
        ``first``, ``sub`` or ``sum`` of each row, or ``""``.
    steps
        Whether the rows are what happens next.
    level
        Level of the title.
    """

    title: Line
    lede: Line
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: Line
    numeric: tuple[bool, ...]
    kinds: tuple[str, ...]
    steps: bool = False
    level: int = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing as wide as a slide: PNG, width and height in px, SVG (or ``""``); and the page's as SVG.

    One that is too tall for a slide may be cut at the heights ``cuts`` in px: what lies above the first is
    its head and what lies below the last its foot, which every part has.
    """

    png: bytes
    width: int
    height: int
    svg: str = ""
    page: str = ""
    cuts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure under its finding, with number, caption and description."""

    title: Line
    lede: Line
    picture: Picture
    alt: str
    caption: Line
    number: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A titled list of points."""

    title: Line
    lede: Line
    items: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """A titled list of names and what they mean."""

    title: Line
    entries: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Words of a person: who and when, whether older than the figures (words, or none), paragraphs."""

    who: str
    old: str
    words: tuple[Line, ...]


Element = Heading | Paragraph | Verdict | Numbers | Table | Figure | Listing | Terms | Note


@dataclass(frozen=True, slots=True)
class Section:
    """One notebook of a run.

    Parameters
    ----------
    name
        File name of its page, without ending.
    question, kicker
        What it asks; what kind of report it is.
    finding
        Its answer as a sentence.
    intro
        What decision it serves.
    facts
        Who, when, as of when.
    body
        Verdict, key numbers, tables, figures.
    notes
        Words of people.
    appendix
        Method, data quality, parameters, origin.
    """

    name: str
    question: str
    kicker: str
    finding: Line
    intro: tuple[Line, ...]
    facts: tuple[tuple[str, Line], ...]
    body: tuple[Element, ...]
    notes: tuple[Note, ...]
    appendix: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A run as a document of any format.

    Parameters
    ----------
    project, language, brand
        Whose report it is, in what language, in whose colours.
    facts
        Periods, data date, run.
    answer
        The finding of the whole: that of the judged section, or of the first.
    sections
        One a notebook, in order.
    parameters
        The parameters of the run as a table.
    """

    project: str
    language: Language
    brand: Brand
    facts: tuple[tuple[str, Line], ...]
    answer: Line
    sections: tuple[Section, ...]
    parameters: tuple[Element, ...] = ()

    @property
    def judged(self) -> Section:
        """The section that holds the verdict, or the first."""
        return next((one for one in self.sections if self.verdict_of(one)), self.sections[0])

    @property
    def verdict(self) -> Verdict | None:
        """The verdict, if there is one."""
        return self.verdict_of(self.judged)

    @property
    def steps(self) -> Table | None:
        """What happens next, if the judged section says so."""
        return next((one for one in self.judged.body if isinstance(one, Table) and one.steps), None)

    @property
    def numbers(self) -> Numbers | None:
        """The key numbers of the judged section."""
        return next((one for one in self.judged.body if isinstance(one, Numbers)), None)

    @property
    def appendix(self) -> tuple[Element, ...]:
        """What all sections have in their appendices, each element once."""
        return tuple(dict.fromkeys(one for section in self.sections for one in section.appendix))

    @property
    def tables(self) -> Iterator[tuple[Section | None, Table]]:
        """Every table with its section; those of the run belong to none."""
        for section in self.sections:
            for element in (*section.body, *section.appendix):
                if isinstance(element, Table):
                    yield section, element
        yield from ((None, element) for element in self.parameters if isinstance(element, Table))

    @staticmethod
    def verdict_of(section: Section) -> Verdict | None:
        """Return the verdict of a section, if it has one."""
        return next((one for one in section.body if isinstance(one, Verdict)), None)


def plain(line: Iterable[Span]) -> str:
    """Return a line without its looks.

    Examples
    --------
    >>> plain((Span("from "), Span("80%", strong=True)))
    'from 80%'
    """
    return "".join(span.text for span in line)
