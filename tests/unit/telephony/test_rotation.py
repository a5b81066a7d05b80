"""Which rotated logs have served, told from a real tail's position; and the SIP mirror's file turning by the day."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.records import sip_messages
from telephony.disk.rotation import begun, drained, rename_live, rotated
from telephony.disk.tail import Position, Tail
from telephony.hep import HepReceiver, parse_packet

pytestmark = pytest.mark.unit

PACKETS = [
    bytes.fromhex(text) for text in json.loads(Path(__file__).with_name("hep_packets.json").read_text())
]
INVITE = PACKETS[2]
DAY = 86_400


def write(path: Path, text: str, written: int) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
    os.utime(path, ns=(written, written))


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "cel_master.json"


def test_renaming_never_overwrites(log: Path) -> None:
    assert rename_live(log, "2026-11-21") is None
    log.touch()
    assert rename_live(log, "2026-11-21") is None
    for number in range(3):
        write(log, f"{number}\n", number + 1)
        rename_live(log, "2026-11-21")
    assert names(rotated(log)) == [f"cel_master.json.2026-11-21{part}" for part in ("", "-2", "-3")]
    assert [path.read_text() for path in rotated(log)] == ["0\n", "1\n", "2\n"]


def test_a_file_has_served_when_a_later_one_is_being_read(log: Path) -> None:
    write(log, "a\nb\n", 1)
    rename_live(log, "1")
    write(log, "c\nd\n", 2)
    rename_live(log, "2")
    write(log, "e\nf\n", 3)
    assert drained(log, None) == []
    tail, served = Tail(log), []
    for _ in range(6):
        tail.read(limit=1)
        served.append(names(drained(log, tail.position)))
    first, second = "cel_master.json.1", "cel_master.json.2"
    # At its very end a rotated file has nothing left either: nobody writes to it any more.
    assert served == [[], [first], [first], [first, second], [first, second], [first, second]]


def test_a_live_file_has_never_served(log: Path) -> None:
    write(log, "a\n", 1)
    tail = Tail(log)
    tail.read()
    assert drained(log, tail.position) == []


def test_a_position_in_a_lost_file_frees_none(log: Path) -> None:
    write(log, "a\n", 1)
    rename_live(log, "1")
    write(log, "b\n", 2)
    inode = log.stat().st_ino
    assert drained(log, Position(inode=inode + 1000, head=0, offset=0)) == []
    assert drained(log, Position(inode=inode, head=12345, offset=0)) == []


@given(
    st.lists(
        st.one_of(
            st.just("write"), st.just("rotate"), st.just("delete"), st.integers(1, 4), st.just("restart")
        ),
        max_size=40,
    )
)
@settings(max_examples=150, deadline=None)
def test_deleting_what_has_served_loses_no_line(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str | int]
) -> None:
    log = tmp_path_factory.mktemp("rotation") / "log"
    tail, seen, told = Tail(log), list[str](), list[str]()
    for moment, step in enumerate(steps, start=1):
        if step == "write":
            told.append(f"line {moment}")
            write(log, f"line {moment}\n", moment)
        elif step == "rotate":
            rename_live(log, str(moment))
        elif step == "delete":
            saved = tail.position
            for path in drained(log, saved):
                own = saved is not None and path.stat().st_ino == saved.inode
                path.unlink()
                if own:  # as the housekeeper does: the position is forgotten with its file
                    tail.close()
                    tail = Tail(log)
        elif step == "restart":
            saved = tail.position
            tail.close()
            tail = Tail(log, saved)
        else:
            seen += [line.text for line in tail.read(int(step))]
        assert tail.lost_files == 0
    while lines := tail.read():
        seen += [line.text for line in lines]
    tail.close()
    assert seen == told


def test_when_a_file_began(tmp_path: Path) -> None:
    def first(text: str) -> float | None:
        path = tmp_path / "log"
        path.write_text(text)
        return begun(path)

    assert first('{"eventtype":"ANSWER","eventtime":"1795228422.02","num":"0901"}\n') == 1795228422.02
    assert first('{"at": 1795227795.5, "call_id": "x"}\n') == 1795227795.5
    assert first("1795228422|n1-1795228422.49|q|op101|CONNECT|1\n") == 1795228422.0
    assert [first(text) for text in ("", "[2026-11-21 03:05:53.123] NOTICE\n", "{}\n", "{\n", "[]\n")] == [
        None
    ] * 5
    assert begun(tmp_path / "none") is None


def sent_on(packet: bytes, days: int) -> bytes:
    """The packet, sent so many days later and in another call."""
    read = parse_packet(packet)
    assert read is not None
    seconds = int(read.at)
    assert packet.count(seconds.to_bytes(4)) == 1
    later = packet.replace(seconds.to_bytes(4), (seconds + days * DAY).to_bytes(4))
    where = later.index(b"Call-ID: ") + len(b"Call-ID: ")
    return later[:where] + b"%02d" % days + later[where + 2 :]


async def test_the_sip_mirror_turns_its_file_by_the_day(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    receiver = HepReceiver("127.0.0.1", 0, path)
    await receiver.start()
    for days in (0, 0, 1, 1, 3):
        receiver.datagram_received(sent_on(INVITE, days), ("127.0.0.1", 1))
        receiver.datagram_received(sent_on(PACKETS[8], days), ("127.0.0.1", 1))
    await receiver.stop()
    first = date(2026, 11, 21)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "messages.jsonl",
        f"messages.jsonl.{first}",
        "messages.jsonl.2026-11-22",
    ]
    assert [(row["call_id"][:2], row["method"]) for row in sip_messages(path)] == [
        ("00", "INVITE"), ("00", "BYE"), ("01", "INVITE"), ("01", "BYE"), ("03", "INVITE"), ("03", "BYE")
    ]  # fmt: skip


async def test_a_mirror_started_on_another_day_turns_the_file_it_finds(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text('{"at": 1.0}\n')
    os.utime(path, (1795227795 - 3 * DAY, 1795227795 - 3 * DAY))
    receiver = HepReceiver("127.0.0.1", 0, path)
    await receiver.start()
    receiver.datagram_received(INVITE, ("127.0.0.1", 1))
    await receiver.stop()
    assert (tmp_path / "messages.jsonl.2026-11-18").read_text() == '{"at": 1.0}\n'
    assert len(path.read_text().splitlines()) == 1


def test_a_damaged_line_of_the_mirror_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_bytes(
        b'{"at": 1.0}\n{"at": 2.0, "call_id": "a{"at": 3.0}\n\xff\x00\n[]\n7\n'
        + b"[" * 9999
        + b'\n{"at": 4.0}\n{"a'
    )
    assert [row["at"] for row in sip_messages(path)] == [1.0, 4.0]


async def test_a_mirror_whose_file_was_deleted_writes_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    receiver = HepReceiver("127.0.0.1", 0, path)
    await receiver.start()
    receiver.datagram_received(INVITE, ("127.0.0.1", 1))
    path.unlink()
    receiver.datagram_received(PACKETS[8], ("127.0.0.1", 1))
    await receiver.stop()
    assert [row["method"] for row in sip_messages(path)] == ["BYE"]
