"""`csimprove pdca`: one cycle from its opening to its close, and what wrong options are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from csimprove import metrics
from csimprove.pdca import find_cycle
from made_register import measures, project
from test_cli import call

COMMANDS = ("add", "plan", "start", "check", "close", "reopen", "extend", "list")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = call(capsys, "pdca", *command.split(), "--help")
    assert code == 0
    assert f"  csimprove pdca {command or 'add'} " in out


def test_a_cycle_from_its_opening_to_its_close(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(tmp_path)
    monkeypatch.setattr(metrics, "load_measures", lambda settings, as_of=None: measures())
    file = str(made.file)

    def did(command: str, *options: str, by: str = "Quality manager", at: str = "2025-07-28T10:00") -> str:
        number = () if command == "add" else ("1",)
        code, out, err = call(capsys, "pdca", command, file, *number, "--by", by, "--at", at, *options)
        assert (code, err) == (0, "")
        return out

    name = "0001-second-shift.toml"
    assert (
        did("add", "--title", "Second shift", "--cause", "noon", "--background", "b") == f"{name}: proposed\n"
    )
    planned = did(
        "plan", "--owner", "Desk manager", "--due", "2025-09-19", "--metric", "response_on_time",
        "--gain", "0.05", "--baseline", "2025-07-07:2025-08-03", "--window", "2025-08-04:2025-08-31",
        "--where", "region=East", "--compare", "region=West", "--countermeasure", "two shifts",
    )  # fmt: skip
    assert planned == f"{name}: planned\n"
    assert did("start", by="Desk manager", at="2025-08-01") == f"{name}: doing\n"
    assert did("extend", "--due", "2025-09-26", "--why", "late", at="2025-09-01") == f"{name}: doing\n"
    told = did("check", at="2025-09-09")
    assert told.startswith(f"{name}: checked\nConfirmed: Response on time ")
    assert "; predicted –, planned gain +5 points. Change of 5 teams against 8" in told
    assert did("close", "--standard", "in every region", at="2025-09-10") == f"{name}: closed\n"
    assert did("reopen", "--why", "spread it", at="2025-09-11") == f"{name}: proposed\n"
    cycle = find_cycle(made, 1)
    assert (cycle.causes, cycle.countermeasures, cycle.background) == (("noon",), ("two shifts",), "b")
    assert [entry.what for entry in cycle.history] == [
        "add", "plan", "start", "extend", "check", "close", "reopen",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--at", "soon"), "`--at` must be a day or a moment such as \"2026-03-31T18:00\", not 'soon'.\n"),
        (("--due", "May"), "`--due` must be a day such as \"2026-03-31\", not 'May'.\n"),
        (
            ("--window", "2025-01-01"),
            "`--window` must be two days such as \"2026-03-02:2026-03-29\", not '2025-01-01'.\n",
        ),
        (("--where", "East"), "`--where` must be like \"region=East,West\", not 'East'.\n"),
    ],
)
def test_wrong_options_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    file = str(project(tmp_path).file)
    assert call(capsys, "pdca", "plan", file, "1", "--by", "x", *options) == (2, "", message)


def test_the_list_says_what_is_overdue_and_whose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from made_register import started

    made = project(tmp_path)
    started(made)
    monkeypatch.setattr(metrics, "load_measures", lambda settings, as_of=None: measures(as_of="2025-10-13"))
    code, out, err = call(capsys, "pdca", "list", str(made.file))
    assert (code, err) == (0, "")
    first, *_, last = out.splitlines()
    assert first == (
        "0001  Remind the agent: late, to be checked; 17 days late, level 3 since 13 Oct; "
        "Desk manager, due 26 Sep 2025"
    )
    assert last.startswith("1 actions, 1 overdue, ")
