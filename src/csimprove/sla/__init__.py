"""The business clock: how long a ticket took, how long it was allowed, met, missed or undecided.

The calendar and the rules are resolved in plain Python into two small tables; tickets are timed by lazy
narwhals expressions over them, in whole seconds and integers only, so that every engine gives the same table.
"""

from csimprove.sla.calendar import CalendarTable, calendar_table, working_day
from csimprove.sla.clock import TIMED, time_events, time_tickets
from csimprove.sla.rules import resolve_rules
