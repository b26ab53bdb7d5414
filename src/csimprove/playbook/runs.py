"""Runs: executed into a hidden folder, published by one rename; the last good run is never touched."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

from csimprove import metrics
from csimprove.errors import RunError, SettingsError
from csimprove.playbook import notebooks, pages
from csimprove.playbook.execution import CellFailure, Job, execute, tidied
from csimprove.playbook.parameters import checked, declared
from csimprove.report import Note
from csimprove.report.cells import RESULT
from csimprove.settings import Language, Settings, read_settings

Progress = Literal["bar", "lines", "quiet"]

#: Version of results.json and manifest.json: it grows with additions, which never change what is there.
SCHEMA = 1

#: Folder, beside the good runs, of those that failed.
FAILED = "failed"

#: Packages whose versions may change a figure or a picture.
VERSIONS = (
    "csimprove",
    "pandas",
    "numpy",
    "scipy",
    "duckdb",
    "narwhals",
    "pyarrow",
    "matplotlib",
    "papermill",
)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A published run.

    Parameters
    ----------
    folder
        Folder of the run.
    index
        Its first page.
    notebooks
        Names of the notebooks that ran.
    seconds
        Wall-clock time.
    """

    folder: Path
    index: Path
    notebooks: tuple[str, ...]
    seconds: float


def run(
    settings_file: str | Path,
    *,
    only: tuple[str, ...] = (),
    parameters: Mapping[str, Any] | None = None,
    as_of: date | datetime | str | None = None,
    language: Language | None = None,
    progress: Progress = "lines",
    timeout: float = 600,
) -> RunOutcome:
    """Run the playbook and publish its report.

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
    progress
        Where the run stands, on stderr: a bar, plain lines, or nothing.
    timeout
        Seconds that one cell may take.

    Returns
    -------
    RunOutcome
        Where the report is.

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
    spoken = _language(language or settings.language)
    chosen = notebooks.chosen(settings, only)
    values = checked(parameters or {}, {one.name: declared(one.notebook) for one in chosen})
    notes = {one.name: pages.read_notes(settings, one.name, spoken) for one in chosen}
    with workplace(settings.reports, started) as part:
        measures = metrics.load_measures(settings, as_of=as_of)
        say(progress, f"measures of {measures.reading.used:,} tickets", clock)
        # without a moment the notebooks take the latest one, too: the measures stored just now
        common = {"as_of": as_of and measures.as_of.isoformat(), "language": spoken}
        jobs = [
            _job(one, {**common, **values[one.name]}, notes[one.name], settings, spoken) for one in chosen
        ]
        failure = execute_all(jobs, part, progress=progress, timeout=timeout)
        home = settings.reports / FAILED if failure else settings.reports
        manifest = _manifest(jobs, failure, settings=settings, measures=measures, language=spoken, home=home)
        manifest["started"] = started.isoformat(timespec="seconds")
        manifest["seconds"] = round(time.monotonic() - clock, 3)
        _deliver(jobs, part, settings=settings, home=home)
        write_json(part / "manifest.json", manifest)
        if failure:
            kept = _publish(part, home, started)
            raise RunError(f"{failure}\nThe failed run is kept in {kept}; {last_good(settings.reports)}.")
        write_json(part / "results.json", results(jobs, settings, measures.as_of))
        pages.write_pages(part, jobs, manifest, language=spoken, zone=measures.zone)
        folder = _publish(part, home, started)
    return RunOutcome(folder, folder / pages.INDEX, tuple(job.name for job in jobs), manifest["seconds"])


def execute_all(jobs: list[Job], part: Path, *, progress: Progress, timeout: float) -> CellFailure | None:
    """Run the notebooks in order up to the first failure, which is returned."""
    for number, job in enumerate(jobs, start=1):
        clock = time.monotonic()
        output = part / f"{job.name}.ipynb"
        job.executed = execute(job, output=output, timeout=timeout, bar=progress == "bar")
        state = "failed" if job.executed.failure else "done"
        say(progress, f"{number}/{len(jobs)} {job.name} {state}", clock)
        if job.executed.failure:
            return job.executed.failure
    return None


def results(jobs: list[Job], settings: Settings, as_of: datetime) -> dict[str, Any]:
    """Collect what the executed notebooks handed over, as results.json holds it."""
    found: dict[str, Any] = {}
    for job in jobs:
        for cell in job.executed.notebook.cells if job.executed else ():
            for output in cell.get("outputs", ()):
                handed = output.get("data", {}).get(RESULT)
                if handed is not None:
                    found[handed["name"]] = handed["result"]
    return {"schema": SCHEMA, "project": settings.project, "as_of": as_of.isoformat(), "results": found}


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


def say(progress: Progress, text: str, clock: float) -> None:
    """Write a line about a step begun at ``clock`` to stderr."""
    if progress != "quiet":
        print(f"{text} ({time.monotonic() - clock:.1f} s)", file=sys.stderr, flush=True)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write strict JSON, readable and in UTF-8."""
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that figures depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}}


def _job(
    one: notebooks.Playbook,
    values: Mapping[str, Any],
    notes: tuple[Note, ...],
    settings: Settings,
    language: Language,
) -> Job:
    """Make a notebook ready: its prose in one language, every parameter with the value of this run."""
    given = {"settings": str(settings.file.resolve()), **values}
    full = {name: given.get(name, item.default) for name, item in declared(one.notebook).items()}
    prose = notebooks.in_language(one.notebook, language)
    return Job(one.name, prose, one.origin, one.differs, one.path.parent, full, notes)


def _manifest(
    jobs: list[Job],
    failure: CellFailure | None,
    *,
    settings: Settings,
    measures: metrics.Measures,
    language: Language,
    home: Path,
) -> dict[str, Any]:
    """Say what was run on what, and how it ended: the only truth about a run's status."""
    reading = measures.reading
    return {
        "schema": SCHEMA,
        "status": "failed" if failure else "ok",
        "failure": None if failure is None else asdict(failure),
        "project": settings.project,
        "language": language,
        "as_of": measures.as_of.isoformat(),
        "settings": {"file": _from(home / "run", settings.file), "sha256": sha256(settings.file)},
        "source": {
            "file": reading.source,
            "sha256": reading.sha256,
            "rows": reading.rows,
            "used": reading.used,
        },
        "measures": measures.key,
        "versions": versions(),
        "notebooks": [_entry(job) for job in jobs],
    }


def _entry(job: Job) -> dict[str, Any]:
    done = job.executed
    return {
        "name": job.name,
        "status": "not_run" if done is None else "failed" if done.failure else "ok",
        "seconds": None if done is None else round(done.seconds, 3),
        "from": job.origin,
        "differs_from_package": job.differs,
        "parameters": job.parameters,
    }


def _deliver(jobs: list[Job], part: Path, *, settings: Settings, home: Path) -> None:
    """Write the executed notebooks so that they run again from where they will lie."""
    there = _from(home / "run", settings.file)
    for job in jobs:
        if job.executed is not None:
            values = {**job.values, **({"settings": there} if "settings" in job.values else {})}
            notebook = tidied(job.executed.notebook, values)
            (part / f"{job.name}.ipynb").write_text(notebooks.text(notebook), encoding="utf-8")


def _publish(part: Path, home: Path, started: datetime) -> Path:
    """Rename the finished folder to the first free name of its second."""
    home.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        folder = home / (stamp(started) + (f"-{number}" if number > 1 else ""))
        try:
            # onto an existing, never empty run the rename fails, so two runs cannot share a folder
            os.replace(part, folder)  # noqa: PTH105  (the name that tests make fail)
        except OSError:
            if not folder.exists():
                raise
        else:
            return folder
    raise OSError(None, "no free name for the run")


def _from(folder: Path, file: Path) -> str:
    """Path of ``file`` as seen from ``folder``, with forward slashes."""
    return Path(os.path.relpath(file.resolve(), folder)).as_posix()


def _language(language: str) -> Language:
    if language not in get_args(Language):
        raise SettingsError(f"`language` must be {' or '.join(get_args(Language))}, not {language!r}.")
    return language  # type: ignore[return-value]
