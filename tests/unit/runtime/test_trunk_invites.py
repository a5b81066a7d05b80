"""Which of the mirrored INVITEs came in over a trunk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.settings import settings_from
from runtime.records import trunk_invites

pytestmark = pytest.mark.unit


def seen(tmp_path: Path, host: str, src: str, dst: str, from_user: str = "09012345678") -> bool:
    """Whether an INVITE from `src` to `dst` counts as a call of the trunk 192.0.2.0/28."""
    settings = settings_from({"TORITSUGI_SIP_HOST": host, "TORITSUGI_SIP_PORT": "5060"})
    capture = tmp_path / "messages.jsonl"
    message = {
        "at": 1.0, "call_id": "a", "method": "INVITE", "status": None, "to_user": "0120000101",
        "from_user": from_user, "src": src, "dst": dst, "initial": True, "cseq": 1,
    }  # fmt: skip
    capture.write_text(json.dumps(message) + "\n", encoding="utf-8")
    return bool(trunk_invites(settings, capture, ["101"], ["192.0.2.0/28"]))


@pytest.mark.parametrize("host", ["198.51.100.7", "0.0.0.0"])
def test_a_carrier_that_sends_from_port_5060_is_counted(tmp_path: Path, host: str) -> None:
    assert seen(tmp_path, host, "192.0.2.10:5060", "198.51.100.7:5060")
    assert seen(tmp_path, host, "192.0.2.10:15060", "198.51.100.7:5060")


@pytest.mark.parametrize("host", ["198.51.100.7", "0.0.0.0"])
@pytest.mark.parametrize("dst", ["198.51.100.20:5060", "198.51.100.20:40001", "192.0.2.10:5060"])
def test_what_we_send_is_not(tmp_path: Path, host: str, dst: str) -> None:
    assert not seen(tmp_path, host, "198.51.100.7:5060", dst)


def test_an_offer_to_a_browser_is_no_call_of_a_trunk(tmp_path: Path) -> None:
    """Seen with Asterisk 22.10.1: what goes out over its websocket comes from the web server's own port."""
    assert not seen(tmp_path, "127.0.0.1", "127.0.0.1:8088", "127.0.0.1:33456")
    assert seen(tmp_path, "127.0.0.1", "127.0.0.1:33456", "127.0.0.1:5060")


@pytest.mark.parametrize(("name", "counted"), [("op101", False), ("op999", True), ("opera", True)])
def test_only_an_operator_of_ours_is_no_citizen(tmp_path: Path, name: str, counted: bool) -> None:
    assert seen(tmp_path, "198.51.100.7", "192.0.2.10:5061", "198.51.100.7:5060", name) is counted
