"""The words around each figure, under the name of the function in :mod:`csimprove.charts` that draws it.

Each function returns the heading (the finding), one line of text, the caption and the alt text, ready for
``report.show_chart(charts.pilot_arms(result, metric), **wording.pilot_arms(result, metric))``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from csimprove.settings import Language
from csimprove.wording.lookup import capital, column_name, group_name, joined, metric_name, text
from csimprove.wording.numbers import change, count, level
from csimprove.wording.sentences import effect_clause
from csimprove.wording.spoken import (
    indicator_name,
    spoken_baseline,
    spoken_indicator,
    spoken_metric,
    spoken_pilot,
)

if TYPE_CHECKING:  # wording needs no engine
    import pandas as pd

    from csimprove.baseline import BaselineResult, Indicator
    from csimprove.pilot import PilotMetric, PilotResult

#: With more items than this the alt text leaves the intervals to the table, to stay short enough to hear.
_ALT_INTERVALS = 3


class FigureWords(TypedDict):
    """What stands around a figure."""

    title: str
    lede: str
    caption: str
    alt: str


def baseline_indicators(result: BaselineResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the chart of all indicators.

    Parameters
    ----------
    result
        A baseline.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    words = spoken_baseline(result, language)
    aimed = [one for one in result.indicators if one.on_target is not None]
    reached = sum(one.on_target == "reached" for one in aimed)
    measured = [one for one in result.indicators if one.value is not None]
    items = [_indicator_item(one, language, brief=len(measured) > _ALT_INTERVALS) for one in measured]
    key = "figure.indicators.title" + ("" if reached else ".missed" if aimed else ".none")
    said = capital(_listed(items, language))
    return FigureWords(
        title=text(key, language, reached=reached, n=len(aimed)),
        lede=text("figure.indicators.lede", language),
        caption=text("figure.indicators.caption", language, **words),
        alt=text("figure.indicators.alt", language, n=len(result.indicators), items=said, **words),
    )


def _indicator_item(one: Indicator, language: Language, *, brief: bool) -> str:
    words = spoken_indicator(one, language)
    aim = "" if one.target is None else text("figure.indicators.item.target", language, **words)
    return text("figure.indicators.item" + (".brief" if brief else ""), language, aim=aim, **words)


def baseline_cuts(result: BaselineResult, metric: str, cut: str, *, language: Language = "en") -> FigureWords:
    """Return the words around the chart of one indicator by one cut.

    Parameters
    ----------
    result
        A baseline.
    metric
        Name of a metric of the result.
    cut
        One of its cuts, such as ``"region"``.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    # groups that are not drawn are mostly tiny: the heading must not rest on them
    rows, folded = result.groups(metric, cut)
    tickets = rows["denominator"].sum() + folded["denominator"].sum()
    rows = rows[rows["value"].notna()].sort_values("value", kind="stable")
    one = next(one for one in result.indicators if one.metric == metric)
    words = {**spoken_baseline(result, language), **spoken_indicator(one, language)}
    words |= {"cut": column_name(cut, language), "n": count(len(rows)), "overall": words["value"]}
    if len(rows):
        for key, row in (("low", rows.iloc[0]), ("high", rows.iloc[-1])):
            words[key] = level(row["value"], one.unit, language)
            words[f"{key}_group"] = group_name(row["group"], language)
    end = ".none" if not len(rows) else ".one" if len(rows) == 1 else ""
    title = capital(text(f"figure.cuts.title{end}", language, **words))
    return FigureWords(
        title=title,
        lede=text("figure.cuts.lede", language, **words),
        caption=text("figure.cuts.caption", language, **{**words, "n": count(tickets)}),
        alt=text("figure.cuts.alt", language, **words) if len(rows) > 1 else title,
    )


def baseline_trend(result: BaselineResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the weekly charts of all indicators.

    Parameters
    ----------
    result
        A baseline.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    words = spoken_baseline(result, language)
    items = []
    titles = []
    for one in result.indicators:
        rows = result.trend[(result.trend["metric"] == one.metric) & result.trend["value"].notna()]
        week = rows[rows["complete"].astype(bool)].sort_values("week")["value"]
        said = {"name": indicator_name(one, language, inline=True), "n": count(len(week))}
        if len(week):
            ends = {"low": week.min(), "high": week.max(), "last": week.iloc[-1]}
            said |= {key: level(value, one.unit, language) for key, value in ends.items()}
        end = "" if len(week) else ".none"
        items.append(text(f"figure.trend.item{end}", language, **said))
        titles.append(capital(text(f"figure.trend.title{end}", language, **said)))
    return FigureWords(
        title=titles[0] if titles else text("headline.baseline.empty", language),
        lede=text("figure.trend.lede", language),
        caption=text("figure.trend.caption", language, **words),
        alt=text("figure.trend.alt", language, n=len(items), items=_listed(items, language), **words),
    )


def pilot_questions(result: PilotResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the chart of the two questions: gain and target.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    main = [metric for metric in result.metrics if metric.role == "co_primary"]
    passed = [metric for metric in main if metric.status == "worth_having"]
    gain = "all" if len(passed) == len(main) else "some" if passed else "none"
    parts = [text(f"figure.questions.gain.{gain}", language, names=_names(passed, language))]
    for status in ("reached", "cannot_tell", "not_reached"):
        at = [metric for metric in main if metric.target_status == status]
        if at:
            parts.append(text(f"figure.questions.target.{status}", language, names=_names(at, language)))
    judged = [metric for metric in result.metrics if metric.asked is not None]
    key = "figure.questions.effect" + (".brief" if len(judged) > _ALT_INTERVALS else "")
    effects = [text(key, language, **spoken_metric(metric, language)) for metric in judged]
    levels = [
        text("figure.questions.level", language, **spoken_metric(metric, language))
        for metric in result.metrics
        if metric.target is not None
    ]
    said = _listed(levels or [text("target.none", language)], language)
    return FigureWords(
        title=_listed(parts, language),
        lede=text("figure.questions.lede", language),
        caption=text("figure.questions.caption", language, **spoken_pilot(result, language)),
        alt=text("figure.questions.alt", language, effects=_listed(effects, language), levels=said),
    )


def pilot_dumbbell(result: PilotResult, metric: str, *, language: Language = "en") -> FigureWords:
    """Return the words around the chart of every team before and during the pilot.

    Parameters
    ----------
    result
        A pilot.
    metric
        Name of a metric of the result.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    one = _pilot_metric(result, metric)
    teams = result.teams[result.teams["metric"] == metric].dropna(subset=["change"])
    arms = {arm: teams[teams["arm"] == arm] for arm in ("pilot", "control")}
    words = {**spoken_pilot(result, language), **spoken_metric(one, language), "n": count(len(teams))}
    for arm, rows in arms.items():
        words[f"{arm}_n"] = count(len(rows))
        words[f"{arm}_changes"] = _changes(rows["change"], one, language)
        words[f"{arm}_levels"] = _levels(rows["during"], one, language)
    return FigureWords(
        title=capital(_dumbbell_title(arms, one, language, words)),
        lede=text("figure.dumbbell.lede", language, **words),
        caption=text("figure.dumbbell.caption", language, **words),
        alt=text("figure.dumbbell.alt", language, **words),
    )


def _dumbbell_title(
    arms: dict[str, pd.DataFrame], one: PilotMetric, language: Language, values: dict[str, str]
) -> str:
    sign = 1 if one.better == "higher" else -1
    gains = {arm: sign * rows["change"] for arm, rows in arms.items()}
    better = {arm: int((gain > 0).sum()) for arm, gain in gains.items()}
    if (
        len(gains["pilot"])
        and len(gains["control"])
        and gains["pilot"].min() > max(gains["control"].max(), 0)
    ):
        return text("figure.dumbbell.title.all", language, **values)
    counted = {"better": count(better["pilot"]), "control_better": count(better["control"])}
    return text("figure.dumbbell.title.some", language, **{**values, **counted, "n": values["pilot_n"]})


def pilot_arms(result: PilotResult, metric: str, *, language: Language = "en") -> FigureWords:
    """Return the words around the chart of both arms week by week.

    Parameters
    ----------
    result
        A pilot.
    metric
        Name of a metric of the result.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    one = _pilot_metric(result, metric)
    words = {**spoken_pilot(result, language), **spoken_metric(one, language)}
    weekly = result.weekly[(result.weekly["metric"] == metric) & (result.weekly["group"] == "")]
    weekly = weekly[weekly["value"].notna()].sort_values("week")
    weeks = weekly["week"].astype(str).str[:10]
    periods = {
        "before": weeks <= result.plan.before[1].isoformat(),
        "during": weeks >= result.plan.during[0].isoformat(),
    }
    spans = {
        f"{arm}_{period}": _levels(weekly.loc[(weekly["arm"] == arm) & rows, "value"], one, language)
        for arm in ("pilot", "control")
        for period, rows in periods.items()
    }
    pilot = weekly.loc[weekly["arm"] == "pilot", "value"]
    spans["pilot_last"] = level(pilot.iloc[-1] if len(pilot) else None, one.unit, language)
    return FigureWords(
        title=capital(text("figure.arms.title", language, **words)),
        lede=text("figure.arms.lede", language, effect=capital(effect_clause(one, language)), **words),
        caption=text("figure.arms.caption", language, **words),
        alt=text("figure.arms.alt", language, n=weeks.nunique(), **{**words, **spans}),
    )


def _pilot_metric(result: PilotResult, metric: str) -> PilotMetric:
    return next(one for one in result.metrics if one.metric == metric)


def _names(metrics: list[PilotMetric], language: Language) -> str:
    return joined(
        [metric_name(metric.metric, language, variant=metric.variant, inline=True) for metric in metrics],
        language,
    )


def _listed(items: list[str], language: Language) -> str:
    """Items that hold commas themselves."""
    return {"en": "; ", "zh": "；"}[language].join(items)


def _levels(values: pd.Series[float], one: PilotMetric, language: Language) -> str:
    if not len(values):
        return text("range", language, low=level(None, one.unit), high=level(None, one.unit))
    low, high = (level(value, one.unit, language) for value in (values.min(), values.max()))
    return text("range", language, low=low, high=high)


def _changes(values: pd.Series[float], one: PilotMetric, language: Language) -> str:
    """Smallest and largest change, the unit said once."""
    if not len(values):
        return level(None, one.unit)
    low, high = (change(value, one.unit, language) for value in (values.min(), values.max()))
    unit = change(0.0, one.unit, language).removeprefix("0.0")
    return text("range.changes", language, low=low.removesuffix(unit), high=high)
