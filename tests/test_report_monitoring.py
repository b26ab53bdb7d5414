"""Blocks of the regular reports, in both languages: what they say of made measures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from csimprove import report, wording
from csimprove.monitoring import MonitoringResult, monitoring
from csimprove.settings import MetricSettings, Phase
from made_measures import pilot_plan
from made_monitoring import measures, settings

BLOCKS = (
    report.monitoring_masthead,
    report.alerts_table,
    report.standing_table,
    report.problems_table,
    report.changes_table,
    report.comparison_table,
)


def result(period: str = "monthly", **options: Any) -> MonitoringResult:
    phase = Phase(name="V<1.1>", start=date(2025, 7, 28), reason="fewer fields")
    owner = MetricSettings(owner="Desk <lead>", due=date(2025, 12, 31))
    made = settings(phases=(phase,), metrics={"response_on_time": owner}, pilot=pilot_plan())
    return monitoring(measures(**options), settings=made, period=period)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("period", ["daily", "quarterly"])
def test_every_block_is_whole_in_both_languages(period: str, language: str) -> None:
    found = result(period)
    for build in BLOCKS:
        block = build(found, language=language)  # type: ignore[operator]
        for words in (block.html, block.plain):
            assert "{" not in words
            assert "nan" not in words.lower()
        assert "V<1.1>" not in block.html
        assert "Desk <lead>" not in block.html


def test_the_masthead_says_period_finding_and_alerts() -> None:
    said = report.monitoring_masthead(result()).plain

    assert (
        said.splitlines()[0]
        == "Response on time is 94.9% against a target of 95%; 1 of 3 targets reached, no alert"
    )
    assert "Period: 1 Aug – 31 Aug 2025" in said


def test_a_provisional_period_says_so() -> None:
    early = result(as_of=datetime(2025, 9, 1, 12))
    windows = {name: replace(one, provisional=True) for name, one in early.windows.items()}
    found = replace(early, windows=windows)

    assert "1 Aug – 31 Aug 2025, provisional" in report.monitoring_masthead(found).plain
    assert report.standing_table(found).plain.count("provisional") == 4  # three rows and the caption
    assert "（暂定）" in report.monitoring_masthead(found, language="zh").plain


def test_alerts_carry_both_flags_their_days_lag_and_id() -> None:
    found = result(rate=lambda day, team: 0.895)
    row = next(line for line in report.alerts_table(found).plain.splitlines() if "(all)" in line)
    clear = report.alerts_table(result(rate=lambda day, team: 0.7)).plain

    assert "1 Sep – 7 Sep 2025 (1 day before the data date)" in row
    assert "not shown" in row
    assert found.alerts[0].id in row
    assert "yes" in next(line for line in clear.splitlines() if "(all)" in line)


def test_problems_are_the_next_focus_in_a_quarterly_report_and_name_owner_and_date() -> None:
    monthly, quarterly = (
        report.problems_table(result(period, rate=lambda day, team: 0.8)).plain
        for period in ("monthly", "quarterly")
    )

    assert monthly.startswith("Main problems")
    assert quarterly.startswith("Focus of the next quarter")
    assert "Desk <lead>" in monthly
    assert "31 Dec 2025" in monthly


def test_groups_are_compared_in_the_order_of_their_names_with_the_standard() -> None:
    found = result(
        teams=tuple(f"East {i}" for i in range(9)), rate=lambda day, team: 0.5 if "4" in team else 0.97
    )
    lines = [line for line in report.comparison_table(found).plain.splitlines() if line.startswith("East ")]

    assert [line.split("  ")[0] for line in lines] == [f"East {i}" for i in range(9)]
    assert [line for line in lines if "target missed" in line] == [lines[4]]


def test_a_wide_spread_is_not_called_chance() -> None:
    teams = tuple(f"East {i}" for i in range(4))
    spread = result(teams=teams, rate=lambda day, team: 0.5 + 0.12 * int(team[-1]))
    alike = result(teams=teams)

    assert "times what chance makes" in wording.funnel(spread)["title"]
    assert "no more than chance allows" in wording.funnel(alike)["title"]


def test_without_a_figure_only_the_heading_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    report.show_chart(None, title="No pilot is planned", lede="", caption="", alt="")

    assert capsys.readouterr().out == "No pilot is planned\n"
