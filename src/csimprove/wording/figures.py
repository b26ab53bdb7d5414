"""The words around each figure, under the name of the function in :mod:`csimprove.charts` that draws it.

Each function returns the heading (the finding), one line of text, the caption and the alt text, ready for
``report.show_chart(charts.pilot_arms(result, metric), **wording.pilot_arms(result, metric))``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, TypedDict

from csimprove.settings import Language
from csimprove.wording.lookup import capital, column_name, group_name, listed, text
from csimprove.wording.numbers import change, count, level, number
from csimprove.wording.sentences import effect_clause, target_parts
from csimprove.wording.spoken import (
    indicator_name,
    names_of,
    of_role,
    pilot_metric,
    spoken_baseline,
    spoken_both,
    spoken_indicator,
    spoken_metric,
    spoken_pilot,
)

if TYPE_CHECKING:  # wording needs no engine
    import pandas as pd

    from csimprove.baseline import BaselineResult, Indicator
    from csimprove.pilot import PilotMetric, PilotResult
    from csimprove.settings import PilotPlan

#: With more items than this the alt text leaves the intervals to the table, to stay short enough to hear.
_ALT_INTERVALS = 3


class FigureWords(TypedDict):
    """What stands around a figure."""

    title: str
    lede: str
    caption: str
    alt: str


def figure_words(name: str, language: Language, words: Mapping[str, str | int], **own: str) -> FigureWords:
    """Return the phrases ``figure.<name>.title`` to ``.alt`` with these words; own parts stand as given."""
    said = {
        part: own[part] if part in own else text(f"figure.{name}.{part}", language, **words)
        for part in ("title", "lede", "caption", "alt")
    }
    return FigureWords(
        title=capital(said["title"]), lede=said["lede"], caption=said["caption"], alt=said["alt"]
    )


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
    aimed = [one for one in result.indicators if one.on_target is not None]
    reached = sum(one.on_target == "reached" for one in aimed)
    measured = [one for one in result.indicators if one.value is not None]
    items = [_indicator_item(one, language, brief=len(measured) > _ALT_INTERVALS) for one in measured]
    key = "figure.indicators.title" + ("" if reached else ".missed" if aimed else ".none")
    words = spoken_baseline(result, language) | {"n": count(len(result.indicators))}
    words["items"] = capital(listed(items, language))
    title = text(key, language, reached=reached, n=len(aimed))
    return figure_words("indicators", language, words, title=title)


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
    own = {"title": capital(text(f"figure.cuts.title{end}", language, **words))}
    own["caption"] = text("figure.cuts.caption", language, **{**words, "n": count(tickets)})
    if len(rows) <= 1:
        own["alt"] = own["title"]
    return figure_words("cuts", language, words, **own)


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
    items, titles = [], []
    for one in (one for one in result.indicators if one.metric in set(result.trend["metric"])):
        rows = result.trend[(result.trend["metric"] == one.metric) & result.trend["value"].notna()]
        week = rows[rows["complete"].astype(bool)].sort_values("week")["value"]
        said = {"name": indicator_name(one, language, inline=True), "n": count(len(week))}
        if len(week):
            ends = {"low": week.min(), "high": week.max(), "last": week.iloc[-1]}
            said |= {key: level(value, one.unit, language) for key, value in ends.items()}
        end = "" if len(week) else ".none"
        items.append(text(f"figure.trend.item{end}", language, **said))
        titles.append(text(f"figure.trend.title{end}", language, **said))
    words = spoken_baseline(result, language) | {"n": count(len(items)), "items": listed(items, language)}
    title = titles[0] if titles else text("headline.baseline.empty", language)
    return figure_words("trend", language, words, title=title)


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
    main = of_role(result, "co_primary")
    passed = [metric for metric in main if metric.status == "worth_having"]
    gain = "all" if len(passed) == len(main) else "some" if passed else "none"
    parts = [text(f"figure.questions.gain.{gain}", language, names=names_of(passed, language))]
    parts += target_parts("figure.questions.target", main, language)
    judged = [metric for metric in result.metrics if metric.asked is not None]
    key = "figure.questions.effect" + (".brief" if len(judged) > _ALT_INTERVALS else "")
    effects = [text(key, language, **spoken_metric(metric, language)) for metric in judged]
    levels = [
        text("figure.questions.level", language, **spoken_metric(metric, language))
        for metric in result.metrics
        if metric.target is not None
    ]
    words = spoken_pilot(result, language) | {"effects": listed(effects, language)}
    words["levels"] = listed(levels or [text("target.none", language)], language)
    return figure_words("questions", language, words, title=listed(parts, language))


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
    one = pilot_metric(result, metric)
    teams = result.teams[result.teams["metric"] == metric].dropna(subset=["change"])
    arms = {arm: teams[teams["arm"] == arm] for arm in ("pilot", "control")}
    words = {**spoken_both(result, one, language), "n": count(len(teams))}
    for arm, rows in arms.items():
        words[f"{arm}_n"] = count(len(rows))
        words[f"{arm}_changes"] = effect_range(rows["change"].tolist(), one, language)
        words[f"{arm}_levels"] = _levels(rows["during"], one, language)
    return figure_words("dumbbell", language, words, title=_dumbbell_title(arms, one, language, words))


def _dumbbell_title(
    arms: dict[str, pd.DataFrame], one: PilotMetric, language: Language, values: dict[str, str]
) -> str:
    sign = 1 if one.better == "higher" else -1
    gains = {arm: sign * rows["change"] for arm, rows in arms.items()}
    if all(map(len, gains.values())) and gains["pilot"].min() > max(gains["control"].max(), 0):
        return text("figure.dumbbell.title.all", language, **values)
    better, control = (count((gains[arm] > 0).sum()) for arm in ("pilot", "control"))
    counted = {"better": better, "control_better": control, "n": values["pilot_n"]}
    return text("figure.dumbbell.title.some", language, **{**values, **counted})


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
    one = pilot_metric(result, metric)
    words = spoken_both(result, one, language) | {"effect": capital(effect_clause(one, language))}
    weekly = result.weekly[(result.weekly["metric"] == metric) & (result.weekly["group"] == "")]
    weekly = weekly[weekly["value"].notna()].sort_values("week")
    said = {key: _levels(values, one, language) for key, values in spans(weekly, "week", result.plan).items()}
    pilot = weekly.loc[weekly["arm"] == "pilot", "value"]
    said["pilot_last"] = level(pilot.iloc[-1] if len(pilot) else None, one.unit, language)
    said["n"] = count(weekly["week"].nunique())
    alt = text("figure.arms.alt", language, **{**words, **said})
    return figure_words("arms", language, words, alt=alt)


def spans(rows: pd.DataFrame, column: str, plan: PilotPlan) -> dict[str, pd.Series[float]]:
    """Return the values of each arm before and during the pilot, such as ``pilot_before``."""
    days = rows[column].astype(str).str[:10]
    periods = {"before": days <= plan.before[1].isoformat(), "during": days >= plan.during[0].isoformat()}
    return {
        f"{arm}_{period}": rows.loc[(rows["arm"] == arm) & within, "value"]
        for arm in ("pilot", "control")
        for period, within in periods.items()
    }


def _levels(values: pd.Series[float], one: PilotMetric, language: Language) -> str:
    low, high = (level(value, one.unit, language) for value in (values.min(), values.max()))
    return text("range", language, low=low, high=high)


def effect_range(values: Collection[float], one: PilotMetric, language: Language) -> str:
    """Return smallest to largest change, the unit said once."""
    if not len(values):
        return change(None, one.unit, language)
    low, high = (number(end, one.unit, sign=True) for end in (min(values), max(values)))
    unit = change(0.0, one.unit, language).removeprefix("0.0")
    return (low if low == high else text("range.changes", language, low=low, high=high)) + unit
