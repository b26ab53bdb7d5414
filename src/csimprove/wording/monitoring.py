"""What is said in the regular reports: alerts, what changed, headings and alt texts of control charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from csimprove.monitoring import Check, MonitoringResult, outside, verdict
from csimprove.settings import Language
from csimprove.wording.figures import FigureWords, figure_words
from csimprove.wording.lookup import (
    capital,
    column_name,
    group_name,
    joined,
    known,
    listed,
    metric_name,
    text,
    unit_name,
)
from csimprove.wording.numbers import (
    NO_NUMBER,
    change,
    count,
    date_text,
    level,
    moment_text,
    number,
    percent,
    period_text,
    target_level,
)
from csimprove.wording.sentences import counted
from csimprove.wording.spoken import Spoken, indicator_name, spoken_baseline, spoken_indicator, target_line

if TYPE_CHECKING:  # annotations only
    from csimprove.spc import ControlChart, Phase

#: From this dispersion on groups differ by more than chance, though none may stand apart from the others.
WIDE_SPREAD = 1.5
#: Excluded points named in a caption.
MOST_EXCLUDED = 3
#: Groups named in an alt text.
_ALT_GROUPS = 6


def phase_name(name: str, language: Language = "en") -> str:
    """Return the name of a phase: the settings' own, or that of the start and of the pilot.

    Examples
    --------
    >>> phase_name(""), phase_name("pilot", "zh"), phase_name("V1.1")
    ('At the start', '试点', 'V1.1')
    """
    return known(f"phase.{name}", name, language) if name else text("phase.first", language)


def course_text(variation: str, language: Language = "en") -> str:
    """Return what a chart does, in a word.

    Examples
    --------
    >>> course_text("common_cause"), course_text("concern", "zh")
    ('steady', '变差')
    """
    return text(f"course.{variation}", language)


def assurance_text(assurance: str | None, language: Language = "en") -> str:
    """Return what the limits promise about the target; empty without one.

    Examples
    --------
    >>> assurance_text("hit_and_miss"), assurance_text(None)
    ('target hit and missed', '')
    """
    return "" if assurance is None else text(f"assurance.{assurance}", language)


def rule_text(rule: str, language: Language = "en") -> str:
    """Return the pattern that a signal is."""
    return text(f"rule.{rule}", language)


def spoken_monitoring(result: MonitoringResult, language: Language = "en") -> Spoken:
    """Return period, cut and data of a regular report as texts."""
    window = result.windows[result.metric]
    return {
        **spoken_baseline(result, language),
        "period": period_text(window.first, window.last, language),
        "name": metric_name(result.metric, language, variant=result.variants[result.metric], inline=True),
        "cut": column_name(result.cut, language) if result.cut else NO_NUMBER,
        "alerts": alerts_text(len(result.alerts), language),
    }


def alerts_text(n: int, language: Language = "en") -> str:
    """Return how many alerts there are.

    Examples
    --------
    >>> alerts_text(0), alerts_text(1), alerts_text(3, "zh")
    ('no alert', '1 alert', '3项预警')
    """
    return counted("alerts", n, language)


def monitoring_headline(result: MonitoringResult, language: Language = "en") -> str:
    """Return the finding of a regular report: the chosen metric, targets reached, alerts."""
    one = next(one for one in result.indicators if one.metric == result.metric)
    if one.value is None:
        return text("headline.monitoring.empty", language)
    words = spoken_indicator(one, language)
    aimed = [each.on_target for each in result.indicators if each.on_target is not None]
    aim = "" if one.target is None else text("headline.monitoring.aim", language, **words)
    said = {"reached": count(aimed.count("reached")), "n": count(len(aimed))}
    alerts = alerts_text(len(result.alerts), language)
    return capital(text("headline.monitoring", language, aim=aim, alerts=alerts, **words, **said))


def spoken_check(check: Check, language: Language = "en") -> Spoken:
    """Return everything that is said of one alert rule as texts."""
    one = check.indicator
    urgent = check.rule == "late_urgent"
    group = text("alert.group.all", language)
    if check.cut:
        colon = {"en": ": ", "zh": "："}[language]
        group = column_name(check.cut, language) + colon + group_name(check.group, language)
    evidence = "shown" if one.statistically_below else "not_shown"
    said = {
        "what": indicator_name(one, language),
        "value": level(one.value, one.unit, language),
        "threshold": target_level(one.alert_threshold, one.unit, language),
    }
    if urgent:
        late = {"late": count(one.denominator - one.numerator), "decided": count(one.denominator)}
        said = {
            "what": text("alert.late_urgent", language),
            "value": text("alert.late_urgent.value", language, **late),
            "threshold": text("alert.late_urgent.threshold", language),
        }
    return {
        "id": check.id,
        **said,
        "group": group,
        "n": count(one.denominator),
        "days": period_text(check.window.first, check.window.last, language),
        "lag": counted("window", check.window.lag, language),
        "evidence": text(f"alert.line.{evidence}", language),
        "to": known(f"role.{check.to}", check.to, language),
    }


def alert_line(check: Check, language: Language = "en") -> str:
    """Return an alert rule and what it found as one line."""
    return text("alert.line", language, **spoken_check(check, language))


def alert_mail(
    alerts: Sequence[Check], *, project: str, as_of: datetime, zone: str, language: Language
) -> tuple[str, str]:
    """Return subject and text of an e-mail about alerts.

    Parameters
    ----------
    alerts
        The events.
    project
        Its name.
    as_of, zone
        Data date.
    language
        ``"en"`` or ``"zh"``.
    """
    subject = text("mail.subject", language, project=project, alerts=alerts_text(len(alerts), language))
    lines = "\n".join(f"- {alert_line(one, language)}" for one in alerts)
    said = moment_text(as_of, zone, language)
    return subject, text("mail.body", language, project=project, as_of=said, lines=lines)


def control_chart(result: MonitoringResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the control chart of the chosen metric.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption (n, rules, chance of a false signal, dispersion, order) and alt text.
    """
    of = result.chart
    words = {**spoken_monitoring(result, language), **_spoken_chart(of, language)}
    own = [one for one in of.signals if one.limits == "own"]
    beyond = [one for one in of.signals if one.limits == "frozen" and one.rule == "beyond_limits"]
    words |= {"signals": count(len(own)), "frozen": count(len(beyond))}
    words["target_line"] = target_line(of, language)
    title = text(f"figure.control.title.{_course(of)}", language, **words)
    lede = text(f"figure.control.lede.{of.by}", language)
    return figure_words("control", language, words, title=title, lede=lede)


def _course(of: ControlChart) -> str:
    """Code of the heading: a change against the phase before, else what happens within the phase."""
    if of.points.empty:
        return "empty"
    if of.change in ("improvement", "concern"):
        return str(of.change)
    within = {"improvement": "better", "concern": "worse"}
    return within.get(of.variation, of.variation)


def _spoken_chart(of: ControlChart, language: Language) -> Spoken:
    phases = [phase for phase in of.phases if phase.center is not None]
    spread = [number(phase.sigma_z, "minutes", places=2) for phase in phases if phase.sigma_z is not None]
    judged = "unknown" if of.lag1 is None else "neighbours" if of.lag7 is None else "good"
    order = of.run_rules_withheld or judged
    lags = {name: number(getattr(of, name), "minutes", places=2) for name in ("lag1", "lag7")}
    values = {"en": ", ", "zh": "、"}[language].join(spread)
    return {
        "n": count(of.points["denominator"].sum()),
        "points": count(of.points["value"].notna().sum()),
        "period": _span(of, language),
        "kind": text(f"figure.kind.{of.kind}", language),
        "rules": text(f"rules.{of.rules}", language),
        "chance": percent(of.false_signal_chance, places=0),
        "dispersion": text("figure.dispersion", language, values=values) if spread else "",
        "order": text(f"figure.order.{order}", language, **lags),
        "left_out": count(of.left_out),
        "excluded": _excluded(of, language),
        "before": _center(of, of.phases[-2], language) if len(phases) > 1 else NO_NUMBER,
        "center": _center(of, of.phases[-1], language),
        "phases": _phases(of, language),
    }


def _excluded(of: ControlChart, language: Language) -> str:
    """Say which points count for neither limits nor patterns, and why."""
    rows = of.points[of.points["excluded"]]
    said = [
        text("figure.excluded.point", language, date=date_text(row["period"], language), reason=row["reason"])
        for row in rows.head(MOST_EXCLUDED).to_dict("records")
    ]
    if not said:
        return ""
    if more := len(rows) - len(said):
        said.append(text("figure.excluded.more", language, n=count(more)))
    return text("figure.excluded", language, points=listed(said, language))


def _span(of: ControlChart, language: Language) -> str:
    if of.points.empty:
        return NO_NUMBER
    first, last = (of.points["period"].iloc[place].date() for place in (0, -1))
    return period_text(first, last, language)


def _center(of: ControlChart, phase: Phase, language: Language) -> str:
    say = change if of.group == "difference" else level
    return say(phase.center, of.unit, language)


def _phases(of: ControlChart, language: Language) -> str:
    said = [
        text(
            "figure.phase",
            language,
            phase=phase_name(phase.name, language),
            date=date_text(phase.start, language),
            center=_center(of, phase, language),
        )
        for phase in of.phases
        if phase.center is not None
    ]
    return listed(said, language)


def control_arms(result: MonitoringResult, *, language: Language = "en") -> FigureWords:
    """Return the words around pilot beside control; without a pilot only a heading.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    arms = result.arms
    if arms is None:
        return FigureWords(title=text("figure.pair.title.none", language), lede="", caption="", alt="")
    words = {**spoken_monitoring(result, language), **_spoken_chart(arms.difference, language)}
    for name in ("pilot", "control", "difference"):
        of = getattr(arms, name)
        words |= {name: _phases(of, language), f"{name}_n": count(of.points["denominator"].sum())}
    label = metric_name(result.metric, language, variant=result.variants[result.metric])
    means = [
        text(
            "figure.pair.phase",
            language,
            center=change(phase.center, arms.difference.unit, language),
            phase=phase_name(phase.name, language),
        )
        for phase in arms.difference.phases
    ]
    title = text("figure.pair.title", language, phases=joined(means, language))
    caption = text("figure.pair.caption", language, **{**words, "name": label})
    return figure_words("pair", language, words, title=title, caption=caption)


def kpi_multiples(result: MonitoringResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the small charts of every metric.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    courses = [verdict(one) for one in result.kpis]
    comma = {"en": ", ", "zh": "，"}[language]
    items = []
    for one in result.kpis:
        said = [course_text(verdict(one), language), assurance_text(one.assurance, language)]
        name = metric_name(one.metric, language, variant=result.variants[one.metric])
        items.append(name + comma + comma.join(filter(None, said)))
    starts = dict.fromkeys((phase.name, phase.start) for one in result.kpis for phase in one.phases[1:])
    phases = [
        f"{date_text(start, language)} {phase_name(name, language)}"
        for name, start in sorted(starts, key=lambda phase: phase[1])
    ]
    words = spoken_monitoring(result, language) | {
        "better": count(courses.count("improvement")),
        "worse": count(courses.count("concern")),
        "missed": count(sum(one.assurance == "never_met" for one in result.kpis)),
        "n": count(len(courses)),
        "phases": listed(phases, language) or text("figure.kpi.no_phases", language),
        "items": listed(items, language),
    }
    return figure_words("kpi", language, words)


def funnel(result: MonitoringResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the funnel of the chosen cut; without one only a heading.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    of = result.funnel
    if of is None:
        return FigureWords(title=text("figure.funnel.title.none", language), lede="", caption="", alt="")
    words = spoken_monitoring(result, language)
    apart = [*outside(of, bad=True), *outside(of, bad=False)]
    shown = of.points.set_index("period")["value"]
    items = [f"{name} {level(shown[name], of.unit, language)}" for name in apart[:_ALT_GROUPS]]
    words |= {
        "k": count(len(apart)),
        "n": count(len(of.points)),
        "unit": unit_name(of.group, language),
        "units": unit_name(of.group, language, many=True),
        "center": level(of.phases[0].center, of.unit, language),
        "dispersion": number(of.phases[0].sigma_z, "minutes"),
        "decided": count(of.points["denominator"].sum()),
        "left_out": count(of.left_out),
        "outside": text("figure.funnel.outside", language, items=joined(items, language))
        if apart
        else text("figure.funnel.nobody", language),
        "target_line": target_line(of, language),
    }
    wide = (of.phases[0].sigma_z or 1.0) >= WIDE_SPREAD
    title = "figure.funnel.title" + ("" if apart else ".wide" if wide else ".0")
    return figure_words("funnel", language, words, title=text(title, language, **words))
