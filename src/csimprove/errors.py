"""The errors a user can put right; the command line prints them without a traceback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class CsimproveError(Exception):
    """Something the user can put right. ``str(error)`` is the whole message."""


class SettingsError(CsimproveError):
    """The settings, a parameter or an option is wrong (exit code 2)."""


class RunError(CsimproveError):
    """A run did not finish; the last good run is untouched (exit code 1).

    ``folder`` is where what there is of the run is kept, if it is.
    """

    def __init__(self, message: str, *, folder: Path | None = None) -> None:
        super().__init__(message)
        self.folder = folder


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason why data cannot be used.

    Parameters
    ----------
    column
        The heading or canonical column concerned, ``""`` for the file as a whole.
    row
        Line of the record in the source file (the heading is line 1), ``None`` for the file as a whole.
    value
        The offending text, masked if the column holds personal data.
    reason
        The rule that is broken and what to do.
    """

    column: str
    row: int | None
    value: str
    reason: str

    def __str__(self) -> str:
        where = f"column {self.column!r}" if self.column else "file"
        if self.row is not None:
            where += f", row {self.row}"
        return f"{where}: {self.reason}" + (f" Value: {self.value!r}." if self.value else "")


class TicketDataError(CsimproveError):
    """The data cannot be used (exit code 1); ``failures`` holds every reason, not only the first.

    Examples
    --------
    >>> error = TicketDataError("tickets.csv", [Failure("Created at", None, "", "is missing. Map it.")])
    >>> print(error)
    tickets.csv cannot be used:
      column 'Created at': is missing. Map it.
    """

    #: How many failures are written out; the rest are counted.
    SHOWN = 20

    def __init__(self, source: str, failures: list[Failure]) -> None:
        self.source = source
        self.failures = tuple(failures)
        lines = [f"  {failure}" for failure in self.failures[: self.SHOWN]]
        if len(self.failures) > self.SHOWN:
            lines.append(f"  … and {len(self.failures) - self.SHOWN} more")
        super().__init__("\n".join([f"{source} cannot be used:", *lines]))
