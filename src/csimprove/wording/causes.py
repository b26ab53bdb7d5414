"""What is said of root causes: names of categories and causes, words around Pareto and fishbone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from csimprove.settings import Language
from csimprove.wording.figures import FigureWords, figure_words
from csimprove.wording.lookup import PHRASES, capital, column_name, joined, known, listed, text
from csimprove.wording.numbers import (
    change,
    count,
    date_text,
    interval,
    moment_text,
    number,
    percent,
    period_text,
)
from csimprove.wording.sentences import counted
from csimprove.wording.spoken import Spoken

if TYPE_CHECKING:  # annotations only
    from csimprove.causes import Association, Cause, CausesResult


@dataclass(frozen=True, slots=True)
class FishPage:
    """What a page of a fishbone shows: places of its categories; ``alone``: one in full that was folded."""

    shows: tuple[int, ...]
    alone: bool = False


#: Causes that a figure sets off: those above the 80 % line, at most.
FOCUS = 5
#: Categories that a heading names, causes that an alt text names of each, at most.
_NAMED, _ALT_CATEGORIES, _ALT_CAUSES = 3, 4, 2
_NUMBERS = tuple("one two three four five six seven eight nine ten eleven twelve".split())  # noqa: SIM905
_ORDINALS = tuple("first second third fourth fifth sixth seventh eighth ninth".split())  # noqa: SIM905
#: Fewer tickets on a side are marked thin.
THIN = 30


def category_name(category: Cause, language: Language = "en") -> str:
    """Return the name of a category: the project's own, that of its set, or what the data have."""
    code, label = category.key[0], category.labels[language]
    if not code:
        return text("cause_category.none", language)
    return label if label != code else known(f"cause_category.{code}", code, language)


def category_note(category: Cause, language: Language = "en") -> str:
    """Return tickets, share and interval of a category or cause, in whole percent."""
    n = tickets_count(category.count, language)
    if category.share is None:
        return n
    share, span = _whole_percent(category.share), _whole(category, language)
    return text("fish.note", language, n=n, share=share, interval=span)


def tickets_count(n: int, language: Language = "en") -> str:
    """Return how many tickets.

    Examples
    --------
    >>> tickets_count(1), tickets_count(1045), tickets_count(1045, "zh")
    ('1 ticket', '1,045 tickets', '1,045件')
    """
    return counted("cause.tickets", n, language, tickets=count(n))


def _whole_percent(share: float | None) -> str:
    """Return a share in whole percent; one that would read as 0% though it is not gets a decimal."""
    return percent(share, places=1 if share and share < 0.005 else 0)


def cause_name(result: CausesResult, cause: Cause, language: Language = "en") -> str:
    """Return the name of a cause; one that several categories have is told with its category."""
    name = cause.labels[language]
    names = Counter(one.labels[language] for category in result.categories for one in category.parts)
    if len(cause.key) < 2 or names[name] < 2:
        return name
    category = next(one for one in result.categories if one.key == cause.key[:1])
    return text("cause.in_category", language, cause=name, category=category_name(category, language))


def key_name(result: CausesResult, key: tuple[str, ...], language: Language = "en") -> str:
    """Return the name of the cause with a key."""
    return cause_name(result, next(one for one in result.every() if one.key == key), language)


def further_causes(n: int, language: Language = "en") -> str:
    """Return how many causes are not drawn one by one.

    Examples
    --------
    >>> further_causes(16), further_causes(1, "zh")
    ('16 further causes', '其余1项原因')
    """
    return counted("cause.further", n, language)


def ordinal(n: int, language: Language = "en") -> str:
    """Return a place in a row.

    Examples
    --------
    >>> ordinal(9), ordinal(31), ordinal(9, "zh")
    ('ninth', '31st', '9')
    """
    if language == "zh":
        return str(n)
    if n <= len(_ORDINALS):
        return _ORDINALS[n - 1]
    return f"{n}{'th' if n % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def problem_name(result: CausesResult, language: Language = "en", *, inline: bool = False) -> str:
    """Return what the causes are causes of; ``inline`` as it stands inside a sentence."""
    name = result.problem[language] if result.problem else text(f"causes.of.{result.of}", language)
    return name[:1].lower() + name[1:] if inline and name[1:2].islower() else name


def spoken_causes(result: CausesResult, language: Language = "en") -> Spoken:
    """Return period, tickets and data of an analysis of causes as texts."""
    return {
        "problem": problem_name(result, language, inline=True),
        "tickets": count(result.tickets),
        "coded": count(result.coded),
        "by": text(f"coded_by.{result.source}", language),
        "period": period_text(result.first, result.last, language),
        "previous": period_text(*result.previous, language) if result.previous else "",
        "misses": count(result.misses),
        "source": result.reading.source,
        "as_of": moment_text(result.as_of, result.zone, language),
        "n": count(len(result.ranked)),
        "scope": _scope(result, language),
    }


def _scope(result: CausesResult, language: Language) -> str:
    items = [text(f"causes.of.{result.of}", language).lower()]
    for column, values in result.where.items():
        said = {"column": column_name(column, language), "values": joined(values, language)}
        items.append(text("scope.where", language, **said))
    return listed(items, language)


def causes_headline(result: CausesResult, language: Language = "en") -> str:
    """Return the finding with its number: the largest cause, or the two of which none is shown to be it."""
    words, ranked = spoken_causes(result, language), result.ranked
    if not ranked:
        return text("headline.causes.none", language, **words)
    first = ranked[0]
    words |= {"first": cause_name(result, first, language), "share": percent(first.share)}
    if result.lead is None:
        return text("headline.causes.one", language, **words)
    words["interval"] = interval(first.ci_low, first.ci_high, "share", language)
    lead, low, _ = result.lead
    words["lead"] = change(lead, "share", language).removeprefix("+")
    words["second"] = cause_name(result, ranked[1], language)
    words["second_share"] = percent(ranked[1].share)
    return capital(text(f"headline.causes.{'shown' if low > 0 else 'open'}", language, **words))


def _whole(cause: Cause, language: Language) -> str:
    """Return an interval in whole percent."""
    low, high = (number(end, "share", places=0) for end in (cause.ci_low, cause.ci_high))
    return text("range.changes", language, low=low, high=high)


def agreement_words(result: CausesResult, language: Language = "en") -> Spoken:
    """Return agreement of the coders as texts; empty without a ticket that two of them coded."""
    if result.coding is None or not result.coding.found.units:
        return {}
    found = result.coding.found
    alpha = "" if found.alpha is None else f"{found.alpha:.2f}".replace("-", "−")
    ends = [f"{end:.2f}".replace("-", "−") for end in (found.ci_low, found.ci_high) if end is not None]
    return {
        "coders": count(len(result.coding.coders)),
        "raw": percent(found.raw, places=0),
        "alpha": alpha,
        "interval": text("range.changes", language, low=ends[0], high=ends[1]) if len(ends) == 2 else "–",
        "units": count(found.units),
    }


def stability_text(result: CausesResult, language: Language = "en") -> str:
    """Return whether the largest causes were steady, as a sentence; empty without a cause."""
    state = stability_state(result)
    if state is None:
        return ""
    those = [one for one in result.stability if one.state == state]
    signals = [one.latest_signal for one in those if one.latest_signal]
    trial = "" if state == "too_short" or not any(one.trial for one in those) else ".trial"
    words = {
        "points": count(min(one.points for one in those)),
        "by": text(f"stability.by.{those[0].by}", language),
        "names": joined([key_name(result, one.key, language) for one in those], language),
        "date": date_text(max(signals), language) if signals else "",
    }
    return text(f"stability.{state}{trial}", language, **words)


def stability_state(result: CausesResult) -> str | None:
    """Return the worst state of the largest causes; ``None`` without a cause."""
    states = {one.state for one in result.stability}
    return next((state for state in ("unsteady", "too_short", "steady") if state in states), None)


def pareto(result: CausesResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the Pareto chart.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption (n, intervals, tie rule, steadiness) and alt text.
    """
    words = spoken_causes(result, language)
    if not result.ranked:
        return FigureWords(
            title=text("figure.pareto.title.none", language, **words), lede="", caption="", alt=""
        )
    vital, n, focus = result.vital, len(result.ranked), min(result.vital, FOCUS)
    share = sum(cause.share or 0.0 for cause in result.ranked[:focus])
    key = "one" if vital == 1 else "all" if vital == n else "few" if vital <= FOCUS else "many"
    said = {"share": percent(share, places=0), "focus": _numeral(focus, language)}
    said |= {"vital": _numeral(vital, language), "n": _numeral(n, language)}
    items = [_pareto_item(result, one, language) for one in result.ranked[:focus]]
    apart = [
        f"{text(f'no_cause.{reason}', language)} {count(k)}" for reason, k in result.no_cause.items() if k
    ]
    agreement = agreement_words(result, language)
    words |= said | {
        "agreement": text("figure.pareto.agreement", language, **agreement) if agreement.get("alpha") else "",
        "stability": stability_text(result, language),
        "missing": _missing_texts(result, language),
        "items": listed(items, language),
        "place": ordinal(vital, language),
        "apart": text("figure.pareto.apart", language, items=joined(apart, language)) if apart else "",
    }
    return figure_words(
        "pareto", language, words, title=text(f"figure.pareto.title.{key}", language, **words)
    )


def _pareto_item(result: CausesResult, cause: Cause, language: Language) -> str:
    said = {"name": cause_name(result, cause, language), "count": count(cause.count)}
    return text("figure.pareto.item", language, share=_whole_percent(cause.share), **said)


def _missing_texts(result: CausesResult, language: Language) -> str:
    marks = result.missing if language == "zh" else [f'"{one}"' for one in result.missing]
    if not marks:
        return ""
    joint = "、".join(marks) if language == "zh" else joined(marks, language)
    return text("figure.pareto.missing", language, texts=joint)


def _numeral(n: int, language: Language) -> str:
    return _NUMBERS[n - 1] if language == "en" and n <= len(_NUMBERS) else count(n)


def fish_words(result: CausesResult, language: Language = "en") -> Spoken:
    """Return the words inside a fishbone."""
    words = spoken_causes(result, language)
    return {
        "head": problem_name(result, language),
        "coded": text("fish.coded", language, **words),
        # a date never breaks, a period may after its first
        "period": words["period"].replace(" – ", " –\n").replace("至", "至\n"),
        "hint": text("fish.hint", language),
        "hint_folds": text("fish.hint.folds", language, hint=text("fish.hint", language)),
        # the layout fills these in
        **{key: PHRASES[f"fish.{key}"][language] for key in ("further", "beyond")},
        **{
            status: text(f"fish.legend.{status}", language)
            for status in ("confirmed", "suggested", "ruled_out")
        },
    }


def fishbone(
    result: CausesResult, pages: Sequence[FishPage], *, language: Language = "en"
) -> tuple[FigureWords, ...]:
    """Return the words around every page of the fishbone.

    Parameters
    ----------
    result
        Causes of a problem.
    pages
        What each page shows, as `csimprove.charts.fishbone` tells it; none: one heading says so.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    tuple of FigureWords
        One a page.
    """
    words = spoken_causes(result, language)
    if not pages:
        title = text("figure.fishbone.title.none", language)
        return (FigureWords(title=title, lede="", caption="", alt=""),)
    overviews = [page for page in pages if not page.alone]
    made = []
    for place, page in enumerate(pages):
        shown = [result.categories[at] for at in page.shows]
        if page.alone:
            made.append(_category_words(result, shown[0], words, language))
            continue
        own = {"title": _fish_title(result, shown, words, language)}
        if len(overviews) > 1:
            more = {"page": str(place + 1), "pages": str(len(overviews))}
            own["lede"] = text("figure.fishbone.lede.more", language, **words, **more)
        words["order"] = text(f"fish.order.{result.order}", language)
        words |= {"items": _fish_items(shown, language), "statuses": _statuses(shown, language)}
        words["n"] = count(len(shown))
        made.append(figure_words("fishbone", language, words, **own))
    return tuple(made)


def _fish_title(result: CausesResult, shown: Sequence[Cause], words: Spoken, language: Language) -> str:
    """Name the heaviest of the categories, up to three, and how many of their causes are confirmed."""
    heavy = sorted(shown, key=lambda one: -one.count)
    named: list[str] = []
    share = 0.0
    for category in heavy[:_NAMED]:
        if named and share >= 0.8:
            break
        named.append(category_name(category, language))
        share += category.share or 0.0
    names = named if language == "zh" else [named[0], *map(_lower, named[1:])]
    causes = [cause for category in shown for cause in category.parts]
    confirmed = sum(cause.status == "confirmed" for cause in causes)
    key = "figure.fishbone.confirmed." + ("n" if confirmed else "0")
    said = {
        "names": joined(names, language),
        "hold": text(f"figure.fishbone.hold.{'1' if len(names) == 1 else 'n'}", language),
        "share": _whole_percent(share),
        "confirmed": text(key, language, k=confirmed, n=len(causes)),
    }
    return text(
        "figure.fishbone.title" if result.coded else "figure.fishbone.title.open",
        language,
        **{**words, **said},
    )


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:] if name[1:].islower() else name


def _fish_items(shown: Sequence[Cause], language: Language) -> str:
    items = []
    for category in sorted(shown, key=lambda one: -one.count)[:_ALT_CATEGORIES]:
        said = {"category": category_name(category, language)}
        said["count"] = tickets_count(category.count, language)
        said["share"] = _whole_percent(category.share)
        said["causes"] = _named_causes(category, language)
        items.append(text("figure.fishbone.item", language, **said))
    return listed(items, language)


def _named_causes(category: Cause, language: Language) -> str:
    most = sorted(category.parts, key=lambda one: -one.count)[:_ALT_CAUSES]
    named = (
        text("figure.fishbone.cause", language, name=one.labels[language], count=count(one.count))
        for one in most
    )
    return joined(named, language)


def _statuses(shown: Sequence[Cause], language: Language) -> str:
    found = Counter(cause.status or "" for category in shown for cause in category.parts)
    said = {status: count(found[status]) for status in ("confirmed", "suggested", "ruled_out")}
    return text("figure.fishbone.statuses", language, **said)


def _category_words(result: CausesResult, category: Cause, words: Spoken, language: Language) -> FigureWords:
    said = {
        **words,
        "category": category_name(category, language),
        "causes": count(len(category.parts)),
        "count": tickets_count(category.count, language),
        "items": _named_causes(category, language),
    }
    own = {part: text(f"figure.fishbone.page.{part}", language, **said) for part in ("title", "lede", "alt")}
    return figure_words("fishbone", language, words, **own)


def association_text(one: Association, language: Language = "en") -> str:
    """Return what an association allows to say: that things go together, never that one brings the other."""
    key = "open"
    if one.ci_low is not None and one.ci_high is not None:
        key = "more" if one.ci_low > 0 else "less" if one.ci_high < 0 else "open"
    said = text(f"association.{key}", language)
    if min(one.with_n, one.without_n) < THIN:
        said += {"en": ", ", "zh": "，"}[language] + text("association.thin", language)
    return said


def outcome_name(result: CausesResult, one: Association, language: Language = "en") -> str:
    """Return the name of an outcome."""
    return text(
        f"outcome.on_time.{result.measure}" if one.outcome == "on_time" else "outcome.satisfied", language
    )


def code_name(result: CausesResult, code: str, language: Language = "en") -> str:
    """Return the name of a code of the sheet: a cause, or why there is none."""
    if f"no_cause.{code}" in PHRASES:
        return text(f"no_cause.{code}", language)
    found = next((one for one in result.every() if len(one.key) == 2 and one.key[1] == code), None)
    return found.labels[language] if found else code
