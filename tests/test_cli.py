"""The command line: it teaches, hands on what was asked, and ends with the right code and message."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csimprove import __version__, playbook, samples
from csimprove.cli import main
from csimprove.errors import Failure, RunError, SettingsError, TicketDataError
from csimprove.playbook import AlertOutcome, Batch, Verification, Written
from csimprove.report import CoverEntry

COMMANDS = ["alerts", "check", "init", "pdca", "plan", "plan lock", "report", "run", "sample", "verify"]
COMMANDS += ["code", "code list", "code sample"]


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(caught.value.code or 0), out, err


def recorder(
    monkeypatch: pytest.MonkeyPatch, name: str, answer: object
) -> list[tuple[object, dict[str, object]]]:
    """Put a stand-in for a function of the playbook that notes how it was called."""
    calls: list[tuple[object, dict[str, object]]] = []

    def stand_in(first: object, **options: object) -> object:
        calls.append((first, options))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(playbook, name, stand_in)
    return calls


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = call(capsys, *command.split(), "--help")
    assert code == 0
    assert f"  csimprove {command or 'run'} " in out


def test_help_comes_at_once() -> None:
    started = time.monotonic()
    program = (
        "import sys\nfrom csimprove.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    print({'pandas', 'duckdb', 'papermill', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert time.monotonic() - started < 3  # 0.3 s on an idle machine


def test_alerts_print_the_events_and_send_only_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = AlertOutcome(datetime(2025, 3, 11, tzinfo=UTC), (), ("abc",), (), ("Late, all",))
    calls = recorder(monkeypatch, "alerts", found)
    code, out, _ = call(capsys, "alerts", "playbook.toml", "--as-of", "2026-03-31")
    assert code == 0
    assert out == (
        "Late, all\nAlerts: 1 of 0 rules, 1 new. Dry run, nothing sent: --send sends what is new.\n"
    )
    call(capsys, "alerts", "playbook.toml", "--send")
    assert [options for _, options in calls] == [
        {"as_of": "2026-03-31", "send": False},
        {"as_of": None, "send": True},
    ]
    _, out, _ = call(capsys, "alerts", "playbook.toml", "--json")
    assert json.loads(out) == {
        "as_of": "2025-03-11T00:00:00+00:00",
        "checks": [],
        "new": ["abc"],
        "sent": [],
    }


def test_report_hands_on_formats_and_prints_the_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [Written("pdf", Path("r/report.pdf"), 1.25)]
    calls = recorder(monkeypatch, "write_documents", made)
    code, out, _ = call(capsys, "report", "r", "--format", "pdf,xlsx", "--template", "client.pptx")
    assert (code, out) == (0, "r/report.pdf\n")
    wanted = {"formats": ("pdf", "xlsx"), "template": Path("client.pptx"), "quiet": False}
    assert calls == [(Path("r"), wanted)]
    _, out, _ = call(capsys, "report", "r", "--json")
    assert json.loads(out) == {
        "run": "r",
        "files": [{"format": "pdf", "file": "r/report.pdf", "seconds": 1.25}],
    }
    assert calls[1][1] == {"formats": ("pdf",), "template": None, "quiet": True}
    code, _, err = call(capsys, "report", "r", "--format", "odt")
    assert code == 2
    assert err == "`--format` must be some of html, pdf, docx, pptx, xlsx, not odt.\n"


def test_run_writes_documents_too_and_checks_the_formats_before_it_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = recorder(monkeypatch, "run", Path("r/index.html"))
    recorder(monkeypatch, "write_documents", [Written("pdf", Path("r/report.pdf"), 1.0)])
    _, out, _ = call(capsys, "run", "playbook.toml", "--format", "html,pdf")
    assert out == "r/index.html\nr/report.pdf\n"
    code, _, _ = call(capsys, "run", "playbook.toml", "--format", "odt")
    assert code == 2
    assert len(ran) == 1


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "--version") == (0, f"csimprove {__version__}\n", "")


def test_run_hands_on_every_option_and_prints_where_the_report_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = recorder(monkeypatch, "run", Path("r/index.html"))
    code, out, _ = call(
        capsys, "run", "playbook.toml", "--only", "01, 05", "-p", "metric=csat", "-p", "text=a=b",
        "--as-of", "2026-03-31", "--language", "zh", "--timeout", "9", "--quiet",
        "--workers", "3", "--isolated", "--force",
    )  # fmt: skip
    assert (code, out) == (0, "r/index.html\n")
    assert calls == [
        (
            Path("playbook.toml"),
            {
                "only": ("01", "05"),
                "parameters": {"metric": "csat", "text": "a=b"},
                "as_of": "2026-03-31",
                "language": "zh",
                "quiet": True,
                "timeout": 9.0,
                "workers": 3,
                "isolated": True,
                "force": True,
            },
        )
    ]
    call(capsys, "run", "playbook.toml")
    assert calls[1][1] == {
        "only": (),
        "parameters": {},
        "as_of": None,
        "language": None,
        "quiet": False,
        "timeout": 600.0,
        "workers": 2,
        "isolated": False,
        "force": False,
    }


def test_json_is_one_line_about_a_run_good_or_bad(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = {"name": "01_baseline", "status": "ok", "seconds": 1.5, "parameters": {}}
    manifest = {"status": "ok", "seconds": 2.5, "notebooks": [entry]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    recorder(monkeypatch, "run", tmp_path / "index.html")
    code, out, _ = call(capsys, "run", "playbook.toml", "--json")
    told = {
        "status": "ok",
        "run": str(tmp_path),
        "message": None,
        "seconds": 2.5,
        "notebooks": [{"name": "01_baseline", "status": "ok", "seconds": 1.5}],
    }
    assert (code, out) == (0, json.dumps(told) + "\n")

    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "status": "failed"}), encoding="utf-8")
    recorder(monkeypatch, "run", RunError("01_baseline failed.", folder=tmp_path))
    code, out, err = call(capsys, "run", "playbook.toml", "--json")
    assert (code, err) == (1, "01_baseline failed.\n")
    assert json.loads(out) == {**told, "status": "failed", "message": "01_baseline failed."}

    recorder(monkeypatch, "run", SettingsError("wrong"))
    code, out, err = call(capsys, "run", "playbook.toml", "--json")
    assert (code, err) == (2, "wrong\n")
    assert json.loads(out) == {
        "status": "failed", "run": None, "message": "wrong", "seconds": None, "notebooks": []
    }  # fmt: skip


def test_a_batch_prints_its_cover_and_fails_with_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = CoverEntry("East", 40, "ok", link="east/1/index.html")
    bad = CoverEntry("West", 50, "failed", message="no")
    calls = recorder(monkeypatch, "run_batch", Batch(Path("r/index.html"), (good,)))
    assert call(capsys, "run", "playbook.toml", "--for", "region", "-q") == (0, "r/index.html\n", "")
    assert calls[0][1]["by"] == "region"
    written = recorder(monkeypatch, "write_documents", [Written("pdf", Path("r/east/1/report.pdf"), 1.0)])
    _, out, _ = call(capsys, "run", "playbook.toml", "--for", "region", "--format", "pdf")
    assert out == "r/index.html\nr/east/1/report.pdf\n"
    assert written == [(Path("r/east/1/index.html"), {"formats": ("pdf",), "quiet": False})]
    recorder(monkeypatch, "run_batch", Batch(Path("r/index.html"), (good, bad)))
    code, out, err = call(capsys, "run", "playbook.toml", "--table", "clients.csv", "--json")
    assert (code, err) == (1, "West: no\n")
    assert json.loads(out) == {
        "status": "failed",
        "cover": "r/index.html",
        "reports": [
            {"label": "East", "tickets": 40, "status": "ok", "page": "east/1/index.html", "message": None},
            {"label": "West", "tickets": 50, "status": "failed", "page": None, "message": "no"},
        ],
    }


def test_a_parameter_without_a_value_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "run", "playbook.toml", "-p", "metric")
    assert (code, out, err) == (2, "", "`-p` must be name=value, not metric.\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(13, "Permission denied", "demo"), 1),
        (SettingsError("settings"), 2),
        (RunError("run"), 1),
        (TicketDataError("tickets.csv", [Failure("Opened", None, "", "is missing.")]), 1),
    ],
)
def test_what_a_user_can_put_right_is_one_message_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    recorder(monkeypatch, "run", error)
    assert call(capsys, "run", "playbook.toml") == (code, "", f"{error}\n")


def test_a_missing_settings_file_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "nowhere.toml"
    code, out, err = call(capsys, "check", str(file))
    assert (code, out) == (2, "")
    assert err == (
        f"`settings` must be a readable file, not {file}: No such file or directory. "
        "Write one with `csimprove init DIR`, or try `csimprove sample DIR`.\n"
    )


def test_verify_says_what_differs_and_exits_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder(monkeypatch, "verify", Verification((), ("pandas was 2.3.0, is 3.0.0",), 12))
    code, out, err = call(capsys, "verify", "runs/1")
    assert (code, out, err) == (
        0,
        "Note: pandas was 2.3.0, is 3.0.0.\nruns/1 is reproduced: 12 values agree.\n",
        "",
    )
    recorder(monkeypatch, "verify", Verification(("a.b: 1 became 2",), (), 12))
    code, out, err = call(capsys, "verify", "runs/1")
    assert (code, out, err) == (
        1,
        "",
        "runs/1 is not reproduced; 1 of 12 values differ:\n  a.b: 1 became 2\n",
    )


def test_sample_hands_on_its_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = recorder(monkeypatch, "sample", Path("demo/playbook.toml"))
    code, out, _ = call(
        capsys, "sample", "demo", "--variant", "null", "--small", "--language", "zh", "--seed", "7"
    )
    assert (code, out) == (0, "demo/playbook.toml\n")
    assert calls == [(Path("demo"), {"variant": "null", "small": True, "language": "zh", "seed": 7})]


def test_init_lists_what_it_wrote_and_the_next_step(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    code, out, _ = call(capsys, "init", str(folder))
    assert code == 0
    assert out.splitlines()[0] == str(folder / "playbook.toml")
    assert out.splitlines()[-2:] == [
        f"Next: put your export beside {folder / 'playbook.toml'}, correct the settings, then",
        f"  csimprove check {folder / 'playbook.toml'}",
    ]


def test_check_prints_what_the_data_hold(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_text(
        "Ticket,Created,Answered,Solved\n"
        "1,2026-01-05 09:00:00,2026-01-05 09:10:00,2026-01-06 09:00:00\n"
        "2,2026-01-05 10:00:00,2026-01-05 13:00:00,\n"
        "3,2026-01-09 10:00:00,,\n",
        encoding="utf-8",
    )
    (tmp_path / "playbook.toml").write_text(
        'project = "Tiny"\n[source]\npath = "tickets.csv"\n[source.columns]\nticket_id = "Ticket"\n'
        'opened_at = "Created"\nfirst_response_at = "Answered"\nresolved_at = "Solved"\n'
        '[[sla.rules]]\nmeasure = "first_response"\nlimit = "2 h"\nclock = "calendar"\n',
        encoding="utf-8",
    )
    code, out, err = call(capsys, "check", str(tmp_path / "playbook.toml"))
    assert (code, err) == (0, "")
    assert out == (
        "tickets.csv, tickets opened 5 Jan – 9 Jan 2026\n"
        "  rows read                                          3\n"
        "  rejected: no id, no opening time, or not readable  0\n"
        "  used                                               3\n"
        "\n"
        "Columns, their headings, and how many tickets have a value\n"
        "  ticket_id          Ticket    100.0%\n"
        "  opened_at          Created   100.0%\n"
        "  first_response_at  Answered   66.7%\n"
        "  resolved_at        Solved     33.3%\n"
        "\n"
        "Metrics as of 9 Jan 2026, 10:00, UTC\n"
        "  response_on_time  within_limit  target 95%  2 decided  1 undecided\n"
        "Not available, columns or limits are missing: first_contact_resolution, waiting_time, "
        "complaint_rate, csat, csat_response, reopen_rate, resolution_on_time, service_level, "
        "abandonment_rate, record_in_time, record_completeness, vague_results, feedback_on_time, "
        "delivery_call_back, complaint_answered, complaint_handling, complaint_resolution, "
        "complaint_follow_up, nps\n"
        "\n"
        "Pilot plan: none.\n"
    )


def test_plan_lock_writes_hash_and_date_once_and_refuses_another_plan(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings = samples.write_sample(tmp_path, small=True)
    code, out, _ = call(capsys, "plan", "lock", str(settings))
    written = (tmp_path / "pilot.lock.toml").read_text(encoding="utf-8")
    assert code == 0
    path, said = out.splitlines()
    assert Path(path) == tmp_path / "pilot.lock.toml"
    assert re.fullmatch(
        r"Locked on \d{4}-\d\d-\d\d, hash [0-9a-f]{8}. Keep the file in version control.", said
    )

    assert call(capsys, "plan", "lock", str(settings))[0] == 0
    assert (tmp_path / "pilot.lock.toml").read_text(encoding="utf-8") == written
    changed = settings.read_text(encoding="utf-8").replace(
        "response_on_time = 0.05", "response_on_time = 0.06"
    )
    settings.write_text(changed, encoding="utf-8")
    code, _, error = call(capsys, "plan", "lock", str(settings))
    assert code == 2
    assert error.startswith("pilot.lock.toml must not be replaced: another plan was locked on ")


def test_a_sample_is_written_to_be_coded_and_never_over_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings = samples.write_sample(tmp_path / "p", small=True)
    sheet = tmp_path / "sheet.csv"
    arguments = ("code", "sample", str(settings), "--size", "5", "--coders", "ann, ben", "-o", str(sheet))
    code, out, err = call(capsys, *arguments)
    assert (code, err) == (0, "")
    assert re.search(r"5 of \d+ tickets drawn for 2 coders", out)
    lines = sheet.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("ticket_id,coder,cause,opened,category,stage,channel,severity")
    assert len(lines) == 11
    code, _, err = call(capsys, *arguments)
    assert (code, err) == (2, f"`output` must be a new file, but {sheet} is there. Nothing was written.\n")
    code, out, _ = call(capsys, "code", "list", str(settings))
    assert code == 0
    assert out.splitlines()[0] == "ticket_id,day,category,cause,subcause"
    assert len(out.splitlines()) > 30
