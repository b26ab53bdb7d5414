"""An export becomes canonical tickets: mapped, parsed, masked, every rejected value with its reason."""

from __future__ import annotations

from csimprove.tickets.files import source_paths
from csimprove.tickets.mapping import preset
from csimprove.tickets.reader import read_tickets, take
from csimprove.tickets.reading import ColumnNote, Reading
from csimprove.tickets.surveys import Answers, SurveyReading, read_surveys
