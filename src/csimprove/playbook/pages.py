"""The documents of a run: one page a notebook with the notes of people, and the run's first page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat

from csimprove import report
from csimprove.playbook import notebooks
from csimprove.report import Note
from csimprove.settings import Language, Settings
from csimprove.wording import text

#: Folder of the notes, beside the settings.
FOLDER = "notes"

#: Name of a run's first page.
INDEX = "index.html"

#: Digits of a hash and of a time of day that a reader compares.
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """One executed notebook as its page needs it.

    Parameters
    ----------
    name
        File name without its ending.
    notebook
        Executed and tidied.
    seconds
        How long it ran.
    parameters
        Name = value.
    notes
        Words of people about it.
    """

    name: str
    notebook: nbformat.NotebookNode
    seconds: float
    parameters: Mapping[str, Any]
    notes: tuple[Note, ...]


def read_notes(settings: Settings, name: str, language: Language) -> tuple[Note, ...]:
    """Return the notes on a notebook in one language; none is the usual case.

    Raises
    ------
    SettingsError
        If the file is there but is not as it should be.
    """
    path = settings.folder / FOLDER / f"{name}.{language}.md"
    if not path.is_file():
        return ()
    return report.parse_notes(path.read_text(encoding="utf-8"), source=f"{FOLDER}/{path.name}")


def write_pages(
    folder: Path, shown: list[Shown], manifest: Mapping[str, Any], *, language: Language, zone: str
) -> None:
    """Write a page for each notebook and the first page of the run.

    Parameters
    ----------
    folder
        Folder of the run.
    shown
        The executed notebooks, in order.
    manifest
        The run's manifest, which the foot of each page quotes.
    language
        Language of the pages.
    zone
        Zone of the data date.
    """
    as_of = datetime.fromisoformat(manifest["as_of"])
    settings = manifest["settings"]
    facts = [
        (
            text("provenance.run", language),
            f"{manifest['started'].replace('T', ' ')}, csimprove {manifest['versions']['csimprove']}",
        ),
        (
            text("provenance.settings", language),
            f"{Path(settings['file']).name}, SHA-256 {settings['sha256'][:_SHOWN]}",
        ),
    ]
    for one in shown:
        page = report.page(
            one.notebook,
            language=language,
            title=notebooks.title(one.notebook, one.name),
            project=manifest["project"],
            as_of=as_of,
            zone=zone,
            parameters=one.parameters,
            notes=one.notes,
            facts=facts,
            index=INDEX,
        )
        (folder / f"{one.name}.html").write_text(page, encoding="utf-8")
    entries = [
        report.RunEntry(
            name=one.name,
            title=notebooks.title(one.notebook, one.name),
            page=f"{one.name}.html",
            notebook=one.notebook,
            seconds=one.seconds,
        )
        for one in shown
    ]
    files = [(text(f"index.{name}", language), f"{name}.json") for name in ("manifest", "results")]
    first = report.index(
        entries,
        language=language,
        project=manifest["project"],
        as_of=as_of,
        zone=zone,
        facts=facts,
        files=[*files, *((f"{one.name}.ipynb", f"{one.name}.ipynb") for one in shown)],
    )
    (folder / INDEX).write_text(first, encoding="utf-8")
