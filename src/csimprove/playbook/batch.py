"""Many reports at once: one a value of a cut, or one a row of a table, with a cover over all."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from csimprove import columns, metrics, report, wording
from csimprove.errors import RunError, SettingsError, TicketDataError
from csimprove.metrics import Measures
from csimprove.playbook import kernels, notebooks, runs
from csimprove.playbook.unchanged import INDEX
from csimprove.report import CoverEntry
from csimprove.settings import Language, Settings, hint, read_settings
from csimprove.settings.texts import slug

#: Fewest tickets of a report: with fewer every interval is too wide to say anything, and persons show.
FEW = 30

#: Notebooks that see tickets through measures alone, which can be restricted; the others speak of the whole.
_MEASURED = ("01_baseline", "07_monitoring")
#: Those that need both arms of the pilot as well.
_COMPARED = ("03_pilot_design", "04_pilot_tracking", "05_pilot_evaluation")

#: Columns of a table that are options of a run.
_OPTIONS = ("as_of", "language")


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of a batch.

    Parameters
    ----------
    cover
        Its first page.
    entries
        Its reports, those that could not be made too.
    """

    cover: Path
    entries: tuple[CoverEntry, ...]

    @property
    def failures(self) -> list[str]:
        """Label and reason of the reports that failed."""
        return [f"{entry.label}: {entry.message}" for entry in self.entries if entry.status == "failed"]

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return {
            "status": "failed" if self.failures else "ok",
            "cover": str(self.cover),
            "reports": [
                {
                    "label": entry.label,
                    "tickets": entry.tickets,
                    "status": entry.status,
                    "page": entry.link,
                    "message": entry.message or None,
                }
                for entry in self.entries
            ],
        }


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One report: its label, the tickets it is about, and what else its row says."""

    label: str
    only: dict[str, tuple[str, ...]]
    given: dict[str, str]


def run_batch(
    settings_file: str | Path,
    *,
    by: str | None = None,
    table: Path | None = None,
    only: tuple[str, ...] = (),
    parameters: Mapping[str, Any] | None = None,
    as_of: date | datetime | str | None = None,
    language: Language | None = None,
    **options: Any,
) -> Batch:
    """Run the playbook for each value of a cut, or each row of a table; a failing report stops no other.

    Parameters
    ----------
    settings_file
        The project's playbook.toml.
    by
        Cut: a report for each of its values, made of the tickets of that value alone, as they are within the
        whole (a repeat contact elsewhere still counts). The pilot is left out where a value does not hold
        both of its arms.
    table
        CSV with a row a report. Columns are cuts, whose values restrict the tickets; parameters of notebooks;
        ``as_of`` and ``language``.
    only, parameters, as_of, language
        As for `run`; a row goes before them.
    **options
        More for `run`.

    Returns
    -------
    Batch
        The cover, below the project's reports in ``by-<cut>`` or ``by-<table>``, and the reports.

    Raises
    ------
    SettingsError
        If settings, cut or table are wrong.
    TicketDataError
        If the data cannot be used.
    """
    clock = time.monotonic()
    if (by is None) == (table is None):
        raise SettingsError("`--for` and `--table` must not be given together. Leave one out.")
    settings = read_settings(settings_file)
    spoken = language or settings.language
    measures = metrics.load_measures(settings, as_of=as_of)
    wanted, blank = (_rows(table), 0) if table else _values(measures, by or "")
    home = settings.reports / f"by-{slug(table.stem if table else by or '')}"
    entries: list[CoverEntry] = []
    taken: set[str] = set()
    with kernels.server(isolated=options.get("isolated", False)):
        for number, one in enumerate(wanted, start=1):
            place = slug(one.label) if slug(one.label) not in taken else f"{slug(one.label)}-{number}"
            taken.add(place)
            given = {"as_of": as_of, "language": language, **options, "into": home / place}
            made = _report(settings, measures, one, only=only, parameters=parameters or {}, given=given)
            entries.append(made)
            told = f"report {number}/{len(wanted)} {one.label}: {made.status}, {made.tickets:,} tickets"
            runs.say(told, time.monotonic() - clock, quiet=bool(options.get("quiet")))
    page = report.cover(
        entries,
        language=spoken,
        project=settings.project,
        by=wording.column_name(by, spoken) if by else wording.text("batch.rows", spoken, file=str(table)),
        as_of=measures.as_of,
        zone=measures.zone,
        few=FEW,
        blank=blank,
        pilot=settings.pilot is not None,
    )
    return _publish(Batch(home / INDEX, tuple(entries)), page)


def _publish(batch: Batch, page: str) -> Batch:
    """Put the cover in place, and what it says as data beside it."""
    home = batch.cover.parent
    home.mkdir(parents=True, exist_ok=True)
    part = home / f".{INDEX}.part"
    part.write_text(page, encoding="utf-8")
    part.replace(batch.cover)
    runs.write_json(home / "batch.json", batch.to_dict())
    return batch


def _report(
    settings: Settings,
    measures: Measures,
    one: _Wanted,
    *,
    only: tuple[str, ...],
    parameters: Mapping[str, Any],
    given: dict[str, Any],
) -> CoverEntry:
    """Run for one value or row; a failure is its outcome."""
    tickets = 0
    try:
        part = measures.restricted(one.only) if one.only else measures
        tickets = int(part.frame["tickets"].sum())
        if tickets < FEW:
            return CoverEntry(one.label, tickets, "too_few")
        both = _holds_both_arms(settings, part)
        query = "&".join(f"{cut}={_quoted(value)}" for cut, values in one.only.items() for value in values)
        file = str(settings.file) + (f"?{query}{'' if both else '&pilot=none'}" if query else "")
        names = [job.name for job in notebooks.chosen(read_settings(file), only)]
        if one.only:
            may = {*_MEASURED, *(_COMPARED if both else ())}
            names = [name for name in names if name in may]
        own = {name: value for name, value in one.given.items() if name not in _OPTIONS}
        options = {name: value for name, value in one.given.items() if name in _OPTIONS}
        index = runs.run(file, only=tuple(names), parameters={**parameters, **own}, **{**given, **options})
    except (RunError, SettingsError, TicketDataError) as error:
        return CoverEntry(one.label, tickets, "failed", message=str(error).partition("\n")[0])
    return CoverEntry(
        one.label,
        tickets,
        "ok",
        link=index.relative_to(given["into"].parent).as_posix(),
        results=json.loads((index.parent / "results.json").read_text(encoding="utf-8")),
        notebooks=tuple(notebooks.read(path) for path in sorted(index.parent.glob(notebooks.PATTERN))),
    )


def _values(measures: Measures, by: str) -> tuple[list[_Wanted], int]:
    """Return a report for each value of a cut, and how many tickets have none."""
    cuts = measures.keys[1:]
    if by not in cuts:
        raise SettingsError(
            f"`--for` must be a cut of the settings, not {by!r}.{hint(by, cuts)} Add it to `cuts`."
        )
    sums = measures.frame.groupby(by)["tickets"].sum()
    return [_Wanted(str(v), {by: (str(v),)}, {}) for v in sums.index if v != ""], int(sums.get("", 0))


def _rows(table: Path) -> list[_Wanted]:
    """Return a report for each row of a table."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, restkey="", strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise SettingsError(f"`--table` must be a CSV file in UTF-8, not {table}: {error}.") from None
    wrong = [str(number) for number, row in enumerate(rows, start=2) if "" in row or None in row.values()]
    if wrong or not rows:
        lines = f"; wrong: line {', '.join(wrong)}" if wrong else ""
        raise SettingsError(f"{table} must hold a heading and rows of as many values{lines}. Correct it.")
    return [_wanted(row, number) for number, row in enumerate(rows, start=1)]


def _wanted(row: dict[str, str], number: int) -> _Wanted:
    filled = {name.strip(): value.strip() for name, value in row.items() if value.strip()}
    only: dict[str, tuple[str, ...]] = {
        name: (value,) for name, value in filled.items() if name in columns.CUTS
    }
    given = {name: value for name, value in filled.items() if name not in only}
    return _Wanted(", ".join(filled.values()) or str(number), only, given)


def _holds_both_arms(settings: Settings, measures: Measures) -> bool:
    plan = settings.pilot
    if plan is None:
        return False
    there = set(measures.frame[plan.group])
    return bool(there & set(plan.pilot) and there & set(plan.control))


def _quoted(value: str) -> str:
    """Write a value behind the question mark; letters of any script stay readable."""
    return re.sub(r"[^\w .()-]", lambda sign: quote(sign[0], safe=""), value)
