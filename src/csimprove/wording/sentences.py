"""Sentences built from results: effects, verdicts with their reasons, headlines.

The rules: "rose" and "fell" only when the interval leaves zero out; one that covers zero is "not shown",
never "no change"; a difference of shares is in points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from csimprove.settings import Language
from csimprove.wording.lookup import PHRASES, capital, column_name, joined, listed, text
from csimprove.wording.numbers import change, count, date_text, interval, missing, number, percent
from csimprove.wording.spoken import (
    names_of,
    of_role,
    spoken_both,
    spoken_indicator,
    spoken_metric,
    spoken_pilot,
)

if TYPE_CHECKING:  # wording needs no engine
    from csimprove.baseline import BaselineResult
    from csimprove.pilot import PilotMetric, PilotResult

#: Statuses that are good news, and bad news; the rest is open.
GOOD = ("worth_having", "safe", "better")
BAD = ("harmed", "too_small", "worse")
#: Metrics whose better side is fewer of the things that ``tickets.<metric>`` names.
_FEWER_WHEN_HIGHER = (
    "response_on_time",
    "resolution_on_time",
    "record_in_time",
    "feedback_on_time",
    "delivery_call_back",
    "complaint_answered",
    "complaint_handling",
    "complaint_resolution",
    "complaint_follow_up",
)


def counted(key: str, n: int, language: Language, **values: str) -> str:
    """Return the phrase for one, two or more things: ``key.1``, ``key.2`` or ``key.n``."""
    chosen = f"{key}.{n}" if f"{key}.{n}" in PHRASES else f"{key}.n"
    return text(chosen, language, n=n, **values)


def shown(metric: PilotMetric) -> bool:
    """Whether the interval of the effect leaves zero out."""
    low, high = metric.ci_low, metric.ci_high
    return low is not None and high is not None and (low > 0 or high < 0)


def effect_clause(metric: PilotMetric, language: Language = "en") -> str:
    """Return what the interval allows to say of an effect, to stand inside a sentence.

    Parameters
    ----------
    metric
        One metric of a pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    str
        "rose" or "fell" if the interval leaves zero out, "not shown" if it covers zero.
    """
    code = ("rose" if (metric.effect or 0) > 0 else "fell") if shown(metric) else "not_shown"
    if metric.effect is None or metric.ci_low is None:
        code = "no_interval"
    return text(f"effect.{code}", language, **spoken_metric(metric, language))


def tickets_text(metric: PilotMetric, language: Language = "en") -> str:
    """Return an effect as tickets a week, with its interval; empty where that has no meaning.

    "about 120 fewer late answers a week (70 to 160)"; if the interval covers zero both sides are named.
    """
    key = f"tickets.{metric.metric}"
    ends = (metric.tickets_low, metric.tickets_high)
    if key not in PHRASES or metric.tickets_per_week is None or any(missing(end) for end in ends):
        return ""
    sign = -1 if metric.metric in _FEWER_WHEN_HIGHER else 1
    low, high = sorted(sign * (value or 0.0) for value in ends)
    what = text(key, language)
    if low <= 0 <= high:
        return text("tickets.open", language, fewer=count(-low), more=count(high), what=what)
    least, most = sorted((abs(low), abs(high)))
    span = text("range.changes", language, low=count(least), high=count(most))
    key = "tickets.more" if low > 0 else "tickets.fewer"
    return text(key, language, size=count(abs(metric.tickets_per_week)), what=what, range=span)


def effect_items(metrics: Sequence[PilotMetric], language: Language) -> str:
    """Return effects with interval and what was asked, as a list inside a sentence."""
    items = []
    for one in metrics:
        key = "effect.item_none" if missing(one.ci_low) else "effect.item"
        items.append(text(key, language, **spoken_metric(one, language)))
    return joined(items, language)


def verdict_word(verdict: str, language: Language = "en") -> str:
    """Return the verdict in a word.

    Examples
    --------
    >>> verdict_word("cannot_tell"), verdict_word("go", "zh")
    ('CANNOT TELL', '通过')
    """
    return text(f"verdict.{verdict}", language)


def verdict_follows(result: PilotResult, language: Language = "en") -> str:
    """Return what follows from the verdict, in a few words."""
    if result.reason.code == "before_decision_date":
        return text("follows.wait", language, **spoken_pilot(result, language))
    if result.verdict == "extend" and "date" in result.reason.values:
        return text("follows.extend_to", language, **said_of(result.reason.values, language))
    return text(f"follows.{result.verdict}", language)


def verdict_reason(result: PilotResult, language: Language = "en") -> str:
    """Return the one reason of the verdict, with the numbers that decided.

    Parameters
    ----------
    result
        A pilot evaluation.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    str
        One sentence; for GO two or three: the gains, the guardrails, the targets.
    """
    code = result.reason.code
    if code == "both_worth_having":
        return _reason_go(result, language)
    metric, values = deciding(result), result.reason.values
    words = spoken_both(result, metric, language) | said_of(values, language)
    words["effect"] = capital(effect_clause(metric, language))
    if code == "too_few_units":
        pilot = int(values.get("units_pilot", metric.units_pilot))
        control = int(values.get("units_control", metric.units_control))
        words |= {"units_pilot": count(pilot), "units_control": count(control)}
        words["smallest"] = f"{float(values.get('smallest_pvalue', 1.0)):.2f}"
        if pilot >= MIN_PILOT_UNITS and pilot + control >= MIN_UNITS:
            code = "too_few_assignments"
    return text(f"reason.{code}", language, **words)


def deciding(result: PilotResult) -> PilotMetric:
    """Return the metric that the reason names, else the plan's first."""
    name = result.reason.values.get("metric")
    return next((metric for metric in result.metrics if metric.metric == name), result.metrics[0])


def _reason_go(result: PilotResult, language: Language) -> str:
    main, guards = of_role(result, "co_primary"), of_role(result, "guardrail")
    open_ones = [metric for metric in guards if metric.metric in result.conditions]
    said = [counted("reason.both_worth_having", len(main), language, gains=effect_items(main, language))]
    if open_ones:
        said.append(text("reason.conditions", language, items=effect_items(open_ones, language)))
    elif guards:
        said.append(counted("reason.guardrails_safe", len(guards), language))
    if parts := target_parts("reason.targets", main, language):
        joint = {"en": ", ", "zh": "，"}[language]
        said.append(text("reason.targets", language, parts=joint.join(parts)))
    return {"en": " ", "zh": ""}[language].join(said)


def target_parts(prefix: str, metrics: Sequence[PilotMetric], language: Language) -> list[str]:
    """Return which metrics reached the target, are at the line and fall short: a phrase each."""
    named = [
        (status, [one for one in metrics if one.target_status == status])
        for status in ("reached", "cannot_tell", "not_reached")
    ]
    return [text(f"{prefix}.{status}", language, names=names_of(at, language)) for status, at in named if at]


def moved_words(values: Mapping[str, Any], language: Language) -> dict[str, str]:
    """Return by how much volume or mix of tickets moved, if values tell it: relative, or in points."""
    if "change" not in values:
        return {}
    words = {"interval": interval(values["ci_low"], values["ci_high"], "share", language)}
    if "column" not in values:
        return words | {"change": number(values["change"], "share", sign=True) + "%"}
    kind = {"column": column_name(values["column"], language), "kind": values["value"]}
    return words | kind | {"change": change(values["change"], "share", language)}


#: How the other values of reasons and caveats are said.
_SAID: dict[str, Callable[[Any, Language], str]] = {
    "date": lambda day, language: date_text(date.fromisoformat(day), language),
    "locked_on": lambda day, language: date_text(date.fromisoformat(day), language),
    "information": lambda share, language: percent(share),
    "gap": lambda share, language: number(share, "share"),
    "fields": lambda names, language: names,
}


def said_of(values: Mapping[str, Any], language: Language) -> dict[str, str]:
    """Return the values of a reason or caveat as texts."""
    said = {name: say(values[name], language) for name, say in _SAID.items() if name in values}
    return said | moved_words(values, language)


#: Fewer pilot units, or units in all, allow no interval (methods of the pilot evaluation).
MIN_PILOT_UNITS, MIN_UNITS = 3, 6


def verdict_limit(result: PilotResult, language: Language = "en") -> str:
    """Return the limit of the verdict that a reader must know; empty if there is none.

    A pilot in one group (region) is one draw: whatever the number of teams, an analysis like this one says GO
    wrongly in 20 to 30 of 100 pilots without effect if regions drift apart by themselves.
    """
    words = spoken_pilot(result, language)
    if result.reason.code == "too_few_units":
        return text("limit.too_few_units", language, **words)
    if result.one_group:
        key = "limit.one_group" if result.verdict == "go" else "limit.one_group_other"
        return text(key, language, **words)
    return text("limit.stop", language) if result.verdict == "stop" else ""


def moved_text(metric: PilotMetric, language: Language = "en") -> str:
    """Return how the pilot's pooled value moved; "rose" or "fell" only if the effect shows it."""
    before, during = metric.pilot_before.value, metric.pilot_during.value
    moved = 0.0 if before is None or during is None else during - before
    agrees = shown(metric) and metric.effect is not None and moved * metric.effect > 0
    key = ("rose" if moved > 0 else "fell") if agrees else "went"
    return text(f"moved.{key}", language, **spoken_metric(metric, language))


def pilot_headline(result: PilotResult, language: Language = "en") -> str:
    """Return the finding of a pilot with its number, as the page's first heading.

    Parameters
    ----------
    result
        A pilot evaluation.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    str
        A sentence without full stop.
    """
    one = ("guardrail_harmed", "gain_too_small", "co_primary_harmed", "not_yet_shown")
    metric = deciding(result) if result.reason.code in one else result.metrics[0]
    key = "wait" if result.reason.code == "before_decision_date" else result.verdict
    words = spoken_both(result, metric, language)
    return text(f"headline.{key}", language, moved=moved_text(metric, language), **words)


def baseline_headline(result: BaselineResult, language: Language = "en") -> str:
    """Return the finding of a baseline with its number, as the page's first heading.

    The first indicator that misses its target speaks; if none does, the first with a target.
    """
    measured = [one for one in result.indicators if one.value is not None]
    if not measured:
        return text("headline.baseline.empty", language)
    aimed = [one for one in measured if one.on_target is not None]
    missed = [one for one in aimed if one.on_target == "not_reached"]
    reached = sum(one.on_target == "reached" for one in aimed)
    speaks = (missed or aimed or measured)[0]
    key = "none" if not aimed else "missed" if not reached else "all" if reached == len(aimed) else "some"
    words = {**spoken_indicator(speaks, language), "reached": count(reached), "n": count(len(aimed))}
    one = ".one" if len(aimed) == 1 else ""
    return capital(text(f"headline.baseline.{key}{one}", language, **words))


def evaluation_title(result: PilotResult, language: Language = "en") -> str:
    """Return the heading of the evaluation table: main measures, guardrails, what is not shown."""
    main, guards = of_role(result, "co_primary"), of_role(result, "guardrail")
    passed = sum(metric.status == "worth_having" for metric in main)
    parts = [
        counted("title.evaluation.all", len(main), language)
        if passed == len(main)
        else text("title.evaluation.some", language, k=passed, n=len(main))
    ]
    if guards and all(metric.status == "safe" for metric in guards):
        parts.append(text("title.evaluation.safe", language))
    else:
        parts += _named("title.evaluation.harmed", guards, ("harmed",), language)
        parts += _named("title.evaluation.not_safe", guards, ("not_shown_safe", "no_interval"), language)
    secondary = of_role(result, "secondary")
    parts += _named("title.evaluation.open", secondary, ("not_shown", "no_interval"), language)
    return listed(parts, language)


def _named(
    key: str, metrics: Sequence[PilotMetric], statuses: tuple[str, ...], language: Language
) -> list[str]:
    named = [metric for metric in metrics if metric.status in statuses]
    return [text(key, language, names=names_of(named, language))] if named else []
