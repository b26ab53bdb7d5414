"""The documents of a run: one page a notebook with the notes of people, and the run's first page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from csimprove import report
from csimprove.playbook import notebooks
from csimprove.playbook.execution import Job
from csimprove.report import Note
from csimprove.settings import Language, Settings
from csimprove.wording import text

#: Folder of the notes, beside the settings.
FOLDER = "notes"

#: Name of a run's first page.
INDEX = "index.html"

#: Digits of a hash and of a time of day that a reader compares.
_SHOWN = 8


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
    folder: Path, jobs: list[Job], manifest: Mapping[str, Any], *, language: Language, zone: str
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
    shared: dict[str, Any] = {"language": language, "as_of": as_of, "zone": zone}
    entries = []
    for job in jobs:
        assert job.executed is not None  # each has run
        notebook, title = job.executed.notebook, notebooks.title(job.notebook, job.name)
        page = report.page(
            notebook,
            title=title,
            project=manifest["project"],
            parameters=job.parameters,
            notes=job.notes,
            facts=facts,
            index=INDEX,
            **shared,
        )
        (folder / f"{job.name}.html").write_text(page, encoding="utf-8")
        entries.append(
            report.RunEntry(
                job.name,
                title,
                page=f"{job.name}.html",
                notebook=notebook,
                seconds=job.executed.seconds,
                parameters=job.parameters,
            )
        )
    files = [(text(f"index.{name}", language), f"{name}.json") for name in ("manifest", "results")]
    first = report.index(
        entries,
        project=manifest["project"],
        facts=facts,
        files=[*files, *((f"{job.name}.ipynb", f"{job.name}.ipynb") for job in jobs)],
        **shared,
    )
    (folder / INDEX).write_text(first, encoding="utf-8")
