"""Alerts outside the report: looked at, printed, sent by e-mail, each event once."""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from csimprove import wording
from csimprove.errors import RunError, SettingsError
from csimprove.metrics import load_measures
from csimprove.monitoring import Check, checks
from csimprove.plain import plain_fields
from csimprove.settings import Alerting, Settings, read_settings

#: File, among the project's reports, of the events that have been sent.
STATE = "alerts.json"
#: Seconds to wait for the mail server.
TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class AlertOutcome:
    """What a look at the alert rules found.

    Parameters
    ----------
    as_of
        Moment of the snapshot.
    checks
        Every rule on the latest decided period, events first.
    new
        Ids of the events that had not been sent before.
    sent
        Ids of those sent now; empty in a dry run.
    lines
        The events as text, in the project's language.
    """

    as_of: datetime
    checks: tuple[Check, ...]
    new: tuple[str, ...]
    sent: tuple[str, ...]
    lines: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all but `lines` as plain values."""
        return {name: value for name, value in plain_fields(self).items() if name != "lines"}


def alerts(
    settings_file: str | Path, *, as_of: date | datetime | str | None = None, send: bool = False
) -> AlertOutcome:
    """Look at every alert rule and, if asked, send the events that are new.

    Parameters
    ----------
    settings_file
        The project's playbook.toml.
    as_of
        Moment of the snapshot; by default the latest time stamp in the source.
    send
        Whether mail is sent: one to each role that has new events. What was sent is written down beside the
        reports, after every mail, so that no event is sent twice. One that some addresses took and others
        refused stays new, and goes the next time to those without it.

    Returns
    -------
    AlertOutcome
        Checks, new events and what was sent.

    Raises
    ------
    SettingsError
        If a rule is wrong, or mail is asked for without server, recipients or password.
    TicketDataError
        If the data cannot be used.
    RunError
        If the server does not take a mail; the others are sent first.
    """
    settings = read_settings(settings_file)
    measures = load_measures(settings, as_of=as_of)
    found = checks(measures, settings=settings)
    file = settings.reports / STATE
    record = _record(file)
    new = [check for check in found if check.fires and check.id not in record.sent]
    if send and new:
        _send(new, record, file, settings=settings, as_of=measures.as_of, zone=measures.zone)
    return AlertOutcome(
        as_of=measures.as_of,
        checks=found,
        new=tuple(check.id for check in new),
        sent=tuple(check.id for check in new) if send else (),
        lines=tuple(wording.alert_line(check, settings.language) for check in found if check.fires),
    )


@dataclass(frozen=True, slots=True)
class _Record:
    """What was sent: event = when; and of events that not all addresses took: event = those that did."""

    sent: dict[str, str] = field(default_factory=dict)
    taken: dict[str, list[str]] = field(default_factory=dict)


def _send(
    new: list[Check], record: _Record, file: Path, *, settings: Settings, as_of: datetime, zone: str
) -> None:
    """Mail the events, one letter to all of a role that lack the same ones, and write down who took what."""
    server = _server(settings, {check.to for check in new})
    _write(file, record)  # what cannot be written down must not be sent
    letters: dict[tuple[str, tuple[str, ...]], list[Check]] = {}
    for check in sorted(new, key=lambda check: check.to):
        taken = record.taken.get(check.id, [])
        lacking = tuple(one for one in server.recipients[check.to] if one not in taken)
        letters.setdefault((check.to, lacking), []).append(check)
    problems = []
    for (_, lacking), told in letters.items():
        refused: set[str] = set()
        try:
            if lacking:
                subject, body = wording.alert_mail(
                    told, project=settings.project, as_of=as_of, zone=zone, language=settings.language
                )
                refused = _deliver(server, lacking, subject, body)
        except RunError as error:
            problems.append(str(error))
            continue
        for check in told:
            if refused:
                taken = record.taken.setdefault(check.id, [])
                taken += [one for one in lacking if one not in refused]
            else:
                record.taken.pop(check.id, None)
                record.sent[check.id] = datetime.now(UTC).isoformat("T", "seconds")
        _write(file, record)
        if refused:
            problems.append(
                f"{server.host}:{server.port} refused {', '.join(sorted(refused))}. "
                "Correct `alerting.recipients` and send again: who has the alerts does not get them twice."
            )
    if problems:
        raise RunError("\n".join(dict.fromkeys(problems)))


def _record(file: Path) -> _Record:
    """Read what was sent."""
    if not file.exists():
        return _Record()
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return _Record(dict(found["sent"]), dict(found.get("taken", {})))
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(
            f"{file} must hold the events that were sent, and cannot be read. Repair it; without it every "
            "event is sent again."
        ) from None


def _write(file: Path, record: _Record) -> None:
    """Replace the file as a whole."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".alerts-", dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as part:
            json.dump(asdict(record), part, indent=1)
        Path(name).replace(file)
    except OSError as error:
        raise RunError(
            f"{file} must be a file that can be written: {error.strerror or error}. "
            "It holds the events that were sent; without it they would be sent twice."
        ) from None


def _server(settings: Settings, roles: Iterable[str]) -> Alerting:
    server = settings.alerting
    if server is None:
        raise SettingsError(
            "`[alerting]` must name a mail server, a sender and recipients. Add it to send alerts."
        )
    if lacking := sorted(role for role in roles if not server.recipients.get(role)):
        raise SettingsError(f"`alerting.recipients` must hold addresses for {', '.join(lacking)}. Add them.")
    if server.user is not None and not os.environ.get(server.password_env):
        raise SettingsError(
            f"`alerting.password_env` must name an environment variable that holds the password; "
            f"{server.password_env} is not set."
        )
    return server


def _deliver(server: Alerting, recipients: Sequence[str], subject: str, body: str) -> set[str]:
    """Send one letter and return the addresses that the server refused."""
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"], message["To"] = server.sender, ", ".join(recipients)
    message["Date"], message["Message-ID"] = (
        formatdate(localtime=False),
        make_msgid(domain="csimprove.invalid"),
    )
    message.set_content(body)
    context = ssl.create_default_context()
    where = f"{server.host}:{server.port}"
    try:
        if server.security == "tls":
            link: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=context)
        else:
            link = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
        with closing(link):
            if server.security == "starttls":
                link.starttls(context=context)
            if server.user is not None:
                link.login(server.user, os.environ[server.password_env])
            try:
                refused = set(link.send_message(message))
            except smtplib.SMTPRecipientsRefused as error:  # all of them
                refused = set(error.recipients)
            with suppress(smtplib.SMTPException):  # the letter is taken, however the server says goodbye
                link.quit()
    except (OSError, smtplib.SMTPException) as error:
        why = str(error)
        if isinstance(error, smtplib.SMTPResponseException):
            said = error.smtp_error
            why = f"{error.smtp_code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
        if isinstance(error, smtplib.SMTPAuthenticationError):
            why = f"`user` and password were refused: {why}"
        raise RunError(
            f"the alerts could not be sent through {where}: {why}. "
            "They stay unsent; correct [alerting] and send them again."
        ) from None
    return refused
