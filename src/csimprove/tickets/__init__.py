"""An export becomes canonical tickets: mapped, parsed, masked, every rejected value with its reason."""

from __future__ import annotations

from csimprove.tickets.mapping import preset
from csimprove.tickets.reader import read_tickets
from csimprove.tickets.reading import Reading

__all__ = ["Reading", "preset", "read_tickets"]
