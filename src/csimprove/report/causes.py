"""Blocks of root causes: numbers, the outline with ticket ids, whys, agreement, what goes together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from csimprove import wording
from csimprove.causes import Association, Cause, CausesResult
from csimprove.report.blocks import Block, Cell, escaped, heads, named, noted, paragraph, phrased, state
from csimprove.report.cells import show_chart
from csimprove.report.headers import top
from csimprove.settings import Language
from csimprove.wording import NO_NUMBER, change, count, duration, duration_interval, interval, percent, text

#: Causes of a table; the others are one row, and all stand in the outline.
_ROWS = 25
#: Ids that a line of the outline shows; ``csimprove code list`` writes all.
_IDS = 200
#: Pairs of codes that coders disagree on, and ids of each.
_PAIRS, _PAIR_IDS = 12, 8
#: Status = icon.
_STATUSES = {"confirmed": "good", "suggested": "open", "ruled_out": "bad"}


def causes_masthead(result: CausesResult, *, language: Language = "en") -> Block:
    """Return kicker, facts and the finding of an analysis of causes.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        To be shown first.
    """
    words = wording.spoken_causes(result, language)
    facts = {
        "problem": wording.problem_name(result, language),
        "coded": text("fact.coded.text", language, **words),
        **{key: words[key] for key in ("period", "as_of", "source")},
    }
    return top("causes", facts, wording.causes_headline(result, language), language)


def show_fishbone(result: CausesResult, *, language: Language = "en") -> None:
    """Display every page of the fishbone with its words.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    None
        Each page is displayed as by `show_chart`; without a category a heading says so.
    """
    from csimprove.charts import fishbone  # noqa: PLC0415  (pages need no matplotlib)

    pages = fishbone(result, language=language)
    words = wording.fishbone(result, [page for page, _ in pages], language=language)
    for place, said in enumerate(words):
        show_chart(pages[place][1] if pages else None, **said)


def causes_table(result: CausesResult, *, language: Language = "en") -> Block:
    """Return the causes in numbers: share, change, share of the late ones, median time, status.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a cause, most tickets first; one line if no ticket is coded.
    """
    words = wording.spoken_causes(result, language)
    ranked = result.ranked
    if not ranked:
        return paragraph(text("title.causes.none", language, **words))
    keys = [
        "cause",
        "cause_tickets",
        "cause_share",
        "cause_change",
        "cause_late",
        "cause_delay",
        "cause_status",
    ]
    if result.previous is None:
        keys.remove("cause_change")
    if result.measure is None:
        keys = [key for key in keys if key not in ("cause_late", "cause_delay")]
    rows = [[_CELLS[key](result, cause, language) for key in keys] for cause in ranked[:_ROWS]]
    if rest := ranked[_ROWS:]:
        share = sum(cause.share or 0.0 for cause in rest)
        said = [
            wording.further_causes(len(rest), language),
            count(sum(one.count for one in rest)),
            percent(share),
        ]
        rows.append([*said, *[NO_NUMBER] * (len(keys) - 3)])
    key = "change" if result.previous else "first"
    words["change"] = text(f"caption.causes.{key}", language, **words)
    clock = text(f"clock.{result.clock}", language) if result.clock else ""
    words["late"] = text(f"caption.causes.late.{result.measure or 'none'}", language, clock=clock, **words)
    numeric = range(1, len(keys) - 1)
    return phrased("causes", heads(keys, language), rows, language, words, kind="eval wide", numeric=numeric)


def _name(result: CausesResult, cause: Cause, language: Language) -> Cell | str:
    category = next(one for one in result.categories if one.key == cause.key[:1])
    return named(cause.labels[language], wording.category_name(category, language))


def _share(result: CausesResult, cause: Cause, language: Language) -> Cell | str:
    span = interval(cause.ci_low, cause.ci_high, "share", language)
    return noted(percent(cause.share), span, strong=True)


def _change(result: CausesResult, cause: Cause, language: Language) -> Cell | str:
    if cause.change is None:
        return NO_NUMBER
    span = interval(cause.change_low, cause.change_high, "share", language)
    return noted(change(cause.change, "share", language), span)


def _late(result: CausesResult, cause: Cause, language: Language) -> Cell | str:
    return noted(percent(cause.miss_share), text("chart.tickets", language, count=count(cause.misses)))


def _delay(result: CausesResult, cause: Cause, language: Language) -> Cell | str:
    if cause.delay is None or cause.delay_low is None:
        return NO_NUMBER
    high = float("nan") if cause.delay_high is None else cause.delay_high
    span = duration_interval(cause.delay, cause.delay_low, high, language)
    return noted(duration(cause.delay, language), span)


def _status(result: CausesResult, cause: Cause, language: Language) -> Cell | str:
    return state(_STATUSES.get(cause.status or "", ""), _status_words(cause, language))


def _status_words(cause: Cause, language: Language) -> str:
    said = [text(f"cause.status.{cause.status}", language)] if cause.status else []
    if cause.controllable is not None:
        said.append(text(f"cause.control.{'yes' if cause.controllable else 'no'}", language))
    return {"en": ", ", "zh": "，"}[language].join(said)


#: Column = what makes its cell.
_CELLS = {
    "cause": _name,
    "cause_tickets": lambda result, cause, language: count(cause.count),
    "cause_share": _share,
    "cause_change": _change,
    "cause_late": _late,
    "cause_delay": _delay,
    "cause_status": _status,
}


def fishbone_outline(result: CausesResult, *, language: Language = "en") -> Block:
    """Return the fishbone as a list in which nothing is folded away; each line opens to its ticket ids.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        Categories, causes, sub-causes; at most 200 ids a line, the rest counted.
    """
    title, lede = text("title.outline", language), text("outline.lede", language)
    html = "".join(_outline(result, one, language) for one in result.categories)
    lines = ["  " * (len(one.key) - 1) + _outline_line(result, one, language) for one in result.every()]
    section = (
        f'<section class="outline fish"><h2>{escaped(title)}</h2><p class="lede">{escaped(lede)}</p>'
        f"<ul>{html}</ul></section>"
    )
    return Block(section, "\n".join([title, *lines]))


def _outline(result: CausesResult, one: Cause, language: Language) -> str:
    said = escaped(_outline_line(result, one, language))
    inner = "".join(_outline(result, part, language) for part in one.parts)
    # a category's ids stand with its causes
    ids = result.ids(one.key) if len(one.key) > 1 else []
    if ids:
        more = text("outline.more", language, n=count(len(ids) - _IDS)) if len(ids) > _IDS else ""
        shown = escaped(" ".join(filter(None, [*ids[:_IDS], more])))
        said = f"<details><summary>{said}</summary><small>{shown}</small></details>"
    return f"<li>{said}{f'<ul>{inner}</ul>' if inner else ''}</li>"


def _outline_line(result: CausesResult, one: Cause, language: Language) -> str:
    name = wording.category_name(one, language) if len(one.key) == 1 else one.labels[language]
    status = _status_words(one, language)
    if one.evidence:
        status += {"en": ": ", "zh": "："}[language] + one.evidence[language]
    if status:
        status = {"en": "; ", "zh": "；"}[language] + status
    note = wording.category_note(one, language)
    return text("outline.line", language, name=name, note=note, status=status)


def whys_outline(result: CausesResult, *, language: Language = "en") -> Block:
    """Return the answers to "why?" of every cause, branches below what they explain.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One list a cause, with evidence and status; one line if none are written down.
    """
    if result.whys.empty:
        return paragraph(text("title.whys.none", language))
    title = text("title.whys", language)
    html, lines = [f"<h2>{escaped(title)}</h2>"], [title]
    for cause, rows in result.whys.groupby("cause", sort=False):
        name = wording.code_name(result, str(cause), language)
        answers = rows.to_dict("records")
        listed, below = _why_list(answers, "", language)
        html.append(f"<h3>{escaped(name)}</h3>{listed}")
        lines += [name, *below]
    return Block(f'<section class="outline">{"".join(html)}</section>', "\n".join(lines))


def _why_list(rows: Sequence[dict[Any, Any]], after: object, language: Language) -> tuple[str, list[str]]:
    """Return the answers below one as an HTML list and as lines, each branch whole before the next."""
    html, lines = "", []
    for row in rows:
        if row["after"] == after:
            said = _why_line(row, language)
            listed, below = _why_list(rows, row["id"], language)
            html += f"<li>{escaped(said)}{listed}</li>"
            lines += ["  " * row["depth"] + said, *below]
    return (f"<ul>{html}</ul>" if html else ""), lines


def _why_line(row: dict[Any, Any], language: Language) -> str:
    evidence = row[f"evidence_{language}"]
    said = text("whys.evidence", language, evidence=str(evidence)) if evidence else ""
    answer = str(row[language]).rstrip(".。") + {"en": ".", "zh": "。"}[language]
    status = text(f"cause.status.{row['status']}", language)
    return text("whys.line", language, depth=str(row["depth"]), answer=answer, evidence=said, status=status)


def agreement_table(result: CausesResult, *, language: Language = "en") -> Block:
    """Return how far the coders agree, and on what they do not.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a pair of codes given to the same ticket; one line without a coding sheet.
    """
    words, coding = wording.agreement_words(result, language), result.coding
    if coding is None or not words:
        return paragraph(text("title.agreement.none", language))
    words["outside"] = ""
    if coding.outside:
        words["outside"] = text("caption.agreement.outside", language, n=count(coding.outside))
    rows = []
    for row in coding.disagreements.head(_PAIRS).to_dict("records"):
        names = [wording.code_name(result, row[key], language) for key in ("code", "other")]
        ids = " ".join(row["ids"][:_PAIR_IDS]) + (" …" if len(row["ids"]) > _PAIR_IDS else "")
        rows.append([*names, count(row["tickets"]), ids])
    title = text(f"title.agreement{'' if words['alpha'] else '.open'}", language, **words)
    head = heads(("code", "other_code", "cause_tickets", "ids"), language)
    return phrased("agreement", head, rows, language, words, title=title, kind="left", numeric=[2])


def associations_table(result: CausesResult, *, language: Language = "en") -> Block:
    """Return on time and satisfaction with and without each of the largest causes.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a cause and outcome, worded as association; one line if there is neither limit nor rating.
    """
    if not result.associations:
        return paragraph(text("title.associations.none", language))
    keys = ("cause", "outcome", "with_cause", "without_cause", "difference", "reading")
    rows = [_association_row(result, one, language) for one in result.associations]
    words = {"n": count(len(rows))}
    return phrased(
        "associations", heads(keys, language), rows, language, words, kind="eval wide", numeric=(2, 3, 4)
    )


def _association_row(result: CausesResult, one: Association, language: Language) -> list[Cell | str]:
    sides = [
        noted(percent(k / n), text("chart.tickets", language, count=count(n)))
        for k, n in ((one.with_k, one.with_n), (one.without_k, one.without_n))
    ]
    span = interval(one.ci_low, one.ci_high, "share", language)
    return [
        wording.key_name(result, one.key, language),
        wording.outcome_name(result, one, language),
        *sides,
        noted(change(one.difference, "share", language), span),
        wording.association_text(one, language),
    ]


def suggestions_table(result: CausesResult, *, language: Language = "en") -> Block:
    """Return what keywords suggest for tickets without a cause.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a cause; one line if nothing is suggested.
    """
    if result.suggested.empty:
        return paragraph(text("title.suggested.none", language))
    rows = [
        [wording.code_name(result, name, language), count(tickets)]
        for name, tickets in result.suggested.itertuples(index=False)
    ]
    words = {"n": wording.tickets_count(int(result.suggested["tickets"].sum()), language)}
    head = heads(("cause", "cause_tickets"), language)
    return phrased("suggested", head, rows, language, words, kind="left", numeric=[1])
