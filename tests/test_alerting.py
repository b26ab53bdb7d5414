"""Alerts by e-mail: through a real server on the loopback, each event once, nothing in a dry run."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from csimprove import playbook
from csimprove.errors import RunError, SettingsError
from csimprove.playbook import alerting

TICKETS = 40
#: Ten of forty tickets are late, so response on time is at 75 %.
LATE = 10


class Mailbox:
    """A mail server on the loopback that keeps what it takes; ``security`` as in the settings."""

    def __init__(self, security: str = "none", *, certificate: trustme.LeafCert | None = None) -> None:
        self.letters: list[tuple[list[str], Message]] = []
        self.refuse: tuple[str, ...] = ()
        fields: dict[str, Any] = {}
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(context)
            fields = {"starttls": {"tls_context": context, "require_starttls": True}}.get(
                security, {"ssl_context": context, "auth_require_tls": False}
            )
            fields |= {"auth_required": True, "authenticator": self.knows}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.server = Controller(self, hostname="127.0.0.1", port=self.port, **fields)

    def __enter__(self) -> Mailbox:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    @staticmethod
    def knows(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"me", b"secret"), handled=False)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.startswith(self.refuse or "-"):
            return "550 unknown"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as box:
        yield box


def project(folder: Path, port: int = 0, *, extra: str = "", mail: str = 'security = "none"') -> Path:
    """A service that answers 30 of 40 tickets a day in time, for ten days."""
    rows = ["id,opened,answered,team"]
    for day in range(1, 11):
        for number in range(TICKETS):
            minute = 5 if number >= LATE else 55
            rows.append(
                f"{day}-{number},2025-03-{day:02} 10:00,2025-03-{day:02} 10:{minute:02},T{number % 2}"
            )
    (folder / "tickets.csv").write_text("\n".join(rows), encoding="utf-8")
    server = (
        ""
        if not port
        else (
            f'[alerting]\nhost = "127.0.0.1"\nport = {port}\n{mail}\nsender = "playbook@example.org"\n'
            '[alerting.recipients]\nteam_lead = ["lead@example.org", "second@example.org"]\n'
        )
    )
    file = folder / "playbook.toml"
    file.write_text(
        'project = "Desk\\n服务"\ncuts = ["team"]\n[source]\npath = "tickets.csv"\n[source.columns]\n'
        'ticket_id = "id"\nopened_at = "opened"\nfirst_response_at = "answered"\nteam = "team"\n'
        '[[sla.rules]]\nmeasure = "first_response"\nlimit = "30 min"\nclock = "calendar"\n' + server + extra,
        encoding="utf-8",
    )
    return file


def test_a_dry_run_says_what_it_would_send_and_leaves_nothing(tmp_path: Path) -> None:
    file = project(tmp_path)
    found = playbook.alerts(file, as_of="2025-03-11T08:00")

    assert found.sent == ()
    assert len(found.new) == 1
    assert found.lines == (
        "Response on time, all: 75.0% (threshold 90%; n = 280; statistically beyond), 4 Mar – 10 Mar 2025, "
        f"1 day before the data date [{found.new[0]}]",
    )
    assert list((tmp_path / "reports").rglob("alerts.json")) == []


def test_an_event_is_mailed_once_to_its_role(tmp_path: Path, mailbox: Mailbox) -> None:
    file = project(tmp_path, mailbox.port)
    first = playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
    again = playbook.alerts(file, as_of="2025-03-11T08:00", send=True)

    assert first.sent == first.new != ()
    assert (again.new, again.sent, again.lines) == ((), (), first.lines)
    assert len(mailbox.letters) == 1
    recipients, letter = mailbox.letters[0]
    assert recipients == ["lead@example.org", "second@example.org"]
    assert letter["From"] == "playbook@example.org"
    body = letter.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert first.lines[0] in body
    state = next((tmp_path / "reports").rglob("alerts.json"))
    assert list(json.loads(state.read_text(encoding="utf-8"))["sent"]) == list(first.new)
    assert [path.name for path in state.parent.glob(".alerts-*")] == []


@pytest.mark.slow
def test_the_next_period_is_another_event(tmp_path: Path, mailbox: Mailbox) -> None:
    file = project(tmp_path, mailbox.port)
    first = playbook.alerts(file, as_of="2025-03-10T08:00", send=True)
    later = playbook.alerts(file, as_of="2025-03-11T08:00", send=True)

    assert set(first.sent).isdisjoint(later.sent)
    assert len(mailbox.letters) == 2


def test_a_project_in_chinese_writes_chinese_mail(tmp_path: Path, mailbox: Mailbox) -> None:
    file = project(tmp_path, mailbox.port)
    file.write_text('language = "zh"\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    playbook.alerts(file, as_of="2025-03-11T08:00", send=True)

    body = mailbox.letters[0][1].get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "响应及时率，全部：75.0%（预警线90%，n＝280，统计上越过）" in body


def test_what_is_missing_for_sending_is_said_before_anything_is_sent(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CSIMPROVE_SMTP_PASSWORD", raising=False)
    rule = '[[alerts]]\nmetric = "response_on_time"\ncut = "team"\nto = "director"\n'
    for fields, message in (
        ({}, "`[alerting]` must name a mail server, a sender and recipients. Add it to send alerts."),
        (
            {"port": mailbox.port, "extra": rule},
            "`alerting.recipients` must hold addresses for director. Add them.",
        ),
        (
            {"port": mailbox.port, "mail": 'security = "none"\nuser = "me"'},
            "`alerting.password_env` must name an environment variable that holds the password; "
            "CSIMPROVE_SMTP_PASSWORD is not set.",
        ),
    ):
        file = project(tmp_path, **fields)  # type: ignore[arg-type]
        with pytest.raises(SettingsError) as caught:
            playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
        assert str(caught.value) == message
    assert mailbox.letters == []


def test_a_server_that_is_not_there_leaves_the_events_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "TIMEOUT", 2)
    with Mailbox() as box:
        port = box.port
    file = project(tmp_path, port)
    with pytest.raises(RunError) as caught:
        playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
    assert str(caught.value).startswith(f"the alerts could not be sent through 127.0.0.1:{port}: ")
    assert str(caught.value).endswith("They stay unsent; correct [alerting] and send them again.")
    assert len(playbook.alerts(file, as_of="2025-03-11T08:00").new) == 1


def test_an_address_that_is_refused_is_named_and_gets_the_alert_alone_once_it_is_right(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    mailbox.refuse = ("second@",)
    file = project(tmp_path, mailbox.port)
    with pytest.raises(RunError) as caught:
        playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
    assert str(caught.value) == (
        f"127.0.0.1:{mailbox.port} refused second@example.org. Correct `alerting.recipients` and send again: "
        "who has the alerts does not get them twice."
    )
    assert [taken for taken, _ in mailbox.letters] == [["lead@example.org"]]
    assert len(playbook.alerts(file, as_of="2025-03-11T08:00").new) == 1

    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("second@", "deputy@"), encoding="utf-8")
    assert len(playbook.alerts(file, as_of="2025-03-11T08:00", send=True).sent) == 1
    assert [taken for taken, _ in mailbox.letters] == [["lead@example.org"], ["deputy@example.org"]]
    assert playbook.alerts(file, as_of="2025-03-11T08:00", send=True).new == ()


def test_one_role_that_cannot_be_reached_does_not_hold_up_the_others(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    mailbox.refuse = ("boss@",)
    rule = '[[alerts]]\nmetric = "response_on_time"\ncut = "team"\nto = "director"\n'
    rule = f'director = ["boss@example.org"]\n{rule}'
    file = project(tmp_path, mailbox.port, extra=rule)
    with pytest.raises(RunError, match=r"refused boss@example\.org"):
        playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
    assert [taken for taken, _ in mailbox.letters] == [["lead@example.org", "second@example.org"]]
    left = playbook.alerts(file, as_of="2025-03-11T08:00")
    assert {check.to for check in left.checks if check.id in left.new} == {"director"}


LOGIN = 'security = "{}"\nuser = "me"'


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the server does not see that the link is safe already
def test_mail_goes_encrypted_with_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("CSIMPROVE_SMTP_PASSWORD", "wrong")
    with Mailbox(security, certificate=authority.issue_cert("127.0.0.1")) as box:
        file = project(tmp_path, box.port, mail=LOGIN.format(security))
        failed = f"the alerts could not be sent through 127.0.0.1:{box.port}: "
        unsent = ". They stay unsent; correct [alerting] and send them again."

        # a certificate that nobody vouches for
        with pytest.raises(RunError, match="CERTIFICATE_VERIFY_FAILED"):
            playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with pytest.raises(RunError) as caught:
            playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
        assert str(caught.value) == (
            f"{failed}`user` and password were refused: 535 5.7.8 Authentication credentials invalid{unsent}"
        )
        assert box.letters == []

        monkeypatch.setenv("CSIMPROVE_SMTP_PASSWORD", "secret")
        box.refuse = ("lead@", "second@")
        with pytest.raises(RunError, match=r"refused lead@example\.org, second@example\.org"):
            playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
        assert len(playbook.alerts(file, as_of="2025-03-11T08:00").new) == 1

        box.refuse = ()
        assert len(playbook.alerts(file, as_of="2025-03-11T08:00", send=True).sent) == 1
        assert playbook.alerts(file, as_of="2025-03-11T08:00", send=True).new == ()
        assert [taken for taken, _ in box.letters] == [["lead@example.org", "second@example.org"]]


def test_a_server_that_does_not_encrypt_gets_neither_password_nor_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox
) -> None:
    monkeypatch.setenv("CSIMPROVE_SMTP_PASSWORD", "secret")
    file = project(tmp_path, mailbox.port, mail=LOGIN.format("starttls"))
    with pytest.raises(RunError, match="STARTTLS extension not supported by server"):
        playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
    assert mailbox.letters == []


def test_a_damaged_record_stops_the_sending(tmp_path: Path, mailbox: Mailbox) -> None:
    file = project(tmp_path, mailbox.port)
    playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
    state = next((tmp_path / "reports").rglob("alerts.json"))
    state.write_text("{", encoding="utf-8")
    with pytest.raises(RunError) as caught:
        playbook.alerts(file, as_of="2025-03-11T08:00", send=True)
    assert str(caught.value) == (
        f"{state} must hold the events that were sent, and cannot be read. Repair it; without it every event "
        "is sent again."
    )
    assert len(mailbox.letters) == 1
