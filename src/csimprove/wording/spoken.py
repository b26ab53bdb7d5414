"""The numbers of a result as ready-made texts, under the names of the phrases' placeholders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from csimprove.settings import Language
from csimprove.wording.lookup import column_name, joined, metric_name, text, unit_name
from csimprove.wording.numbers import (
    change,
    count,
    date_text,
    interval,
    level,
    moment_text,
    percent,
    period_text,
    size,
    target_level,
    trimmed,
)

if TYPE_CHECKING:  # wording needs no engine
    from csimprove.baseline import BaselineResult, Indicator
    from csimprove.monitoring import MonitoringResult
    from csimprove.pilot import PilotMetric, PilotResult
    from csimprove.settings import PilotPlan
    from csimprove.spc import ControlChart

#: Placeholder = text.
Spoken = dict[str, str]


def spoken_plan(plan: PilotPlan, language: Language) -> Spoken:
    """Return arms, units and periods of a plan as texts."""
    return {
        "pilot": joined(plan.pilot, language),
        "control": joined(plan.control, language),
        "before": period_text(*plan.before, language),
        "during": period_text(*plan.during, language),
        "unit": unit_name(plan.unit, language),
        "units": unit_name(plan.unit, language, many=True),
        "group": unit_name(plan.group, language),
        "groups": unit_name(plan.group, language, many=True),
    }


def spoken_pilot(result: PilotResult, language: Language = "en") -> Spoken:
    """Return plan, period, units and data of a pilot as texts."""
    first = result.metrics[0]
    strata = joined([column_name(name, language) for name in result.plan.strata], language)
    return {
        **spoken_plan(result.plan, language),
        "decided_on": date_text(result.decided_on, language),
        "pilot_n": count(first.units_pilot),
        "control_n": count(first.units_control),
        "all_n": count(first.units_pilot + first.units_control),
        "basis": text(f"figure.basis.{first.basis}", language, strata=strata),
        "strata": strata,
        "margin": target_level(result.plan.volume_margin, "share"),
        "source": result.reading.source,
        "as_of": moment_text(result.as_of, result.zone, language),
    }


def pilot_metric(result: PilotResult, metric: str) -> PilotMetric:
    """Return one metric of a pilot."""
    return next(one for one in result.metrics if one.metric == metric)


def of_role(result: PilotResult, role: str) -> list[PilotMetric]:
    """Return the metrics of a pilot that have a role in its plan."""
    return [one for one in result.metrics if one.role == role]


def names_of(metrics: Iterable[PilotMetric], language: Language) -> str:
    """Return names as a list inside a sentence."""
    return joined([indicator_name(one, language, inline=True) for one in metrics], language)


def spoken_both(result: PilotResult, metric: PilotMetric, language: Language) -> Spoken:
    """Return everything that is said of a pilot and of one of its metrics."""
    return {**spoken_pilot(result, language), **spoken_metric(metric, language)}


def spoken_metric(metric: PilotMetric, language: Language = "en") -> Spoken:
    """Return everything that is said of one metric of a pilot as texts."""
    unit = metric.unit
    sides = ("pilot_before", "pilot_during", "control_before", "control_during")
    return {
        "name": indicator_name(metric, language, inline=True),
        "label": indicator_name(metric, language),
        "change": change(metric.effect, unit, language),
        "size": size(metric.effect, unit, language),
        "interval": interval(metric.ci_low, metric.ci_high, unit, language),
        "asked": asked_text(metric, language),
        "level": level(metric.level, unit, language),
        "target": target_level(metric.target, unit, language),
        "state": target_state(metric.target_status, metric.better, language),
        "target_line": target_line(metric, language),
        "information": percent(metric.information),
        **{side: level(getattr(metric, side).value, unit, language) for side in sides},
    }


def spoken_baseline(result: BaselineResult | MonitoringResult, language: Language = "en") -> Spoken:
    """Return period and data of a baseline or regular report as texts."""
    return {
        "period": period_text(result.first, result.last, language),
        "tickets": count(result.tickets),
        "source": result.reading.source,
        "as_of": moment_text(result.as_of, result.zone, language),
        "day": date_text(result.as_of, language),
    }


def spoken_indicator(one: Indicator, language: Language = "en") -> Spoken:
    """Return everything that is said of one indicator of a baseline as texts."""
    return {
        "name": indicator_name(one, language, inline=True),
        "label": indicator_name(one, language),
        "value": level(one.value, one.unit, language),
        "interval": interval(one.ci_low, one.ci_high, one.unit, language),
        "target": target_level(one.target, one.unit, language),
        "state": target_state(one.on_target, one.better, language),
        "target_line": target_line(one, language),
        "decided": count(one.denominator),
        "undecided": count(one.undecided),
        "left_out": count(one.left_out),
    }


def indicator_name(one: Indicator | PilotMetric, language: Language = "en", *, inline: bool = False) -> str:
    """Return an indicator's name, a proxy named as one."""
    return metric_name(one.metric, language, variant=one.variant, inline=inline)


def asked_value(metric: PilotMetric) -> float | None:
    """Return where the plan's mark stands: the minimum gain on the better side, the margin on the worse."""
    if metric.asked is None:
        return None
    return metric.asked if (metric.better == "higher") == (metric.role == "co_primary") else -metric.asked


def asked_text(metric: PilotMetric, language: Language = "en") -> str:
    """Return what the plan asked of a metric, such as "at least +5" or "not below −3"."""
    higher, signed = metric.better == "higher", asked_value(metric)
    if signed is None:
        return text("asked.rise" if higher else "asked.fall", language)
    if metric.role == "guardrail":
        key = "not_below" if higher else "not_above"
    else:
        key = "at_least" if higher else "at_most"
    return text(f"asked.{key}", language, number=trimmed(signed, metric.unit, sign=True))


def target_state(status: str | None, better: str, language: Language = "en") -> str:
    """Return the word for being at a target, short of it, or at the line."""
    if status is None:
        return ""
    return text(f"target.{status}.{better}" if status == "not_reached" else f"target.{status}", language)


def target_text(metric: PilotMetric, language: Language = "en") -> str:
    """Return a metric's target and where the pilot is, such as "95%, at the line"."""
    if metric.target is None:
        return text("target.none", language)
    state = target_state(metric.target_status, metric.better, language)
    target = target_level(metric.target, metric.unit, language)
    return {"en": ", ", "zh": "，"}[language].join(filter(None, [target, state]))


def target_line(one: Indicator | PilotMetric | ControlChart, language: Language = "en") -> str:
    """Return a sentence about the line that a figure draws at the target."""
    key = "figure.no_target_line" if one.target is None else "figure.target_line"
    return text(key, language, target=target_level(one.target, one.unit, language))
