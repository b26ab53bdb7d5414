"""The cover of a batch: one row a report, with its tickets, finding and key figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from csimprove import wording
from csimprove.report import pages
from csimprove.report.blocks import Cell, escaped, noted, state, table, terms
from csimprove.report.brand import Brand
from csimprove.settings import Language
from csimprove.wording import text

#: Indicators that the cover shows.
SHOWN = 4


@dataclass(frozen=True, slots=True)
class CoverEntry:
    """One report of a batch.

    Parameters
    ----------
    label
        Value or row that it is about.
    tickets
        How many tickets have that value.
    status
        ``"ok"``, ``"failed"`` or ``"too_few"``: no report was made.
    link
        Its first page, relative to the cover.
    results
        Its results.json.
    notebooks
        Its executed notebooks, from which the finding is taken.
    message
        Why it failed.
    """

    label: str
    tickets: int
    status: Literal["ok", "failed", "too_few"]
    link: str | None = None
    results: Mapping[str, Any] | None = None
    notebooks: Sequence[Mapping[str, Any]] = ()
    message: str = ""


def cover(
    entries: Sequence[CoverEntry],
    *,
    language: Language,
    project: str,
    by: str,
    as_of: datetime,
    zone: str,
    few: int,
    blank: int = 0,
    pilot: bool = False,
    brand: Brand = pages.NO_BRAND,
) -> str:
    """Return the first page of a batch.

    Parameters
    ----------
    entries
        The reports, in order; those that could not be made too.
    language
        ``"en"`` or ``"zh"``.
    project
        Name of the project.
    by
        Name of the column, or of the table, that makes the reports.
    as_of, zone
        Data date.
    few
        Fewest tickets of a report.
    blank
        Tickets that have no value of the column.
    pilot
        Whether the settings hold a pilot.
    brand
        Whose reports they are.

    Returns
    -------
    str
        A page without scripts and without requests.
    """
    made = [entry for entry in entries if entry.status == "ok"]
    shown = list({row["metric"]: row for entry in made for row in _indicators(entry)}.values())[:SHOWN]
    head = [
        wording.capital(by),
        text("batch.tickets", language),
        text("batch.finding", language),
        *(wording.metric_name(row["metric"], language, variant=row["variant"]) for row in shown),
    ]
    rows = [
        [
            Cell(escaped(entry.label), entry.label),
            wording.count(entry.tickets),
            _outcome(entry, language, few=few),
            *(_figure(entry, row["metric"], language) for row in shown),
        ]
        for entry in entries
    ]
    words = {"ready": str(len(made)), "all": str(len(entries)), "by": by}
    judged = [entry for entry in made if "pilot" in (entry.results or {}).get("results", {})]
    below = [text("batch.caption", language)]
    if blank:
        below.append(text("batch.blank", language, count=wording.count(blank)))
    if pilot and len(judged) < len(made):
        below.append(text("batch.no_pilot", language))
    listed = table(
        title=text("batch.table", language),
        head=head,
        rows=rows,
        language=language,
        caption={"en": " ", "zh": ""}[language].join(below),
        kind="eval runs",
        numeric=[1, *range(3, len(head))],
    )
    told = {wording.period_text(*period, language): None for entry in made if (period := _period(entry))}
    facts = [(text("fact.period", language), period) for period in told]
    facts.append((text("fact.as_of", language), wording.moment_text(as_of, zone, language)))
    top, _ = terms(facts, "meta")
    body = (
        f'<header class="top"><p class="kicker"><b>{escaped(project)}</b></p>{top}</header>'
        f"<h1>{escaped(text('batch.title', language, **words))}</h1>{listed.html}"
    )
    return pages.document_page(body, language=language, title=project, brand=brand)


def _outcome(entry: CoverEntry, language: Language, *, few: int) -> Cell:
    """Say what came of a report and link it: verdict and finding, else why there is none."""
    if entry.status == "too_few":
        return state("open", text("batch.too_few", language, few=str(few)))
    if entry.status == "failed":
        return state("bad", text("batch.failed", language, reason=entry.message))
    finding = next(filter(None, map(pages.finding, entry.notebooks)), text("batch.no_finding", language))
    pilot = (entry.results or {}).get("results", {}).get("pilot")
    if pilot:
        verdict = text(f"verdict.{pilot['verdict']}", language)
        judged = next((pages.finding(one) for one in entry.notebooks if pages.judges(one)), finding)
        finding = f"{verdict}{'：' if language == 'zh' else ': '}{judged}"
    return pages.link(entry.link, finding)


def _figure(entry: CoverEntry, metric: str, language: Language) -> Cell | str:
    row = next((one for one in _indicators(entry) if one["metric"] == metric), None)
    if row is None or not row["denominator"]:
        return wording.NO_NUMBER
    span = wording.interval(row["ci_low"], row["ci_high"], row["unit"], language)
    n = text("chart.tickets", language, count=wording.count(row["denominator"]))
    return noted(wording.level(row["value"], row["unit"], language), span, n, strong=True)


def _period(entry: CoverEntry) -> tuple[date, date] | None:
    """Return the first and last day of the key figures."""
    result = _source(entry)
    return (date.fromisoformat(result["first"]), date.fromisoformat(result["last"])) if result else None


def _indicators(entry: CoverEntry) -> list[dict[str, Any]]:
    """Return the key figures: of the baseline, else of the regular report."""
    return list(_source(entry).get("metrics", ()))


def _source(entry: CoverEntry) -> Mapping[str, Any]:
    results = (entry.results or {}).get("results", {})
    return results.get("baseline") or results.get("monitoring") or {}
