"""What the evidence behind a pilot says: other ways of looking, weeks, what cannot be concluded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csimprove.settings import Language
from csimprove.wording.figures import FigureWords, effect_range, figure_words
from csimprove.wording.lookup import capital, known, listed, metric_name, text
from csimprove.wording.numbers import (
    change,
    count,
    date_text,
    interval,
    percent,
    trimmed,
)
from csimprove.wording.sentences import counted, effect_clause, said_of
from csimprove.wording.spoken import pilot_metric, spoken_both, spoken_metric, spoken_pilot

if TYPE_CHECKING:  # wording needs no engine
    import pandas as pd

    from csimprove.pilot import (
        PilotCredibility,
        PilotMetric,
        PilotResult,
        PlanChange,
        PlanLock,
        PreTrend,
        Reason,
    )


def pilot_robustness(
    credibility: PilotCredibility, result: PilotResult, metric: str, *, language: Language = "en"
) -> FigureWords:
    """Return the words around the strip of other ways of looking and of false pilots.

    Parameters
    ----------
    credibility
        Checks of the pilot.
    result
        The pilot.
    metric
        Name of a metric of the result.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    one = pilot_metric(result, metric)
    words = spoken_both(result, one, language)
    ways = [way for way in credibility.robustness if way.metric == metric]
    bands = (
        (way.ci_low, way.ci_high)
        for way in ways
        if way.way == "main" and way.ci_low is not None and way.ci_high is not None
    )
    band = next(bands, None)
    effects = [
        way.effect for way in ways if way.way not in ("main", "wild_bootstrap") and way.effect is not None
    ]
    false = [
        frame[(frame["metric"] == metric) & ~frame["real"].astype(bool) & frame["ci_low"].notna()]
        for frame in (credibility.placebo_dates, credibility.placebo_groups)
    ]
    tried = sum(map(len, false))
    inside = sum(band[0] <= value <= band[1] for value in effects) if band else 0
    words |= {
        "ways": count(len(effects)),
        "agree": count(inside),
        "false": count(tried),
        "zero": count(tried - sum(map(_clear, false))),
        "ways_range": effect_range(effects, one, language),
        "false_range": effect_range([effect for frame in false for effect in frame["effect"]], one, language),
    }
    parts = ["agree" if band else "no_band", "zero" if tried else "no_false"]
    said = [text(f"figure.robustness.{part}", language, **words) for part in parts]
    return figure_words("robustness", language, words, title=listed(said, language))


def pilot_event_study(
    credibility: PilotCredibility, result: PilotResult, metric: str, *, language: Language = "en"
) -> FigureWords:
    """Return the words around the gap between the arms week by week.

    Parameters
    ----------
    credibility
        Checks of the pilot.
    result
        The pilot.
    metric
        Name of a metric of the result.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line (the pre-trend), caption and alt text.
    """
    one = pilot_metric(result, metric)
    words = spoken_both(result, one, language)
    study = credibility.event_study
    weeks = study[(study["metric"] == metric) & study["ci_low"].notna()]
    before, during = weeks[weeks["week"] < 0], weeks[weeks["week"] >= 0]
    words |= {
        "before_n": count(len(before)),
        "before_zero": count(len(before) - _clear(before)),
        "during_n": count(len(during)),
        "during_clear": count(_clear(during)),
        "before_range": effect_range(before["effect"].tolist(), one, language),
        "during_range": effect_range(during["effect"].tolist(), one, language),
    }
    trend = next((trend for trend in credibility.pretrends if trend.metric == metric), None)
    own = {"lede": pretrend_text(trend, one, language)} if trend else {}
    return figure_words("event", language, words, **own)


def pretrend_text(trend: PreTrend, metric: PilotMetric, language: Language = "en") -> str:
    """Return whether the arms moved alike before the pilot, judged by equivalence.

    Parameters
    ----------
    trend
        Of one metric.
    metric
        The same metric in the pilot's result.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    str
        One sentence; an interval that settles nothing is never "alike".
    """
    code: str = trend.status
    if trend.drift is None or trend.ci_low is None:
        code = "none"
    elif code == "cannot_tell" and trend.margin is None:
        code = "no_margin"
    words = spoken_metric(metric, language) | {
        "weeks": count(trend.weeks),
        "drift": change(trend.drift, metric.unit, language),
        "interval": interval(trend.ci_low, trend.ci_high, metric.unit, language),
        "margin": trimmed(trend.margin, metric.unit),
    }
    return capital(text(f"pretrend.{code}", language, **words))


def caveat_text(caveat: Reason, result: PilotResult, language: Language = "en") -> str:
    """Return one thing that the result does not show, as a sentence.

    Parameters
    ----------
    caveat
        One of ``result.cannot_conclude``.
    result
        The pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    str
        The question that stays open, and why.
    """
    values = caveat.values  # noqa: PD011  (a dict)
    words = spoken_pilot(result, language)
    if "metric" in values:
        one = pilot_metric(result, str(values["metric"]))
        words |= spoken_metric(one, language) | {"effect": capital(effect_clause(one, language))}
    words |= said_of(values, language)
    return capital(text(f"cannot.{caveat.code}", language, **words))


def staff_text(result: PilotResult, language: Language = "en") -> str:
    """Return what share of the asked staff find the process clearer, with its interval."""
    staff = result.staff
    if staff is None:
        return text("staff.none", language)
    return text(
        "staff",
        language,
        yes=count(staff.yes),
        asked=count(staff.asked),
        value=percent(staff.value, places=0),
        interval=interval(staff.ci_low, staff.ci_high, "share", language),
    )


def lock_text(lock: PlanLock | None, language: Language = "en") -> str:
    """Return when the plan was locked and how much of it changed after."""
    if lock is None:
        return text("lock.none", language)
    day = date_text(lock.locked_on, language)
    return counted("lock", len(lock.changes), language, day=day, hash=lock.hash[:8])


def plan_value(value: Any, language: Language = "en") -> str:
    """Return a value of a plan as people read it.

    Examples
    --------
    >>> plan_value(["2025-06-30", "2025-08-24"]), plan_value(None), plan_value(0.05, "zh")
    ('2025-06-30, 2025-08-24', 'not set', '0.05')
    """
    if value is None:
        return text("goal.none", language)
    if isinstance(value, list | tuple):
        return {"en": ", ", "zh": "、"}[language].join(plan_value(item, language) for item in value)
    if isinstance(value, dict):
        return {"en": ", ", "zh": "、"}[language].join(f"{key} {item}" for key, item in value.items())
    return str(value)


def plan_field(changed: PlanChange, language: Language = "en") -> str:
    """Return what a field of the plan is called, with the metric it is about."""
    field, _, name = changed.field.partition(".")
    said = known(f"plan.{field}", field, language)
    return {"en": f"{said}, ", "zh": f"{said}，"}[language] + metric_name(name, language) if name else said


def _clear(weeks: pd.DataFrame) -> int:
    """Weeks whose interval leaves zero out."""
    return int(((weeks["ci_low"] > 0) | (weeks["ci_high"] < 0)).sum())
