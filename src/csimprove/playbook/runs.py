"""Runs: executed into a hidden folder, published by one rename; the last good run is never touched."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csimprove.errors import RunError
from csimprove.playbook import kernels, notebooks, unchanged
from csimprove.playbook.execution import INJECTED, TIMEOUT, WORKERS, execute_all
from csimprove.playbook.notebooks import CellFailure, Notebook
from csimprove.playbook.parameters import checked, declared
from csimprove.playbook.unchanged import INDEX, Earlier
from csimprove.settings import Language, Settings, read_settings

if TYPE_CHECKING:
    from csimprove.metrics import Measures

#: Version of results.json and manifest.json: it grows with additions, which never change what is there.
SCHEMA = 1

#: Folder, beside the good runs, of those that failed.
FAILED = "failed"

#: Packages whose versions may change a figure or a picture.
VERSIONS = ("csimprove", "pandas", "numpy", "scipy", "duckdb", "narwhals", "pyarrow", "matplotlib")


def run(
    settings_file: str | Path,
    *,
    only: tuple[str, ...] = (),
    parameters: Mapping[str, Any] | None = None,
    as_of: date | datetime | str | None = None,
    language: Language | None = None,
    quiet: bool = False,
    timeout: float = TIMEOUT,
    workers: int = WORKERS,
    isolated: bool = False,
    force: bool = False,
    into: Path | None = None,
) -> Path:
    """Run the playbook and publish its report; what has not changed is taken from earlier good runs.

    Parameters
    ----------
    settings_file
        The project's playbook.toml.
    only
        Numbers or names of notebooks; none: all that the settings allow.
    parameters
        Values by name; text is converted to the declared type.
    as_of
        Moment of the snapshot; by default the latest time stamp in the source.
    language
        Language of the report; by default the settings'.
    quiet
        Do not tell on stderr where the run stands.
    timeout
        Seconds that one cell may take.
    workers
        Notebooks that run at a time.
    isolated
        Start every kernel anew. By default kernels are forked from a process that has the libraries
        imported, on systems that can.
    force
        Execute every notebook, changed or not.
    into
        Folder of the runs; by default the project's among the reports.

    Returns
    -------
    pathlib.Path
        The report's first page, in the folder of the run: of an earlier one if nothing has changed since.

    Raises
    ------
    SettingsError
        If settings, a parameter or an option is wrong; no kernel has been started.
    TicketDataError
        If the data cannot be used.
    RunError
        If a notebook failed or the report could not be written; the last good run is untouched.
    """
    started, clock = datetime.now(), time.monotonic()
    settings = read_settings(settings_file)
    reports = into or settings.reports
    spoken = language or settings.language
    jobs = notebooks.chosen(settings, only)
    values = checked(parameters or {}, {job.name: declared(job.content) for job in jobs})
    for job in jobs:
        job.content = notebooks.in_language(job.content, spoken)
        job.values = {**values[job.name], "language": spoken}
    keys = unchanged.keys(jobs, settings, as_of=as_of, language=spoken)
    found = {} if force else unchanged.earlier(reports, keys)
    if before := unchanged.whole(found, jobs):
        say(f"nothing has changed since {before.name}", time.monotonic() - clock, quiet=quiet)
        return before / INDEX
    isolated |= len(found) == len(jobs)  # nothing will be forked
    with kernels.server(isolated=isolated), workplace(reports, started) as part:
        # the libraries of figures and pages: a run with nothing to do has not waited for them
        from csimprove import metrics, pdca, report  # noqa: PLC0415
        from csimprove.playbook import pages  # noqa: PLC0415

        for job in jobs:
            job.notes = pages.read_notes(settings, job.name, spoken)
        measures = metrics.load_measures(settings, as_of=as_of)
        say(f"measures of {measures.reading.used:,} tickets", time.monotonic() - clock, quiet=quiet)
        # without a moment the notebooks take the latest one, too: the measures stored just now
        moment = as_of and measures.as_of.isoformat()
        query = "".join(str(settings_file).partition("?")[1:])
        shared = {"settings": f"{settings.file.resolve()}{query}", "as_of": moment, "language": spoken}
        for job in jobs:
            job.values = {name: shared.get(name, value) for name, value in values[job.name].items()}
        _take(jobs, found, part)
        failures = execute_all(
            jobs, timeout=timeout, workers=workers, isolated=isolated, told=told(jobs, quiet=quiet)
        )
        home = reports / FAILED if failures else reports
        # as the run's folder will see it
        there = f"{Path(os.path.relpath(settings.file.resolve(), home / 'run')).as_posix()}{query}"
        manifest = {
            **_manifest(jobs, failures, settings=settings, measures=measures),
            "language": spoken,
            "outcome": report.outcome(job.content for job in jobs if _status(job) != "not_run"),
            "settings": {"file": there, "sha256": sha256(settings.file)},
            "register": pdca.register_hash(settings),
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 3),
        }
        _deliver(jobs, part, settings=there)
        if failures:
            write_json(part / "manifest.json", manifest)
            kept = _publish(part, home, started)
            listed = "\n".join(map(str, failures))
            message = f"{listed}\nThe failed run is kept in {kept}; {last_good(reports)}."
            pages.write_shelf(settings)
            raise RunError(message, folder=kept)
        write_json(part / "results.json", results(jobs, settings, measures.as_of))
        pages.write_pages(part, jobs, manifest, zone=measures.zone, brand=report.brand_of(settings))
        for entry in manifest["notebooks"]:
            entry |= {"key": keys[entry["name"]], "files": unchanged.made(part, entry["name"])}
        write_json(part / "manifest.json", manifest)
        folder = _publish(part, home, started)
        pages.write_shelf(settings)
        return folder / INDEX


def told(jobs: list[Notebook], *, quiet: bool) -> Callable[[Notebook], None]:
    """Return what says on stderr that a notebook has run, with its number and seconds."""
    numbers = count(1)

    def tell(job: Notebook) -> None:
        state = "failed" if job.failure else "done"
        if job.unchanged_from:
            state = f"unchanged since {job.unchanged_from}"
        say(f"{next(numbers)}/{len(jobs)} {job.name} {state}", job.seconds or 0, quiet=quiet)

    return tell


def results(jobs: list[Notebook], settings: Settings, as_of: datetime) -> dict[str, Any]:
    """Collect what the executed notebooks handed over, as results.json holds it."""
    cells = (cell for job in jobs for cell in job.content.cells)
    outputs = (output.get("data", {}) for cell in cells for output in cell.get("outputs", ()))
    from csimprove.report.cells import RESULT  # noqa: PLC0415  (with it come the libraries of reports)

    found = {data[RESULT]["name"]: data[RESULT]["result"] for data in outputs if RESULT in data}
    return {"schema": SCHEMA, "project": settings.title, "as_of": as_of.isoformat(), "results": found}


@contextmanager
def workplace(reports: Path, started: datetime) -> Iterator[Path]:
    """Give a hidden folder beside the runs; what is left of it at the end is removed."""
    part = reports / f".part-{stamp(started)}-{os.getpid()}"
    try:
        part.mkdir(parents=True)
    except OSError as error:
        raise RunError(
            f"the reports folder must be one that can be written to, not {reports}: "
            f"{error.strerror or error}. Set `folder` in [report]."
        ) from None
    try:
        yield part
    except OSError as error:
        raise RunError(
            f"the run could not be written to {reports}: {error.strerror or error}. "
            f"Nothing was published; {last_good(reports)}. Make room and run again."
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def last_good(reports: Path) -> str:
    """Say which good run stands."""
    runs = sorted(path.name for path in reports.glob("[0-9]*") if (path / "manifest.json").is_file())
    return f"the last good run, {runs[-1]}, is untouched" if runs else "there is no earlier good run"


def stamp(moment: datetime) -> str:
    """Name of a run that started at a local moment."""
    return f"{moment:%Y%m%d-%H%M%S}"


def say(text: str, seconds: float, *, quiet: bool) -> None:
    """Write a line about a step to stderr."""
    if not quiet:
        print(f"{text} ({seconds:.1f} s)", file=sys.stderr, flush=True)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write strict JSON, readable and in UTF-8."""
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that figures depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}}


def _manifest(
    jobs: list[Notebook], failures: list[CellFailure], *, settings: Settings, measures: Measures
) -> dict[str, Any]:
    """Say what was run on what, and how it ended: the only truth about a run's status."""
    reading = measures.reading
    source = {"file": reading.source, "sha256": reading.sha256, "rows": reading.rows, "used": reading.used}
    return {
        "schema": SCHEMA,
        "status": "failed" if failures else "ok",
        "failure": asdict(failures[0]) if failures else None,
        "project": settings.title,
        "as_of": measures.as_of.isoformat(),
        "source": source,
        "measures": measures.key,
        "versions": versions(),
        "notebooks": [
            {
                "name": job.name,
                "status": _status(job),
                "seconds": job.seconds and round(job.seconds, 3),
                "cell_seconds": round(job.cell_seconds, 3),
                "from": job.origin,
                "differs_from_package": job.differs,
                "parameters": job.parameters,
                **({"unchanged_from": job.unchanged_from} if job.unchanged_from else {}),
            }
            for job in jobs
        ],
    }


def _status(job: Notebook) -> str:
    if job.unchanged_from:
        return "unchanged"
    return "not_run" if job.seconds is None else "failed" if job.failure else "ok"


def _take(jobs: list[Notebook], found: Mapping[str, Earlier], part: Path) -> None:
    """Take what has not changed, executed notebooks and pages, from the runs that hold it."""
    unchanged.take(found, part)
    for job in jobs:
        if job.name in found:
            job.content = notebooks.read(part / f"{job.name}.ipynb")
            job.unchanged_from = found[job.name].executed_in


def _deliver(jobs: list[Notebook], part: Path, *, settings: str) -> None:
    """Write the executed notebooks so that they run again from where they will lie.

    What papermill noted (paths, times) is taken out, and its cell of parameters is written anew.
    """
    for job in jobs:
        if job.seconds is None:  # not run, or taken as it is
            continue
        values = {name: settings if name == "settings" else value for name, value in job.values.items()}
        lines = ["# Parameters of this run", *(f"{name} = {value!r}" for name, value in values.items())]
        for cell in notebooks.plain(job.content).cells:
            if INJECTED in notebooks.tags(cell):
                cell.source = "\n".join(lines)
        (part / f"{job.name}.ipynb").write_text(notebooks.text(job.content), encoding="utf-8")


def _publish(part: Path, home: Path, started: datetime) -> Path:
    """Rename the finished folder to the first free name of its second."""
    home.mkdir(parents=True, exist_ok=True)
    folder, number = home / stamp(started), 1
    while folder.exists():
        number += 1
        folder = home / f"{stamp(started)}-{number}"
    # onto a run that has just come to be, and is never empty, the rename fails
    return part.replace(folder)
