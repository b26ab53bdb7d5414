"""The words around each figure, under the name of the function in :mod:`csimprove.charts` that draws it.

Each function returns the heading (the finding), one line of text, the caption and the alt text, ready for
``report.show_chart(charts.pilot_arms(result, metric), **wording.pilot_arms(result, metric))``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from csimprove.settings import Language
from csimprove.wording.lookup import capital, column_name, group_name, joined, metric_name, text, unit_name
from csimprove.wording.numbers import (
    change,
    count,
    date_text,
    interval,
    level,
    moment_text,
    period_text,
    target_level,
)
from csimprove.wording.sentences import asked_text, effect_clause, indicator_name, target_state

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
    period = period_text(result.first, result.last, language)
    as_of = moment_text(result.as_of, result.zone, language)
    aimed = [one for one in result.indicators if one.on_target is not None]
    reached = sum(one.on_target == "reached" for one in aimed)
    measured = [one for one in result.indicators if one.value is not None]
    items = [_indicator_item(one, language, brief=len(measured) > _ALT_INTERVALS) for one in measured]
    key = "figure.indicators.title" + ("" if reached else ".missed" if aimed else ".none")
    return FigureWords(
        title=text(key, language, reached=reached, n=len(aimed)),
        lede=text("figure.indicators.lede", language),
        caption=text(
            "figure.indicators.caption",
            language,
            tickets=count(result.tickets),
            period=period,
            as_of=as_of,
            source=result.reading.source,
        ),
        alt=text(
            "figure.indicators.alt",
            language,
            n=len(result.indicators),
            period=period,
            items=capital(_listed(items, language)),
            as_of=date_text(result.as_of, language),
        ),
    )


def _indicator_item(one: Indicator, language: Language, *, brief: bool) -> str:
    target = ""
    if one.target is not None:
        target = text(
            "figure.indicators.item.target",
            language,
            target=target_level(one.target, one.unit, language),
            state=target_state(one.on_target, one.better, language),
        )
    return text(
        "figure.indicators.item.brief" if brief else "figure.indicators.item",
        language,
        name=indicator_name(one, language, inline=True),
        value=level(one.value, one.unit, language),
        interval=interval(one.ci_low, one.ci_high, one.unit, language),
        target=target,
    )


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
    rows = result.cuts[(result.cuts["metric"] == metric) & (result.cuts["cut"] == cut)]
    rows = rows[rows["value"].notna()].sort_values("value", kind="stable")
    one = _indicator(result, metric)
    name = indicator_name(one, language, inline=True)
    values = {"name": name, "cut": column_name(cut, language), "n": str(len(rows))}
    period = period_text(result.first, result.last, language)
    if len(rows):
        for key, row in (("low", rows.iloc[0]), ("high", rows.iloc[-1])):
            values[key] = level(row["value"], one.unit, language)
            values[f"{key}_group"] = group_name(row["group"], language)
    key = "none" if not len(rows) else "one" if len(rows) == 1 else ""
    title = text(f"figure.cuts.title.{key}".rstrip("."), language, **values)
    overall = level(one.value, one.unit, language)
    return FigureWords(
        title=capital(title),
        lede=text("figure.cuts.lede", language, overall=overall),
        caption=text(
            "figure.cuts.caption",
            language,
            n=count(rows["denominator"].sum()),
            period=period,
            source=result.reading.source,
        ),
        alt=text(
            "figure.cuts.alt",
            language,
            period=period,
            overall=overall,
            target=_target(one, language),
            **values,
        )
        if len(rows)
        else capital(title),
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
    period = period_text(result.first, result.last, language)
    items = []
    title = ""
    for one in result.indicators:
        rows = result.trend[(result.trend["metric"] == one.metric) & result.trend["value"].notna()]
        rows = rows[rows["complete"].astype(bool)].sort_values("week")
        values = {"name": indicator_name(one, language, inline=True), "n": str(len(rows))}
        if len(rows):
            for key, value in (
                ("low", rows["value"].min()),
                ("high", rows["value"].max()),
                ("last", rows["value"].iloc[-1]),
            ):
                values[key] = level(value, one.unit, language)
        end = "" if len(rows) else ".none"
        items.append(text(f"figure.trend.item{end}", language, **values))
        title = title or capital(text(f"figure.trend.title{end}", language, **values))
    return FigureWords(
        title=title,
        lede=text("figure.trend.lede", language),
        caption=text("figure.trend.caption", language, period=period, source=result.reading.source),
        alt=text("figure.trend.alt", language, n=len(items), period=period, items=_listed(items, language)),
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
    first = result.metrics[0]
    main = [metric for metric in result.metrics if metric.role == "co_primary"]
    passed = [metric for metric in main if metric.status == "worth_having"]
    gain = "all" if len(passed) == len(main) else "some" if passed else "none"
    parts = [text(f"figure.questions.gain.{gain}", language, names=_names(passed, language))]
    for status in ("reached", "cannot_tell", "not_reached"):
        at = [metric for metric in result.metrics if metric.target_status == status and metric in main]
        if at:
            parts.append(text(f"figure.questions.target.{status}", language, names=_names(at, language)))
    judged = [metric for metric in result.metrics if metric.asked is not None]
    brief = ".brief" if len(judged) > _ALT_INTERVALS else ""
    effects = [
        text(
            f"figure.questions.effect{brief}",
            language,
            name=metric_name(metric.metric, language, inline=True),
            change=change(metric.effect, metric.unit, language),
            interval=interval(metric.ci_low, metric.ci_high, metric.unit, language),
            asked=asked_text(metric, language),
        )
        for metric in judged
    ]
    levels = [_level_item(metric, language) for metric in result.metrics if metric.target is not None]
    none = text("target.none", language)
    return FigureWords(
        title={"en": "; ", "zh": "；"}[language].join(parts),
        lede=text("figure.questions.lede", language),
        caption=text(
            "figure.questions.caption",
            language,
            units=unit_name(result.plan.unit, language, many=True),
            unit=unit_name(result.plan.unit, language),
            pilot=first.units_pilot,
            control=first.units_control,
        ),
        alt=text(
            "figure.questions.alt",
            language,
            effects=_listed(effects, language),
            levels=_listed(levels, language) if levels else none,
        ),
    )


def _level_item(metric: PilotMetric, language: Language) -> str:
    return text(
        "figure.questions.level",
        language,
        name=metric_name(metric.metric, language, inline=True),
        level=level(metric.level, metric.unit, language),
        target=target_level(metric.target, metric.unit, language),
        state=target_state(metric.target_status, metric.better, language),
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
    changes = {arm: _changes(rows["change"], one, language) for arm, rows in arms.items()}
    values = {
        "name": metric_name(metric, language, inline=True),
        "units": unit_name(result.plan.unit, language, many=True),
        "unit": unit_name(result.plan.unit, language),
        **changes,
    }
    strata = joined([column_name(name, language) for name in result.plan.strata], language)
    return FigureWords(
        title=capital(_dumbbell_title(arms, one, language, values)),
        lede=text("figure.dumbbell.lede", language, **values),
        caption=text(
            "figure.dumbbell.caption",
            language,
            n=len(teams),
            before=period_text(*result.plan.before, language),
            during=period_text(*result.plan.during, language),
            basis=text(f"figure.basis.{one.basis}", language, strata=strata),
            source=result.reading.source,
            **values,
        ),
        alt=text(
            "figure.dumbbell.alt",
            language,
            n=len(teams),
            pilot_n=len(arms["pilot"]),
            control_n=len(arms["control"]),
            pilot_levels=_levels(arms["pilot"]["during"], one, language),
            control_levels=_levels(arms["control"]["during"], one, language),
            target=_target(one, language),
            **values,
        ),
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
    return text(
        "figure.dumbbell.title.some",
        language,
        better=better["pilot"],
        n=len(gains["pilot"]),
        control_better=better["control"],
        control_n=len(gains["control"]),
        **values,
    )


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
    weekly = result.weekly[(result.weekly["metric"] == metric) & (result.weekly["group"] == "")]
    weekly = weekly[weekly["value"].notna()].sort_values("week")
    weeks = weekly["week"].astype(str).str[:10]
    spans = {
        f"{arm}_{period}": _levels(weekly.loc[(weekly["arm"] == arm) & rows, "value"], one, language)
        for arm in ("pilot", "control")
        for period, rows in (
            ("before", weeks <= result.plan.before[1].isoformat()),
            ("during", weeks >= result.plan.during[0].isoformat()),
        )
    }
    pilot = weekly.loc[weekly["arm"] == "pilot", "value"]
    name = metric_name(metric, language, inline=True)
    during = {
        arm: level(cell.value, one.unit, language)
        for arm, cell in (("pilot", one.pilot_during), ("control", one.control_during))
    }
    before = {
        arm: level(cell.value, one.unit, language)
        for arm, cell in (("pilot", one.pilot_before), ("control", one.control_before))
    }
    return FigureWords(
        title=capital(text("figure.arms.title", language, name=name, **during)),
        lede=text("figure.arms.lede", language, effect=capital(effect_clause(one, language)), **before),
        caption=text(
            "figure.arms.caption",
            language,
            before=period_text(*result.plan.before, language),
            during=period_text(*result.plan.during, language),
            group=unit_name(result.plan.group, language),
            source=result.reading.source,
        ),
        alt=text(
            "figure.arms.alt",
            language,
            name=name,
            n=weeks.nunique(),
            pilot_groups=joined(result.plan.pilot, language),
            pilot_last=level(pilot.iloc[-1] if len(pilot) else None, one.unit, language),
            target=_target(one, language),
            **spans,
        ),
    )


def _indicator(result: BaselineResult, metric: str) -> Indicator:
    return next(one for one in result.indicators if one.metric == metric)


def _pilot_metric(result: PilotResult, metric: str) -> PilotMetric:
    return next(one for one in result.metrics if one.metric == metric)


def _names(metrics: list[PilotMetric], language: Language) -> str:
    return joined([metric_name(metric.metric, language, inline=True) for metric in metrics], language)


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


def _target(one: Indicator | PilotMetric, language: Language) -> str:
    if one.target is None:
        return text("figure.no_target_line", language)
    return text("figure.target_line", language, target=target_level(one.target, one.unit, language))
