"""Alerts by e-mail, against a mail server on loopback that takes, refuses, hangs and vanishes."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from smtp_peer import smtp_peer, until

from core.clock import ManualClock
from core.errors import ToritsugiError
from core.settings import MailServer, settings_from
from notify.mail import MailNotifier
from runtime.process import free_port
from services.alerting import Channel, Notice, NotTold

pytestmark = pytest.mark.wire

T0 = 1_764_000_000.0
NOTICE = Notice(
    alert="abcd2345",
    kind="nobody",
    subject="",
    what="raised",
    at=T0,
    since=T0 - 60,
    title="【警報】電話を受けられる人がいません",
    lines=("状況：受付時間中ですが、サインインしている人がいません。", "いつから：09:00:00"),
)


def mailer(port: int, *, user: str = "", starttls: bool = False, **more: Any) -> MailNotifier:
    server = MailServer(host="127.0.0.1", port=port, user=user, tls=False, starttls=starttls)
    values: dict[str, Any] = {
        "password": "",
        "sender": "toritsugi@example.jp",
        "recipients": ("a@example.jp", "b@example.jp"),
        "centre": "上尾市コールセンター",
        "timeout_s": 1.0,
    }
    return MailNotifier(server, **{**values, **more})


async def test_one_mail_for_what_happens_together() -> None:
    second = replace(NOTICE, title="【解消】待ち時間が上限を超えました", lines=("状況：解消。",))
    async with smtp_peer() as peer:
        await mailer(peer.port).send([NOTICE, second])
    (mail,) = peer.mails
    assert mail["Subject"] == "上尾市コールセンター 【警報】電話を受けられる人がいません ほか1件"
    assert (mail["From"], mail["To"]) == ("toritsugi@example.jp", "a@example.jp, b@example.jp")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.jp>")
    text = mail.get_content()
    assert all(line in text for line in (NOTICE.title, *NOTICE.lines, second.title))
    assert [line for line in peer.said if line.startswith("RCPT")] == [
        "RCPT TO:<a@example.jp>",
        "RCPT TO:<b@example.jp>",
    ]


async def test_a_title_cannot_add_headers() -> None:
    sly = replace(NOTICE, title="x\r\nBcc: thief@example.com")
    async with smtp_peer() as peer:
        await mailer(peer.port).send([sly])
    (mail,) = peer.mails
    assert mail["Bcc"] is None
    assert "thief@example.com" not in " ".join(peer.said)


@pytest.mark.parametrize(
    ("answers", "final"),
    [
        ({"GREETING": "421 busy"}, False),
        ({"RCPT": "450 later"}, False),
        ({"RCPT": "550 unknown"}, True),
        ({"DATA": "451 later"}, False),
        ({"BODY": "554 spam"}, True),
    ],
)
async def test_refusals_are_told_apart(answers: dict[str, str], final: bool) -> None:
    async with smtp_peer(answers) as peer:
        with pytest.raises(NotTold) as told:
            await mailer(peer.port).send([NOTICE])
    assert told.value.final is final
    assert "example.jp" not in str(told.value)
    assert peer.mails == []


async def test_nobody_listens() -> None:
    with pytest.raises(NotTold, match="refused") as told:
        await mailer(free_port()).send([NOTICE])
    assert not told.value.final


@pytest.mark.parametrize("command", ["GREETING", "EHLO", "DATA", "BODY"])
async def test_a_server_that_hangs_does_not_stop_the_loop(command: str) -> None:
    async with smtp_peer({command: ""}) as peer:
        turns = 0
        send = asyncio.create_task(mailer(peer.port, timeout_s=0.4).send([NOTICE]))
        while not send.done():
            await asyncio.sleep(0.01)
            turns += 1
        with pytest.raises(NotTold, match=r"TimeoutError|timed out|Disconnected"):
            send.result()
    assert turns > 15


async def test_a_cancelled_attempt_leaves_no_thread_behind() -> None:
    async with smtp_peer({"EHLO": ""}) as peer:
        notifier = mailer(peer.port, timeout_s=30.0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(notifier.send([NOTICE]), 0.3)
        await until(lambda: not notifier._busy.locked())
    async with smtp_peer() as well:
        notifier._server = replace(notifier._server, port=well.port)
        await notifier.send([NOTICE])
    assert len(well.mails) == 1


async def test_no_word_in_the_clear_where_tls_is_asked_for() -> None:
    async with smtp_peer() as peer:
        with pytest.raises(NotTold, match="no TLS") as told:
            await mailer(peer.port, user="u", password="s3cret", starttls=True).send([NOTICE])
    assert told.value.final
    assert not any(line.startswith(("AUTH", "MAIL", "RCPT")) for line in peer.said)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert),
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


async def test_tls_before_the_password(certificate: tuple[Path, Path]) -> None:
    key, cert = certificate
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(cert, key)
    trusting = ssl.create_default_context(cafile=str(cert))
    async with smtp_peer(starttls=serving) as peer:
        await mailer(peer.port, user="u", password="s3cret", starttls=True, tls=trusting).send([NOTICE])
    assert peer.secured
    assert peer.said.index("STARTTLS") < peer.said.index("AUTH")
    assert len(peer.mails) == 1
    async with smtp_peer(starttls=serving) as stranger:
        # A certificate that nobody vouches for.
        with pytest.raises(NotTold, match="TLS"):
            await mailer(stranger.port, starttls=True).send([NOTICE])
    assert stranger.mails == []


async def test_through_a_channel_a_server_that_comes_back_gets_the_mail() -> None:
    async with smtp_peer({"GREETING": "421 busy"}) as peer:
        channel = Channel(mailer(peer.port), ManualClock(T0), first_pause_s=0.05)
        task = asyncio.create_task(channel.run())
        channel.put([NOTICE])
        await until(lambda: peer.connections == 2)
        peer.answers = {}
        await until(lambda: channel.state.sent == 1)
        task.cancel()
    assert len(peer.mails) == 1
    assert channel.state.failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "smtp://mail.example.jp",
            MailServer(host="mail.example.jp", port=587, user="", tls=False, starttls=True),
        ),
        (
            "smtps://u@mail.example.jp",
            MailServer(host="mail.example.jp", port=465, user="u", tls=True, starttls=False),
        ),
        ("smtp://127.0.0.1", MailServer(host="127.0.0.1", port=25, user="", tls=False, starttls=False)),
        ("smtp://[::1]:2525", MailServer(host="::1", port=2525, user="", tls=False, starttls=False)),
    ],
)
def test_addresses_of_servers(text: str, expected: MailServer) -> None:
    values = {
        "TORITSUGI_SMTP": text,
        "TORITSUGI_ALERT_FROM": "a@b.jp",
        "TORITSUGI_ALERT_TO": "c@d.jp, e@f.jp",
    }
    settings = settings_from(values)
    assert settings.mail_server == expected
    assert settings.alert_to == ("c@d.jp", "e@f.jp")
    assert settings_from({}).mail_server is None


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"TORITSUGI_SMTP": "mail.example.jp"}, "TORITSUGI_SMTP"),
        ({"TORITSUGI_SMTP": "smtp://u:hunter2@mail.example.jp"}, "TORITSUGI_SMTP"),
        ({"TORITSUGI_SMTP": "smtp://mail.example.jp:x"}, "TORITSUGI_SMTP"),
        ({"TORITSUGI_SMTP": "smtp://mail.example.jp"}, "TORITSUGI_ALERT_FROM"),
        ({"TORITSUGI_ALERT_TO": "nobody"}, "TORITSUGI_ALERT_TO"),
        ({"TORITSUGI_ALERT_WEBHOOK": "http://example.jp/x"}, "TORITSUGI_ALERT_WEBHOOK"),
        ({"TORITSUGI_ALERT_WEBHOOK": "ftp://example.jp/x"}, "TORITSUGI_ALERT_WEBHOOK"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(values: dict[str, str], named: str) -> None:
    with pytest.raises(ToritsugiError, match=named) as wrong:
        settings_from(values)
    assert "hunter2" not in str(wrong.value)
