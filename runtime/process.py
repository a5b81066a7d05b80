"""Small facts about processes that the parent and its children share: pid files, heartbeats, ports."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ToritsugiError
from core.settings import Settings
from desk.settings import desk_settings_from

BEAT_EVERY_S = 0.5
BEAT_DEAD_S = 2.5
"""A loop that has not beaten for so long hangs; the parent kills it, which closes its sockets."""

_PR_SET_PDEATHSIG = 1


class PortTaken(ToritsugiError):
    """Another program listens where we want to."""

    code = "runtime.port_taken"


def run_folder(settings: Settings) -> Path:
    folder = settings.home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def beat_path(settings: Settings, name: str) -> Path:
    return run_folder(settings) / f"{name}.beat"


def beat(path: Path) -> None:
    """Say that the loop still turns."""
    path.touch()


def beat_age(path: Path) -> float | None:
    """Seconds since the last beat; None before the first."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace a small state file so that a reader never sees half of it."""
    write_text(path, json.dumps(data, ensure_ascii=False))


def write_text(path: Path, text: str) -> None:
    """The same for a text."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """A small state file; empty when it is missing or damaged."""
    with contextlib.suppress(OSError, ValueError):
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict):
            return data
    return {}


def alive(pid: int | None) -> bool:
    """Whether a process with this id runs (a zombie does not)."""
    if not pid:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def die_with_parent() -> None:
    """For a child before exec: end when the parent ends, even by SIGKILL (Linux prctl)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def require_free_ports(settings: Settings, *, but_asterisk: bool = False) -> None:
    """Check every port before anything is started.

    Args:
        but_asterisk: leave out the ports that an Asterisk about to be taken over holds.

    Raises:
        PortTaken: names the setting to change.
    """
    wanted = [
        ("TORITSUGI_SIP_PORT", settings.sip_host, settings.sip_port, socket.SOCK_DGRAM),
        ("TORITSUGI_SIP_PORT", settings.sip_host, settings.sip_port, socket.SOCK_STREAM),
        ("TORITSUGI_AMI_PORT", "127.0.0.1", settings.ami_port, socket.SOCK_STREAM),
        ("TORITSUGI_WIRE_PORT", "127.0.0.1", settings.wire_port, socket.SOCK_STREAM),
        ("TORITSUGI_AGI_PORT", "127.0.0.1", settings.agi_port, socket.SOCK_STREAM),
        ("TORITSUGI_HEP_PORT", "127.0.0.1", settings.hep_port, socket.SOCK_DGRAM),
    ]
    if settings.http_port:
        desk = desk_settings_from(settings.http_port)
        wanted.append(("TORITSUGI_HTTP_PORT", desk.host, desk.port, socket.SOCK_STREAM))
    for name, host, port, kind in wanted[4:] if but_asterisk else wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as exc:
                raise PortTaken(
                    f"{host} のポート {port} が使えません ({exc.strerror})",
                    where=name,
                    cure=f"ほかの番号を {name} に書くか、使っているプログラムを止める",
                ) from exc


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that is free on loopback now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
