"""Blocks about a pilot that is planned or running: advice, units, power, progress, looks, stop rules."""

from __future__ import annotations

from typing import Any

from csimprove import wording
from csimprove.pilot import LookMetric, PilotDesign, PilotMetric, PilotResult
from csimprove.report.blocks import Block, Cell, cell, escaped, listing, stacked, state, table
from csimprove.report.headers import pilot_facts, top
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
    facts = [
        (
            text("fact.pilot", language),
            text("fact.arm", language, **{**words, "groups": words["pilot"], "n": words["pilot_n"]}),
        ),
        (
            text("fact.controls", language),
            text("fact.arm", language, **{**words, "groups": words["control"], "n": words["control_n"]}),
        ),
        (text("fact.period", language), text("fact.length", language, **words)),
        (text("fact.history", language), words["history"]),
    ]
    return top(text("kicker.design", language), facts, wording.design_headline(design, language))


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
    items = [
        (
            _ICONS[one.code],
            text(f"advice.name.{one.code}", language, **words),
            wording.advice_text(one, design, language),
        )
        for one in design.advice
    ]
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
    names = [wording.metric_name(name, language) for name in metrics]
    units = table(
        title=text("title.units", language, **words),
        head=[
            wording.capital(words["unit"]),
            text("head.received_week", language),
            *names,
        ],
        rows=[
            [
                _unit(row, language),
                count(row["tickets_per_week"]),
                *(level(row[name], unit_of(name), language) for name in metrics),
            ]
            for row in sorted(design.units.to_dict("records"), key=lambda row: row["arm"] != "pilot")
        ],
        language=language,
        caption=text("caption.units", language, **words),
        kind="cuts",
        numeric=range(1, 2 + len(metrics)),
    )
    balance = table(
        title=text("title.balance", language),
        head=[
            text("head.measure", language),
            text("head.pilot", language),
            text("head.controls", language),
            text("head.difference", language),
            text("head.sd_units", language) + "\n" + text("head.sd_units.note", language),
        ],
        rows=[_balance(row, language) for row in design.balance.to_dict("records")],
        language=language,
        caption=text("caption.balance", language, **words),
        kind="left",
        numeric=range(1, 5),
        sub=True,
    )
    return stacked(units, balance)


def _unit(row: dict[Any, Any], language: Language) -> Cell:
    group, arm = wording.group_name(row["group"], language), text(f"arm.{row['arm']}", language)
    under = {"en": ", ", "zh": "，"}[language].join([group, arm])
    name = str(row["unit"])
    return Cell(f'{escaped(name)}<span class="role">{escaped(under)}</span>', f"{name} ({under})", "nb")


def _balance(row: dict[Any, Any], language: Language) -> list[Cell | str]:
    far = row["standardised"]
    apart = "–" if missing(far) else number(far, "minutes", sign=True)
    marked = state("alert", apart) if not missing(far) and abs(far) > _APART else cell(apart)
    if row["measure"] == "tickets_per_week":
        values = [count(row[key]) for key in ("pilot", "control", "difference")]
        return [text("head.received_week", language), *values, marked]
    unit = unit_of(row["measure"])
    return [
        wording.metric_name(row["measure"], language),
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
    keys = ("measure", "value", "unit_sd", "drift_sd", "group_drift_sd", "icc")
    head = [wording.capital(text(f"head.{key}", language, **words)) for key in keys]
    head[-1] += "\n" + text("head.icc.note", language)
    rows: list[list[Cell | str]] = []
    for row in design.variation.to_dict("records"):
        unit = unit_of(row["metric"])
        spreads = [number(row[key], unit) for key in keys[2:5]]
        icc = ", ".join("–" if missing(row[key]) else f"{row[key]:.3f}" for key in ("icc_unit", "icc_drift"))
        name = wording.metric_name(row["metric"], language)
        rows.append([name, level(row["value"], unit, language), *spreads, icc])
    return table(
        title=wording.capital(text("title.variation", language, **words)),
        head=head,
        rows=rows,
        language=language,
        caption=text("caption.variation", language, **words),
        kind="left",
        numeric=range(1, 6),
    )


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
    rows = design.power[design.power["metric"] == metric]
    words = wording.spoken_design(design, language) | {"name": wording.metric_name(metric, language)}
    keys = ("length", "design", "placebos", "false_alarms", "se", "detectable", "needed_for_go", "power")
    noted = ("placebos", "false_alarms", "detectable", "needed_for_go", "power")
    head = [
        text(f"head.{key}", language) + ("\n" + text(f"head.{key}.note", language) if key in noted else "")
        for key in keys
    ]
    return table(
        title=text("title.power", language),
        head=head,
        rows=[_power(row, unit_of(metric), language) for row in rows.to_dict("records")],
        language=language,
        caption=text("caption.power", language, **words),
        kind="left",
        numeric=range(2, 8),
        sub=True,
    )


def _power(row: dict[Any, Any], unit: str, language: Language) -> list[Cell | str]:
    kinds = [text(f"power.{row['assignment']}", language)]
    if row["modelled"]:
        kinds.append(text("power.modelled", language))
    elif not row["enough"]:
        kinds.append(text("power.few", language))
    arms = f"{row['units_pilot']} : {row['units_control']}"
    said = {"en": ", ", "zh": "，"}[language].join([*kinds, arms])
    tried = (
        wording.NO_NUMBER if row["modelled"] else f"{count(row['placebos'])} ({count(row['independent'])})"
    )
    alarms = percent(row["false_alarms"])
    if not missing(row["false_low"]):
        alarms += f" ({interval(row['false_low'], row['false_high'], 'share', language)})"
    return [
        wording.trimmed(float(row["weeks"]), "minutes"),
        cell(said, "nb"),
        tried,
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
    return top(text("kicker.tracking", language), pilot_facts(result, language), headline)


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
    arms = [text(f"arm.{arm}", language) for arm in ("pilot", "control")]
    head = [text("head.measure", language)]
    head += [wording.capital(text("head.arm_decided", language, arm=arm)) for arm in arms]
    head += [wording.capital(text("head.so_far", language, arm=arm)) for arm in arms]
    words = wording.spoken_pilot(result, language)
    return table(
        title=text("title.progress", language),
        head=head,
        rows=[_progress(metric, language) for metric in result.metrics],
        language=language,
        caption=text("caption.progress", language, **words),
        kind="left",
        numeric=range(1, 5),
    )


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
    noted = ("information", "repeated", "bound")
    keys = ("look", "measure", *noted, "decision")
    head = [
        text(f"head.{key}", language) + ("\n" + text(f"head.{key}.note", language) if key in noted else "")
        for key in keys
    ]
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
    return table(
        title=text("title.looks", language),
        head=head,
        rows=rows,
        language=language,
        caption=text("caption.looks", language, **wording.spoken_pilot(result, language)),
        kind="left",
        kinds=kinds,
        numeric=(2, 3, 4),
    )


def _look(one: LookMetric, metric: PilotMetric, language: Language) -> list[Cell | str]:
    effect = change(one.effect, metric.unit, language)
    span = interval(one.ci_low, one.ci_high, metric.unit, language)
    bound = f"{one.bound_z if one.bound_t is None else one.bound_t:.2f}"
    t = wording.NO_NUMBER if one.t is None else f"{abs(one.t):.2f}"
    return [
        wording.metric_name(metric.metric, language, variant=metric.variant),
        f"{percent(one.information)} ({count(one.decided)} / {count(one.planned)})",
        Cell(f"<b>{escaped(effect)}</b><small>{escaped(span)}</small>", f"{effect} ({span})")
        if one.ci_low is not None
        else effect,
        text("chart.t_of_bound", language, t=t, bound=bound),
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
