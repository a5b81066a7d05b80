"""Alerts by e-mail: one message for what is told at the same moment, through the organisation's own server."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid

from core.settings import MailServer
from services.alerting import Notice, NotTold

TIMEOUT_S = 10.0
"""Of each step with the server."""


class MailNotifier:
    """`services.alerting.Notifier` over SMTP, in a thread so that no call waits for a mail server.

    Args:
        server: where; TLS is asked for unless the server is this machine.
        password: with `server.user`; empty sends without signing in.
        sender: address in From.
        recipients: at least one.
        centre: whose alerts these are, in front of the subject.
        tls: for tests with certificates of their own.
    """

    name = "mail"

    def __init__(
        self,
        server: MailServer,
        *,
        password: str,
        sender: str,
        recipients: Sequence[str],
        centre: str,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server, self._password = server, password
        self._sender, self._recipients, self._centre = sender, tuple(recipients), centre
        self._timeout_s, self._tls = timeout_s, tls
        self._busy = threading.Lock()
        self._socket: socket.socket | None = None

    async def send(self, notices: Sequence[Notice]) -> None:
        work = asyncio.ensure_future(asyncio.to_thread(self._deliver, self.message(notices)))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            # A thread cannot be stopped, but its connection can: it then ends with an error that nobody awaits.
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._hang_up()
            raise

    def message(self, notices: Sequence[Notice]) -> EmailMessage:
        """All notices as one e-mail."""
        more = f" ほか{len(notices) - 1}件" if len(notices) > 1 else ""
        message = EmailMessage(policy=SMTP)
        message["Subject"] = _one_line(f"{self._centre} {notices[0].title}{more}")
        message["From"] = self._sender
        message["To"] = ", ".join(self._recipients)
        message["Date"] = formatdate(notices[0].at, localtime=False)
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2] or "localhost")
        # No out-of-office answer is wanted (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            "\n\n".join("\n".join((notice.title, *notice.lines)) for notice in notices) + "\n"
        )
        return message

    def _deliver(self, message: EmailMessage) -> None:
        if not self._busy.acquire(blocking=False):
            raise NotTold("the message before is still being sent")
        try:
            with self._connect() as server:
                self._socket = server.sock
                if self._server.starttls:
                    server.starttls(context=self._tls or ssl.create_default_context())
                    self._socket = server.sock
                if self._server.user and self._password:
                    server.login(self._server.user, self._password)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            raise NotTold(f"recipients refused ({codes[0]})", final=min(codes) >= 500) from None
        except smtplib.SMTPResponseException as answer:
            # The server's words may hold addresses.
            raise NotTold(f"server answered {answer.smtp_code}", final=answer.smtp_code >= 500) from None
        except smtplib.SMTPNotSupportedError:
            raise NotTold("the server offers no TLS or no sign-in", final=True) from None
        except ssl.SSLError as fault:
            raise NotTold(f"TLS: {fault.reason or type(fault).__name__}") from None
        except (OSError, smtplib.SMTPException) as fault:
            raise NotTold(
                f"{type(fault).__name__}: {getattr(fault, 'strerror', None) or 'no mail sent'}"
            ) from None
        finally:
            self._socket = None
            self._busy.release()

    def _connect(self) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        if self._server.tls:
            context = self._tls or ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout_s, context=context)
        return smtplib.SMTP(host, port, timeout=self._timeout_s)

    def _hang_up(self) -> None:
        held = self._socket
        if held is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)


def _one_line(text: str) -> str:
    return " ".join(text.split())
