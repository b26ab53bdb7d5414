"""What a planned pilot could show, and how a running one is watched: sentences and the words of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csimprove.metrics.definitions import CATALOGUE
from csimprove.settings import Language
from csimprove.wording.figures import FigureWords
from csimprove.wording.lookup import capital, joined, metric_name, text, unit_name
from csimprove.wording.numbers import (
    Unit,
    count,
    date_text,
    level,
    missing,
    number,
    p_value,
    period_text,
    size,
    trimmed,
)
from csimprove.wording.sentences import MIN_PILOT_UNITS, MIN_UNITS, verdict_word
from csimprove.wording.spoken import Spoken, spoken_metric, spoken_pilot

if TYPE_CHECKING:
    from csimprove.pilot import Look, PilotDesign, PilotResult, Reason

#: Which advice speaks first.
_LOUDEST = ("too_few_units", "cannot_detect", "longer", "detects", "not_enough_history", "spread")


def unit_of(metric: str) -> Unit:
    """Return the unit of a metric of the catalogue.

    Examples
    --------
    >>> unit_of("csat"), unit_of("waiting_time")
    ('share', 'minutes')
    """
    return next((one.unit for one in CATALOGUE if one.name == metric), "share")


def spoken_design(design: PilotDesign, language: Language = "en") -> Spoken:
    """Return plan, units and history of a design as texts."""
    plan, arms = design.plan, design.units["arm"]
    pilot, control = (int((arms == arm).sum()) for arm in ("pilot", "control"))
    return {
        "pilot": joined(plan.pilot, language),
        "control": joined(plan.control, language),
        "unit": unit_name(plan.unit, language),
        "units": unit_name(plan.unit, language, many=True),
        "group": unit_name(plan.group, language),
        "groups": unit_name(plan.group, language, many=True),
        "pilot_n": count(pilot),
        "control_n": count(control),
        "planned": trimmed(planned_weeks(design), "minutes"),
        "before": period_text(*plan.before, language),
        "during": period_text(*plan.during, language),
        "history": period_text(*design.history, language),
        "smallest": smallest_text(design),
        "least_pilot": count(MIN_PILOT_UNITS),
        "least": count(MIN_UNITS),
    }


def planned_weeks(design: PilotDesign) -> int:
    """Return the planned length of the pilot in weeks, rounded as the design tries it."""
    first, last = design.plan.during
    return max(1, round(((last - first).days + 1) / 7))


def smallest_text(design: PilotDesign) -> str:
    """Return the smallest p-value that the planned arms can give."""
    return p_value(design.smallest_pvalue).removeprefix("p = ")


def design_headline(design: PilotDesign, language: Language = "en") -> str:
    """Return whether the pilot is worth running, with the number that says so.

    Parameters
    ----------
    design
        What the planned pilot could show.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    str
        A sentence without full stop; what limits most speaks.
    """
    first = min(design.advice, key=lambda one: _LOUDEST.index(one.code), default=None)
    if first is None:
        return text("design.headline.none", language, **spoken_design(design, language))
    said = capital(text(f"design.headline.{first.code}", language, **_advised(first, design, language)))
    thin = any(one.code == "not_enough_history" for one in design.advice)
    if thin and first.code in ("cannot_detect", "longer", "detects"):
        said += text("design.headline.thin", language)
    return said


def advice_text(advice: Reason, design: PilotDesign, language: Language = "en") -> str:
    """Return one piece of advice with this client's numbers.

    Parameters
    ----------
    advice
        One of ``design.advice``.
    design
        What the planned pilot could show.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    str
        One to three sentences.
    """
    words = _advised(advice, design, language)
    given = advice.values
    alike = advice.code == "spread" and words["detectable_planned"] == words["detectable_spread"]
    parts = [text("advice.spread.alike" if alike else f"advice.{advice.code}", language, **words)]
    if advice.code == "spread":
        known = {name: given.get(f"false_{name}") for name in ("planned", "spread")}
        if all(not missing(_number(value)) for value in known.values()):
            words |= {f"false_{name}": count(100 * float(value or 0)) for name, value in known.items()}
        if "false_planned" in words and words["false_planned"] != words["false_spread"]:
            parts.append(text("advice.spread.false", language, **words))
        if given.get("modelled"):
            parts.append(text("advice.spread.modelled", language))
    return capital({"en": " ", "zh": ""}[language].join(parts))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _advised(advice: Reason, design: PilotDesign, language: Language) -> Spoken:
    words = spoken_design(design, language)
    values = advice.values
    if "metric" in values:
        metric = str(values["metric"])
        unit = unit_of(metric)
        words["name"] = metric_name(metric, language, inline=True)
        for name in ("se_planned", "se_spread", "detectable_planned", "detectable_spread", "detectable"):
            if name in values:
                found = _number(values[name])
                words[name] = number(None, unit) if missing(found) else size(found or 0.0, unit, language)
        if "minimum_gain" in values:
            words["minimum_gain"] = size(float(values["minimum_gain"]), unit, language)
    for name in ("weeks", "independent", "needed"):
        if name in values:
            words[name] = trimmed(float(values[name]), "minutes")
    return words


def power_curve(design: PilotDesign, metric: str, *, language: Language = "en") -> FigureWords:
    """Return the words around the curve of the smallest detectable gain.

    Parameters
    ----------
    design
        What the planned pilot could show.
    metric
        Name of a metric of the plan.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    unit, words = unit_of(metric), spoken_design(design, language)
    power = design.power[(design.power["metric"] == metric) & design.power["detectable"].notna()]
    planned = power[(power["assignment"] == "planned") & (power["units_pilot"] == int(words["pilot_n"]))]
    planned = planned.sort_values("weeks")
    asked = design.plan.minimum_gain.get(metric) or design.plan.margin.get(metric)
    words |= {
        "name": metric_name(metric, language, inline=True),
        "minimum": size(asked, unit, language) if asked else text("target.none", language),
        "modelled": count(int(power["modelled"].sum())),
        "n": count(len(power)),
    }
    if planned.empty:
        title = capital(text("figure.power.none", language, **words))
        return FigureWords(
            title=title,
            lede=text("figure.power.lede", language, **words),
            caption=text("figure.power.caption", language, **words),
            alt=title,
        )
    at = planned.iloc[(planned["weeks"] - planned_weeks(design)).abs().argmin()]
    words |= {
        "weeks": trimmed(float(at["weeks"]), "minutes"),
        "detectable": size(at["detectable"], unit, language),
    }
    ends = [(key, planned.iloc[place]) for key, place in (("first", 0), ("last", -1))]
    for key, row in ends:
        words[f"{key}_weeks"] = trimmed(float(row["weeks"]), "minutes")
        words[key] = size(row["detectable"], unit, language)
    return FigureWords(
        title=capital(text("figure.power.title", language, **words)),
        lede=text("figure.power.lede", language, **words),
        caption=text("figure.power.caption", language, **words),
        alt=text("figure.power.alt", language, **words),
    )


def pilot_daily(result: PilotResult, metric: str, *, language: Language = "en") -> FigureWords:
    """Return the words around the daily run charts of both arms.

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
    one = next(row for row in result.metrics if row.metric == metric)
    words = {**spoken_pilot(result, language), **spoken_metric(one, language)}
    daily = result.daily
    days = daily[(daily["metric"] == metric) & daily["value"].notna()]
    moments = days["day"].astype(str).str[:10]
    periods = {
        "before": moments <= result.plan.before[1].isoformat(),
        "during": moments >= result.plan.during[0].isoformat(),
    }
    for arm in ("pilot", "control"):
        for period, rows in periods.items():
            values = days.loc[(days["arm"] == arm) & rows, "value"]
            words[f"{arm}_{period}"] = level(values.median() if len(values) else None, one.unit, language)
            words[f"{arm}_{period}_days"] = count(len(values))
    tickets = days.groupby("arm")["denominator"].median()
    for arm in ("pilot", "control"):
        words[f"{arm}_tickets"] = count(tickets.get(arm))
    return FigureWords(
        title=capital(text("figure.daily.title", language, **words)),
        lede=text("figure.daily.lede", language, **words),
        caption=text("figure.daily.caption", language, **words),
        alt=text("figure.daily.alt", language, **words),
    )


def pilot_looks(result: PilotResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the chart of the planned looks.

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
    words = spoken_pilot(result, language)
    made = [look for look in result.looks if look.made]
    items = [
        text(
            "figure.looks.item",
            language,
            n=look.number,
            date=date_text(look.date, language, year=False),
            decision=decision_text(look, language),
        )
        for look in result.looks
    ]
    words |= {"looks": {"en": "; ", "zh": "；"}[language].join(items), "made": count(len(made))}
    words["n"] = count(len(result.looks))
    return FigureWords(
        title=_passed(result, language),
        lede=text("figure.looks.lede", language, **words),
        caption=text("figure.looks.caption", language, **words),
        alt=text("figure.looks.alt", language, **words),
    )


def _passed(result: PilotResult, language: Language) -> str:
    """Return at which look each main measure passed for the first time."""
    parts = []
    for metric in (one for one in result.metrics if one.role == "co_primary"):
        passed = [
            look.number
            for look in result.looks
            for one in look.metrics
            if one.metric == metric.metric and one.status == "worth_having"
        ]
        key = "figure.looks.passed" if passed else "figure.looks.open"
        words = {"name": spoken_metric(metric, language)["name"], "n": count(min(passed, default=0))}
        parts.append(text(key, language, **words))
    return capital({"en": "; ", "zh": "；"}[language].join(parts))


def decision_text(look: Look, language: Language = "en") -> str:
    """Return what a look decided."""
    if not look.made:
        return text("look.to_come" if look.expected else "look.not_made", language)
    if look.decision == "continue":
        return text("look.continue", language)
    return verdict_word(look.decision, language)


def tracking_headline(result: PilotResult, language: Language = "en") -> str:
    """Return how many looks are made and what the last of them decided.

    A look that ended the pilot speaks rather than a later one.
    """
    made = [look for look in result.looks if look.made]
    words = {**spoken_pilot(result, language), "made": count(len(made)), "n": count(len(result.looks))}
    if not made:
        return text("tracking.none", language, **words)
    ended = next((look for look in made if look.decision in ("go", "stop")), made[-1])
    words |= {"number": count(ended.number), "date": date_text(ended.date, language)}
    words["decision"] = decision_text(ended, language)
    return text("tracking.headline", language, **words)


def stop_rules(result: PilotResult, language: Language = "en") -> list[tuple[str, str]]:
    """Return what would end the pilot at a look: a name and a sentence with this plan's numbers each."""
    words = spoken_pilot(result, language)
    roles = {
        role: [one for one in result.metrics if one.role == role] for role in ("co_primary", "guardrail")
    }
    joint = {"en": "; ", "zh": "；"}[language]
    rules = []
    for key, role in (("go", "co_primary"), ("harm", "guardrail"), ("no_gain", "co_primary")):
        if roles[role]:
            items = [text("stop_rule.item", language, **spoken_metric(one, language)) for one in roles[role]]
            said = text(f"stop_rule.{key}", language, items=joint.join(items), **words)
            rules.append((text(f"stop_rule.{key}.name", language), said))
    return [*rules, (text("stop_rule.else.name", language), text("stop_rule.else", language, **words))]
