"""What was read and what became of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from csimprove.errors import Failure


@dataclass(frozen=True, slots=True)
class ColumnNote:
    """How often something in a column was taken for something else.

    Parameters
    ----------
    code
        ``no_value``: a text that means "no value"; ``renamed``: a text for which the settings or the preset
        have another; ``day_first``, ``month_first``: times like 05/03/2025 beside others; ``not_read``: a
        column that is not what it looks like, ``text`` is a code for why.
    column
        The canonical column, or the heading of one that is not read.
    text, value
        The text, and what it was taken for; empty for times and where there is no value.
    n
        Tickets.
    """

    code: str
    column: str
    text: str
    value: str
    n: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Account of one reading: ``rows == used + rejected_rows + sum(excluded.values())``.

    Parameters
    ----------
    source
        Name of the file, without its folder.
    sha256
        Hash of the file's bytes.
    encoding, delimiter
        How the file was read.
    preset
        Name of the preset, if any.
    rows
        Data rows in the file.
    used
        Tickets that were kept.
    rejected_rows
        Rows that could not be used at all: no id, no opening time, or a malformed line.
    excluded
        Rows left out by a named rule of the settings, or as ``duplicate_id``.
    rejects
        Values that could not be read, masked, at most `KEPT_REJECTS`.
    reject_count
        All of them.
    flags
        What is suspicious, only counts above 0. Tickets: ``answered_before_opened``,
        ``resolved_before_opened``, ``resolved_before_answered``, ``closed_before_resolved``,
        ``ambiguous_local_time``, ``missing_local_time``, ``swapped_day_month``, ``not_inbound``, and what
        `csimprove.tickets.suspicion.suspicious` finds. File: ``repeated_heading``, ``continued_lines`` (lines
        that start no row: blank ones, or inside quotes), ``footer_lines``. Pauses that were left out:
        ``rejected_pause``, ``reversed_pause``, ``pause_without_ticket``.
    columns
        Canonical columns that the source has.
    filled
        Canonical column and the share (0-1) of the tickets that have a value.
    headings
        Canonical column and its heading in the file.
    first_opened, last_opened
        First and last opening, aware, UTC.
    latest
        Latest time stamp of any column but ``due_at``, excluded rows included; aware, UTC.
    zone
        Zone in which the file's times were read.
    customers
        Month ("2025-08", local) and the number of different customers who opened a ticket in it; empty if the
        source knows no customers.
    notes
        What texts of the file were taken for, by column, the most frequent first.
    """

    source: str
    sha256: str
    encoding: str
    delimiter: str
    preset: str | None
    rows: int
    used: int
    rejected_rows: int
    excluded: dict[str, int]
    rejects: tuple[Failure, ...]
    reject_count: int
    flags: dict[str, int]
    columns: tuple[str, ...]
    filled: dict[str, float]
    headings: dict[str, str]
    first_opened: datetime
    last_opened: datetime
    latest: datetime
    zone: str
    customers: dict[str, int] = field(default_factory=dict)
    notes: tuple[ColumnNote, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the account as JSON-able values."""
        data = dataclasses.asdict(self)
        for name in ("first_opened", "last_opened", "latest"):
            data[name] = data[name].isoformat()
        return {
            **data,
            "rejects": list(data["rejects"]),
            "columns": list(self.columns),
            "notes": list(data["notes"]),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Reading:
        """Make a reading from what `to_dict` returned."""
        times = {
            name: datetime.fromisoformat(data[name]) for name in ("first_opened", "last_opened", "latest")
        }
        rejects = tuple(Failure(**reject) for reject in data["rejects"])
        notes = tuple(ColumnNote(**note) for note in data["notes"])
        columns = tuple(data["columns"])
        return cls(**{**data, **times, "rejects": rejects, "columns": columns, "notes": notes})
