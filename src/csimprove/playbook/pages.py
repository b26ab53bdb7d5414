"""The documents of a run: one page a notebook with the notes of people, and the run's first page."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from csimprove import report
from csimprove.playbook import notebooks
from csimprove.playbook.notebooks import Notebook
from csimprove.playbook.unchanged import INDEX, NOTES
from csimprove.report import Brand, Note, documents
from csimprove.settings import Language, Settings
from csimprove.wording import text

#: Digits of a hash and of a time of day that a reader compares.
_SHOWN = 8


def read_notes(settings: Settings, name: str, language: Language) -> tuple[Note, ...]:
    """Return the notes on a notebook in one language; none is the usual case.

    Raises
    ------
    SettingsError
        If the file is there but is not as it should be.
    """
    path = settings.folder / NOTES / f"{name}.{language}.md"
    if not path.is_file():
        return ()
    return report.parse_notes(path.read_text(encoding="utf-8"), source=f"{NOTES}/{path.name}")


def write_shelf(settings: Settings) -> Path | None:
    """Write the first page of the project anew: every run there is, good or failed.

    Parameters
    ----------
    settings
        Of the project.

    Returns
    -------
    pathlib.Path or None
        The page, put in place in one step; ``None`` if there is no run.
    """
    home = settings.reports
    found = [*home.glob("[0-9]*/manifest.json"), *home.glob("failed/[0-9]*/manifest.json")]
    rows = []
    for path in sorted(found, key=lambda one: one.parent.name, reverse=True):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a run that is being taken away
        if "status" not in manifest:
            continue
        files = sorted(one.name for one in path.parent.glob(f"{documents.NAME}.*"))
        rows.append(report.RunRow(path.parent.relative_to(home).as_posix(), manifest, tuple(files)))
    if not rows:
        return None
    made = report.shelf(
        rows,
        language=settings.language,
        project=settings.project,
        zone=settings.calendar.zone,
        brand=report.brand_of(settings),
    )
    part = home / f".{INDEX}.{os.getpid()}"
    part.write_text(made, encoding="utf-8")
    return part.replace(home / INDEX)


def write_pages(
    folder: Path,
    jobs: list[Notebook],
    manifest: Mapping[str, Any],
    *,
    zone: str,
    brand: Brand,
) -> None:
    """Write a page for each notebook and the first page of the run.

    Parameters
    ----------
    folder
        Folder of the run.
    jobs
        The notebooks of a good run, in order.
    manifest
        The run's manifest, which the foot of each page quotes.
    zone
        Zone of the data date.
    brand
        Whose report it is.
    """
    language, settings = manifest["language"], manifest["settings"]
    started = f"{manifest['started'].replace('T', ' ')}, csimprove {manifest['versions']['csimprove']}"
    source = f"{Path(settings['file']).name}, SHA-256 {settings['sha256'][:_SHOWN]}"
    facts = [(text("provenance.run", language), started), (text("provenance.settings", language), source)]
    shared: dict[str, Any] = {
        "language": language,
        "project": manifest["project"],
        "as_of": datetime.fromisoformat(manifest["as_of"]),
        "zone": zone,
        "facts": facts,
        "brand": brand,
    }
    entries = []
    for job in jobs:
        title, name = notebooks.title(job.content, job.name), f"{job.name}.html"
        page = report.page(
            job.content, title=title, parameters=job.parameters, notes=job.notes, index=INDEX, **shared
        )
        if not job.unchanged_from:  # else it is there
            (folder / name).write_text(page, encoding="utf-8")
        entries.append(
            report.RunEntry(
                job.name,
                title,
                "unchanged" if job.unchanged_from else "ok",
                name,
                job.content,
                seconds=job.seconds,
                parameters=job.parameters,
            )
        )
    files = [(text(f"index.{name}", language), f"{name}.json") for name in ("manifest", "results")]
    files += [(f"{job.name}.ipynb", f"{job.name}.ipynb") for job in jobs]
    (folder / INDEX).write_text(report.index(entries, files=files, **shared), encoding="utf-8")
