"""Metrics of real and third-party files against the figures known of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from csimprove.baseline import BaselineResult, Indicator, baseline
from csimprove.metrics import Measures, load_measures
from csimprove.settings import MetricSettings, OwnMetric, read_settings
from test_tickets_real import HERE, SHARED, needs_shared

pytestmark = [needs_shared, pytest.mark.slow]


def measured(name: str, folder: Path, **changed: Any) -> tuple[Measures, BaselineResult]:
    settings = read_settings(HERE / "settings" / f"{name}.toml")
    path = changed.pop("path", settings.path(settings.source.path))
    as_of = changed.pop("as_of", None)
    source = settings.source.model_copy(update={"path": str(path)} | changed.pop("source", {}))
    settings = settings.model_copy(update={"source": source, "file": folder / "playbook.toml"} | changed)
    measures = load_measures(settings, as_of=as_of)
    return measures, baseline(measures, settings=settings)


def one(result: BaselineResult, metric: str) -> Indicator:
    return next(found for found in result.indicators if found.metric == metric)


def value(result: BaselineResult, metric: str, places: int = 2) -> tuple[int, float]:
    found = one(result, metric)
    assert found.value is not None
    return found.denominator, round(found.value * (100 if found.unit == "share" else 1), places)


def variants(metric: str, **each: str) -> dict[str, Any]:
    return {"metrics": {metric: MetricSettings(**each)}}


def test_a_day_of_a_bank_s_call_centre(tmp_path: Path) -> None:
    measures, result = measured("bank_calls", tmp_path)
    assert measures.reading.excluded == {"phantom": 16}
    assert value(result, "abandonment_rate") == (1551, 12.70)
    assert value(result, "waiting_time") == (837, 66.27)
    assert one(result, "waiting_time").unit == "seconds"
    assert value(result, "service_level") == (1551, 54.29)
    _, result = measured("bank_calls", tmp_path, **variants("service_level", variant="of_answered"))
    assert value(result, "service_level") == (1354, 62.19)


def test_booking_calls_whose_wait_follows_from_their_times(tmp_path: Path) -> None:
    _, result = measured("calls_booking", tmp_path)
    assert value(result, "abandonment_rate") == (25100, 1.47)
    assert value(result, "waiting_time") == (24731, 22.98)
    assert value(result, "service_level") == (25100, 43.82)
    _, result = measured("calls_booking", tmp_path, **variants("service_level", variant="of_answered"))
    assert value(result, "service_level") == (24731, 44.47)


def test_phone_calls_whose_unanswered_ones_are_not_unsolved(tmp_path: Path) -> None:
    measures, result = measured("calls_phone", tmp_path)
    assert value(result, "abandonment_rate") == (5000, 18.92)
    assert value(result, "waiting_time") == (4054, 67.52)
    assert value(result, "csat") == (4054, 49.90)
    assert value(result, "solved") == (4054, 89.94)
    csi = value(result, "csi", 3)[1]
    assert 1 + csi * 4 / 100 == pytest.approx(3.404, abs=0.0005)
    own = OwnMetric.model_validate(
        {
            "name": "solved",
            "label": {"en": "Solved, of all calls", "zh": "解决率（按呼入）"},
            "kind": "share",
            "column": "own_text_1",
            "values": ["Y"],
            "better": "higher",
        }
    )
    _, result = measured("calls_phone", tmp_path, own_metrics=(own,))
    assert value(result, "solved") == (5000, 72.92)
    # agents differ by chance only: each one's interval holds the whole
    agents = measures.pooled("agent", metrics=("solved",))
    assert len(agents) == 8


def test_reviews_without_a_date_are_named_and_left_out(tmp_path: Path) -> None:
    measures, result = measured("reviews", tmp_path)
    assert (measures.reading.rows, measures.reading.rejected_rows) == (1258, 26)
    assert value(result, "nps") == (1231, -57.03)
    # with any date at all in place of 1970 every answer counts
    dated = (SHARED / "reviews_seat.csv").read_text(encoding="utf-8").replace("1970-01-01", "2012-01-01")
    (tmp_path / "dated.csv").write_text(dated, encoding="utf-8")
    measures, result = measured("reviews", tmp_path, path=tmp_path / "dated.csv")
    assert value(result, "nps") == (1257, -56.80)
    assert measures.frame["nps__squares"].sum() == 151 + 865


def test_an_event_log_is_folded_into_tickets(tmp_path: Path) -> None:
    measures, _ = measured("helpdesk", tmp_path, as_of="2015-12-31")
    reading = measures.reading
    assert (reading.rows, reading.used) == (13710, 3804)
    assert reading.excluded == {"later_event": 13710 - 3804 - 91, "repeated_event": 91}
    assert round(reading.rows / reading.used, 2) == 3.60
    tickets = pd.read_parquet(next(tmp_path.rglob("tickets.parquet")))
    days = (tickets["resolved_at"] - tickets["opened_at"]).dt.total_seconds() / 86400
    assert round(days.median(), 2) == 3.93


def test_a_look_alike_of_freshdesk_by_channel(tmp_path: Path) -> None:
    flag = OwnMetric.model_validate(
        {
            "name": "flagged",
            "label": {"en": "Within SLA, says the file", "zh": "文件自称达标"},
            "kind": "share",
            "column": "own_text_1",
            "values": ["Within SLA"],
            "better": "higher",
        }
    )
    source = {"columns": read_settings(HERE / "settings" / "techsupport.toml").source.columns}
    source["columns"] = {**source["columns"], "own_text_1": "SLA For first response"}
    _, result = measured("techsupport", tmp_path, as_of="2024-12-31", own_metrics=(flag,), source=source)
    assert value(result, "flagged") == (2330, 86.65)
    # of 2,033 in time one more: 0.427 s late, and times are whole seconds here
    assert one(result, "response_on_time").numerator == 2033 + 1
    assert value(result, "csat") == (1173, 56.69)
    assert 1 + value(result, "csi", 3)[1] * 4 / 100 == pytest.approx(3.511, abs=0.0005)


def test_a_chinese_hotline_within_seven_and_fifteen_days(tmp_path: Path) -> None:
    for limit, expected in (("7 d", 72.20), ("15 d", 93.72)):
        settings = read_settings(HERE / "settings" / "hotline.toml")
        rule = {"measure": "resolution", "limit": limit, "clock": "calendar"}
        sla = type(settings.sla).model_validate({"rules": [rule]})
        _, result = measured("hotline", tmp_path, sla=sla, as_of="2025-12-31")
        assert value(result, "resolution_on_time") == (1464, expected)
    found = one(result, "complaint_rate")
    assert (found.numerator, found.denominator) == (1185, 1464)


def test_customers_with_a_flag_and_no_dates(tmp_path: Path) -> None:
    measures, result = measured("telco_churn", tmp_path, customers=customers("telco_churn"))
    assert measures.customers is not None
    assert (measures.customers.rows, measures.customers.unread, measures.customers.first) == (7032, 0, None)
    assert value(result, "churn_rate") == (7032, 26.58)
    assert value(result, "retention_rate") == (7032, 73.42)
    churn = one(result, "churn_rate")
    assert (churn.variant, churn.target) == ('flag {"source": "telco_churn.csv"}', None)
    cuts = result.cuts[(result.cuts["cut"] == "Contract") & (result.cuts["metric"] == "churn_rate")]
    found = dict(zip(cuts["group"], (100 * cuts["value"]).round(2), strict=True))
    assert found == {"Month-to-month": 42.71, "One year": 11.28, "Two year": 2.85}
    # a third value of a column of yes and no is a group of its own
    services = result.cuts.loc[result.cuts["cut"] == "InternetService", "group"]
    assert set(services) == {"DSL", "Fiber optic", "No"}


def customers(name: str) -> Any:
    settings = read_settings(HERE / "settings" / f"{name}.toml")
    assert settings.customers is not None
    path = settings.path(str(settings.customers.path))
    return settings.customers.model_copy(update={"path": str(path)})


def test_a_zendesk_export(tmp_path: Path) -> None:
    _, result = measured("zendesk", tmp_path)
    assert value(result, "response_on_time") == (6649, 46.28)
    assert value(result, "csat") == (407, 88.94)
    assert value(result, "reopen_rate") == (8223, 16.50)


def test_requests_to_a_city_with_due_times(tmp_path: Path) -> None:
    _, result = measured("boston", tmp_path)
    assert value(result, "resolution_on_time") == (7517, 68.90)
