"""Customers: churn, retention and complaints per 10,000 of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from csimprove import wording
from csimprove.baseline import baseline
from csimprove.errors import TicketDataError
from csimprove.metrics import load_measures
from csimprove.metrics.customers import Customers, read_customers
from csimprove.settings import Customers as Table
from csimprove.settings import Settings

TODAY = date(2025, 12, 31)
TABLE = """id,joined,left,plan,gone
1,2020-01-01,,A,no
2,2020-01-01,2025-01-01,A,yes
3,2020-01-01,2025-12-31,B,yes
4,2020-01-01,2024-12-31,B,yes
5,2025-03-01,2025-06-01,A,yes
6,2025-03-01,,,no
7,2020-01-01,soon,A,maybe
"""
DATED = {"since": "joined", "lost_on": "left", "cuts": ("plan",)}


def project(folder: Path, customers: dict[str, Any], table: str = TABLE) -> Settings:
    (folder / "customers.csv").write_text(table, encoding="utf-8")
    tickets = "".join(f"{n},2025-0{1 + n % 2}-0{n},{'yes' if n < 4 else 'no'}\n" for n in range(1, 9))
    (folder / "tickets.csv").write_text("id,opened,complaint\n" + tickets, encoding="utf-8")
    columns = {"ticket_id": "id", "opened_at": "opened", "is_complaint": "complaint"}
    return Settings.model_validate({
        "project": "P",
        "source": {"path": "tickets.csv", "columns": columns},
        "customers": customers,
        "file": folder / "playbook.toml",
    })  # fmt: skip


def counted(folder: Path, table: str = TABLE, **customers: Any) -> Customers:
    settings = project(folder, {"path": "customers.csv", **customers}, table)
    found = read_customers(settings, today=TODAY)
    assert found is not None
    return found


def test_losses_of_a_year_are_of_those_who_were_there_at_its_start(tmp_path: Path) -> None:
    found = counted(tmp_path, **DATED)
    assert (found.first, found.last) == ("2025-01-01", "2025-12-31")
    # 4 was lost before, 5 and 6 came later, 7 cannot be read
    assert found.groups == (("", "", 3, 2), ("plan", "", 0, 0), ("plan", "A", 2, 1), ("plan", "B", 1, 1))
    assert (found.rows, found.unread, found.count) == (7, 1, 2)
    assert Customers.from_dict(found.to_dict()) == found


def test_a_flag_counts_everybody_without_a_period(tmp_path: Path) -> None:
    found = counted(tmp_path, churned="gone")
    assert (found.groups, found.unread, found.count) == ((("", "", 6, 4),), 1, 2)
    assert (found.first, found.last) == (None, None)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(TicketDataError) as refused:
        counted(tmp_path, since="joind", lost_on="lost")
    assert [(each.column, each.reason) for each in refused.value.failures] == [
        ("joind", "is missing (did you mean 'joined' or 'id'?). Correct [customers]."),
        ("lost", "is missing (did you mean 'left'?). Correct [customers]."),
    ]
    with pytest.raises(TicketDataError) as refused:
        counted(tmp_path, churned="plan")
    (failure,) = refused.value.failures
    assert failure.reason == "must hold yes or no, true or false, 1 or 0, 是 or 否, not 'A', 'B'."
    with pytest.raises(TicketDataError) as refused:
        counted(tmp_path, since="plan", lost_on="gone")
    assert refused.value.failures[0].reason == (
        "must hold days such as 2025-03-31, not 'A', 'B'. Set `formats` under [customers]."
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs `path` of a table of customers, or only their `count`"),
        ({"count": 5, "cuts": ("a",)}, "needs `path` of a table of customers, or only their `count`"),
        ({"path": "c.csv", "since": "a"}, "a table of customers needs `since` and `lost_on`, or `churned`"),
    ],
)
def test_settings_that_say_too_little(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Table.model_validate(given)


def test_indicators_of_customers_stand_beside_those_of_tickets(tmp_path: Path) -> None:
    settings = project(tmp_path, {"path": "customers.csv", **DATED})
    measures = load_measures(settings, as_of="2025-12-31")
    result = baseline(measures, settings=settings)
    found = {one.metric: one for one in result.indicators}
    churn, kept = found["churn_rate"], found["retention_rate"]
    assert (churn.numerator, churn.denominator, churn.left_out) == (2, 3, 4)
    assert (churn.value, kept.value) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (churn.target, kept.target) == (0.05, 0.95)
    # three complaints in 39 days (1 January to 8 February) of two customers
    per = found["complaints_per_10000"]
    days = (result.last - result.first).days + 1
    assert per.value == pytest.approx(3 / (2 * days / 365) * 10_000)
    assert per.ci_low == pytest.approx(per.value / 3 * 0.61867, rel=1e-4)
    assert per.ci_high == pytest.approx(per.value / 3 * 8.76727, rel=1e-4)
    assert {goal.metric: goal.tickets_per_week for goal in result.goals}["churn_rate"] is None
    assert set(result.cuts.loc[result.cuts["cut"] == "plan", "group"]) == {"", "A", "B"}
    assert result.choose(cut="plan") == ("churn_rate", "plan")
    assert wording.baseline_cuts(result, "churn_rate", "plan")["title"] == (
        "By plan, churn runs from 50.0% (A) to 100.0% (B)"
    )
    stored = load_measures(settings, as_of="2025-12-31")
    assert stored.customers == measures.customers
    (tmp_path / "customers.csv").write_text(
        TABLE.replace("6,2025-03-01,,", "6,2020-03-01,,"), encoding="utf-8"
    )
    again = load_measures(settings, as_of="2025-12-31").customers
    assert again is not None
    assert again.groups[0] == ("", "", 4, 2)


def test_the_denominator_of_complaints_is_named(tmp_path: Path) -> None:
    settings = project(tmp_path, {"count": 5000})
    result = baseline(load_measures(settings), settings=settings)
    (found,) = (one for one in result.indicators if one.metric == "complaints_per_10000")
    said = wording.definition_text(found.metric, variant=found.variant)
    assert "customers (5,000, from the number declared in the settings)" in said
    assert "churn_rate" not in [one.metric for one in result.indicators]
    said = wording.definition_text(
        found.metric, "zh", variant='customers {"customers": 7032, "source": "k.csv"}'
    )
    assert "客户数（7,032，来自k.csv）" in said
