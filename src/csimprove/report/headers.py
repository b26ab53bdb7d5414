"""Top and bottom of a report: masthead, verdict, key numbers, method, origin of the numbers."""

from __future__ import annotations

from collections.abc import Mapping

from csimprove import wording
from csimprove.baseline import BaselineResult, Indicator
from csimprove.metrics import Measures
from csimprove.pilot import PilotMetric, PilotResult
from csimprove.report.blocks import Block, escaped, icon, terms
from csimprove.settings import Language
from csimprove.wording import text

#: Verdict = icon of its banner.
VERDICT_ICONS = {"go": "good", "extend": "clock", "stop": "stop", "cannot_tell": "open"}
#: Digits of a hash that a reader compares by eye.
HASH_SHOWN = 8
_TILES = 3

Result = BaselineResult | PilotResult


def masthead(result: Result, *, language: Language = "en") -> Block:
    """Return kicker, facts and the finding as the page's first heading.

    Parameters
    ----------
    result
        A baseline or a pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        To be shown first.
    """
    if isinstance(result, PilotResult):
        return top("pilot", pilot_facts(result, language), wording.pilot_headline(result, language), language)
    facts = period_facts(wording.spoken_baseline(result, language))
    return top("baseline", facts, wording.baseline_headline(result, language), language)


def top(kicker: str, facts: Mapping[str, str], headline: str, language: Language) -> Block:
    """Return the head of a page: what it is, facts, the finding as the page's first heading."""
    listed, lines = terms([(text(f"fact.{key}", language), said) for key, said in facts.items()], "meta")
    html = (
        f'<header class="top"><p class="kicker"><b>{escaped(text(f"kicker.{kicker}", language))}</b></p>'
        f"{listed}</header><h1>{escaped(headline)}</h1>"
    )
    return Block(html, "\n".join([headline, *lines]))


def period_facts(words: wording.Spoken) -> dict[str, str]:
    """Return what period, how many tickets, as of when, from where."""
    return {key: words[key] for key in ("period", "tickets", "as_of", "source")}


def arm_facts(words: wording.Spoken, language: Language) -> dict[str, str]:
    """Return who takes part."""
    return {
        fact: text("fact.arm", language, **{**words, "groups": words[arm], "n": words[f"{arm}_n"]})
        for fact, arm in (("pilot", "pilot"), ("controls", "control"))
    }


def pilot_facts(result: PilotResult, language: Language) -> dict[str, str]:
    """Return who takes part, when, and as of when."""
    words = wording.spoken_pilot(result, language)
    period = text("fact.periods", language, **words)
    return {**arm_facts(words, language), "period": period, "as_of": words["as_of"]}


def verdict_banner(result: PilotResult, *, language: Language = "en") -> Block:
    """Return the verdict with what follows, its one reason and its limit.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        To be shown under the masthead.
    """
    word = wording.verdict_word(result.verdict, language)
    follows = wording.verdict_follows(result, language)
    reason = wording.verdict_reason(result, language)
    limit = wording.verdict_limit(result, language)
    label = text("limit", language)
    html = (
        f'<section class="verdict {result.verdict}" aria-label="{text("verdict", language)}"><p class="word">'
        f"{icon(VERDICT_ICONS[result.verdict])}<b>{escaped(word)}</b> <span>{escaped(follows)}</span></p>"
        f'<p class="reason">{escaped(reason)}</p>'
        + (f'<p class="limit"><b>{escaped(label)}</b>{escaped(limit)}</p>' if limit else "")
        + "</section>"
    )
    colon = {"en": ": ", "zh": "："}[language]
    return Block(html, "\n".join([f"{word}{colon}{follows}", reason, *([label + limit] if limit else [])]))


def tiles(result: Result, *, language: Language = "en") -> Block:
    """Return the three numbers that a reader takes away.

    Parameters
    ----------
    result
        A baseline or a pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        Name, value, and what it is compared with.
    """
    if isinstance(result, PilotResult):
        order = {"co_primary": 0, "guardrail": 1, "secondary": 2}
        metrics = sorted(result.metrics, key=lambda metric: order[metric.role])
        made = [_pilot_tile(metric, language) for metric in metrics[:_TILES]]
    else:
        measured = [one for one in result.indicators if one.value is not None]
        measured.sort(key=lambda one: one.target is None)
        made = [_baseline_tile(one, language) for one in measured[:_TILES]]
    html = "".join(
        f'<li><p class="n">{escaped(name)}</p>'
        f'<p class="big">{escaped(big)} <span class="frm">{escaped(beside)}</span></p>'
        + "".join(f'<p class="s">{escaped(line)}</p>' for line in lines)
        + "</li>"
        for name, big, beside, lines in made
    )
    plain = ("; ".join([f"{name} {big} {beside}".rstrip(), *lines]) for name, big, beside, lines in made)
    return Block(f'<ul class="tiles">{html}</ul>', "\n".join(plain))


#: Name, number, what stands beside it, lines below.
_Tile = tuple[str, str, str, list[str]]


def _baseline_tile(one: Indicator, language: Language) -> _Tile:
    words = wording.spoken_indicator(one, language)
    aim = text("state.none" if one.target is None else "target.label", language, **words)
    below = [text(f"tile.{key}", language, **words) for key in ("interval", "decided")]
    return words["label"], words["value"], aim, below


def _pilot_tile(metric: PilotMetric, language: Language) -> _Tile:
    words = wording.spoken_metric(metric, language)
    effect = text("tile.no_effect" if metric.ci_low is None else "tile.effect", language, **words)
    tickets = wording.capital(wording.tickets_text(metric, language))
    below = [effect, *([tickets] if tickets else []), text("tile.controls", language, **words)]
    return words["label"], words["pilot_during"], text("tile.from", language, **words), below


def method(result: Result, *, language: Language = "en") -> Block:
    """Return plan, definitions and method, folded away on screen.

    Parameters
    ----------
    result
        A baseline or a pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        A list of terms and what they mean here.
    """
    entries = [
        (
            wording.metric_name(one.metric, language, variant=one.variant),
            wording.definition_text(one.metric, language, variant=one.variant),
        )
        for one in (result.metrics if isinstance(result, PilotResult) else result.indicators)
    ]
    title = text("title.method.baseline", language)
    if isinstance(result, PilotResult):
        title = text("title.method", language)
        plan, *rest = _pilot_method(result, language)
        entries = [plan, *entries, *rest]
    entries.append((text("method.decided", language), text("method.decided.text", language)))
    listed, lines = terms(entries)
    return Block(
        f'<details class="method"><summary>{escaped(title)}</summary>{listed}</details>',
        "\n".join([title, *lines]),
    )


def _pilot_method(result: PilotResult, language: Language) -> list[tuple[str, str]]:
    words = wording.spoken_pilot(result, language)
    said = {
        key: text(f"method.{key}.text", language, **words) for key in ("plan", "effect", "level", "verdict")
    }
    if reason := result.plan.crude_reason:
        said["effect"] = text("method.crude", language, reason=reason)
    return [(text(f"method.{key}", language), value) for key, value in said.items()]


def provenance(result: Result | Measures, *, language: Language = "en") -> Block:
    """Return where the numbers come from: file, hash, data date, privacy.

    Parameters
    ----------
    result
        A baseline, a pilot, or the measures that an analysis works on.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        To be shown last.
    """
    reading = result.reading
    rows = {
        "rows": reading.rows,
        "rejected": reading.rejected_rows,
        "excluded": sum(reading.excluded.values()),
    }
    words = {name: wording.count(n) for name, n in rows.items()}
    words |= {"source": reading.source, "sha": reading.sha256[:HASH_SHOWN]}
    said = {
        "data": text("provenance.data.text", language, **words),
        "as_of": wording.moment_text(result.as_of, result.zone, language),
        "privacy": text("provenance.privacy.text", language),
    }
    entries = [(text(f"provenance.{key}", language), value) for key, value in said.items()]
    listed, lines = terms(entries)
    title = text("title.provenance", language)
    return Block(
        f'<section class="origin"><h2>{escaped(title)}</h2>{listed}</section>', "\n".join([title, *lines])
    )
