"""The ranking of problems: what complaints and late tickets are about."""

from __future__ import annotations

import pandas as pd

from csimprove import wording
from csimprove.baseline import BaselineResult
from csimprove.report.blocks import Block, Cell, heads, paragraph, phrased, stacked
from csimprove.settings import Language
from csimprove.wording import NO_NUMBER, count, interval, missing, percent, text

#: Groups of a column that are listed; the others are counted together.
_LISTED = 6


def ranking_table(result: BaselineResult, *, language: Language = "en") -> Block:
    """Return what complaints and tickets answered late are about, the most frequent first.

    Parameters
    ----------
    result
        A baseline.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One table for complaints and one for late tickets: share with interval by stage, category and cause;
        one line if the export does not say what they are about.
    """
    ranking = result.ranking
    if ranking.empty:
        return paragraph(text("title.ranking.none", language))
    tables = [
        _ranked(own, result, language, sub=place > 0)
        for place, (_, own) in enumerate(ranking.groupby("kind", sort=False))
    ]
    return stacked(*tables)


def _ranked(ranking: pd.DataFrame, result: BaselineResult, language: Language, *, sub: bool) -> Block:
    what = text(f"ranking.{ranking['kind'].iloc[0]}", language)
    rows: list[list[Cell | str]] = []
    kinds, coded = [], []
    for cut, own in ranking.groupby("cut", sort=False):
        column = wording.column_name(str(cut), language)
        facts = own.iloc[0].to_dict()
        numbers = {"coded": count(facts["coded"]), "total": count(facts["total"])}
        coded.append(text("ranking.coded", language, cut=column, **numbers))
        rows.append([wording.capital(column), "", "", "", ""])
        # a rest of one group would be named as well as hidden
        listed = own.iloc[: _LISTED + (len(own) == _LISTED + 1)].to_dict("records")
        for row in listed:
            span = interval(row["ci_low"], row["ci_high"], "share", language)
            usual = NO_NUMBER if missing(row["usual"]) else percent(row["usual"])
            rows.append([row["group"], count(row["n"]), percent(row["share"]), span, usual])
        rest = facts["coded"] - sum(row["n"] for row in listed)
        if rest:
            rows.append([text("ranking.rest", language), count(rest), percent(rest / facts["coded"]), "", ""])
        kinds += ["first", *["sub"] * (len(listed) + bool(rest))]
    head = [wording.capital(what), *heads(("number", "share", "interval", "usual"), language)]
    joint = {"en": "; ", "zh": "；"}[language]
    cuts = [*ranking["cut"].unique()]
    speaks = ranking[ranking["cut"] == ("cause" if "cause" in cuts else cuts[0])].iloc[0]
    words = {
        "what": what,
        "period": wording.spoken_baseline(result, language)["period"],
        "coded": wording.capital(joint.join(coded)),
        "share": percent(speaks["share"]),
        "group": speaks["group"],
        "about": text(f"ranking.about.{speaks['cut']}", language),
    }
    options = {"kind": "left", "kinds": kinds, "numeric": range(1, 5), "sub": sub}
    return phrased("ranking", head, rows, language, words, **options)
