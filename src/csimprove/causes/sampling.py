"""Tickets for people: a sample to be coded, and the list behind every number."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
import pandas as pd

from csimprove.causes.coding import SHEET
from csimprove.causes.result import CausesResult
from csimprove.causes.tally import coded_period, looked_into
from csimprove.errors import SettingsError
from csimprove.metrics import Measures
from csimprove.settings import Settings

#: What a coder sees beside the id: nothing that names a person.
_CONTEXT = ("category", "stage", "channel", "severity")


def sample_sheet(
    measures: Measures, *, settings: Settings, size: int, coders: Sequence[str], seed: int
) -> tuple[str, int, int]:
    """Draw tickets that all coders code, each for himself.

    Parameters
    ----------
    measures, settings
        The project; ``[causes]`` says which tickets are looked into.
    size
        Tickets to draw; all if there are fewer.
    coders
        Names, at least one, all different.
    seed
        The same seed draws the same tickets.

    Returns
    -------
    tuple
        The sheet as CSV, the tickets drawn, the tickets drawn from.

    Raises
    ------
    SettingsError
        If ``size`` or ``coders`` cannot be used or there is no ticket.
    """
    if size < 1:
        raise SettingsError(f"`size` must be 1 or more, not {size}.")
    names = [name.strip() for name in coders]
    if not names or not all(names) or len(set(names)) < len(names):
        raise SettingsError(f"`coders` must be different names, not {', '.join(coders) or 'none'}.")
    rows = looked_into(measures, settings, *coded_period(measures, settings))
    if rows.empty:
        raise SettingsError("[causes] must look into a ticket: its `of`, `where` and `period` leave none.")
    rng = np.random.default_rng(seed)
    drawn = rows.iloc[np.sort(rng.choice(len(rows), min(size, len(rows)), replace=False))]
    context = measures.tickets(*_CONTEXT, first=rows["day"].min().date(), last=rows["day"].max().date())
    context = context.set_index("ticket_id")[list(_CONTEXT)].fillna("")
    shown = [name for name in _CONTEXT if (context[name] != "").any() and name != settings.causes.cause]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*SHEET, "opened", *shown])
    for name in names:
        for ticket, day in zip(drawn["ticket_id"], drawn["day"], strict=True):
            told = [_harmless(str(value)) for value in context.loc[ticket, shown]]
            writer.writerow([_harmless(ticket), _harmless(name), "", f"{day:%Y-%m-%d}", *told])
    return out.getvalue(), len(drawn), len(rows)


def list_tickets(result: CausesResult) -> str:
    """Return the coded tickets of a result as CSV: ticket_id, day, category, cause, subcause."""
    rows = result.listing.assign(day=result.listing["day"].dt.strftime("%Y-%m-%d"))
    texts = pd.DataFrame({name: [_harmless(str(value)) for value in rows[name]] for name in rows})
    return str(texts.to_csv(index=False, lineterminator="\n"))


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "@", "\t") or (text[:1] == "-" and text != "-") else text
