"""Names and types of the canonical columns: one row a ticket, naive UTC times in whole seconds.

The types are DuckDB's; every other engine's are their natural equals. Keys that group people
(``customer_key``, ``agent``) are keyed pseudonyms, never clear text.
"""

from __future__ import annotations

#: Column of the canonical tickets and its type. ``first_response_*_minutes`` and ``resolution_*_minutes``
#: are durations that the export states itself; where present they win over the clock.
TICKETS: dict[str, str] = {
    "ticket_id": "VARCHAR",
    "row": "BIGINT",  # line of the record in its file, the heading being line 1
    "opened_at": "TIMESTAMP",
    "first_response_at": "TIMESTAMP",
    "resolved_at": "TIMESTAMP",
    "reopened_at": "TIMESTAMP",  # first reopening
    "recontact_at": "TIMESTAMP",  # next ticket of the same customer and category opened strictly after
    "closed_at": "TIMESTAMP",
    "updated_at": "TIMESTAMP",
    "due_at": "TIMESTAMP",  # the source's own limit for resolution
    "served_at": "TIMESTAMP",  # end of the service that a record tells of
    "recorded_at": "TIMESTAMP",  # the record was written
    "followed_up_at": "TIMESTAMP",  # call after a complaint was closed
    "delivered_at": "TIMESTAMP",
    "called_back_at": "TIMESTAMP",  # call after the delivery
    "escalated_at": "TIMESTAMP",
    "feedback_at": "TIMESTAMP",  # answer of those to whom it was escalated
    "own_time_1": "TIMESTAMP",  # own columns: for metrics of the project's own
    "own_time_2": "TIMESTAMP",
    "customer_key": "BIGINT",
    "customer_type": "VARCHAR",  # such as new or old
    "category": "VARCHAR",
    "cause": "VARCHAR",
    "stage": "VARCHAR",
    "channel": "VARCHAR",
    "severity": "VARCHAR",
    "region": "VARCHAR",
    "team": "VARCHAR",
    "agent": "VARCHAR",
    "status": "VARCHAR",
    "own_text_1": "VARCHAR",
    "own_text_2": "VARCHAR",
    "own_text_3": "VARCHAR",
    "is_complaint": "BOOLEAN",
    "abandoned": "BOOLEAN",  # the customer left the queue before an agent took the contact
    "vague_result": "BOOLEAN",  # the record's result says nothing; null: it has none. The text is not kept
    "csat": "SMALLINT",  # on the scale of the settings, else 1-5
    "nps_score": "SMALLINT",  # 0-10
    "csat_offered": "BOOLEAN",
    "replies": "SMALLINT",  # public agent replies
    "reopens": "SMALLINT",
    "wait_seconds": "BIGINT",  # queue time before an agent took the contact
    "handling_seconds": "BIGINT",  # time an agent worked on it
    "own_number_1": "BIGINT",
    "own_number_2": "BIGINT",
    "first_response_business_minutes": "BIGINT",
    "first_response_calendar_minutes": "BIGINT",
    "resolution_business_minutes": "BIGINT",
    "resolution_calendar_minutes": "BIGINT",
}

#: A stretch in which the clock stands still (waiting for the customer). Disjoint within a ticket; ``end_at``
#: null means still open. The ticket's own times and rule keys stand beside it: no second join is needed.
PAUSES: dict[str, str] = {
    "ticket_id": "VARCHAR",
    "start_at": "TIMESTAMP",
    "end_at": "TIMESTAMP",
    "opened_at": "TIMESTAMP",
    "first_response_at": "TIMESTAMP",
    "resolved_at": "TIMESTAMP",
    "stage": "VARCHAR",
    "channel": "VARCHAR",
    "severity": "VARCHAR",
}

#: A value that could not be read, with its place and the reason.
REJECTS: dict[str, str] = {"row": "BIGINT", "column": "VARCHAR", "value": "VARCHAR", "reason": "VARCHAR"}

#: Columns a ticket may be cut by (text, few values).
CUTS: tuple[str, ...] = (
    "stage",
    "channel",
    "severity",
    "region",
    "team",
    "agent",
    "category",
    "cause",
    "status",
    "customer_type",
    "own_text_1",
    "own_text_2",
    "own_text_3",
)

#: What a source column may be mapped to although it is not stored = the column that it feeds.
FED = {"customer": "customer_key", "result": "vague_result"}

#: Column that an SLA rule may look at.
RULE_KEYS: tuple[str, ...] = ("stage", "channel", "severity")
