"""Blocks about a pilot that is planned or running: advice, units, power, progress, looks, stop rules."""

from __future__ import annotations

from typing import Any

from csimprove import wording
from csimprove.pilot import LookMetric, PilotDesign, PilotMetric, PilotResult
from csimprove.report.blocks import (
    Block,
    Cell,
    cell,
    commas,
    heads,
    listing,
    named,
    phrased,
    stacked,
    state,
)
from csimprove.report.headers import arm_facts, pilot_facts, top
from csimprove.report.tables import effect_cell
from csimprove.settings import Language
from csimprove.wording import change, count, interval, level, missing, number, percent, text, unit_of

#: Advice = icon.
_ICONS = {
    "spread": "alert",
    "not_enough_history": "open",
    "too_few_units": "bad",
    "longer": "clock",
    "cannot_detect": "bad",
    "detects": "good",
}
#: Arms further apart than this many sd of the units are marked.
_APART = 0.5


def design_masthead(design: PilotDesign, *, language: Language = "en") -> Block:
    """Return kicker, facts and whether the pilot is worth running as the page's first heading.

    Parameters
    ----------
    design
        What the planned pilot could show.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        To be shown first.
    """
    words = wording.spoken_design(design, language)
    facts = arm_facts(words, language)
    facts |= {"period": text("fact.length", language, **words), "history": words["history"]}
    return top("design", facts, wording.design_headline(design, language), language)


def advice(design: PilotDesign, *, language: Language = "en") -> Block:
    """Return what this client's history advises about the plan.

    Parameters
    ----------
    design
        What the planned pilot could show.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        Each piece of advice with an icon, a name and its numbers.
    """
    words = wording.spoken_design(design, language)
    items = []
    for one in design.advice:
        name = text(f"advice.name.{one.code}", language, **words)
        items.append((_ICONS[one.code], name, wording.advice_text(one, design, language)))
    items = items or [("open", "", text("advice.none", language))]
    return listing(text("title.advice", language), items)


def units_table(design: PilotDesign, *, language: Language = "en") -> Block:
    """Return who takes part, and how alike the arms are.

    Parameters
    ----------
    design
        What the planned pilot could show.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a unit with its history; one row a measure with the difference of the arms.
    """
    words = wording.spoken_design(design, language)
    words["all_n"] = count(len(design.units))
    metrics = [name for name in design.plan.metrics if name in design.units]
    rows: list[list[Cell | str]] = [
        [
            _unit(row, language),
            count(row["tickets_per_week"]),
            *(level(row[name], unit_of(name, design), language) for name in metrics),
        ]
        for row in sorted(design.units.to_dict("records"), key=lambda row: row["arm"] != "pilot")
    ]
    head = [wording.capital(words["unit"]), *heads(["received_week"], language)]
    head += [wording.design_metric(name, design, language) for name in metrics]
    units = phrased("units", head, rows, language, words, kind="cuts", numeric=range(1, len(head)))
    keys = ("measure", "pilot", "controls", "difference", "sd_units/")
    balances = [_balance(row, design, language) for row in design.balance.to_dict("records")]
    head = heads(keys, language)
    balance = phrased("balance", head, balances, language, words, kind="left", numeric=range(1, 5), sub=True)
    return stacked(units, balance)


def _unit(row: dict[Any, Any], language: Language) -> Cell:
    group, arm = wording.group_name(row["group"], language), text(f"arm.{row['arm']}", language)
    return named(str(row["unit"]), commas([group, arm], language), "nb")


def _balance(row: dict[Any, Any], design: PilotDesign, language: Language) -> list[Cell | str]:
    far = row["standardised"]
    apart = "–" if missing(far) else number(far, "minutes", sign=True)
    marked = state("alert", apart) if not missing(far) and abs(far) > _APART else cell(apart)
    if row["measure"] == "tickets_per_week":
        values = [count(row[key]) for key in ("pilot", "control", "difference")]
        return [text("head.received_week", language), *values, marked]
    unit = unit_of(row["measure"], design)
    return [
        wording.design_metric(row["measure"], design, language),
        level(row["pilot"], unit, language),
        level(row["control"], unit, language),
        change(row["difference"], unit, language),
        marked,
    ]


def variation_table(design: PilotDesign, *, language: Language = "en") -> Block:
    """Return how much units and groups move by themselves, with the team-by-period ICC.

    Parameters
    ----------
    design
        What the planned pilot could show.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a metric.
    """
    words = wording.spoken_design(design, language)
    weeks = design.variation["weeks"]
    words["weeks"] = count(weeks.iloc[0] if len(weeks) else None)
    keys = ("measure", "value", "unit_sd", "drift_sd", "group_drift_sd", "icc/")
    rows: list[list[Cell | str]] = []
    for row in design.variation.to_dict("records"):
        unit = unit_of(row["metric"], design)
        spreads = [number(row[key], unit) for key in keys[2:5]]
        icc = ", ".join("–" if missing(row[key]) else f"{row[key]:.3f}" for key in ("icc_unit", "icc_drift"))
        name = wording.design_metric(row["metric"], design, language)
        rows.append([name, level(row["value"], unit, language), *spreads, icc])
    head = [wording.capital(one) for one in heads(keys, language, **words)]
    return phrased("variation", head, rows, language, words, kind="left", numeric=range(1, 6))


def power_table(design: PilotDesign, metric: str, *, language: Language = "en") -> Block:
    """Return what each length and assignment could show on one metric.

    Parameters
    ----------
    design
        What the planned pilot could show.
    metric
        One of the plan's metrics.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a length: placebos tried, false alarms, standard error, detectable gain, power.
    """
    found = design.power[design.power["metric"] == metric]
    rows = [_power(row, unit_of(metric, design), language) for row in found.to_dict("records")]
    words = wording.spoken_design(design, language) | {
        "name": wording.design_metric(metric, design, language)
    }
    keys = "length design placebos/ false_alarms/ se detectable/ needed_for_go/ power/"
    head = heads(keys.split(), language)
    return phrased("power", head, rows, language, words, kind="left", numeric=range(2, 8), sub=True)


def _power(row: dict[Any, Any], unit: str, language: Language) -> list[Cell | str]:
    kinds = [text(f"power.{row['assignment']}", language)]
    if row["modelled"]:
        kinds.append(text("power.modelled", language))
    elif not row["enough"]:
        kinds.append(text("power.few", language))
    arms = f"{row['units_pilot']} : {row['units_control']}"
    tried = f"{count(row['placebos'])} ({count(row['independent'])})"
    alarms = percent(row["false_alarms"])
    if not missing(row["false_low"]):
        alarms += f" ({interval(row['false_low'], row['false_high'], 'share', language)})"
    return [
        wording.trimmed(float(row["weeks"]), "minutes"),
        cell(commas([*kinds, arms], language), "nb"),
        wording.NO_NUMBER if row["modelled"] else tried,
        alarms,
        number(row["se"], unit),
        number(row["detectable"], unit),
        number(row["needed_for_go"], unit),
        percent(row["power"], places=0),
    ]


def tracking_masthead(result: PilotResult, *, language: Language = "en") -> Block:
    """Return kicker, facts and where the looks stand as the page's first heading.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        To be shown first.
    """
    headline = wording.tracking_headline(result, language)
    return top("tracking", pilot_facts(result, language), headline, language)


def progress_table(result: PilotResult, *, language: Language = "en") -> Block:
    """Return how many tickets of the pilot weeks are decided, by metric and arm, and the values so far.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a metric; no p-value.
    """
    head = heads(["measure"], language)
    for key in ("arm_decided", "so_far"):
        for arm in ("pilot", "control"):
            head += heads([key], language, arm=text(f"arm.{arm}", language))
    head = [wording.capital(one) for one in head]
    rows = [_progress(metric, language) for metric in result.metrics]
    words = wording.spoken_pilot(result, language)
    return phrased("progress", head, rows, language, words, kind="left", numeric=range(1, 5))


def _progress(metric: PilotMetric, language: Language) -> list[Cell | str]:
    cells = (metric.pilot_during, metric.control_during)
    shares = []
    for one in cells:
        every = one.denominator + one.undecided
        share = percent(one.denominator / every if every else None)
        shares.append(f"{share} ({count(one.denominator)} / {count(every)})")
    name = wording.metric_name(metric.metric, language, variant=metric.variant)
    return [name, *shares, *(level(one.value, metric.unit, language) for one in cells)]


def looks_table(result: PilotResult, *, language: Language = "en") -> Block:
    """Return every planned look: information, effect with its repeated interval, t and its bound, decision.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a look and metric; looks still to come are one row each.
    """
    keys = ("look", "measure", "information/", "repeated/", "bound/", "decision")
    rows: list[list[Cell | str]] = []
    kinds: list[str] = []
    about = {metric.metric: metric for metric in result.metrics}
    for look in result.looks:
        day = wording.date_text(look.date, language)
        label = text("look.label", language, n=str(look.number), date=day)
        decision = wording.decision_text(look, language)
        made = [_look(one, about[one.metric], language) for one in (*look.metrics, *look.expected)]
        empty: list[Cell | str] = [wording.NO_NUMBER] * 4
        for place, cells in enumerate(made or [empty]):
            first = place == 0
            rows.append([label if first else "", *cells, decision if first else ""])
            kinds.append("first" if first else "sub")
    words = wording.spoken_pilot(result, language)
    head = heads(keys, language)
    return phrased("looks", head, rows, language, words, kind="left", kinds=kinds, numeric=(2, 3, 4))


def _look(one: LookMetric, metric: PilotMetric, language: Language) -> list[Cell | str]:
    t = wording.NO_NUMBER if one.t is None else f"{abs(one.t):.2f}"
    return [
        wording.metric_name(metric.metric, language, variant=metric.variant),
        f"{percent(one.information)} ({count(one.decided)} / {count(one.planned)})",
        effect_cell(one.effect, one.ci_low, one.ci_high, metric.unit, language),
        text("chart.t_of_bound", language, t=t, bound=wording.bound_text(one)),
    ]


def rules(result: PilotResult, *, language: Language = "en") -> Block:
    """Return what would end the pilot at a look, with this plan's numbers.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        A list: success, harm, too little gain, and nothing else.
    """
    icons = ("good", "stop", "bad", "open")
    named = wording.stop_rules(result, language)
    chosen = [*icons[: len(named) - 1], icons[-1]]
    items = [(icon, name, said) for icon, (name, said) in zip(chosen, named, strict=True)]
    return listing(text("title.stop_rules", language), items)
