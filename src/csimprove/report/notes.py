"""Notes of people: who said what about which figures, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from csimprove.errors import SettingsError

_FIELDS = ("author", "date", "metric")


@dataclass(frozen=True, slots=True)
class Note:
    """Words of a person about the figures of a notebook.

    Parameters
    ----------
    author
        Who wrote it.
    date
        The day of writing.
    metric
        What it is about; empty: all of it.
    body
        Markdown.
    """

    author: str
    date: date
    metric: str
    body: str


def parse_notes(words: str, *, source: str = "notes") -> tuple[Note, ...]:
    """Read the notes of one notebook in one language.

    Parameters
    ----------
    words
        Notes separated by lines ``---``. Each begins with lines ``author:``, ``date:`` (YYYY-MM-DD) and, if
        it is about one metric, ``metric:``; after an empty line comes Markdown.
    source
        Name of the file, for messages.

    Returns
    -------
    tuple of Note
        In the order of the file.

    Raises
    ------
    SettingsError
        If a note lacks author or date, has another field, or a date that is none.

    Examples
    --------
    >>> lines = ["author: Li", "date: 2025-09-26", "", "The CRM was down on 10 September."]
    >>> parse_notes(chr(10).join(lines))[0].body
    'The CRM was down on 10 September.'
    """
    parts = [
        part.strip("\n") for part in re.split(r"^---\s*$", words.replace("\r\n", "\n"), flags=re.MULTILINE)
    ]
    kept = [part for part in parts if part.strip()]
    return tuple(_note(part, f"{source}, note {number}") for number, part in enumerate(kept, start=1))


def _note(part: str, where: str) -> Note:
    head, _, body = part.partition("\n\n")
    fields = {}
    for line in head.splitlines():
        name, colon, value = line.partition(":")
        if not colon or name.strip() not in _FIELDS:
            raise SettingsError(
                f"{where}: the lines before the empty line must be author:, date: or metric:, "
                f"not {line.strip()!r}."
            )
        fields[name.strip()] = value.strip()
    if not fields.get("author"):
        raise SettingsError(f"{where}: `author` must be given. Write a line author: above the empty line.")
    try:
        day = date.fromisoformat(fields.get("date", ""))
    except ValueError:
        raise SettingsError(
            f"{where}: `date` must be a day like 2025-09-26, not {fields.get('date', '')!r}."
        ) from None
    return Note(fields["author"], day, fields.get("metric", ""), body.strip())
