"""Settings of one instance: where state lives and which ports it listens on.

Every value has a `TORITSUGI_…` variable, so two instances can run side by side. No secret has a default.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from core.errors import ToritsugiError

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where alerts by e-mail are handed over."""

    host: str
    port: int
    user: str
    """Empty: no sign-in."""
    tls: bool
    """From the first byte on (`smtps://`)."""
    starttls: bool
    """Asked for before anything else is said; always, unless the server is this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One instance's addresses and folders."""

    home: Path
    """`TORITSUGI_HOME`: recordings, database, logs, rendered configuration. Default `var/`."""
    tools: Path
    """`TORITSUGI_TOOLS`: what the launcher installed (Asterisk, SIPp, models). Default `.toritsugi/`."""
    city: str
    """`TORITSUGI_CITY`: the profile this instance serves."""
    sip_host: str
    """`TORITSUGI_SIP_HOST`: address that SIP and RTP listen on. Default loopback."""
    sip_port: int
    """`TORITSUGI_SIP_PORT`, UDP and TCP."""
    http_port: int
    """`TORITSUGI_HTTP_PORT`: the desk; 0 for an instance without one."""
    ami_port: int
    """`TORITSUGI_AMI_PORT`, loopback."""
    agi_port: int
    """`TORITSUGI_AGI_PORT`, loopback."""
    hep_port: int
    """`TORITSUGI_HEP_PORT`, UDP, loopback: Asterisk mirrors every SIP message here (reconciliation)."""
    wire_port: int
    """`TORITSUGI_WIRE_PORT`, loopback: Asterisk's websocket, where the desk passes browsers' telephones on."""
    rtp_range: tuple[int, int]
    """`TORITSUGI_RTP_RANGE`, `first-last`, both included."""
    database_url: str
    """`TORITSUGI_DATABASE_URL`: SQLAlchemy async URL. Default SQLite under `home`."""
    node: str
    """`TORITSUGI_NODE`: Asterisk's systemname, a prefix of every Uniqueid. Letters and digits."""
    smtp_url: str = ""
    """`TORITSUGI_SMTP`: `smtp://user@host:587` or `smtps://…`; empty sends no e-mail."""
    alert_from: str = ""
    """`TORITSUGI_ALERT_FROM`: sender of alerts."""
    alert_to: tuple[str, ...] = ()
    """`TORITSUGI_ALERT_TO`: who gets alerts by e-mail, separated by commas."""
    alert_webhook: str = ""
    """`TORITSUGI_ALERT_WEBHOOK`: https address that gets alerts as JSON; empty posts none."""
    provider_url: str = ""
    """`TORITSUGI_PROVIDER`: https address of a language model with OpenAI's interface (`…/v1`); empty asks none. What
    it is asked for stands in the profile, `[speech.provider]`; without that it is not asked either."""
    provider_key: str = field(default="", repr=False)
    """`TORITSUGI_PROVIDER_KEY`: its key. Never written down by us."""

    availability: bool = False
    """`TORITSUGI_AVAILABILITY`: `on` uses each service once a minute and writes down whether it answered."""

    @property
    def mail_server(self) -> MailServer | None:
        """Where e-mail goes; None when none is to be sent."""
        return _mail_server(self.smtp_url) if self.smtp_url and self.alert_to else None

    @property
    def sounds(self) -> Path:
        return self.home / "sounds"

    @property
    def recordings(self) -> Path:
        return self.home / "recordings"

    @property
    def reports(self) -> Path:
        """Papers that are drafted by themselves, for people to finish."""
        return self.home / "reports"

    @property
    def asterisk(self) -> Path:
        """Rendered configuration, logs, astdb and sockets of the embedded Asterisk."""
        return self.home / "asterisk"

    @property
    def queue_log(self) -> Path:
        return self.asterisk / "log" / "queue_log"

    @property
    def cel_log(self) -> Path:
        return self.asterisk / "log" / "cel-custom" / "cel_master.json"

    @property
    def sip_log(self) -> Path:
        """SIP requests seen on the wire (HEP), one JSON object a line."""
        return self.home / "sip" / "messages.jsonl"


def _port(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 65535:
        raise ToritsugiError(
            f"ポート番号ではありません: {text!r}", where=name, cure="1 から 65535 の数を書く"
        )
    return int(text)


def _rtp_range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if dash and first.isdigit() and last.isdigit() and 1024 <= int(first) < int(last) <= 65535:
        return int(first), int(last)
    raise ToritsugiError(
        f"RTP の範囲が読めません: {text!r}", where="TORITSUGI_RTP_RANGE", cure="例: 10000-10999"
    )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(text: str, name: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    wrong = ToritsugiError("アドレスが読めません", where=name, cure=f"例: {example}")
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises when it is no number
    except ValueError:
        raise wrong from None
    if parts.scheme not in schemes or not parts.hostname or parts.password:
        raise wrong
    return parts


def _mail_server(text: str) -> MailServer:
    parts = _address(text, "TORITSUGI_SMTP", ("smtp", "smtps"), "smtp://toritsugi@mail.example.jp:587")
    host, tls = parts.hostname or "", parts.scheme == "smtps"
    return MailServer(
        host=host,
        port=parts.port or (465 if tls else 25 if _loopback(host) else 587),
        user=parts.username or "",
        tls=tls,
        starttls=not tls and not _loopback(host),
    )


def _webhook(text: str, name: str) -> str:
    parts = _address(text, name, ("https", "http"), "https://example.jp/alerts")
    if parts.scheme == "http" and not _loopback(parts.hostname or ""):
        raise ToritsugiError("暗号化されないアドレスです", where=name, cure="https のアドレスにする")
    return text


def _mail_addresses(text: str, name: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for address in found:
        local, at, domain = address.rpartition("@")
        if (
            not (local and at and domain)
            or not address.isascii()
            or any(c.isspace() or c in "<>" for c in address)
        ):
            raise ToritsugiError(
                f"メールアドレスとして読めません: {address!r}", where=name, cure="例: kanri@example.jp"
            )
    return found


def settings_from(values: Mapping[str, str] | None = None) -> Settings:
    """Settings from environment variables.

    Raises:
        ToritsugiError: a variable is present and unreadable; the message names it.
    """
    values = os.environ if values is None else values
    home = Path(values.get("TORITSUGI_HOME") or PROJECT_ROOT / "var").resolve()
    tools = Path(values.get("TORITSUGI_TOOLS") or PROJECT_ROOT / ".toritsugi").resolve()
    node = values.get("TORITSUGI_NODE") or "n1"
    if not node.isalnum() or not node.isascii():
        raise ToritsugiError(f"使えない名前です: {node!r}", where="TORITSUGI_NODE", cure="英数字だけにする")
    host = values.get("TORITSUGI_SIP_HOST") or "127.0.0.1"
    try:
        ipaddress.ip_address(host)
    except ValueError as problem:
        raise ToritsugiError(
            f"IP アドレスではありません: {host!r}", where="TORITSUGI_SIP_HOST", cure="例: 192.0.2.5"
        ) from problem
    smtp_url = values.get("TORITSUGI_SMTP") or ""
    sender = _mail_addresses(values.get("TORITSUGI_ALERT_FROM") or "", "TORITSUGI_ALERT_FROM")
    recipients = _mail_addresses(values.get("TORITSUGI_ALERT_TO") or "", "TORITSUGI_ALERT_TO")
    if smtp_url:
        _mail_server(smtp_url)
        if len(sender) != 1:
            raise ToritsugiError(
                "警報メールの差出人が決まっていません",
                where="TORITSUGI_ALERT_FROM",
                cure="アドレスを一つ書く。例: toritsugi@example.jp",
            )
    webhook = values.get("TORITSUGI_ALERT_WEBHOOK") or ""
    provider = values.get("TORITSUGI_PROVIDER") or ""
    measured = values.get("TORITSUGI_AVAILABILITY") or "off"
    if measured not in ("on", "off"):
        raise ToritsugiError(
            f"使えない値です: {measured!r}", where="TORITSUGI_AVAILABILITY", cure="on か off を書く"
        )
    return Settings(
        home=home,
        tools=tools,
        city=values.get("TORITSUGI_CITY") or "matsusaka",
        sip_host=host,
        sip_port=_port(values, "TORITSUGI_SIP_PORT", 5060),
        http_port=0
        if values.get("TORITSUGI_HTTP_PORT") == "0"
        else _port(values, "TORITSUGI_HTTP_PORT", 8080),
        ami_port=_port(values, "TORITSUGI_AMI_PORT", 5038),
        agi_port=_port(values, "TORITSUGI_AGI_PORT", 4573),
        hep_port=_port(values, "TORITSUGI_HEP_PORT", 9060),
        wire_port=_port(values, "TORITSUGI_WIRE_PORT", 8088),
        rtp_range=_rtp_range(values.get("TORITSUGI_RTP_RANGE") or "10000-10999"),
        database_url=values.get("TORITSUGI_DATABASE_URL") or f"sqlite+aiosqlite:///{home / 'toritsugi.db'}",
        node=node,
        smtp_url=smtp_url,
        alert_from=sender[0] if sender else "",
        alert_to=recipients,
        alert_webhook=_webhook(webhook, "TORITSUGI_ALERT_WEBHOOK") if webhook else "",
        provider_url=_webhook(provider, "TORITSUGI_PROVIDER").rstrip("/") if provider else "",
        provider_key=values.get("TORITSUGI_PROVIDER_KEY") or "",
        availability=measured == "on",
    )
