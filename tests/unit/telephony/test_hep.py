"""SIP messages out of HEPv3 packets, as Asterisk 22.10.1 sent them (OPTIONS, a repeated INVITE, BYE)."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.hep import HepReceiver, Packet, SipMessage, parse_packet, parse_sip

pytestmark = pytest.mark.unit

PACKETS = [
    bytes.fromhex(text) for text in json.loads(Path(__file__).with_name("hep_packets.json").read_text())
]


def messages() -> list[SipMessage]:
    found = []
    for data in PACKETS:
        packet = parse_packet(data)
        assert packet is not None
        message = parse_sip(packet)
        assert message is not None
        found.append(message)
    return found


def test_what_was_captured() -> None:
    assert [(m.method, m.status, m.initial) for m in messages()] == [
        ("OPTIONS", None, False), ("OPTIONS", 200, False),
        ("INVITE", None, True), ("INVITE", None, True), ("INVITE", 100, False), ("INVITE", 100, False),
        ("INVITE", 200, False), ("ACK", None, False), ("BYE", None, False), ("BYE", 200, False),
    ]  # fmt: skip
    invite = messages()[2]
    assert (invite.to_user, invite.from_user, invite.cseq) == ("0598000000", "09012345678", 2)
    assert invite.dst == "127.0.0.1:15060"
    assert invite.at == pytest.approx(1795227795.582)


async def test_each_message_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "sip" / "messages.jsonl"
    receiver = HepReceiver("127.0.0.1", 0, path)
    await receiver.start()
    for data in (*PACKETS, *PACKETS, b"garbage", b""):
        receiver.datagram_received(data, ("127.0.0.1", 1))
    await receiver.stop()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["method"], row["status"]) for row in rows] == [
        ("INVITE", None), ("INVITE", 100), ("INVITE", 200), ("BYE", None)
    ]  # fmt: skip
    assert set(rows[0]) == {
        "at", "call_id", "method", "status", "to_user", "from_user", "src", "dst", "initial", "cseq"
    }  # fmt: skip
    assert (receiver.counters.written, receiver.counters.garbage) == (4, 2)


async def test_a_restart_appends(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    for _ in range(2):
        receiver = HepReceiver("127.0.0.1", 0, path)
        await receiver.start()
        receiver.datagram_received(PACKETS[2], ("127.0.0.1", 1))
        await receiver.stop()
    assert len(path.read_text().splitlines()) == 2


def test_cut_packets_are_no_packets() -> None:
    data = PACKETS[2]
    for cut in range(len(data)):
        assert parse_packet(data[:cut]) is None


@pytest.mark.parametrize("chunk", [9, 10])
def test_a_packet_of_no_year_is_no_packet(chunk: int) -> None:
    """The time is a number of four bytes; a longer one would be no date, or no float."""
    huge = b"\xff" * 300
    whole = PACKETS[2]
    offset, parts = 6, []
    while offset < len(whole):
        vendor, kind, length = struct.unpack_from("!HHH", whole, offset)
        body = huge if kind == chunk else whole[offset + 6 : offset + length]
        parts.append(struct.pack("!HHH", vendor, kind, 6 + len(body)) + body)
        offset += length
    made = b"".join(parts)
    assert parse_packet(b"HEP3" + struct.pack("!H", 6 + len(made)) + made) is None


@given(st.binary(max_size=300), st.integers(0, 300))
def test_no_bytes_raise(noise: bytes, where: int) -> None:
    data = bytearray(PACKETS[2])
    data[where : where + len(noise)] = noise
    for candidate in (noise, bytes(data), PACKETS[2][:4] + noise):
        packet = parse_packet(candidate)
        if packet is not None:
            parse_sip(packet)


def sip(text: str) -> SipMessage | None:
    packet = Packet(at=1.0, src="a:1", dst="b:2", protocol=1, payload=text.replace("\n", "\r\n").encode())
    return parse_sip(packet)


def test_compact_headers_and_re_invites() -> None:
    message = sip(
        "INVITE sip:200@h SIP/2.0\nf: <sip:1@h>;tag=x\nt: <sip:200@h>;tag=y\ni: id\nCSeq: 7 INVITE\n\n"
    )
    assert message is not None
    assert (message.call_id, message.initial, message.cseq) == ("id", False, 7)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "INVITE\nCSeq: 1 INVITE\n\n", "SIP/2.0 OK nothing\nCSeq: 1 BYE\n\n"]
)
def test_what_lacks_its_headers_is_no_message(text: str) -> None:
    assert sip(text) is None
