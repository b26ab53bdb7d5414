"""Alert rules: what the latest decided days say against a threshold, and which events that makes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from csimprove.errors import SettingsError
from csimprove.monitoring.result import Check
from csimprove.monitoring.windows import dated, decided_day, measured_rows
from csimprove.settings import AlertRule, Settings

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures, Metric


#: Severity whose every late first response is a reminder (service standard, alerts).
URGENT = "A"

#: Local days, up to the data date, whose late urgent tickets are reminders.
URGENT_DAYS = 2


def checks(measures: Measures, *, settings: Settings) -> tuple[Check, ...]:
    """Hold every alert rule against the latest decided period of its metric.

    Parameters
    ----------
    measures
        Sums per day and cut as of a moment.
    settings
        Thresholds of the metrics and own rules.

    Returns
    -------
    tuple of Check
        Events first. A metric with an alert threshold is looked at over 7 days; own rules as set; urgent
        tickets answered late are counted for each of the last two days, undecided ones not yet.

    Raises
    ------
    SettingsError
        If a rule names a metric, a column or a threshold that is not there.
    """
    found = [check for rule in rules(measures, settings) for check in _threshold_checks(measures, rule)]
    found += _urgent_checks(measures)
    return tuple(sorted(found, key=lambda check: not check.fires))


def rules(measures: Measures, settings: Settings) -> tuple[AlertRule, ...]:
    """Return every threshold rule: one for each metric with an alert line, then the project's own."""
    lines = [AlertRule(metric=one.name) for one in measures.metrics if one.alert is not None]
    return (*lines, *settings.alerts)


def threshold_of(rule: AlertRule, metric: Metric) -> float:
    """Return the threshold of a rule, by default the metric's own; none is a SettingsError."""
    threshold = metric.alert if rule.threshold is None else rule.threshold
    if threshold is None:
        raise SettingsError(
            f"`alerts` must give a threshold for {rule.metric}: it has none of its own. Add threshold = ...."
        )
    return threshold


def _threshold_checks(measures: Measures, rule: AlertRule) -> Iterator[Check]:
    metric = measures.metric(rule.metric)
    threshold = threshold_of(rule, metric)
    last = min(decided_day(measures, metric), measures.frame["day"].max().date())
    window = dated(measures, last - timedelta(days=rule.days - 1), last)
    by = (rule.cut,) if rule.cut else ()
    for group, one in measured_rows(measures, replace(metric, alert=threshold), window, *by):
        key = ("threshold", rule.metric, threshold, rule.cut, group, window.first, window.last)
        yield Check(event_id(*key), "threshold", rule.cut or "", group, rule.to, window, one)


def _urgent_checks(measures: Measures) -> Iterator[Check]:
    if "severity" not in measures.keys or "response_on_time" not in {one.name for one in measures.metrics}:
        return
    # a share below 1 means that at least one is late
    metric = replace(measures.metric("response_on_time"), alert=1.0)
    for day in range(URGENT_DAYS):
        at = measures.today - timedelta(days=day)
        window = dated(measures, at, at)
        for group, one in measured_rows(measures, metric, window, "severity"):
            if group == URGENT and one.denominator:
                late = int(one.denominator - one.numerator)  # one more late ticket is another event
                key = event_id("late_urgent", "severity", group, at, late)
                yield Check(key, "late_urgent", "severity", group, "team_lead", window, one)


def event_id(*parts: object) -> str:
    """Return the stable name of an event: hash of rule, group and period."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:12]
