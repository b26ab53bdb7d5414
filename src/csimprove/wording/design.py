"""What a planned pilot could show, and how a running one is watched: sentences and the words of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csimprove.metrics.definitions import CATALOGUE
from csimprove.settings import Language
from csimprove.wording.figures import FigureWords, figure_words, spans
from csimprove.wording.lookup import capital, listed, metric_name, text
from csimprove.wording.numbers import (
    NO_NUMBER,
    Unit,
    count,
    date_text,
    level,
    number,
    p_value,
    period_text,
    size,
    trimmed,
)
from csimprove.wording.sentences import MIN_PILOT_UNITS, MIN_UNITS, verdict_word
from csimprove.wording.spoken import (
    Spoken,
    names_of,
    of_role,
    pilot_metric,
    spoken_both,
    spoken_metric,
    spoken_pilot,
    spoken_plan,
)

if TYPE_CHECKING:
    from csimprove.pilot import Look, LookMetric, PilotDesign, PilotResult, Reason

#: Which advice speaks first.
_LOUDEST = ("too_few_units", "cannot_detect", "longer", "detects", "not_enough_history", "spread")


def design_metric(
    metric: str, design: PilotDesign, language: Language = "en", *, inline: bool = False
) -> str:
    """Return the name of a metric of a design's plan."""
    variant, _ = design.traits.get(metric, ("", ""))
    return metric_name(metric, language, variant=variant, inline=inline)


def unit_of(metric: str, design: PilotDesign | None = None) -> Unit:
    """Return the unit of a metric of a design's plan, else that of the catalogue.

    Examples
    --------
    >>> unit_of("csat"), unit_of("waiting_time")
    ('share', 'minutes')
    """
    if design is not None and metric in design.traits:
        return design.traits[metric][1]
    return next((one.unit for one in CATALOGUE if one.name == metric), "share")


def spoken_design(design: PilotDesign, language: Language = "en") -> Spoken:
    """Return plan, units and history of a design as texts."""
    arms = design.units["arm"]
    return {
        **spoken_plan(design.plan, language),
        "pilot_n": count((arms == "pilot").sum()),
        "control_n": count((arms == "control").sum()),
        "planned": trimmed(planned_weeks(design), "minutes"),
        "history": period_text(*design.history, language),
        "smallest": p_value(design.smallest_pvalue).removeprefix("p = "),
        "least_pilot": count(MIN_PILOT_UNITS),
        "least": count(MIN_UNITS),
    }


def planned_weeks(design: PilotDesign) -> int:
    """Return the planned length of the pilot in weeks, rounded as the design tries it."""
    first, last = design.plan.during
    return max(1, round(((last - first).days + 1) / 7))


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
    if advice.code != "spread":
        return capital(text(f"advice.{advice.code}", language, **words))
    alike = words["detectable_planned"] == words["detectable_spread"]
    parts = [text("advice.spread.alike" if alike else "advice.spread", language, **words)]
    false = [words.get(f"false_{name}", NO_NUMBER) for name in ("planned", "spread")]
    if NO_NUMBER not in false and false[0] != false[1]:
        parts.append(text("advice.spread.false", language, **words))
    if advice.values.get("modelled"):
        parts.append(text("advice.spread.modelled", language))
    return capital({"en": " ", "zh": ""}[language].join(parts))


def _advised(advice: Reason, design: PilotDesign, language: Language) -> Spoken:
    words = spoken_design(design, language)
    values: dict[str, Any] = advice.values
    unit = unit_of(str(values.get("metric")), design)
    for name, value in values.items():
        if name == "metric":
            words["name"] = design_metric(value, design, language, inline=True)
        elif name.startswith(("se_", "detectable", "minimum_gain")):
            words[name] = size(value, unit, language)
        elif name.startswith("false_"):
            words[name] = number(value, "share", places=0)
        elif name in ("weeks", "independent", "needed"):
            words[name] = trimmed(value, "minutes")
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
    unit, words = unit_of(metric, design), spoken_design(design, language)
    power = design.power[(design.power["metric"] == metric) & design.power["detectable"].notna()]
    planned = power[(power["assignment"] == "planned") & (power["units_pilot"] == int(words["pilot_n"]))]
    planned = planned.sort_values("weeks")
    asked = design.plan.minimum_gain.get(metric) or design.plan.margin.get(metric)
    words |= {
        "name": design_metric(metric, design, language, inline=True),
        "minimum": size(asked, unit, language) if asked else text("target.none", language),
        "modelled": count(int(power["modelled"].sum())),
        "n": count(len(power)),
    }
    if planned.empty:
        title = capital(text("figure.power.none", language, **words))
        return figure_words("power", language, words, title=title, alt=title)
    at = (planned["weeks"] - planned_weeks(design)).abs().argmin()
    for weeks, gain, place in (
        ("weeks", "detectable", at),
        ("first_weeks", "first", 0),
        ("last_weeks", "last", -1),
    ):
        row = planned.iloc[place]
        words |= {
            weeks: trimmed(row["weeks"], "minutes"),
            gain: size(row["detectable"], unit, language),
        }
    return figure_words("power", language, words)


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
    one = pilot_metric(result, metric)
    words = spoken_both(result, one, language)
    days = result.daily[(result.daily["metric"] == metric) & result.daily["value"].notna()]
    for key, values in spans(days, "day", result.plan).items():
        words[key] = level(values.median() if len(values) else None, one.unit, language)
        words[f"{key}_days"] = count(len(values))
    tickets = days.groupby("arm")["denominator"].median()
    words |= {f"{arm}_tickets": count(tickets.get(arm)) for arm in ("pilot", "control")}
    return figure_words("daily", language, words)


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
    items = []
    for look in result.looks:
        said = {"date": date_text(look.date, language, year=False), "decision": decision_text(look, language)}
        items.append(text("figure.looks.item", language, n=look.number, **said))
    made = count(sum(look.made for look in result.looks))
    words |= {"looks": listed(items, language), "made": made, "n": count(len(result.looks))}
    return figure_words("looks", language, words, title=_passed(result, language))


def _passed(result: PilotResult, language: Language) -> str:
    """Return at which look each main measure passed for the first time."""
    parts = []
    for metric in of_role(result, "co_primary"):
        passed = [
            look.number
            for look in result.looks
            for one in look.metrics
            if one.metric == metric.metric and one.status == "worth_having"
        ]
        key = "figure.looks.passed" if passed else "figure.looks.open"
        name = names_of([metric], language)
        parts.append(text(key, language, name=name, n=count(min(passed, default=0))))
    return listed(parts, language)


def decision_text(look: Look, language: Language = "en") -> str:
    """Return what a look decided."""
    if not look.made:
        return text("look.to_come" if look.expected else "look.not_made", language)
    if look.decision == "continue":
        return text("look.continue", language)
    return verdict_word(look.decision, language)


def bound_text(one: LookMetric) -> str:
    """Return the bound on the size of t, or of z where there is no t; a dash where none can be reached."""
    bound = one.bound_z if one.bound_t is None else one.bound_t
    return NO_NUMBER if bound is None else f"{bound:.2f}"


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
    rules = []
    for key, role in (("go", "co_primary"), ("harm", "guardrail"), ("no_gain", "co_primary")):
        items = [
            text("stop_rule.item", language, **spoken_metric(one, language)) for one in of_role(result, role)
        ]
        if items:
            said = text(f"stop_rule.{key}", language, items=listed(items, language), **words)
            rules.append((text(f"stop_rule.{key}.name", language), said))
    return [*rules, (text("stop_rule.else.name", language), text("stop_rule.else", language, **words))]
