"""The lint's rules for browsers' telephones: they come through the desk alone, and what they say is encrypted.

Asterisk's web server knows no sign-in of ours, and a password that a browser was given may have been kept by somebody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from asterisk_conf.dialplan_text import read_entries
from asterisk_conf.finding import Finding


def web_server(files: Mapping[str, str]) -> Iterator[Finding]:
    """It listens on loopback, and offers no page of its own."""
    entries = {entry.key: entry for entry in read_entries(files, "http.conf")}
    for key, right in (
        ("bindaddr", "127.0.0.1"),
        ("enable_static", "no"),
        ("enable_status", "no"),
        ("tlsenable", ""),
    ):
        entry = entries.get(key)
        if (entry.value if entry else "") != right:
            yield Finding(
                rule="browser",
                place=entry.place if entry else "http.conf:1",
                message=f"Asterisk の HTTP の {key} が決まりと違います",
                cure=f"{key} = {right}" if right else f"{key} を消す",
            )


def browser_endpoints(files: Mapping[str, str]) -> Iterator[Finding]:
    """Whoever is answered over the websocket is an operator, and is known from loopback only."""
    endpoints: dict[str, list[tuple[str, str, str]]] = {}
    for entry in read_entries(files, "pjsip.conf"):
        endpoints.setdefault(entry.section, []).append((entry.key, entry.value, entry.place))
    for section, entries in endpoints.items():
        values = {(key, value) for key, value, _ in entries}
        if ("webrtc", "yes") not in values:
            continue
        for wanted in (
            ("context", "from-operator"),
            ("deny", "0.0.0.0/0.0.0.0"),
            ("permit", "127.0.0.1/255.255.255.255"),
            ("auth", section),
            ("rtp_timeout", "30"),
        ):
            if wanted not in values or sum(key == wanted[0] for key, _, _ in entries) != 1:
                yield Finding(
                    rule="browser",
                    place=entries[0][2],
                    message=f"ブラウザーの電話 {section} の {wanted[0]} が決まりと違います",
                    cure=f"{wanted[0]} = {wanted[1]} と書く",
                )


def websocket(files: Mapping[str, str]) -> Iterator[Finding]:
    """The transport itself is bound to loopback too."""
    for entry in read_entries(files, "pjsip.conf"):
        if entry.section == "transport-ws" and entry.key == "bind":
            try:
                inside = ipaddress.ip_address(entry.value.rpartition(":")[0]).is_loopback
            except ValueError:
                inside = False
            if not inside:
                yield Finding(
                    rule="browser",
                    place=entry.place,
                    message="ブラウザーの電話の入口がこの機械の外に開いています",
                    cure="bind = 127.0.0.1:… にする",
                )


BROWSER_RULES = (web_server, browser_endpoints, websocket)
