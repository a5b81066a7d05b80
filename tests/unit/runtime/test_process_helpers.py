"""Small facts about processes: pid files, heartbeats, ports, settings."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ToritsugiError
from core.settings import Settings, settings_from
from runtime.process import (
    PortTaken,
    alive,
    beat,
    beat_age,
    beat_path,
    free_port,
    read_json,
    require_free_ports,
    write_json,
)

pytestmark = pytest.mark.unit


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    ports = {f"TORITSUGI_{name}_PORT": str(free_port()) for name in ("SIP", "AMI", "AGI", "HEP")}
    return settings_from({"TORITSUGI_HOME": str(tmp_path), **ports})


def test_a_beat_has_an_age(settings: Settings) -> None:
    path = beat_path(settings, "engine")
    assert beat_age(path) is None
    beat(path)
    age = beat_age(path)
    assert age is not None
    assert age < 5
    os.utime(path, (1, 1))
    age = beat_age(path)
    assert age is not None
    assert age > 1e6


def test_a_state_file_is_read_back_and_a_damaged_one_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert read_json(path) == {}
    write_json(path, {"名": 1})
    assert read_json(path) == {"名": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["state.json"]
    for damaged in ('{"a": ', "[1]", "\xff"):
        path.write_text(damaged, encoding="latin-1")
        assert read_json(path) == {}


def test_alive_knows_the_living_the_dead_and_the_undead() -> None:
    assert alive(os.getpid())
    assert not alive(None)
    assert not alive(0)
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not alive(child.pid)  # ended and not yet waited for
    child.wait()
    assert not alive(child.pid)


def test_free_ports_are_no_trouble(settings: Settings) -> None:
    require_free_ports(settings)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sip", socket.SOCK_DGRAM),
        ("sip", socket.SOCK_STREAM),
        ("ami", socket.SOCK_STREAM),
        ("agi", socket.SOCK_STREAM),
        ("hep", socket.SOCK_DGRAM),
    ],
)
def test_a_taken_port_is_named_with_its_setting(
    settings: Settings, name: str, kind: socket.SocketKind
) -> None:
    port = getattr(settings, f"{name}_port")
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(PortTaken, match=str(port)) as caught:
            require_free_ports(settings)
    assert caught.value.where == f"TORITSUGI_{name.upper()}_PORT"
    assert caught.value.where in caught.value.cure


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TORITSUGI_SIP_PORT", "0"),
        ("TORITSUGI_SIP_PORT", "65536"),
        ("TORITSUGI_AMI_PORT", "five"),
        ("TORITSUGI_AGI_PORT", "-1"),
        ("TORITSUGI_HEP_PORT", "12x"),
        ("TORITSUGI_HTTP_PORT", "80 80"),
        ("TORITSUGI_RTP_RANGE", "10000"),
        ("TORITSUGI_RTP_RANGE", "10999-10000"),
        ("TORITSUGI_RTP_RANGE", "1-2"),
        ("TORITSUGI_NODE", "n 1"),
        ("TORITSUGI_NODE", "松"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(ToritsugiError) as caught:
        settings_from({name: value})
    assert caught.value.where == name
    assert caught.value.cure


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert settings_from({"TORITSUGI_SIP_PORT": "", "TORITSUGI_NODE": ""}) == settings_from({})
