"""The register of actions: its guards, its files, its dates, and effects measured from the data."""

from __future__ import annotations

import re
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from csimprove.errors import SettingsError
from csimprove.pdca import (
    Cycle,
    Entry,
    Plan,
    add_cycle,
    check_cycle,
    close_cycle,
    course,
    cycle_text,
    deadline,
    effect,
    escalations,
    extend_cycle,
    find_cycle,
    plan_cycle,
    read_cycle,
    read_register,
    reopen_cycle,
    start_cycle,
    statuses,
)
from csimprove.settings import Calendar, Settings
from made_register import LEAD, OWNER, PLAN, QUALITY, at, measures, planned, project, started

NAME = "0001-remind-the-agent.toml"
REFUSED = "`csimprove pdca {} is refused for " + NAME + ":\n  {}."


def refused(action: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        action(*arguments, **options)
    return str(caught.value)


def checked(made: Settings, **options: Any) -> Cycle:
    cycle = started(made)
    return check_cycle(made, cycle.id, who=QUALITY, at=at("2025-09-10"), measures=measures(**options))


# --- guards -----------------------------------------------------------------------------------------


def test_no_do_without_owner_due_date_and_a_way_to_judge_the_effect(tmp_path: Path) -> None:
    made = project(tmp_path)
    cycle = add_cycle(made, title="Remind the agent", who=QUALITY, at=at("2025-07-28"))
    assert refused(start_cycle, made, 1, who=OWNER, at=at("2025-07-29")) == REFUSED.format(
        "start`", "start needs a cycle that is planned; this one is proposed"
    )
    plan_cycle(made, cycle.id, who=QUALITY, at=at("2025-07-29"), fields={"metric": "csat"})
    assert refused(start_cycle, made, 1, who=OWNER, at=at("2025-07-30")) == REFUSED.format(
        "start`",
        "start needs a plan with owner, due, metric, gain, baseline, window; it lacks owner, due, gain, "
        "baseline, window. Add them with `csimprove pdca plan`",
    )
    assert course(find_cycle(made, 1)).state == "planned"


def test_how_the_effect_is_judged_is_set_beforehand(tmp_path: Path) -> None:
    made = project(tmp_path)
    planned(made)
    assert refused(start_cycle, made, 1, who=OWNER, at=at("2025-08-05")) == REFUSED.format(
        "start`",
        "start must not be after the window begins (2025-08-04), not on 2025-08-05: how the effect is judged "
        "is set beforehand. Choose a later window with `csimprove pdca plan`",
    )
    start_cycle(made, 1, who=OWNER, at=at("2025-08-04"))
    assert refused(
        plan_cycle, made, 1, who=QUALITY, at=at("2025-08-05"), fields={"gain": 0.01}
    ) == REFUSED.format(
        "plan`",
        "plan needs a cycle that is proposed or planned; this one is doing",
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"window": (date(2025, 8, 1), date(2025, 8, 31))},
            "must end before the window starts (2025-08-01), not 2025-08-03",
        ),
        (
            {"window": (date(2025, 9, 9), date(2025, 9, 1))},
            "must start before it ends, not 2025-09-09 to 2025-09-01",
        ),
        ({"due": date(2025, 8, 30)}, "must not be before the window ends (2025-08-31), not 2025-08-30"),
        ({"gain": -0.1}, "must be above 0 (how far to the better side), not -0.1"),
        ({"predicted": 0.01}, "must not be below the gain (0.05), not 0.01"),
        ({"compare": {"region": ("East", "West")}}, "must not share East with where"),
        ({"where": {}}, "needs `where`: whom the action concerns"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(
    tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    made = project(tmp_path)
    add_cycle(made, title="Remind the agent", who=QUALITY, at=at("2025-07-28"))
    told = refused(plan_cycle, made, 1, who=QUALITY, at=at("2025-07-29"), fields=PLAN | fields)
    assert told == REFUSED.format("plan`", message)


def test_the_owner_does_not_check_whatever_the_spelling(tmp_path: Path) -> None:
    made = project(tmp_path)
    started(made)
    told = refused(check_cycle, made, 1, who="desk  Manager", at=at("2025-09-10"), measures=measures())
    assert told == REFUSED.format(
        "check`",
        "check must be made by somebody other than the owner, not by desk  Manager. "
        "Ask a colleague to run `csimprove pdca check`",
    )


def test_no_check_before_the_start_or_before_the_window_is_decided(tmp_path: Path) -> None:
    made = project(tmp_path)
    planned(made)
    told = refused(check_cycle, made, 1, who=QUALITY, at=at("2025-07-30"), measures=measures())
    assert told.startswith(
        REFUSED.format("check`", "check needs a cycle that is doing or checked; this one is planned")
    )
    start_cycle(made, 1, who=OWNER, at=at("2025-08-01"))
    early = measures(as_of="2025-08-31")
    assert refused(
        check_cycle, made, 1, who=QUALITY, at=at("2025-08-31", 21), measures=early
    ) == REFUSED.format(
        "check`", "its window is decided on 2025-09-01, the data reach to 2025-08-31. Check then"
    )


def test_a_check_does_not_use_data_from_after_it(tmp_path: Path) -> None:
    made = project(tmp_path)
    started(made)
    told = refused(check_cycle, made, 1, who=QUALITY, at=at("2025-09-02"), measures=measures())
    assert told == REFUSED.format(
        "check`",
        "check must not use data of a later moment (2025-09-08 20:00:00+08:00) than its own "
        "(2025-09-02 09:00:00+08:00). Give `--as-of`",
    )


def test_no_close_without_a_check_and_none_without_a_standard_or_a_reason(tmp_path: Path) -> None:
    made = project(tmp_path)
    started(made)
    assert refused(close_cycle, made, 1, who=LEAD, at=at("2025-09-10"), standard="x") == REFUSED.format(
        "close`", "close needs a cycle that is checked; this one is doing"
    )
    check_cycle(made, 1, who=QUALITY, at=at("2025-09-10"), measures=measures())
    assert refused(close_cycle, made, 1, who=LEAD, at=at("2025-09-11")) == REFUSED.format(
        "close`",
        "close needs `standard`: what becomes the standard now that the effect is confirmed",
    )
    closed = close_cycle(made, 1, who=LEAD, at=at("2025-09-11"), standard="In every region")
    assert (course(closed).state, closed.standard) == ("closed", "In every region")


def test_a_useless_action_is_closed_with_a_reason_only(tmp_path: Path) -> None:
    made = project(tmp_path)
    checked(made, gain=0.0)
    assert refused(close_cycle, made, 1, who=LEAD, at=at("2025-09-11"), standard="x") == REFUSED.format(
        "close`",
        "close needs a reason (why), because the effect is not confirmed (too_small). "
        "Give one, or plan again with `csimprove pdca reopen`",
    )
    assert course(close_cycle(made, 1, who=LEAD, at=at("2025-09-11"), why="given up")).state == "closed"


def test_an_extension_keeps_the_original_date_and_needs_a_reason(tmp_path: Path) -> None:
    made = project(tmp_path)
    started(made)
    assert refused(
        extend_cycle, made, 1, who=LEAD, at=at("2025-09-01"), due=date(2025, 9, 26), why=""
    ) == REFUSED.format(
        "extend`",
        "extend needs a reason (why).\n  extend needs a later due date than 2025-09-26, not 2025-09-26",
    )
    moved = course(
        extend_cycle(made, 1, who=LEAD, at=at("2025-09-01"), due=date(2025, 10, 10), why="supplier late")
    )
    assert (moved.first_due, moved.due) == (date(2025, 9, 26), date(2025, 10, 10))
    assert find_cycle(made, 1).history[-1].why == "supplier late"


def test_a_reopened_cycle_is_planned_again_and_keeps_its_checks(tmp_path: Path) -> None:
    made = project(tmp_path)
    checked(made, gain=0.0)
    assert refused(reopen_cycle, made, 1, who=LEAD, at=at("2025-09-11"), why="") == REFUSED.format(
        "reopen`", "reopen needs a reason (why)"
    )
    again = reopen_cycle(made, 1, who=LEAD, at=at("2025-09-11"), why="not shown")
    assert (course(again).state, course(again).rounds, len(again.checks)) == ("proposed", 2, 1)
    later = {
        "due": date(2025, 12, 1),
        "baseline": (date(2025, 8, 4), date(2025, 8, 31)),
        "window": (date(2025, 10, 6), date(2025, 11, 2)),
    }
    plan_cycle(made, 1, who=QUALITY, at=at("2025-09-12"), fields=later)
    restarted = course(start_cycle(made, 1, who=OWNER, at=at("2025-09-15")))
    assert (restarted.state, restarted.first_due) == ("doing", date(2025, 12, 1))
    assert read_register(made)[0].plan == Plan(**PLAN | later)


def test_history_runs_forward(tmp_path: Path) -> None:
    made = project(tmp_path)
    planned(made)
    assert refused(start_cycle, made, 1, who=OWNER, at=at("2025-07-01")) == REFUSED.format(
        "start`", "must not be before the entry above (2025-07-29 09:00:00+08:00)"
    )


def test_wrong_fields_are_all_told(tmp_path: Path) -> None:
    made = project(tmp_path)
    told = refused(add_cycle, made, title="", who="x", at=at("2025-07-01"))
    assert told == (
        "`csimprove pdca add` is refused:\n  title: String should have at least 1 character, not ''."
    )
    assert refused(find_cycle, made, 7) == (
        "`id` must be the number of one cycle in pdca, not 7: there is none. "
        "`csimprove pdca list` shows them."
    )


# --- hand edits -------------------------------------------------------------------------------------


def edited(made: Settings, old: str, new: str) -> str:
    path = find_cycle(made, 1).file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return refused(read_register, made).replace(f"pdca/{NAME} must be corrected:\n", "")


def test_a_hand_edit_that_breaks_a_rule_is_found_with_file_and_line(tmp_path: Path) -> None:
    made = project(tmp_path)
    checked(made)
    text = find_cycle(made, 1).file.read_text(encoding="utf-8")

    def line(of: str) -> int:
        return text[: text.index(of)].count("\n") + 1

    effect_line = re.search(r"effect = .*", text)
    assert effect_line
    assert edited(made, effect_line[0], "effect = 0.5") == (
        f"  line {line('[[checks]]')}, checks.0: was edited after it was measured. Restore it, or check again"
    )
    find_cycle_file = tmp_path / "pdca" / NAME
    find_cycle_file.write_text(text, encoding="utf-8")
    assert edited(made, "due = 2025-09-26\nmetric", "due = 2025-10-26\nmetric") == (
        f"  line {line('due = 2025-09-26')}, plan.due: must be 2025-09-26 as the history says; "
        "move it with `csimprove pdca extend`"
    )
    find_cycle_file.write_text(text, encoding="utf-8")
    told = edited(made, "gain = 0.05\npredicted = 0.1\nbaseline", "gain = 0.01\npredicted = 0.1\nbaseline")
    assert told.startswith(
        f"  line {line('[[history]]') + 11}, history.2: the plan was changed after the start"
    )
    find_cycle_file.write_text(text, encoding="utf-8")
    assert edited(made, 'title = "Remind the agent"', 'titel = "Remind the agent"') == (
        f"  title: is missing. Add it.\n  line {line('title')}, titel: unknown key; did you mean title?"
    )


def test_a_check_that_the_owner_made_is_found_though_its_seal_fits(tmp_path: Path) -> None:
    cycle = checked(project(tmp_path))
    (check,) = cycle.checks
    own = check.model_copy(update={"by": OWNER})
    forged = cycle.model_copy(update={"checks": (own.model_copy(update={"seal": own.own_seal}),)})
    (fault,) = course(forged).faults
    assert fault.loc == ("history", 3)
    assert fault.message.startswith("check must be made by somebody other than the owner, not by ")


def test_every_file_is_told_and_so_is_a_number_used_twice(tmp_path: Path) -> None:
    made = project(tmp_path)
    planned(made)
    planned(made, title="Another one")
    folder = tmp_path / "pdca"
    (folder / "0003-broken.toml").write_text("id = ", encoding="utf-8")
    (folder / "0001-copy.toml").write_text((folder / NAME).read_text(encoding="utf-8"), encoding="utf-8")
    assert refused(read_register, made) == (
        f"pdca/{NAME} must have a number of its own: pdca/0001-copy.toml is number 1, too. "
        "Give the newer one the next free number, in its name and its `id`.\n"
        "pdca/0003-broken.toml must be TOML in UTF-8: Invalid value (at end of document)."
    )


def test_nothing_is_written_when_somebody_else_changed_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = project(tmp_path)
    cycle = planned(made)
    from csimprove.pdca import actions

    monkeypatch.setattr(actions, "_read", lambda settings, number: (cycle, "as it was once"))
    assert refused(start_cycle, made, 1, who=OWNER, at=at("2025-08-01")) == (
        f"{NAME} was changed by somebody else at the same moment. Nothing was written; repeat it."
    )
    assert sorted(path.name for path in (tmp_path / "pdca").iterdir()) == [NAME]


# --- files ------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(title='a\x7fb\x00\n"', causes=["= 1", "\\"], cut="区 域", gain=0.1)
@given(title=TEXTS, causes=st.lists(TEXTS, max_size=3), cut=TEXTS, gain=st.floats(1e-6, 1e6))
def test_what_is_written_is_read_back_whatever_it_says(
    tmp_path: Path, title: str, causes: list[str], cut: str, gain: float
) -> None:
    entry = Entry(at=at("2025-07-01"), who=title, what="add")
    other = Entry(at=at("2025-07-02"), who=title, what="plan")
    plan = Plan(gain=gain, where={cut: (title, *causes)}, baseline=(date(2025, 1, 1), date(2025, 1, 2)))
    path = tmp_path / "0001-x.toml"
    made = Cycle(id=1, title=title, causes=tuple(causes), plan=plan, history=(entry, other), file=path)
    path.write_text(cycle_text(made), encoding="utf-8", newline="\n")
    assert read_cycle(path, path.name) == made
    assert cycle_text(read_cycle(path, path.name)) == cycle_text(made)


def test_two_who_add_at_once_get_two_numbers(tmp_path: Path) -> None:
    made = project(tmp_path)
    (tmp_path / "pdca").mkdir()
    (tmp_path / "pdca" / ".0001.claim").touch()  # somebody else is at it
    cycle = add_cycle(made, title="华东 提醒", who=QUALITY, at=at("2025-07-28"))
    assert cycle.file.name == "0002-华东-提醒.toml"


# --- deadlines --------------------------------------------------------------------------------------


def test_a_deadline_missed_before_the_holiday_is_escalated_on_the_right_day(tmp_path: Path) -> None:
    """Due on Friday 26 September: the Sunday is a make-up workday, 1 to 8 October are a holiday."""
    made = project(tmp_path)
    cycles = (started(made),)

    def levels(day: str, hour: int = 9) -> list[tuple[str, date, int, str]]:
        one, *_ = statuses(cycles, settings=made, moment=at(day, hour), metrics={})
        return [(late.what, late.on, late.level, late.person) for late in one.escalations]

    assert levels("2025-09-30", 23) == []
    second = ("due", date(2025, 10, 9), 2, "Service manager")
    assert levels("2025-10-09") == [second]
    assert levels("2025-10-11", 23) == [second]  # a Saturday to make up is the third day after the holiday
    third = ("still_open", date(2025, 10, 13), 3, "Service director")
    assert levels("2025-10-13") == [second, third]
    assert levels("2026-03-31") == [second, third]  # nobody looked for months: nothing is lost
    one, *_ = statuses(cycles, settings=made, moment=at("2025-10-13"), metrics={})
    assert (one.overdue, one.late, one.level, one.state) == (True, 17, 3, "to_check")


def test_on_calendar_time_a_day_is_24_hours() -> None:
    office = Calendar(zone="Asia/Shanghai", holidays="CN")
    start = datetime(2025, 9, 30, 15)
    assert deadline(start, "24 h", calendar=office, clock="calendar") == datetime(2025, 10, 1, 15)


def test_during_a_working_day_the_same_time_some_working_days_later(tmp_path: Path) -> None:
    made = project(tmp_path)
    found = deadline(datetime(2025, 9, 30, 15), "1 d", calendar=made.calendar, clock="business")
    assert found == datetime(2025, 10, 9, 15)


def test_what_was_late_stays_in_the_history_though_it_was_done_later(tmp_path: Path) -> None:
    made = project(tmp_path)
    limit, done = at("2025-10-10"), at("2025-10-14")
    found = escalations([("report", limit, done)], settings=made, now=at("2025-12-01"))
    assert [(one.what, one.level) for one in found] == [("report", 2)]
    assert escalations([("report", limit, at("2025-10-09"))], settings=made, now=at("2025-12-01")) == ()


# --- effects ----------------------------------------------------------------------------------------


def test_a_planted_gain_is_confirmed_against_the_compared_teams(tmp_path: Path) -> None:
    check = checked(project(tmp_path)).checks[0]
    assert (check.verdict, check.method, check.units, check.units_compared) == (
        "confirmed", "units_compared", 5, 8,
    )  # fmt: skip
    assert check.ci_low is not None
    assert check.ci_low > 0.13
    assert check.effect == pytest.approx(0.15, abs=0.015)
    assert (check.data, check.owner, check.by, len(check.settings)) == ("0" * 64, OWNER, QUALITY, 64)


def test_what_the_interval_holds_decides() -> None:
    plan = Plan(**PLAN)
    assert effect(measures(0.0), plan).verdict == "too_small"
    assert effect(measures(-0.1), plan).verdict == "harmed"
    assert effect(measures(0.045), plan).verdict == "not_shown"
    assert effect(measures(0.15, east=2), plan).method == "none"
    assert effect(measures(0.15, east=2), plan).verdict == "cannot_tell"


def test_without_comparison_the_wider_of_teams_and_weeks_is_taken() -> None:
    alone = Plan(**PLAN | {"compare": {}})
    found = effect(measures(), alone)
    assert found.method in ("units", "weeks")
    both = {
        method: effect(measures(**options), alone.model_copy(update=own))
        for method, own, options in (
            ("weeks", {"unit": "agent"}, {}),
            ("units", {"window": (date(2025, 8, 4), date(2025, 8, 17))}, {}),
        )
    }
    assert {method: one.method for method, one in both.items()} == {"weeks": "weeks", "units": "units"}
    assert found.ci_high is not None
    assert found.ci_low is not None
    weeks = both["weeks"]
    assert weeks.ci_high is not None
    assert weeks.ci_low is not None
    assert found.ci_high - found.ci_low >= weeks.ci_high - weeks.ci_low - 1e-12


def test_a_plan_that_does_not_fit_the_data_says_everything() -> None:
    plan = Plan(**PLAN | {"metric": "csat", "where": {"shop": ("A",)}, "compare": {"region": ("North",)}})
    with pytest.raises(SettingsError) as caught:
        effect(measures(), plan)
    assert str(caught.value) == (
        "the plan does not fit the data:\n"
        "  `metric` must be one of the catalogue, not 'csat'. Did you mean csat or csi?\n"
        "  `where` must name cuts of these measures (region, team, channel, severity), not shop.\n"
        "  `compare.region` must name values of the data, not North."
    )


# --- states -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2025-07-28", "waiting"),
        ("2025-07-30", "planned"),
        ("2025-08-03", "doing"),
        ("2025-08-20", "checking"),
        ("2025-09-01", "to_check"),
        ("2025-09-10", "checked"),
        ("2025-09-12", "again"),
    ],
)
def test_the_state_follows_from_the_date_alone(tmp_path: Path, day: str, state: str) -> None:
    made = project(tmp_path)
    checked(made, gain=0.0)
    reopen_cycle(made, 1, who=LEAD, at=at("2025-09-11"), why="not shown")
    cycles = read_register(made)
    if state != "again":  # the reopened plan is no longer the one of the earlier days
        cycles = tuple(
            one.model_copy(update={"history": one.history[:-1], "plan": Plan(**PLAN)}) for one in cycles
        )
    (one,) = statuses(cycles, settings=made, moment=at(day, 12), metrics={})
    assert one.state == state


def test_stretches_follow_one_another_and_end_as_planned(tmp_path: Path) -> None:
    made = project(tmp_path)
    (one,) = statuses((started(made),), settings=made, moment=at("2025-08-20"), metrics={})
    days = [(part.letter, part.first, part.last, part.done) for part in one.stretches]
    assert days == [
        ("P", date(2025, 7, 28), date(2025, 8, 1), date(2025, 8, 1)),
        ("D", date(2025, 8, 1), date(2025, 8, 4), date(2025, 8, 4)),
        ("C", date(2025, 8, 4), date(2025, 9, 1), date(2025, 8, 20)),
        ("A", date(2025, 9, 1), date(2025, 9, 26), None),
    ]
    assert one.to_dict()["overdue"] is False


def test_five_hundred_cycles_are_read_checked_and_told_without_a_wait(tmp_path: Path) -> None:
    made = project(tmp_path)
    text = cycle_text(checked(made))
    for number in range(2, 501):
        path = tmp_path / "pdca" / f"{number:04}-x.toml"
        path.write_text(text.replace("id = 1\n", f"id = {number}\n"), encoding="utf-8")
    began = time.perf_counter()
    cycles = read_register(made)
    found = statuses(cycles, settings=made, moment=at("2026-01-01"), metrics={})
    taken = time.perf_counter() - began
    assert (len(cycles), len(found)) == (500, 500)
    assert taken < 5  # 1 s on an idle machine; docs/benchmarks.md


def test_moments_before_the_register_show_nothing(tmp_path: Path) -> None:
    made = project(tmp_path)
    planned(made)
    assert statuses(read_register(made), settings=made, moment=at("2025-01-01"), metrics={}) == ()
