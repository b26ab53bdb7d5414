"""The documents of a run: one page a notebook with the notes of people, and the run's first page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from csimprove import report
from csimprove.playbook import notebooks
from csimprove.playbook.notebooks import Notebook
from csimprove.playbook.unchanged import INDEX, NOTES
from csimprove.report import Note
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


def write_pages(folder: Path, jobs: list[Notebook], manifest: Mapping[str, Any], *, zone: str) -> None:
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
