"""A small export of every system, with its own headings, read by its preset alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from csimprove.settings import MAPPABLE
from csimprove.tickets import preset
from test_tickets import read

NAMES = ("chinese", "freshdesk", "hubspot", "intercom", "jira", "salesforce", "servicenow", "zendesk")


def first(folder: Path, text: str, name: str, **source: Any) -> tuple[dict[str, int], dict[str, Any]]:
    reading, rows = read(folder, text, preset=name, **({"columns": {}} | source))
    assert reading.rows == reading.used == len(rows), reading.rejects
    assert reading.reject_count == 0, reading.rejects
    return reading.flags, {name: value for name, value in rows[0].items() if value is not None}


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_names_what_there_is(name: str) -> None:
    facts = preset(name)
    assert set(facts["columns"]) | set(facts["units"]) | set(facts["values"]) <= set(MAPPABLE)
    assert {"ticket_id", "opened_at"} <= set(facts["columns"])


def test_freshdesk_hours_are_business_hours_beyond_24(tmp_path: Path) -> None:
    text = (
        "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Due by Time,Resolved time,"
        "Closed time,Last update time,Initial response time,First response time (in hrs),"
        "Resolution time (in hrs),Agent interactions,Survey results,Contact ID,Resolution time (in hrs)\n"
        "12,x,Closed,Low,Phone,Question,Ann,Help,2024-01-01 09:00:00,2024-01-05 09:00:00,2024-01-04 09:00:00,"
        "2024-01-05 10:00:00,2024-01-05 10:00:00,2024-01-01 09:30:00,00:30:00,36:05:10,3,5,77,1\n"
    )
    flags, row = first(tmp_path, text, "freshdesk")
    assert (row["first_response_business_minutes"], row["resolution_business_minutes"]) == (30, 2165)
    assert (row["first_response_at"], row["csat"], row["replies"]) == (datetime(2024, 1, 1, 9, 30), 5, 3)
    assert flags == {"repeated_heading": 1}


def test_freshservice_spells_its_headings_its_own_way(tmp_path: Path) -> None:
    text = (
        "Ticket Id,Requester Name,Created Time,Due by Time,Resolved Time,Last Updated Time,"
        "Initial Response Time,First Response Time (in Hrs),Survey Result,Category,Priority\n"
        "INC-1,Ann,2024-01-01 09:00:00,,,2024-01-01 10:00:00,,1:30:00,4,Network,High\n"
    )
    _, row = first(tmp_path, text, "freshdesk")
    assert (row["ticket_id"], row["first_response_business_minutes"], row["csat"]) == ("INC-1", 90, 4)
    assert (row["category"], row["updated_at"]) == ("Network", datetime(2024, 1, 1, 10))


def test_jira_times_and_what_is_left_of_a_limit(tmp_path: Path) -> None:
    text = (
        "Summary,Issue key,Issue Type,Status,Priority,Assignee,Reporter,Created,Updated,Resolved,Comment,"
        "Comment,Custom field (Request Type),Custom field (Time to first response),Satisfaction rating\n"
        "x,SUP-1,Task,Done,High,Ann,Bob,23/Apr/24 3:05 PM,24/Apr/24 9:00 AM,24/Apr/24 9:00 AM,a,b,"
        "Access,-1:15,4\n"
    )
    _, row = first(tmp_path, text, "jira", zone="Asia/Shanghai")
    assert (row["opened_at"], row["category"]) == (datetime(2024, 4, 23, 7, 5), "Access")
    assert "first_response_business_minutes" not in row
    name = "first_response_business_minutes"
    left = {"columns": {name: "Custom field (Time to first response)"}, "remaining": {name: "4 h"}}
    assert first(tmp_path, text, "jira", **left)[1][name] == 315


def test_jira_headings_in_spanish(tmp_path: Path) -> None:
    text = "Clave de incidencia,Creada,Calificación de satisfacción\nSUP-1,23/04/24 15:05,5\n"
    _, row = first(tmp_path, text, "jira", formats=("%d/%m/%y %H:%M",))
    assert (row["opened_at"], row["csat"]) == (datetime(2024, 4, 23, 15, 5), 5)


def test_servicenow_numbers_and_labels(tmp_path: Path) -> None:
    text = (
        "number,state,incident_state,reopen_count,caller_id,opened_at,resolved_at,contact_type,category,priority,"
        "assignment_group,assigned_to,business_stc,calendar_stc\n"
        "INC0000045,6,6,,Caller 1,2024-02-29 01:16:00,2024-02-29 11:29:00,Phone,Category 55,3 - Moderate,"
        "Group 56,?,3600,25 Days 21 Hours 1 Minute\n"
    )
    _, row = first(tmp_path, text, "servicenow")
    assert (row["status"], row["severity"], row.get("agent")) == ("Resolved", "3 - Moderate", None)
    assert (row["resolution_business_minutes"], row["resolution_calendar_minutes"]) == (60, 37261)
    text = "Number,Caller,Category,Priority,State,Channel,Assignment group,Opened,Resolved\n"
    _, row = first(tmp_path, text + "INC1,A,b,1 - High,New,Email,Desk,2024-02-29 01:16:00,\n", "servicenow")
    assert (row["status"], row["channel"], row["team"]) == ("New", "Email", "Desk")


def test_salesforce_reports_end_with_lines_about_themselves(tmp_path: Path) -> None:
    text = (
        '"Case Number","Account Name","Case Origin","Case Reason","Case Owner","Date/Time Opened",'
        '"Date/Time Closed"\n'
        '"00001026","Acme","Phone","Breakdown","Ann","13/02/2024 3:05 PM","14/02/2024 9:00 AM"\n'
        '"00001027","Acme","Web","","Ann","05/02/2024 3:05 PM","13/02/2024 3:05 PM"\n'
        '\n"Cases of February"\n"Copyright (c) 2000-2024 salesforce.com, inc. All rights reserved."\n'
        '"Confidential Information - Do Not Distribute"\n'
    )
    flags, row = first(tmp_path, text, "salesforce")
    assert (row["ticket_id"], row["opened_at"]) == ("00001026", datetime(2024, 2, 13, 15, 5))
    assert flags == {"continued_lines": 1, "footer_lines": 3}
    text = "Id,CaseNumber,ContactId,Origin,CreatedDate,ClosedDate\n"
    text += "5003,00001026,003,Web,2024-02-13T15:05:00.000Z,\n"
    _, row = first(tmp_path, text, "salesforce", zone="Asia/Shanghai")
    assert row["opened_at"] == datetime(2024, 2, 13, 15, 5)


def test_intercom_times_are_unix_seconds(tmp_path: Path) -> None:
    text = (
        "id,created_at,updated_at,state,admin_assignee_id,statistics.first_admin_reply_at,statistics.last_close_at,"
        "statistics.count_reopens,statistics.time_to_admin_reply,conversation_rating.rating\n"
        "1,1700000000,1700009000,closed,8,1700000600,1700009000,1,600,5\n2,1700000000,,open,,,,0,,\n"
    )
    _, row = first(tmp_path, text, "intercom", zone="Asia/Shanghai")
    assert (row["opened_at"], row["first_response_at"]) == (
        datetime(2023, 11, 14, 22, 13, 20),
        datetime(2023, 11, 14, 22, 23, 20),
    )
    assert (row["first_response_business_minutes"], row["reopens"], row["csat"]) == (10, 1, 5)
    text = "conversation_id,conversation_created_at,conversation_first_response_at\n9,2017-11-14 21:45:08,\n"
    assert first(tmp_path, text, "intercom")[1]["opened_at"] == datetime(2017, 11, 14, 21, 45, 8)


def test_hubspot_durations_are_milliseconds(tmp_path: Path) -> None:
    text = (
        "hs_ticket_id,createdate,closed_date,hs_pipeline_stage,time_to_close,time_to_first_agent_reply,"
        "hs_time_to_close_in_operating_hours\n"
        "1,2024-01-01T09:00:00.123Z,1704193200000,4,86400000,600000,28800000\n"
    )
    _, row = first(tmp_path, text, "hubspot", values={"status": {"4": "Closed"}})
    assert (row["resolved_at"], row["status"]) == (datetime(2024, 1, 2, 11), "Closed")
    assert (row["resolution_calendar_minutes"], row["resolution_business_minutes"]) == (1440, 480)
    text = "Ticket ID,Create date,Close date,Time to close (HH:mm:ss)\n"
    text += "1,2024-01-01 09:00,2024-01-02 11:00,26:00:00\n"
    assert first(tmp_path, text, "hubspot")[1]["resolution_calendar_minutes"] == 1560


def test_chinese_headings_of_hotlines_and_message_boards(tmp_path: Path) -> None:
    text = (
        "留言编号,留言用户,留言主题,留言时间,答复时间\n7,李某,路灯,2024年3月1日 08:30,2024-03-05 10:00:00\n"
    )
    _, row = first(tmp_path, text, "chinese", zone="Asia/Shanghai")
    assert (row["opened_at"], row["resolved_at"]) == (datetime(2024, 3, 1, 0, 30), datetime(2024, 3, 5, 2))
    text = "受理号码,工单编号,服务请求类别,归属地市,受理渠道,受理时间,立单部门,性质,满意度\n"
    text += "1,a,x,福州,电话,2024-03-01,b,投诉,非常满意\n"
    _, row = first(tmp_path, text, "chinese")
    assert (row["region"], row["is_complaint"], row["csat"], row["ticket_id"]) == ("福州", True, 5, "a")
