"""What need not run again: the key of a notebook, and earlier runs that hold what it made.

A key covers all that a notebook can read: its cells and parameters, the settings and every file they name
(data, pauses, surveys, PDCA actions, coding sheets, logos), plan lock and notes, the moment, the language,
this package's files, and every installed library with its version. A change of any part means that it is
executed again.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any

import csimprove
from csimprove.playbook import notebooks
from csimprove.playbook.notebooks import Notebook
from csimprove.settings import Settings

#: Name of a run's first page.
INDEX = "index.html"

#: Folder of the notes, beside the settings.
NOTES = "notes"

#: Files of the package that are neither code nor data.
_NOT_READ = {"__pycache__", "notebooks"}


@dataclass(frozen=True, slots=True)
class Earlier:
    """A good run that holds what a notebook made.

    Parameters
    ----------
    folder
        Folder of the run.
    manifest
        Its manifest.
    entry
        What that says of the notebook.
    """

    folder: Path
    manifest: Mapping[str, Any]
    entry: Mapping[str, Any]

    @property
    def executed_in(self) -> str:
        """Name of the run in which the notebook was executed."""
        return str(self.entry.get("unchanged_from") or self.folder.name)


def keys(jobs: Sequence[Notebook], settings: Settings, *, as_of: object, language: str) -> dict[str, str]:
    """Return name of a notebook = hash of all that decides what it makes.

    Parameters
    ----------
    jobs
        The notebooks in the language of the run, with their values.
    settings
        The project's settings.
    as_of
        Moment as it was asked for.
    language
        Language of the run.
    """
    # some settings are no line of a file: what a run is restricted to
    told = json.dumps(settings.model_dump(mode="json", exclude={"file"}), sort_keys=True)
    shared = [str(as_of), language, told, *_libraries(), *_files(_package()), *_files(_inputs(settings))]
    found = {}
    for job in jobs:
        note = settings.folder / NOTES / f"{job.name}.{language}.md"
        cells = [[cell.cell_type, cell.source, notebooks.tags(cell)] for cell in job.content.cells]
        own = [job.name, job.origin, cells, job.content.metadata.get("csimprove"), job.parameters]
        facts = [json.dumps(own, default=str), *_files([note] if note.is_file() else []), *shared]
        found[job.name] = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    return found


def earlier(reports: Path, wanted: Mapping[str, str]) -> dict[str, Earlier]:
    """Return name of a notebook = latest good run with the same key, its files still as they were made."""
    found: dict[str, Earlier] = {}
    for folder in sorted(reports.glob("[0-9]*"), key=lambda run: run.name, reverse=True):
        manifest = _manifest(folder)
        for entry in manifest.get("notebooks", ()) if manifest.get("status") == "ok" else ():
            name = entry["name"]
            same = name not in found and "key" in entry and wanted.get(name) == entry["key"]
            if same and made(folder, name) == entry.get("files"):
                found[name] = Earlier(folder, manifest, entry)
        if len(found) == len(wanted):
            break
    return found


def whole(found: Mapping[str, Earlier], jobs: Sequence[Notebook]) -> Path | None:
    """Return the folder of the run that is just what is asked for, if there is one."""
    names = [job.name for job in jobs]
    folders = {found[name].folder if name in found else None for name in names}
    folder = folders.pop() if len(folders) == 1 else None
    if folder is None or [entry["name"] for entry in found[names[0]].manifest["notebooks"]] != names:
        return None
    return folder if (folder / INDEX).is_file() and (folder / "results.json").is_file() else None


def made(folder: Path, name: str) -> dict[str, str]:
    """Return file = hash of what a notebook left in the folder of a run: its executed copy and its page."""
    paths = [folder / f"{name}.ipynb", folder / f"{name}.html"]
    return {path.name: _digest(path) for path in paths if path.is_file()}


def take(found: Mapping[str, Earlier], part: Path) -> None:
    """Copy executed notebooks and pages of earlier runs into the folder of this one."""
    for name, run in found.items():
        for file in made(run.folder, name):
            shutil.copyfile(run.folder / file, part / file)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _libraries() -> Iterator[str]:
    yield f"{platform.python_version()} {platform.machine()} {sys.platform}"
    for place in sorted(set(sys.path)):
        if Path(place).is_dir():
            yield from sorted(path.name for path in Path(place).glob("*.dist-info"))


def _package() -> Iterator[Path]:
    home = Path(csimprove.__file__).parent
    for path in sorted(home.rglob("*")):
        if path.is_file() and not _NOT_READ & set(path.relative_to(home).parts):
            yield path


def _inputs(settings: Settings) -> Iterator[Path]:
    """Yield settings and lock, and every file that a text of the settings names."""
    yield from sorted(settings.folder.glob("*.toml"))
    reports = (settings.folder / settings.report.folder).resolve()
    for text in sorted(set(_texts(settings.model_dump(mode="json", exclude={"file"})))):
        for path in _named(settings.folder, text):
            # neither what runs write nor a folder that holds the project itself
            if path != reports and path not in reports.parents and path not in settings.folder.parents:
                yield from sorted(path.rglob("*")) if path.is_dir() else [path]


def _named(folder: Path, text: str) -> list[Path]:
    if not text.strip(". ") or len(text) > 1000 or "\n" in text or "\0" in text:
        return []
    try:
        path = (folder / text).resolve()
        # Path.glob takes no absolute pattern
        found = [str(path)] if path.exists() else sorted(glob(str(folder / text), recursive=True))  # noqa: PTH207
    except (OSError, ValueError):
        return []  # no path
    return [Path(name) for name in found]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _files(paths: Iterable[Path]) -> list[str]:
    return [f"{path} {_digest(path)}" for path in dict.fromkeys(paths) if path.is_file()]


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"  # reading it says why
