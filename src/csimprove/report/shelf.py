"""The first page of a project: every run with status, verdict, period, parameters; failed ones apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, get_args

from csimprove import wording
from csimprove.pilot import Verdict
from csimprove.report.blocks import Block, Cell, cell, escaped, heads, phrased, state
from csimprove.report.brand import Brand
from csimprove.report.headers import VERDICT_ICONS
from csimprove.report.pages import NO_BRAND, document_page, link
from csimprove.settings import Language
from csimprove.wording import text

#: Parameters that every notebook has; they have columns of their own.
_SHARED = {"settings", "as_of", "language"}


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a project.

    Parameters
    ----------
    folder
        Its folder, relative to the page; its first page lies in it if it is good.
    manifest
        Its manifest.json.
    files
        Names of its documents.
    """

    folder: str
    manifest: Mapping[str, Any]
    files: tuple[str, ...] = ()


def shelf(
    runs: Sequence[RunRow], *, language: Language, project: str, zone: str, brand: Brand = NO_BRAND
) -> str:
    """Return the first page of a project.

    Parameters
    ----------
    runs
        Every run, newest first.
    language
        ``"en"`` or ``"zh"``.
    project
        Name of the project.
    zone
        Zone of data dates.
    brand
        Whose report it is.

    Returns
    -------
    str
        A page without scripts and without requests.
    """
    good = [one for one in runs if one.manifest["status"] == "ok"]
    failed = [one for one in runs if one.manifest["status"] != "ok"]
    tables = [_good(good, language, zone)] if good else []
    tables += [_failed(failed, language)] if failed else []
    body = f"<h1>{escaped(project)}</h1>" + "".join(table.html for table in tables)
    return document_page(body, language=language, title=project, brand=brand)


def _good(runs: Sequence[RunRow], language: Language, zone: str) -> Block:
    rows = [_row(one, language, zone) for one in runs]
    keys = ("run", "as_of", "period", "verdict", "parameters", "language", "files")
    head = [text(f"shelf.{key}", language) for key in keys]
    return phrased("shelf", head, rows, language, {"n": wording.count(len(rows))}, kind="eval runs")


def _row(one: RunRow, language: Language, zone: str) -> list[Cell | str]:
    about = one.manifest
    outcome = about.get("outcome") or {}
    period, verdict = outcome.get("period"), str(outcome.get("verdict"))
    days = [date.fromisoformat(day) for day in period] if period else []
    given = {
        f"{name}={value}"
        for entry in about["notebooks"]
        for name, value in entry["parameters"].items()
        if name not in _SHARED and value is not None
    }
    links = [link(f"{one.folder}/{name}", name.rpartition(".")[2]).html for name in one.files]
    return [
        link(f"{one.folder}/index.html", about["started"].replace("T", " ")),
        wording.moment_text(datetime.fromisoformat(about["as_of"]), zone, language),
        wording.period_text(days[0], days[1], language) if days else wording.NO_NUMBER,
        state(VERDICT_ICONS[verdict], wording.verdict_word(verdict, language))
        if verdict in get_args(Verdict)
        else cell(wording.NO_NUMBER),
        wording.joined(sorted(given), language) or wording.NO_NUMBER,
        text(f"language.{about['language']}", language),
        Cell(" ".join(links), " ".join(one.files)) if links else cell(wording.NO_NUMBER),
    ]


def _failed(runs: Sequence[RunRow], language: Language) -> Block:
    rows: list[list[Cell | str]] = [
        [
            link(f"{one.folder}/manifest.json", one.manifest["started"].replace("T", " ")),
            str((one.manifest.get("failure") or {}).get("notebook", wording.NO_NUMBER)),
            str((one.manifest.get("failure") or {}).get("reason", wording.NO_NUMBER)),
        ]
        for one in runs
    ]
    head = [text("shelf.run", language), *heads(("reason",), language)]
    head.insert(1, text("index.notebook", language))
    return phrased("shelf.failed", head, rows, language, {"n": wording.count(len(rows))}, kind="runs")
