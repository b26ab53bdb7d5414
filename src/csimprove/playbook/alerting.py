"""Alerts outside the report: looked at, printed, sent by e-mail, each event once."""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
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
        reports, after every mail, so that no event is sent twice.

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
        If the server does not take the mail.
    """
    settings = read_settings(settings_file)
    measures = load_measures(settings, as_of=as_of)
    found = checks(measures, settings=settings)
    file = settings.reports / STATE
    before = _sent(file)
    new = [check for check in found if check.fires and check.id not in before]
    if send and new:
        server = _server(settings, {check.to for check in new})
        _write(file, before)  # what cannot be written down must not be sent
        for role in sorted({check.to for check in new}):
            told = [check for check in new if check.to == role]
            subject, body = wording.alert_mail(
                told,
                project=settings.project,
                as_of=measures.as_of,
                zone=measures.zone,
                language=settings.language,
            )
            _deliver(server, server.recipients[role], subject, body)
            before |= dict.fromkeys((check.id for check in told), datetime.now(UTC).isoformat("T", "seconds"))
            _write(file, before)
    return AlertOutcome(
        as_of=measures.as_of,
        checks=found,
        new=tuple(check.id for check in new),
        sent=tuple(check.id for check in new) if send else (),
        lines=tuple(wording.alert_line(check, settings.language) for check in found if check.fires),
    )


def _sent(file: Path) -> dict[str, str]:
    """Event = when it was sent."""
    if not file.exists():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8"))["sent"])
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(
            f"{file} must hold the events that were sent, and cannot be read. Repair it; without it every "
            "event is sent again."
        ) from None


def _write(file: Path, sent: dict[str, str]) -> None:
    """Replace the file as a whole."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".alerts-", dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as part:
            json.dump({"sent": sent}, part, indent=1)
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


def _deliver(server: Alerting, recipients: tuple[str, ...], subject: str, body: str) -> None:
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
        with link:
            if server.security == "starttls":
                link.starttls(context=context)
            if server.user is not None:
                link.login(server.user, os.environ[server.password_env])
            refused = link.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise RunError(
            f"the alerts could not be sent through {where}: {error}. "
            "They stay unsent; correct [alerting] and send them again."
        ) from None
    if refused:
        raise RunError(f"{where} refused {', '.join(sorted(refused))}. Correct `alerting.recipients`.")
