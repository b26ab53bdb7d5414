"""What was read and what became of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csimprove.errors import Failure


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
        ``ambiguous_local_time``, ``missing_local_time``, ``swapped_day_month``, and what
        `csimprove.tickets.suspicion` finds. File: ``repeated_heading``, ``continued_lines`` (lines that start
        no row: blank ones, or inside quotes), ``footer_lines``. Pauses that were left out:
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

    def to_dict(self) -> dict[str, Any]:
        """Return the account as JSON-able values."""
        data = dataclasses.asdict(self)
        for name in ("first_opened", "last_opened", "latest"):
            data[name] = data[name].isoformat()
        return {**data, "rejects": list(data["rejects"]), "columns": list(self.columns)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Reading:
        """Make a reading from what `to_dict` returned."""
        times = {
            name: datetime.fromisoformat(data[name]) for name in ("first_opened", "last_opened", "latest")
        }
        rejects = tuple(Failure(**reject) for reject in data["rejects"])
        return cls(**{**data, **times, "rejects": rejects, "columns": tuple(data["columns"])})
