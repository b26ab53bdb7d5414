"""Settings: every mistake at once, with its line and what would be right."""

from __future__ import annotations

import re
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from csimprove.errors import SettingsError
from csimprove.settings import nearest, parse_interval, parse_limit, read_settings, slug

SOURCE = """project = "Demo"

[source]
path = "tickets.csv"
"""
PILOT = """
[pilot]
pilot = ["East"]
control = ["West"]
before = [2025-01-01, 2025-01-28]
during = [2025-02-01, 2025-02-28]
minimum_gain = { response_on_time = 0.05, first_contact_resolution = 0.05 }
"""


def problems(folder: Path, text: str) -> list[str]:
    """Lines of the message after the first one."""
    file = folder / "playbook.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_settings(file)
    first, *rest = str(caught.value).splitlines()
    assert first == f"{file} must be corrected:"
    return [line.removeprefix("  ") for line in rest]


def test_a_short_file_is_enough_and_paths_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "playbook.toml").write_text(SOURCE, encoding="utf-8")
    settings = read_settings(tmp_path / "playbook.toml")
    assert (settings.language, settings.source.zone, settings.sla.rules, settings.pilot) == (
        "en",
        "UTC",
        (),
        None,
    )
    assert settings.path(settings.source.path) == tmp_path / "tickets.csv"
    assert settings.reports == tmp_path / "reports" / "demo"
    assert (settings.engine.threads, settings.engine.memory_limit) == (2, "1GB")


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    more = """delimiter = "\\t"
encoding = "gb18030"
units = { wait_seconds = "minutes" }
values = { channel = { QQ = "qq" } }
exclude = { robots = { customer = ["0"], channel = ["api", "test"] } }

[calendar]
zone = "Asia/Shanghai"
hours = { mon = ["09:00-12:00", "13:00-18:00"], sat = ["22:00-06:00"] }
holidays = "CN"

[[sla.rules]]
measure = "first_response"
limit = "15 min"
severity = "A"

[metrics.csat]
target = 0.85
"""
    step = '\n[[pilot.next_steps]]\nverdict = "go"\naction = "Roll out"\nowner = "Lead"\n'
    file = tmp_path / "playbook.toml"
    file.write_text(SOURCE + more + PILOT + step, encoding="utf-8")
    settings = read_settings(file)
    assert settings.source.exclude == {"robots": {"customer": ("0",), "channel": ("api", "test")}}
    assert settings.source.delimiter == "\t"
    assert settings.metrics["csat"].target == 0.85
    assert settings.pilot is not None
    assert settings.pilot.metrics == ("response_on_time", "first_contact_resolution")
    assert settings.pilot.next_steps[0].owner == "Lead"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(tmp_path / "gone.toml")
    assert str(caught.value) == (
        f"`settings` must be a readable file, not {tmp_path}/gone.toml: No such file or directory. "
        "Write one with `csimprove init DIR`, or try `csimprove sample DIR`."
    )


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "playbook.toml"
    file.write_bytes('project = "热线"'.encode("gb18030"))
    with pytest.raises(SettingsError) as caught:
        read_settings(file)
    assert str(caught.value) == f"{file} must be UTF-8 text: byte 11 is not. Save it as UTF-8."


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    file = tmp_path / "playbook.toml"
    file.write_text("project = Demo\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_settings(file)
    assert str(caught.value) == f"{file} must be TOML: Invalid value (at line 1, column 11)."


def test_every_mistake_is_listed_with_its_line(tmp_path: Path) -> None:
    text = (
        SOURCE + 'zone = "Shanghai"\npreste = "zendesk"\n\n[calendar]\nhours = { mon = ["9-18"] }\n\n[sal]\n'
    )
    assert problems(tmp_path, text) == [
        """line 5, source.zone: must be an IANA zone such as "Asia/Shanghai", not 'Shanghai'""",
        "line 6, source.preste: unknown key; did you mean preset or pauses?",
        """line 9, calendar.hours: mon: an interval must be like "09:00-18:00", not '9-18'""",
        "line 11, sal: unknown key; did you mean sla?",
    ]


def test_missing_keys(tmp_path: Path) -> None:
    assert problems(tmp_path, "[source]\n") == [
        "project: is missing. Add it.",
        "source.path: is missing. Add it.",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('delimiter = ";;"', """source.delimiter: must be one character such as ";" or "\\t", not ';;'"""),
        (
            'encoding = "utf9"',
            """source.encoding: must be an encoding such as "gb18030" or "cp1252", not 'utf9'""",
        ),
        (
            'columns = { opend_at = "x" }',
            "source.columns: 'opend_at' is not a column that can be mapped; "
            "did you mean opened_at or reopened_at or closed_at?",
        ),
        (
            'columns = { customer_key = "x" }',
            "source.columns: 'customer_key' is not a column that can be mapped; "
            "did you mean customer_type or customer or csat_offered?",
        ),
        (
            'units = { wait_seconds = "weeks" }',
            "source.units.wait_seconds: must be 'milliseconds', 'seconds', 'minutes', 'hours' or 'days', "
            "not 'weeks'",
        ),
        (
            'exclude = { duplicate_id = { team = ["x"] } }',
            "source.exclude: a rule must name a column and must not be called duplicate_id, "
            "not 'duplicate_id'",
        ),
        (
            'exclude = { spam = { chanel = ["x"] } }',
            "source.exclude: 'chanel' is not a column that can be mapped; did you mean channel or cause?",
        ),
    ],
)
def test_mistakes_in_the_source(tmp_path: Path, line: str, problem: str) -> None:
    assert problems(tmp_path, f"{SOURCE}{line}\n") == [f"line 5, {problem}"]


def test_a_mistake_in_a_repeated_table_names_the_line_of_that_table(tmp_path: Path) -> None:
    rule = '\n[[sla.rules]]\nmeasure = "resolution"\nlimit = "{}"\n'
    text = SOURCE + rule.format("24 h") + rule.format("1 week")
    assert problems(tmp_path, text) == [
        """line 12, sla.rules.1.limit: a limit must be like "15 min", "2 h" or "3 d", not '1 week'"""
    ]


def test_mistakes_in_the_pilot_wait_for_those_of_the_data(tmp_path: Path) -> None:
    text = SOURCE + PILOT.replace("West", "East").replace("2025-02-28", "2025-01-30").replace(
        "response_on_time = 0.05, ", ""
    )
    lines = """\
unit = "ticket_id"
guardrail = ["csat", "first_contact_resolution"]
margin = { csat = -0.03 }
history = 2025-01-20
looks = [2025-02-20, 2025-01-20]
staff_feedback = { yes = 9, asked = 8 }
"""
    (tmp_path / "playbook.toml").write_text(text + lines, encoding="utf-8")
    plan = read_settings(tmp_path / "playbook.toml").pilot
    assert plan is not None
    assert list(plan.problems) == [
        "`during` must start before it ends, not 2025-02-01 to 2025-01-30",
        "`history` must not start after `before` (2025-01-01), not 2025-01-20",
        "`looks` must not be after the pilot ends (2025-01-30), not 2025-02-20",
        "`looks` must not be before the pilot starts (2025-02-01), not 2025-01-20",
        "`looks` must be in order, not 2025-02-20, 2025-01-20",
        "`unit` must be what was assigned to an arm, such as team, not ticket_id: tickets of one team are "
        "alike, so a p-value on tickets calls 65 to 76 of 100 pilots without any effect significant",
        "`pilot` and `control` must not share East",
        "a metric must have one role, not two: first_contact_resolution",
        "`minimum_gain` must hold response_on_time",
        "`margin` must hold first_contact_resolution",
        "`margin.csat` must be above 0 (how far, whatever the better side), not -0.03",
        "`staff_feedback.yes` must not be above `asked`, not 9 of 8",
    ]


def test_the_engine_is_given_a_size(tmp_path: Path) -> None:
    assert problems(tmp_path, SOURCE + '\n[engine]\nthreads = 0\nmemory_limit = "lots"\n') == [
        "line 7, engine.threads: must be greater than or equal to 1, not 0",
        """line 8, engine.memory_limit: must be a size such as "500MB" or "4GB", not 'lots'""",
    ]


def test_phases_alerts_and_mail_are_read_and_checked(tmp_path: Path) -> None:
    good = (
        SOURCE
        + """
[spc]
exclude = { 2025-09-10 = "CRM outage" }
[[phases]]
name = "V1.1"
start = 2025-09-22
reason = "roll-out"
[[alerts]]
metric = "csat"
threshold = 0.8
[alerting]
host = "smtp.example.org"
sender = "playbook@example.org"
recipients = { team_lead = ["lead@example.org"] }
"""
    )
    (tmp_path / "playbook.toml").write_text(good, encoding="utf-8")
    found = read_settings(tmp_path / "playbook.toml")
    assert found.spc.exclude == {date(2025, 9, 10): "CRM outage"}
    assert (found.alerts[0].days, found.alerts[0].to, found.alerts[0].cut) == (7, "team_lead", None)
    assert found.alerting is not None
    assert (found.alerting.port, found.alerting.security) == (587, "starttls")
    wrong = (
        SOURCE
        + """
[spc]
rules = "all"
[[phases]]
name = "V1.1"
start = 2025-09-22
reason = ""
[[alerts]]
metric = "csat"
days = 0
[alerting]
host = "smtp.example.org"
sender = "playbook@example.org"
password = "secret"
recipients = { team_lead = ["lead@example.org"] }
"""
    )
    assert [line.split(": ")[0] for line in problems(tmp_path, wrong)] == [
        "line 11, phases.0.reason",
        "line 7, spc.rules",
        "line 14, alerts.0.days",
        "line 18, alerting.password",
    ]


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    (tmp_path / "playbook.toml").write_text(SOURCE, encoding="utf-8")
    with pytest.raises(ValueError, match="frozen"):
        read_settings(tmp_path / "playbook.toml").project = "Other"  # type: ignore[misc]


@pytest.mark.parametrize(("text", "seconds"), [("15 min", 900), ("1.5 h", 5400), ("2 d", 172_800)])
def test_limits(text: str, seconds: int) -> None:
    assert parse_limit(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["15", "min", "-1 h", "nan h", "2 weeks"])
def test_limits_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="a limit must be"):
        parse_limit(text)


def test_intervals_over_midnight_end_on_the_next_day() -> None:
    assert parse_interval("22:00-06:00") == (1320, 1800)
    assert parse_interval("00:00-24:00") == (0, 1440)


@pytest.mark.parametrize("text", ["9-18", "09:00", "09:60-10:00", "25:00-26:00", "a-b"])
def test_intervals_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="an interval must be like"):
        parse_interval(text)


def test_names() -> None:
    assert slug("客服 / 2025: pilot!") == "客服-2025-pilot"
    assert slug("***") == "project"
    assert nearest("reponse_on_time", ["response_on_time", "csat"]) == ["response_on_time"]


PROGRAMME = """
[pdca]
clock = "business"
report_within = "24 h"
[[triggers]]
name = "t"
column = "reason"
values = ["x"]
[[versions]]
version = "V1"
start = 2025-01-01
changed = "c"
trained = 5
staff = 4
[[schedule.phases]]
name = "P"
first = 2025-02-01
last = 2025-01-01
[schedule.phases.gate]
name = "G"
due = 2025-02-01
evidence = [{ file = "a", cycle = 1 }, { metric = "csat", reaches = 0.9 }]
"""


def test_every_mistake_of_actions_versions_and_schedule_is_told(tmp_path: Path) -> None:
    file = tmp_path / "playbook.toml"
    file.write_text('project = "p"\nsource = { path = "t.csv" }\n' + PROGRAMME, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_settings(file)
    lines = str(caught.value).splitlines()[1:]
    assert lines == [
        '  line 4, pdca: with clock = "business" `report_within` must be whole working days such as "1 d", '
        "not '24 h'",
        "  line 9, triggers.0.column: 'reason' is not a column to cut by; did you mean region?",
        "  line 11, versions.0: `trained` must not be above `staff`, not 5 of 4",
        "  line 24, schedule.phases.0.gate.evidence.0: evidence must name one of file, result, metric, "
        "cycle, not 2 of them",
        "  line 24, schedule.phases.0.gate.evidence.1: evidence of a metric must have first and last",
    ]


def test_the_template_shows_actions_versions_and_schedule_as_they_may_be_written(tmp_path: Path) -> None:
    text = (files("csimprove") / "templates" / "playbook.toml").read_text(encoding="utf-8")
    part = text.partition("# --- Actions, versions, schedule")[2].partition("# --- Where reports go")[0]
    lines = [line.removeprefix("# ") for line in part.splitlines()[1:] if line != "#"]
    shown = [line for line in lines if "csimprove pdca" not in line and not re.match(r"[A-Z]", line)]
    file = tmp_path / "playbook.toml"
    file.write_text('project = "p"\nsource = { path = "t.csv" }\n' + "\n".join(shown), encoding="utf-8")
    found = read_settings(file)
    assert (found.pdca.clock, found.triggers[0].count, found.versions[0].version) == ("business", 10, "V1.1")
    assert found.schedule is not None
    assert found.schedule.phases[0].gate is not None


OWN = """
[[own_metrics]]
name = "refunds"
label = { en = "Refunds", zh = "退款率" }
better = "lower"
kind = "share"
column = "own_text_1"
values = ["yes"]
"""


def test_an_own_metric_is_read(tmp_path: Path) -> None:
    (tmp_path / "playbook.toml").write_text(SOURCE + OWN, encoding="utf-8")
    settings = read_settings(tmp_path / "playbook.toml")
    assert settings.goal("refunds") is settings.own_metrics[0]
    assert settings.goal("csat") is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'column = "own_text_1"',
            'column = "own_txt_1"',
            "line 6, own_metrics.0: 'own_txt_1' is not a column of texts, yes or no; did you mean "
            "own_text_1 or own_text_3 or own_text_2?",
        ),
        (
            'values = ["yes"]',
            "",
            "line 6, own_metrics.0: refunds: kind 'share' needs values",
        ),
        (
            'kind = "share"',
            'kind = "shar"',
            "line 10, own_metrics.0.kind: must be 'share', 'mean' or 'within_limit', not 'shar'",
        ),
        (
            "label = {",
            "labels = {",
            "own_metrics.0.label: is missing. Add it.\n"
            "line 8, own_metrics.0.labels: unknown key; did you mean label or values?",
        ),
        (
            'kind = "share"\ncolumn = "own_text_1"\nvalues = ["yes"]',
            'kind = "within_limit"\nevent = "recorded_a"\nlimit = "2 hours"',
            "line 6, own_metrics.0: 'recorded_a' is not a column of times; did you mean recorded_at or "
            "resolved_at or reopened_at?",
        ),
        (
            'kind = "share"\ncolumn = "own_text_1"\nvalues = ["yes"]',
            'kind = "within_limit"\nevent = "recorded_at"\nlimit = "2 hours"',
            'line 6, own_metrics.0: a limit must be like "15 min", "2 h" or "3 d", not \'2 hours\'',
        ),
        (
            'kind = "share"\ncolumn = "own_text_1"\nvalues = ["yes"]',
            'kind = "mean"\ncolumn = "replies"\nunit = "hours"',
            "line 6, own_metrics.0: refunds: `unit` is for columns of durations, not replies",
        ),
    ],
)
def test_mistakes_in_own_metrics_name_what_is_near(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert problems(tmp_path, SOURCE + OWN.replace(old, new)) == message.split("\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "scales.nps_score = [1, 5]",
            "line 3, source.scales: nps_score: promoters are 9-10 and detractors 0-6, so the "
            "scale must be [0, 10] or [1, 10], not [1, 5]. Map other ratings to csat",
        ),
        (
            "scales.csat = [5, 1]",
            "line 3, source.scales: csat: a scale must be like [1, 5], lowest first, not [5, 1]",
        ),
        (
            "scales.cast = [1, 5]",
            "line 3, source.scales: 'cast' is not a column of ratings; did you mean csat?",
        ),
        (
            "events.resolvd_at = []",
            "line 3, source.events: 'resolvd_at' is not a column of times after the opening; "
            "did you mean resolved_at or reopened_at or recorded_at?",
        ),
    ],
)
def test_mistakes_about_the_rows(tmp_path: Path, line: str, message: str) -> None:
    assert problems(tmp_path, SOURCE + line + "\n") == [message]
