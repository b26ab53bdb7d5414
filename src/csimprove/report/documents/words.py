"""The few words that documents have beside those of the pages."""

from __future__ import annotations

from csimprove.report.documents.model import Document, Line, Section, Span, plain
from csimprove.wording import text

_HEADINGS = ("kind", "summary", "answer", "evidence", "decision", "contents", "notes", "appendix", "takeaway")


class Words:
    """Headings and labels of one document in its language."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._language = document.language

    def of(self, key: str, **values: str) -> str:
        """Return a phrase of the documents."""
        return text(f"document.{key}", self._language, **values)

    def headings(self) -> dict[str, str]:
        """Return every heading by its key."""
        return {key: self.of(key) for key in _HEADINGS} | {
            "no_verdict": text("index.no_verdict", self._language)
        }

    def figure(self, number: int) -> str:
        """Return the label of a figure, with the space to its caption."""
        return self.of("figure", n=str(number))

    def part_of(self, title: Line, part: int, parts: int) -> Line:
        """Return the title of what goes on: the first part has its own."""
        if part == 1:
            return title
        return (Span(self.of("continued", title=plain(title), part=str(part), parts=str(parts))),)

    def about(self, section: Section) -> str:
        """Return who and when of a section in one line."""
        return self.of("separator").join(plain(said) for _, said in section.facts)

    @property
    def margin(self) -> str:
        """What stands in the margin of every page."""
        names = [self._document.brand.name, self._document.project]
        return "  |  ".join(filter(None, names))

    @property
    def decision(self) -> str:
        """What the reader is asked to decide."""
        verdict = self._document.verdict
        if verdict is None:
            return self.of("decision.none")
        return self.of("decision.asked", word=verdict.word, follows=verdict.follows)
