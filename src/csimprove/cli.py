"""The command line: parse, call one function, print, exit.

Exit codes: 0 good, 1 the data or a run, 2 usage or settings. What the user can put right is one message on
stderr, never a traceback. Heavy imports stay inside the commands, so that help comes at once.
"""

# Every command imports what it calls when it is called: --help must not wait for pandas and papermill.
# In a docstring the escape \b keeps the lines of an example apart.
# ruff: noqa: PLC0415, D301

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from csimprove import __version__
from csimprove.cli_pdca import pdca_app
from csimprove.errors import CsimproveError, RunError, SettingsError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    epilog="Try it:  csimprove sample demo  then  csimprove run demo/playbook.toml",
)
plan_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(plan_app, name="plan")
app.add_typer(pdca_app, name="pdca")
code_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(code_app, name="code")

Language = Literal["en", "zh"]
Variant = Literal["standard", "null", "mix_shift", "regional_shock"]
SettingsFile = Annotated[Path, typer.Argument(metavar="SETTINGS", help="The project's playbook.toml.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a delivered run.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="DAY", help="Look at the data as they were then. Default: their last time stamp."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but the result.")]


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"csimprove {__version__}")
        raise typer.Exit


@app.callback()
def csimprove(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Measure a customer service, find out whether a pilot worked, and say so in plain words.

    \b
    csimprove sample demo                       a sample programme to try things on
    csimprove run demo/playbook.toml            its report: demo/reports/.../index.html
    csimprove init my-project                   start with your own tickets
    csimprove check my-project/playbook.toml    are settings and data right?
    csimprove run my-project/playbook.toml --language zh
    """


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder of the project.")]) -> None:
    """Start a project: notebooks, a commented playbook.toml, a folder for notes.

    \b
    csimprove init my-project
    """
    from csimprove import playbook

    for path in playbook.init(folder):
        typer.echo(path)
    typer.echo(f"Next: put your export beside {folder / 'playbook.toml'}, correct the settings, then")
    typer.echo(f"  csimprove check {folder / 'playbook.toml'}")


@app.command()
def check(settings: SettingsFile, as_of: AsOf = None) -> None:
    """Validate settings and data and print a data-quality table.

    \b
    csimprove check my-project/playbook.toml
    """
    from csimprove import playbook

    typer.echo("\n".join(playbook.check(settings, as_of=as_of)))


@app.command()
def run(
    settings: SettingsFile,
    only: Annotated[str, typer.Option(metavar="01,05", help="Notebooks to run. Default: all.")] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter", "-p", metavar="NAME=VALUE", help="A parameter of a notebook; may be repeated."
        ),
    ] = None,
    as_of: AsOf = None,
    language: Annotated[Language | None, typer.Option(help="Default: the settings'.")] = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Time that one cell may take.")
    ] = 600,
    workers: Annotated[int, typer.Option(min=1, help="Notebooks that run at a time.")] = 2,
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Start every kernel anew, the slow way. Default: fork them.")
    ] = False,
    by: Annotated[
        str | None, typer.Option("--for", metavar="CUT", help="One report for each value of a cut.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="One report a row; columns are cuts, parameters, as_of, language."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Execute every notebook. Default: only those that changed.")
    ] = False,
    formats: Annotated[
        str, typer.Option("--format", "-f", metavar="LIST", help="Also write some of pdf, docx, pptx, xlsx.")
    ] = "",
    quiet: Quiet = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one line of JSON, also of a failure.")
    ] = False,
) -> None:
    """Run the playbook and print where the report is.

    \b
    csimprove run playbook.toml
    csimprove run playbook.toml --only 05 --language zh
    csimprove run playbook.toml --only baseline -p cut=team --as-of 2026-03-31
    csimprove run playbook.toml --format pdf,pptx
    csimprove run playbook.toml --for region
    """
    from csimprove import playbook

    asked: tuple[str, ...] = ()
    if formats:  # the import waits for pandas
        from csimprove.report.documents import checked_formats

        asked = checked_formats(formats)
    options: dict[str, Any] = {
        "only": tuple(name.strip() for name in only.split(",") if name.strip()),
        "parameters": _pairs(parameter or []),
        "as_of": as_of,
        "language": language,
        "quiet": quiet,
        "timeout": timeout,
        "workers": workers,
        "isolated": isolated,
        "force": force,
    }
    try:
        if by or table:
            batch = playbook.run_batch(settings, by=by, table=table, **options)
        else:
            index = playbook.run(settings, **options)
    except (CsimproveError, OSError) as error:
        if as_json:
            typer.echo(_outcome(getattr(error, "folder", None), message=str(error)))
        raise
    if by or table:
        typer.echo(json.dumps(batch.to_dict(), ensure_ascii=False) if as_json else batch.cover)
        pages = [batch.cover.parent / entry.link for entry in batch.entries if entry.link]
    else:
        typer.echo(_outcome(index.parent) if as_json else index)
        pages = [index]
    if rest := tuple(one for one in asked if one != "html"):
        for page in pages:
            for written in playbook.write_documents(page, formats=rest, quiet=quiet):
                if not as_json:
                    typer.echo(written.path)
    if (by or table) and batch.failures:
        raise RunError("\n".join(batch.failures))


@app.command()
def report(
    folder: RunFolder,
    formats: Annotated[
        str, typer.Option("--format", "-f", metavar="LIST", help="Some of html, pdf, docx, pptx, xlsx.")
    ] = "pdf",
    template: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A client's .pptx: master and fonts are taken."),
    ] = None,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every file as JSON.")] = False,
) -> None:
    """Write a run as PDF, Word, PowerPoint or workbook, or its pages anew, and print the files.

    \b
    csimprove report reports/service-process/20260331-090000
    csimprove report reports/service-process/20260331-090000 --format html,pdf,docx,xlsx
    csimprove report reports/service-process/20260331-090000 --format pptx --template client.pptx
    """
    from csimprove import playbook
    from csimprove.report.documents import checked_formats

    asked = checked_formats(formats)
    made = playbook.write_documents(folder, formats=asked, template=template, quiet=quiet or as_json)
    if as_json:
        found = [{"format": one.format, "file": str(one.path), "seconds": one.seconds} for one in made]
        typer.echo(json.dumps({"run": str(folder), "files": found}, ensure_ascii=False, indent=1))
        return
    for one in made:
        typer.echo(one.path)


@app.command()
def verify(
    folder: RunFolder,
    quiet: Quiet = False,
) -> None:
    """Execute a delivered run again from its data and compare every figure.

    \b
    csimprove verify reports/service-process/20260331-090000
    """
    from csimprove import playbook

    found = playbook.verify(folder, quiet=quiet)
    for note in found.notes:
        typer.echo(f"Note: {note}.")
    if found.differences:
        listed = "\n".join(f"  {line}" for line in found.differences)
        raise RunError(
            f"{folder} is not reproduced; {len(found.differences)} of {found.values} values differ:\n{listed}"
        )
    typer.echo(f"{folder} is reproduced: {found.values} values agree.")


@app.command()
def alerts(
    settings: SettingsFile,
    as_of: AsOf = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send new events by [alerting]. Default: a dry run.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every rule as JSON.")] = False,
) -> None:
    """Look at the alert rules on the latest decided days; send what is new, each event once.

    \b
    csimprove alerts playbook.toml
    csimprove alerts playbook.toml --send
    csimprove alerts playbook.toml --json --as-of 2026-03-31
    """
    from csimprove import playbook

    outcome = playbook.alerts(settings, as_of=as_of, send=send)
    if as_json:
        typer.echo(json.dumps(outcome.to_dict(), ensure_ascii=False, indent=1))
        return
    for line in outcome.lines:
        typer.echo(line)
    done = f"{len(outcome.sent)} sent." if send else "Dry run, nothing sent: --send sends what is new."
    typer.echo(f"Alerts: {len(outcome.lines)} of {len(outcome.checks)} rules, {len(outcome.new)} new. {done}")


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.")],
    variant: Annotated[Variant, typer.Option(help="What is planted.")] = "standard",
    small: Annotated[bool, typer.Option("--small", help="About 4,000 tickets, not 21,000.")] = False,
    language: Annotated[Language, typer.Option(help="Language of its values.")] = "en",
    seed: Annotated[int, typer.Option(help="Another seed is another programme.")] = 2025,
) -> None:
    """Write a sample programme with planted effects.

    \b
    csimprove sample demo
    csimprove sample nothing-works --variant null --small
    """
    from csimprove import playbook

    typer.echo(playbook.sample(folder, variant=variant, small=small, language=language, seed=seed))


@plan_app.callback()
def _plan() -> None:
    """Lock the pilot's plan before its first look.

    \b
    csimprove plan lock my-project/playbook.toml
    """


@plan_app.command("lock")
def plan(settings: SettingsFile) -> None:
    """Write the pilot's plan with its hash and today's date; reports show what changes after.

    \b
    csimprove plan lock my-project/playbook.toml
    """
    from datetime import date

    from csimprove.pilot import lock_plan, plan_lock
    from csimprove.settings import read_settings

    project = read_settings(settings)
    path = lock_plan(project, on=date.today())
    found = plan_lock(project)
    typer.echo(path)
    if found:
        typer.echo(f"Locked on {found.locked_on}, hash {found.hash[:8]}. Keep the file in version control.")


@code_app.callback()
def code() -> None:
    """Tickets to be coded with their cause, and those behind every number of the causes.

    \b
    csimprove code sample my-project/playbook.toml --coders ann,ben
    csimprove code list my-project/playbook.toml > coded.csv
    """


@code_app.command("sample")
def code_sample(
    settings: SettingsFile,
    size: Annotated[int, typer.Option("--size", "-n", metavar="N", help="Tickets to draw.")] = 100,
    coders: Annotated[str, typer.Option(metavar="A,B", help="Who codes; each codes every ticket.")] = "A,B",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: coding.csv beside SETTINGS."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same tickets.")] = 1,
    as_of: AsOf = None,
) -> None:
    """Draw tickets at random and write a sheet in which each coder fills in the column cause.

    \b
    csimprove code sample playbook.toml --size 60 --coders ann,ben
    """
    from csimprove.causes import sample_sheet
    from csimprove.metrics import load_measures
    from csimprove.settings import read_settings

    project = read_settings(settings)
    path = output or project.path("coding.csv")
    if path.exists():
        raise SettingsError(f"`output` must be a new file, but {path} is there. Nothing was written.")
    names = [name.strip() for name in coders.split(",")]
    measures = load_measures(project, as_of=as_of)
    sheet, drawn, tickets = sample_sheet(measures, settings=project, size=size, coders=names, seed=seed)
    path.write_text(sheet, encoding="utf-8-sig", newline="")
    typer.echo(path)
    typer.echo(f"{drawn} of {tickets} tickets drawn for {len(names)} coders. Each codes alone; then name the")
    typer.echo("file as `sheet` under [causes].")


@code_app.command("list")
def code_list(
    settings: SettingsFile,
    first: Annotated[str | None, typer.Option(metavar="DAY", help="Default: the period of [causes].")] = None,
    last: Annotated[str | None, typer.Option(metavar="DAY", help="Last day, included.")] = None,
    as_of: AsOf = None,
) -> None:
    """Print the id, day and cause of every coded ticket as CSV.

    \b
    csimprove code list playbook.toml > coded.csv
    """
    from csimprove.causes import causes, list_tickets
    from csimprove.metrics import load_measures
    from csimprove.settings import read_settings

    project = read_settings(settings)
    measures = load_measures(project, as_of=as_of)
    result = causes(measures, settings=project, first=first, last=last)
    typer.echo(list_tickets(result), nl=False)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # jsonschema, below nbformat, would take 1 s for the grammar of a kind of address that no notebook holds
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        app(args=arguments, prog_name="csimprove")
    except (CsimproveError, OSError) as error:
        typer.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, SettingsError) else 1)


def _outcome(folder: Path | None, *, message: str | None = None) -> str:
    """Tell a run from its manifest, the only truth about it, as one line of JSON."""
    manifest = {} if folder is None else json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    told = {
        "status": manifest.get("status", "failed"),
        "run": folder and str(folder),
        "message": message,
        "seconds": manifest.get("seconds"),
        "notebooks": [
            {key: entry[key] for key in ("name", "status", "seconds")}
            for entry in manifest.get("notebooks", ())
        ],
    }
    return json.dumps(told, ensure_ascii=False)


def _pairs(texts: list[str]) -> dict[str, Any]:
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise SettingsError(f"`-p` must be name=value, not {', '.join(wrong)}.")
    return dict(text.split("=", 1) for text in texts)
