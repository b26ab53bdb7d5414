"""A metric of the project's own goes where a metric of the catalogue goes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from csimprove import charts, report, wording
from csimprove.baseline import baseline
from csimprove.metrics import Measures, load_measures
from csimprove.monitoring import checks, monitoring
from csimprove.pilot import pilot, pilot_design
from csimprove.samples import write_sample
from csimprove.settings import Settings, read_settings

OWN = """
[[own_metrics]]
name = "phone_wait"
label = { en = "Wait on the phone", zh = "电话等待时间" }
kind = "mean"
column = "wait_seconds"
unit = "seconds"
where = { channel = ["phone"] }
better = "lower"
target = 120
alert = 200
owner = "Desk manager"

[[own_metrics]]
name = "of_new_customers"
label = { en = "Tickets of new customers", zh = "新客户工单占比" }
kind = "share"
column = "customer_type"
values = ["new"]
better = "lower"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Measures]:
    path = write_sample(tmp_path_factory.mktemp("own"), small=True)
    text = path.read_text(encoding="utf-8")
    named = text.replace('secondary = ["complaint_rate"]', 'secondary = ["phone_wait", "nps"]')
    assert named != text
    path.write_text(named + OWN, encoding="utf-8")
    settings = read_settings(path)
    return settings, load_measures(settings)


def test_own_metrics_stand_in_the_baseline_its_goals_tables_and_figures(
    project: tuple[Settings, Measures],
) -> None:
    settings, measures = project
    result = baseline(measures, settings=settings)
    found = {one.metric: one for one in result.indicators}
    wait = found["phone_wait"]
    assert (wait.unit, wait.better, wait.target, wait.below_threshold) == ("seconds", "lower", 120, True)
    assert 240 < (wait.value or 0) < 360  # planted: five minutes
    (goal,) = (one for one in result.goals if one.metric == "phone_wait")
    assert (goal.owner, goal.tickets_per_week) == ("Desk manager", None)
    figure = charts.baseline_indicators(result, language="zh")
    words = {text.get_text() for text in figure.texts}
    assert {"电话等待时间", "新客户工单占比", "净推荐值NPS（−100至100）"} <= words
    assert any(word.startswith("目标120秒") for word in words)
    table = report.indicators_table(result, language="zh")
    assert "电话等待时间" in table.html
    method = report.method(result)
    assert "tickets with channel phone" in method.plain


def test_own_metrics_are_watched(project: tuple[Settings, Measures]) -> None:
    settings, measures = project
    fired = [one for one in checks(measures, settings=settings) if one.indicator.metric == "phone_wait"]
    assert [one.indicator.alert_threshold for one in fired] == [200]
    result = monitoring(measures, settings=settings, metric="phone_wait")
    assert "Wait on the phone" in wording.kpi_multiples(result)["alt"]
    assert " s" in wording.control_chart(result)["title"]


def test_own_metrics_are_planned_and_judged_in_a_pilot(project: tuple[Settings, Measures]) -> None:
    settings, measures = project
    assert settings.pilot is not None
    result = pilot(measures, plan=settings.pilot, rng=np.random.default_rng(1))
    found = {one.metric: one for one in result.metrics}
    assert (found["phone_wait"].unit, found["nps"].unit) == ("seconds", "nps")
    assert (found["phone_wait"].effect or 0) < -60  # planted: from 300 to 168 seconds
    assert "by 1" in wording.effect_clause(found["phone_wait"])
    assert " s against the controls" in wording.effect_clause(found["phone_wait"])
    design = pilot_design(measures, plan=settings.pilot, rng=np.random.default_rng(1), lengths=(2,))
    assert design.traits["phone_wait"][1] == "seconds"
    assert wording.unit_of("phone_wait", design) == "seconds"
    table = report.units_table(design)
    assert "Wait on the phone" in table.html
    # its column holds seconds, not a share of 29,000 %
    assert max(len(cell) for cell in re.findall(r"[\d,.]+%", table.html)) <= len("100.0%")
