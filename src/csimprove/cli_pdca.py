"""`csimprove pdca`: the register of actions from the command line."""

# Every command imports what it calls when it is called: --help must not wait for pandas.
# In a docstring the escape \b keeps the lines of an example apart.
# ruff: noqa: PLC0415, D301

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from csimprove.errors import SettingsError

if TYPE_CHECKING:
    from csimprove.pdca import Cycle
    from csimprove.settings import Settings

pdca_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

SettingsFile = Annotated[Path, typer.Argument(metavar="SETTINGS", help="The project's playbook.toml.")]
Number = Annotated[int, typer.Argument(metavar="ID", help="Number of the cycle.")]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who does it: a role or a name.")]
At = Annotated[
    str, typer.Option("--at", metavar="MOMENT", help="When, if not now: 2026-03-31 or 2026-03-31T18:00.")
]
Why = Annotated[str, typer.Option("--why", help="The reason.")]
Texts = Annotated[list[str] | None, typer.Option(help="May be repeated.")]
Background = Annotated[str, typer.Option(help="Why this, why now.")]


@pdca_app.callback()
def _pdca() -> None:
    """Keep a register of actions: plan, do, check from data, act. One readable file each.

    \b
    csimprove pdca add playbook.toml --title "Second shift at noon" --by Lead
    csimprove pdca plan playbook.toml 1 --by Lead --owner "Desk manager" --due 2026-05-31 \\
        --metric response_on_time --gain 0.03 --baseline 2026-03-02:2026-03-29 --window 2026-04-27:2026-05-24
    csimprove pdca start playbook.toml 1 --by "Desk manager"
    csimprove pdca check playbook.toml 1 --by "Quality manager"
    csimprove pdca close playbook.toml 1 --by Lead --standard "Two shifts from 11 to 14"
    csimprove pdca list playbook.toml
    """


@pdca_app.command()
def add(
    settings: SettingsFile,
    title: Annotated[str, typer.Option(help="What is done, in a few words.")],
    by: By,
    event: Annotated[str, typer.Option(help="Id of the alert or proposal that it answers.")] = "",
    background: Background = "",
    cause: Texts = None,
    countermeasure: Texts = None,
    at: At = "",
) -> None:
    """Open a cycle.

    \b
    csimprove pdca add playbook.toml --title "Second shift at noon" --by Lead
    """
    from csimprove.pdca import add_cycle

    project, moment = _project(settings, at)
    words = {"event": event, **_words(background, cause, countermeasure)}
    _told(add_cycle(project, title=title, who=by, at=moment, **words))


@pdca_app.command()
def plan(
    settings: SettingsFile,
    number: Number,
    by: By,
    owner: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    due: Annotated[str | None, typer.Option(metavar="DAY", help="By when it is closed.")] = None,
    metric: Annotated[str | None, typer.Option(help="What it is to improve.")] = None,
    gain: Annotated[float | None, typer.Option(help="Least change that counts: 0.03 is 3 points.")] = None,
    predicted: Annotated[float | None, typer.Option(help="Change that is expected.")] = None,
    baseline: Annotated[str | None, typer.Option(metavar="DAY:DAY", help="Days before.")] = None,
    window: Annotated[str | None, typer.Option(metavar="DAY:DAY", help="Days of the check.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="CUT=A,B", help="Whom it concerns. May be repeated.")
    ] = None,
    compare: Annotated[
        list[str] | None, typer.Option(metavar="CUT=A,B", help="With whom it is compared. May be repeated.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Of what the effect is taken. Default: team.")] = None,
    phase: Annotated[bool | None, typer.Option(help="Make its start a phase on the charts.")] = None,
    background: Background = "",
    cause: Texts = None,
    countermeasure: Texts = None,
    at: At = "",
) -> None:
    """Plan a cycle: owner, due date, and how its effect will be judged. What is left out stays.

    \b
    csimprove pdca plan playbook.toml 1 --by Lead --owner "Desk manager" --due 2026-05-31
    """
    from csimprove.pdca import plan_cycle

    project, moment = _project(settings, at)
    fields = {
        "owner": owner,
        "due": due and _day("due", due),
        "metric": metric,
        "gain": gain,
        "predicted": predicted,
        "baseline": baseline and _days("baseline", baseline),
        "window": window and _days("window", window),
        "where": where and _where("where", where),
        "compare": compare and _where("compare", compare),
        "unit": unit,
        "phase": phase,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    words = _words(background, cause, countermeasure)
    _told(plan_cycle(project, number, who=by, at=moment, fields=given, words=words))


@pdca_app.command()
def start(settings: SettingsFile, number: Number, by: By, at: At = "") -> None:
    """Start the Do: from here the plan is fixed.

    \b
    csimprove pdca start playbook.toml 1 --by "Desk manager"
    """
    from csimprove.pdca import start_cycle

    project, moment = _project(settings, at)
    _told(start_cycle(project, number, who=by, at=moment))


@pdca_app.command()
def check(
    settings: SettingsFile,
    number: Number,
    by: By,
    at: At = "",
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DAY", help="Look at the data as they were then.")
    ] = None,
) -> None:
    """Measure the effect from the data and store it; whoever checks is not the owner.

    \b
    csimprove pdca check playbook.toml 1 --by "Quality manager"
    """
    from csimprove import wording
    from csimprove.metrics import load_measures
    from csimprove.pdca import check_cycle

    project, moment = _project(settings, at)
    measures = load_measures(project, as_of=as_of)
    cycle = check_cycle(project, number, who=by, at=moment, measures=measures)
    _told(cycle)
    typer.echo(wording.check_text(cycle.checks[-1], project.language))


@pdca_app.command()
def close(
    settings: SettingsFile,
    number: Number,
    by: By,
    standard: Annotated[str, typer.Option(help="What becomes the standard.")] = "",
    why: Why = "",
    at: At = "",
) -> None:
    """Close a checked cycle: with what becomes the standard, or with a reason if nothing does.

    \b
    csimprove pdca close playbook.toml 1 --by Lead --standard "Two shifts from 11 to 14"
    """
    from csimprove.pdca import close_cycle

    project, moment = _project(settings, at)
    _told(close_cycle(project, number, who=by, at=moment, standard=standard, why=why))


@pdca_app.command()
def reopen(settings: SettingsFile, number: Number, by: By, why: Why, at: At = "") -> None:
    """Begin a new round: plan again.

    \b
    csimprove pdca reopen playbook.toml 1 --by Lead --why "no effect shown"
    """
    from csimprove.pdca import reopen_cycle

    project, moment = _project(settings, at)
    _told(reopen_cycle(project, number, who=by, at=moment, why=why))


@pdca_app.command()
def extend(
    settings: SettingsFile,
    number: Number,
    by: By,
    due: Annotated[str, typer.Option(metavar="DAY", help="The new due date.")],
    why: Why,
    at: At = "",
) -> None:
    """Move the due date; the original one and the reason stay.

    \b
    csimprove pdca extend playbook.toml 1 --by Lead --due 2026-06-14 --why "supplier late"
    """
    from csimprove.pdca import extend_cycle

    project, moment = _project(settings, at)
    _told(extend_cycle(project, number, who=by, at=moment, due=_day("due", due), why=why))


@pdca_app.command("list")
def list_(
    settings: SettingsFile,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DAY", help="How it stood then. Default: the latest.")
    ] = None,
    xlsx: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write everything as a workbook, too.")
    ] = None,
) -> None:
    """List every action, what is overdue and whose, open alerts and proposals.

    \b
    csimprove pdca list playbook.toml
    csimprove pdca list playbook.toml --xlsx register.xlsx
    """
    from csimprove import wording
    from csimprove.metrics import load_measures
    from csimprove.programme import programme
    from csimprove.settings import read_settings

    project = read_settings(settings)
    result = programme(load_measures(project, as_of=as_of), settings=project, as_of=as_of)
    for line in wording.register_lines(result, project.language):
        typer.echo(line)
    if xlsx is not None:
        from csimprove.report import write_workbook

        typer.echo(write_workbook(result, xlsx, language=project.language))


def _project(settings: Path, at: str) -> tuple[Settings, datetime]:
    from csimprove.settings import read_settings

    project = read_settings(settings)
    zone = ZoneInfo(project.calendar.zone)
    if not at:
        return project, datetime.now(zone).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise SettingsError(
            f'`--at` must be a day or a moment such as "2026-03-31T18:00", not {at!r}.'
        ) from None
    return project, moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _words(background: str, cause: list[str] | None, countermeasure: list[str] | None) -> dict[str, Any]:
    words = {"background": background, "causes": tuple(cause or ())}
    words["countermeasures"] = tuple(countermeasure or ())
    return {name: value for name, value in words.items() if value}


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f'`--{name}` must be a day such as "2026-03-31", not {text!r}.') from None


def _days(name: str, text: str) -> tuple[date, date]:
    first, colon, last = text.partition(":")
    if not colon:
        raise SettingsError(f'`--{name}` must be two days such as "2026-03-02:2026-03-29", not {text!r}.')
    return _day(name, first), _day(name, last)


def _where(name: str, texts: list[str]) -> dict[str, tuple[str, ...]]:
    found = {}
    for text in texts:
        cut, equals, values = text.partition("=")
        if not equals or not cut or not values:
            raise SettingsError(f'`--{name}` must be like "region=East,West", not {text!r}.')
        found[cut] = tuple(value.strip() for value in values.split(","))
    return found


def _told(cycle: Cycle) -> None:
    from csimprove.pdca import course

    typer.echo(f"{cycle.file.name}: {course(cycle).state}")
