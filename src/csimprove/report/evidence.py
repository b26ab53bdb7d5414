"""Blocks about the evidence of a pilot: every basis, every way of looking, what changed, what stays open."""

from __future__ import annotations

from csimprove import wording
from csimprove.pilot import PilotCredibility, PilotMetric, PilotResult, PlanLock, Robustness
from csimprove.report.blocks import Block, Cell, heads, listing, paragraph, phrased
from csimprove.report.tables import effect_cell, repeated
from csimprove.settings import Language
from csimprove.wording import count, interval, text


def effects_table(result: PilotResult, *, language: Language = "en") -> Block:
    """Return every effect crude and standardised, what the mix explains, and tickets a week.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a metric.
    """
    words = wording.spoken_pilot(result, language)
    caption = text("caption.effects", language, **words) + repeated(result, language)
    keys = ("measure", "standardised", "crude", "mix/", "tickets_week")
    rows = [_effects(metric, language) for metric in result.metrics]
    head = heads(keys, language)
    return phrased("effects", head, rows, language, caption=caption, kind="eval wide", numeric=range(1, 4))


def _effects(metric: PilotMetric, language: Language) -> list[Cell | str]:
    crude, mix = metric.crude_effect, metric.mix_effect
    ends = (metric.crude_ci_low, metric.crude_ci_high)
    other = None if crude is None or mix is None else crude - mix
    standard = metric.effect if metric.basis == "standardised" else other
    own = (metric.ci_low, metric.ci_high) if metric.basis == "standardised" else (None, None)
    return [
        wording.metric_name(metric.metric, language, variant=metric.variant),
        effect_cell(standard, *own, metric.unit, language),
        effect_cell(crude, *ends, metric.unit, language),
        wording.change(mix, metric.unit, language),
        wording.capital(wording.tickets_text(metric, language)) or wording.NO_NUMBER,
    ]


def robustness_table(
    credibility: PilotCredibility, result: PilotResult, metric: str, *, language: Language = "en"
) -> Block:
    """Return every way of looking at one metric in numbers, with its p-value.

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
    Block
        One row a way; the caption says where the pilot ranks among control groups taken for it.
    """
    one = next(row for row in result.metrics if row.metric == metric)
    words = {**wording.spoken_pilot(result, language), **wording.spoken_metric(one, language)}
    groups = credibility.placebo_groups
    own = groups[(groups["metric"] == metric) & groups["real"].astype(bool)] if len(groups) else groups
    key = "caption.ways.no_rank"
    if len(own):
        key = "caption.ways"
        words |= {name: count(own.iloc[0][name]) for name in ("rank", "of")}
    caption = text(key, language, **words)
    keys = ("way", "effect", "interval", "pvalue", "n_units")
    rows = [_way(way, one, result, language) for way in credibility.robustness if way.metric == metric]
    title, head = text("title.ways", language, name=words["label"]), heads(keys, language)
    numeric = range(1, 5)
    return phrased(
        "ways", head, rows, language, title=title, caption=caption, kind="left", numeric=numeric, sub=True
    )


#: p-values below this say no more than that.
_TINY = 0.0001


def _way(way: Robustness, metric: PilotMetric, result: PilotResult, language: Language) -> list[Cell | str]:
    words = wording.spoken_pilot(result, language)
    words |= {"left_out": wording.group_name(way.left_out or "", language), "n": count(way.units)}
    # p-values before the decision date would invite to peek
    shown = way.pvalue if metric.pvalue is not None else None
    return [
        text(f"chart.way_{way.way}", language, **words),
        wording.change(way.effect, metric.unit, language),
        interval(way.ci_low, way.ci_high, metric.unit, language),
        "< 0.0001" if shown is not None and shown < _TINY else wording.p_value(shown).removeprefix("p = "),
        count(way.units),
    ]


def cannot_conclude(result: PilotResult, *, language: Language = "en") -> Block:
    """Return what the result does not show, so that nobody concludes it.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        A list of open questions with the numbers that leave them open.
    """
    said = [wording.caveat_text(caveat, result, language) for caveat in result.cannot_conclude]
    said = said or [text("cannot.none", language)]
    return listing(text("title.cannot", language), [("open", "", line) for line in said])


def staff_feedback(result: PilotResult, *, language: Language = "en") -> Block:
    """Return what share of the pilot's staff find the process clearer.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One sentence with the interval, or how to add the answers.
    """
    return paragraph(text("title.staff", language), wording.staff_text(result, language))


def plan_changes(lock: PlanLock | None, *, language: Language = "en") -> Block:
    """Return when the plan was locked and every field that changed after.

    Parameters
    ----------
    lock
        Of :func:`csimprove.pilot.plan_lock`; ``None``: the plan is not locked.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One sentence and, if something changed, one row a field.
    """
    said = wording.lock_text(lock, language)
    if lock is None or not lock.changes:
        return paragraph(text("title.lock", language), said)
    rows = [
        [wording.plan_field(one, language), *(wording.plan_value(v, language) for v in (one.locked, one.now))]
        for one in lock.changes
    ]
    return phrased(
        "lock",
        heads(("field", "locked", "now"), language),
        rows,
        language,
        lede=said,
        caption="",
        kind="left",
    )
