"""The documents of a published run: its pages read once, then written in every format asked for."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from csimprove.errors import RunError, SettingsError
from csimprove.playbook import notebooks, pages, runs, unchanged
from csimprove.playbook.notebooks import Notebook
from csimprove.report import Brand, brand_of, documents
from csimprove.settings import Settings, read_settings


@dataclass(frozen=True, slots=True)
class Written:
    """A document: format, file, seconds that writing it took."""

    format: str
    path: Path
    seconds: float


def write_documents(
    run: str | Path, *, formats: tuple[str, ...], template: str | Path | None = None, quiet: bool = False
) -> list[Written]:
    """Write the documents of a published run into its folder.

    Parameters
    ----------
    run
        Folder of a good run, or its first page.
    formats
        Some of ``html`` (the pages anew, in the brand that the settings have now), ``pdf``, ``docx``,
        ``pptx``, ``xlsx``.
    template
        A client's .pptx.
    quiet
        Do not tell on stderr where it stands.

    Returns
    -------
    list of Written
        In the order asked.

    Raises
    ------
    SettingsError
        If the folder is no good run, or the template is none.
    RunError
        If a document could not be written; the others are, and an older one of that format is untouched.
    """
    folder = Path(run).parent if Path(run).suffix == ".html" else Path(run)
    manifest, settings = _good_run(folder)
    if template is not None and (Path(template).suffix.lower() != ".pptx" or not Path(template).is_file()):
        raise SettingsError(f"`--template` must be a .pptx file, not {template}.")
    clock = time.monotonic()
    made: list[Written] = []
    if "html" in formats:
        _write_html(folder, manifest, settings)
        made.append(_said("html", folder / unchanged.INDEX, clock, quiet))
    rest = [one for one in formats if one != "html"]
    if not rest:
        return made
    document = _document(folder, manifest, brand_of(settings) if settings else Brand())
    failures = []
    for name in rest:
        clock = time.monotonic()
        given = Path(template) if template is not None else None
        try:
            path = documents.write_document(document, folder, name, template=given)
        except RunError as error:
            failures.append(str(error))
        else:
            made.append(_said(name, path, clock, quiet))
    if settings:
        pages.write_shelf(settings)
    if failures:
        raise RunError(documents.told(failures, folder))
    return made


def _said(name: str, path: Path, clock: float, quiet: bool) -> Written:
    seconds = time.monotonic() - clock
    runs.say(f"{name} {path.name}", seconds, quiet=quiet)
    return Written(name, path, round(seconds, 3))


def _good_run(folder: Path) -> tuple[dict[str, Any], Settings | None]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        manifest = {}
    if manifest.get("status") != "ok":
        raise SettingsError(
            f"`run` must be the folder of a good run, with its manifest.json, not {folder}. "
            "Give one below the reports folder."
        )
    path = folder / manifest["settings"]["file"]
    return manifest, read_settings(path) if path.is_file() else None


def _document(folder: Path, manifest: dict[str, Any], brand: Brand) -> documents.Document:
    """Read every page of a run once."""
    sections = []
    for entry in manifest["notebooks"]:
        name = entry["name"]
        page = (folder / f"{name}.html").read_text(encoding="utf-8")
        content = notebooks.read(folder / f"{name}.ipynb")
        sections.append(documents.read_section(name, page, documents.pictures(content)))
    index = (folder / unchanged.INDEX).read_text(encoding="utf-8")
    about = {"project": manifest["project"], "language": manifest["language"]}
    return documents.read_run(index, sections, brand=brand, **about)


def _write_html(folder: Path, manifest: dict[str, Any], settings: Settings | None) -> None:
    """Make the pages anew from the executed notebooks, and put them in place when all are good."""
    if settings is None:
        raise SettingsError(f"the settings of {folder} are not found; the notes and the brand stand there.")
    jobs = [_job(folder, entry, settings, manifest) for entry in manifest["notebooks"]]
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as place:
        part = Path(place)
        pages.write_pages(part, jobs, manifest, zone=settings.calendar.zone, brand=brand_of(settings))
        for path in part.iterdir():
            path.replace(folder / path.name)
        for entry in manifest["notebooks"]:  # a later run takes only what is as the manifest says
            entry["files"] = unchanged.made(folder, entry["name"])
        runs.write_json(part / "manifest.json", manifest)
        (part / "manifest.json").replace(folder / "manifest.json")


def _job(folder: Path, entry: dict[str, Any], settings: Settings, manifest: dict[str, Any]) -> Notebook:
    name = entry["name"]
    job = Notebook(
        name, folder, entry["from"], entry["differs_from_package"], notebooks.read(folder / f"{name}.ipynb")
    )
    job.values, job.seconds = entry["parameters"], entry["seconds"]
    job.notes = pages.read_notes(settings, name, manifest["language"])
    return job
