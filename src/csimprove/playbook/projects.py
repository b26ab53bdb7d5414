"""A project's folder: started with notebooks and settings that teach, checked before it is run."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from csimprove import metrics, pdca, samples, wording
from csimprove.errors import SettingsError
from csimprove.pilot import pilot
from csimprove.playbook import notebooks
from csimprove.samples import write_new
from csimprove.settings import Language, Settings, read_settings
from csimprove.tickets import Reading

#: Rejected values that ``check`` shows; the report holds more.
SHOWN = 5

#: File of a new project = the package's template of it: there, nothing is hidden from git and packagers.
_TEMPLATES = {name: name.removeprefix(".") for name in ("playbook.toml", ".gitignore", "notes/README.md")}


def init(folder: str | Path) -> list[Path]:
    """Start a project: notebooks, a commented playbook.toml, a place for notes, a .gitignore.

    Parameters
    ----------
    folder
        Where; made if it is not there.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    SettingsError
        If one of the files exists already: nothing is written then.
    """
    target = Path(folder)
    templates = files("csimprove") / "templates"
    contents = {name: (templates / file).read_text(encoding="utf-8") for name, file in _TEMPLATES.items()}
    for path in sorted(notebooks.package_folder().glob(notebooks.PATTERN)):
        copied = notebooks.adopted(notebooks.read(path))
        contents[f"{notebooks.FOLDER}/{path.name}"] = notebooks.text(copied)
    write_new(target, contents)
    return [target / name for name in contents]


def sample(
    folder: str | Path,
    *,
    seed: int = 2025,
    variant: samples.Variant = "standard",
    small: bool = False,
    language: Language = "en",
    reports: str = "reports",
) -> Path:
    """Write a sample programme with its register of actions, whose effects are measured from its tickets.

    Parameters
    ----------
    folder, seed, variant, small, language, reports
        As for :func:`csimprove.samples.write_sample`.

    Returns
    -------
    pathlib.Path
        The settings file.

    Raises
    ------
    SettingsError
        If one of the files is already there; nothing is written then.

    Notes
    -----
    An action whose check confirms its effect is closed; another one is reopened.
    """
    file = samples.write_sample(
        Path(folder), seed=seed, variant=variant, small=small, language=language, reports=reports
    )
    project = read_settings(file)
    with tempfile.TemporaryDirectory() as work:
        for story in samples.register(language):
            _rehearse(project, story, Path(work))
    return file


def _rehearse(project: Settings, story: dict[str, Any], work: Path) -> None:
    """Do to the register what people of the sample do to one cycle, by the commands that they would use."""
    number = pdca.add_cycle(project, **story["add"]).id
    plan = dict(story["plan"])
    pdca.plan_cycle(project, number, who=plan.pop("who"), at=plan.pop("at"), fields=plan)
    if "start" in story:
        pdca.start_cycle(project, number, **story["start"])
    if "extend" in story:
        pdca.extend_cycle(project, number, **story["extend"])
    if "check" in story:
        measures = metrics.load_measures(project, as_of=story["check"]["at"], folder=work)
        found = pdca.check_cycle(project, number, measures=measures, **story["check"]).checks[-1]
        if found.verdict == "confirmed":
            pdca.close_cycle(project, number, **story["confirmed"])
        else:
            pdca.reopen_cycle(project, number, **story["otherwise"])


def check(settings_file: str | Path, *, as_of: date | datetime | str | None = None) -> list[str]:
    """Validate settings and data, and tell what the data hold.

    Parameters
    ----------
    settings_file
        The project's playbook.toml.
    as_of
        Moment of the snapshot; by default the latest time stamp in the source.

    Returns
    -------
    list of str
        Lines of a table: rows, columns, suspicious values, metrics, the pilot plan, the register.

    Raises
    ------
    SettingsError
        If settings, pilot plan or the register are wrong.
    TicketDataError
        If the data cannot be used.
    """
    settings = read_settings(settings_file)
    cycles = pdca.read_register(settings)
    measures = metrics.load_measures(settings, as_of=as_of)
    _check_plans(cycles, measures)
    if settings.pilot is not None:
        # the evaluation itself says whether the plan fits the data
        pilot(measures, plan=settings.pilot, rng=np.random.default_rng(0))
    plan = "none" if settings.pilot is None else "fits the data"
    told = [f"Pilot plan: {plan}."]
    told += [f"Register: {len(cycles)} actions, every rule kept."] if cycles else []
    return [*_quality(measures.reading, measures.zone), *_available(measures), "", *told]


def _check_plans(cycles: Sequence[pdca.Cycle], measures: metrics.Measures) -> None:
    """Raise a SettingsError that names every plan of the register that does not fit the data."""
    wrong = {
        cycle.file.name: problems
        for cycle in cycles
        if cycle.plan is not None and (problems := pdca.plan_problems(measures, cycle.plan))
    }
    if wrong:
        lines = (f"  {name}: {problem}" for name, problems in wrong.items() for problem in problems)
        raise SettingsError("plans of the register must fit the data:\n" + "\n".join(lines))


def _quality(reading: Reading, zone: str) -> list[str]:
    text, count = wording.text, wording.count
    first, last = (
        moment.astimezone(ZoneInfo(zone)).date() for moment in (reading.first_opened, reading.last_opened)
    )
    rows = [
        (text("quality.rows"), count(reading.rows)),
        *((text("quality.excluded", rule=rule), count(-n)) for rule, n in reading.excluded.items()),
        (text("quality.rejected"), count(-reading.rejected_rows)),
        (text("quality.used"), count(reading.used)),
    ]
    flags = [(wording.known(f"flag.{name}", name), count(n)) for name, n in reading.flags.items()]
    columns = [
        (name, heading, f"{reading.filled.get(name, 0):.1%}") for name, heading in reading.headings.items()
    ]
    rejects = [(str(reject),) for reject in reading.rejects[:SHOWN]]
    if more := reading.reject_count - len(rejects):
        rejects.append((f"… and {more:,} more",))
    return [
        f"{reading.source}, tickets opened {wording.period_text(first, last)}",
        *_table(rows),
        *_section("Columns, their headings, and how many tickets have a value", columns),
        *_section("Suspicious but used", flags),
        *_section(f"Values that could not be read: {reading.reject_count:,}", rejects),
    ]


def _available(measures: metrics.Measures) -> list[str]:
    rows = []
    for metric in measures.metrics:
        total = measures.pooled(metrics=(metric.name,)).iloc[0]
        target = "" if metric.target is None else f"target {wording.target_level(metric.target, metric.unit)}"
        decided, undecided = f"{total.denominator:,} decided", f"{total.undecided:,} undecided"
        rows.append((metric.name, metric.variant, target, decided, undecided))
    lines = _section(f"Metrics as of {wording.moment_text(measures.as_of, measures.zone)}", rows)
    if measures.unavailable:
        lines.append(f"Not available, columns or limits are missing: {', '.join(measures.unavailable)}")
    return lines


def _section(title: str, rows: Sequence[tuple[str, ...]]) -> list[str]:
    return ["", title, *_table(rows)] if rows else []


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Set rows in columns, the last of several to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if len(cells) > 1:
            cells[-1] = row[-1].rjust(widths[-1])
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines
