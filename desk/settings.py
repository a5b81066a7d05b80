"""How the desk is reached, and how strict it is; from environment variables."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import ToritsugiError
from interactions.access import Role

VARIABLES = (
    "TORITSUGI_HTTP_HOST", "TORITSUGI_DESK_ORIGIN", "TORITSUGI_TLS_CERT", "TORITSUGI_TLS_KEY", "TORITSUGI_DESK_ALLOW",
    "TORITSUGI_DESK_PROXIES", "TORITSUGI_DESK_IDLE_MIN", "TORITSUGI_DESK_SESSION_HOURS", "TORITSUGI_DESK_SECOND_FACTOR",
)  # fmt: skip
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
OWN_CERTIFICATE = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """One desk's address and rules."""

    host: str = "127.0.0.1"
    """`TORITSUGI_HTTP_HOST`: address that the desk listens on."""
    port: int = 8080
    origin: str = ""
    """`TORITSUGI_DESK_ORIGIN`: how browsers name the desk, `https://desk.example.jp`."""
    certificate: str = ""
    """`TORITSUGI_TLS_CERT`: PEM file, `own` for one made here, empty for no TLS in this server."""
    certificate_key: str = ""
    """`TORITSUGI_TLS_KEY`: PEM file of the private key."""
    allow: tuple[Network, ...] = ()
    """`TORITSUGI_DESK_ALLOW`: where browsers may come from; empty for anywhere that reaches the address."""
    proxies: tuple[Network, ...] = ()
    """`TORITSUGI_DESK_PROXIES`: whose word about the browser's address counts."""
    idle_s: float = 3600.0
    """`TORITSUGI_DESK_IDLE_MIN`: a session that nobody uses for so long is over."""
    session_s: float = 43_200.0
    """`TORITSUGI_DESK_SESSION_HOURS`: a session is over after so long, used or not."""
    second_factor: frozenset[Role] = frozenset(Role)
    """`TORITSUGI_DESK_SECOND_FACTOR`: roles that need one."""

    @property
    def secure(self) -> bool:
        """Whether browsers come by https."""
        return self.origin.startswith("https://")

    @property
    def host_name(self) -> str:
        """The name that security keys are bound to."""
        return urlsplit(self.origin).hostname or "localhost"


def _networks(text: str, name: str) -> tuple[Network, ...]:
    found: list[Network] = []
    for part in _parts(text):
        try:
            found.append(ipaddress.ip_network(part, strict=False))
        except ValueError as problem:
            raise ToritsugiError(
                f"アドレスではありません: {part!r}", where=name, cure="例: 192.0.2.0/24,198.51.100.7"
            ) from problem
    return tuple(found)


def _parts(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(",") if part.strip())


def _number(values: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = values.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= most:
        raise ToritsugiError(f"使えない値です: {text!r}", where=name, cure=f"1 から {most} の数を書く")
    return int(text)


def _roles(text: str | None) -> frozenset[Role]:
    if text is None or text == "all":
        return frozenset(Role)
    if text == "none":
        return frozenset()
    names = {role.value: role for role in Role}
    for part in _parts(text):
        if part not in names:
            raise ToritsugiError(
                f"ない役割です: {part!r}",
                where="TORITSUGI_DESK_SECOND_FACTOR",
                cure=f"all、none、または次をカンマで: {', '.join(names)}",
            )
    return frozenset(names[part] for part in _parts(text))


def desk_settings_from(port: int, values: Mapping[str, str] | None = None) -> DeskSettings:
    """The desk's settings from environment variables.

    Args:
        port: `TORITSUGI_HTTP_PORT`.

    Raises:
        ToritsugiError: a variable cannot be read, or browsers off this machine would come unencrypted.
    """
    values = os.environ if values is None else values
    host = values.get("TORITSUGI_HTTP_HOST") or "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError as problem:
        raise ToritsugiError(
            f"IP アドレスではありません: {host!r}", where="TORITSUGI_HTTP_HOST", cure="例: 192.0.2.5"
        ) from problem
    certificate = values.get("TORITSUGI_TLS_CERT") or ""
    key = values.get("TORITSUGI_TLS_KEY") or ""
    if certificate and certificate != OWN_CERTIFICATE:
        for name, path in (("TORITSUGI_TLS_CERT", certificate), ("TORITSUGI_TLS_KEY", key)):
            if not path or not Path(path).is_file():
                raise ToritsugiError(
                    f"ファイルがありません: {path!r}",
                    where=name,
                    cure="PEM 形式のファイルを書く。自分で作るなら TORITSUGI_TLS_CERT=own",
                )
    proxies = _networks(values.get("TORITSUGI_DESK_PROXIES") or "", "TORITSUGI_DESK_PROXIES")
    if not address.is_loopback and not certificate and not proxies:
        raise ToritsugiError(
            "暗号化されないまま、ほかの計算機から開けることになります",
            where="TORITSUGI_HTTP_HOST",
            cure="TORITSUGI_TLS_CERT に証明書を書く (なければ own)。前に置く装置が暗号化するなら "
            "TORITSUGI_DESK_PROXIES にそのアドレスを書く",
        )
    scheme = "https" if certificate else "http"
    shown = "localhost" if address.is_loopback else f"[{host}]" if address.version == 6 else host
    origin = (values.get("TORITSUGI_DESK_ORIGIN") or f"{scheme}://{shown}:{port}").rstrip("/")
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise ToritsugiError(
            f"アドレスが読めません: {origin!r}",
            where="TORITSUGI_DESK_ORIGIN",
            cure="例: https://desk.example.jp",
        )
    return DeskSettings(
        host=host,
        port=port,
        origin=origin,
        certificate=certificate,
        certificate_key=key,
        allow=_networks(values.get("TORITSUGI_DESK_ALLOW") or "", "TORITSUGI_DESK_ALLOW"),
        proxies=proxies,
        idle_s=60.0 * _number(values, "TORITSUGI_DESK_IDLE_MIN", 60, 1440),
        session_s=3600.0 * _number(values, "TORITSUGI_DESK_SESSION_HOURS", 12, 168),
        second_factor=_roles(values.get("TORITSUGI_DESK_SECOND_FACTOR")),
    )
