"""Asterisk's copy of every SIP message (HEPv3 over UDP): a count of calls that depends on no log of calls.

`res_hep_pjsip` mirrors what it receives and sends. Kept are requests INVITE, CANCEL, BYE and the replies to
INVITE, each once although SIP repeats them; one JSON object a line. The file of a past day is `<name>.<date>`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import re
import struct
from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TextIO

from core.clock import TOKYO
from core.errors import ToritsugiError
from telephony.disk.rotation import rename_live

log = logging.getLogger(__name__)

KEPT = frozenset({"INVITE", "CANCEL", "BYE"})
MAX_SEEN = 50_000

_MAGIC = b"HEP3"
_SIP = 1
_COMPACT = {"i": "call-id", "f": "from", "t": "to"}
_USER = re.compile(r"(?:sips?|tel):([^@;>\s]*)", re.IGNORECASE)
_TAG = re.compile(r";\s*tag\s*=", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One HEPv3 packet."""

    at: float
    src: str
    """`address:port`."""
    dst: str
    protocol: int
    """1 is SIP, 5 RTCP."""
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SipMessage:
    """One SIP message that passed Asterisk. `status` is None for a request."""

    at: float
    call_id: str
    method: str
    """Of the request; for a reply, of the request it answers."""
    status: int | None
    to_user: str
    """User part of the Request-URI (what was dialled); of To for a reply."""
    from_user: str
    src: str
    dst: str
    initial: bool
    """An INVITE that opens a dialogue: a request, and To has no tag."""
    cseq: int


def parse_packet(data: bytes) -> Packet | None:
    """The packet in a datagram; None when it is none."""
    if len(data) < 6 or data[:4] != _MAGIC or struct.unpack_from("!H", data, 4)[0] != len(data):
        return None
    chunks: dict[int, bytes] = {}
    offset = 6
    while offset + 6 <= len(data):
        vendor, kind, length = struct.unpack_from("!HHH", data, offset)
        if length < 6 or offset + length > len(data):
            return None
        if vendor == 0:
            chunks[kind] = data[offset + 6 : offset + length]
        offset += length
    try:
        seconds, micros = int.from_bytes(chunks[9]), int.from_bytes(chunks[10])
        if seconds >= 1 << 32:
            return None
        return Packet(
            at=seconds + micros / 1_000_000,
            src=_address(chunks.get(3) or chunks[5], chunks[7]),
            dst=_address(chunks.get(4) or chunks[6], chunks[8]),
            protocol=int.from_bytes(chunks[11]),
            payload=chunks[15],
        )
    except (KeyError, ValueError, OverflowError):
        return None


def _address(address: bytes, port: bytes) -> str:
    ip = ipaddress.ip_address(address)
    number = int.from_bytes(port)
    return f"[{ip}]:{number}" if ip.version == 6 else f"{ip}:{number}"


def parse_sip(packet: Packet) -> SipMessage | None:
    """The SIP message in a packet; None when it is none, or lacks what every message must have."""
    if packet.protocol != _SIP:
        return None
    head = packet.payload.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    start, *lines = head.split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = name.strip().lower()
        if colon:
            headers.setdefault(_COMPACT.get(key, key), value.strip())
    words = start.split(" ", 2)
    try:
        number, method = headers["cseq"].split()
        if len(words) < 3:
            return None
        status = int(words[1]) if words[0] == "SIP/2.0" else None
        dialled = words[1] if status is None else headers["to"]
        return SipMessage(
            at=packet.at,
            call_id=headers["call-id"],
            method=method,
            status=status,
            to_user=_user(dialled),
            from_user=_user(headers["from"]),
            src=packet.src,
            dst=packet.dst,
            initial=status is None and method == "INVITE" and not _TAG.search(headers["to"]),
            cseq=int(number),
        )
    except (KeyError, ValueError):
        return None


def _user(uri: str) -> str:
    found = _USER.search(uri)
    return found[1] if found else ""


@dataclass(slots=True)
class HepCounters:
    """What happened since the start, for metrics."""

    packets: int = 0
    garbage: int = 0
    """Datagrams that are no HEPv3 packet with a SIP message."""
    written: int = 0
    lost: int = 0
    """Messages that could not be written (disk full)."""


class HepReceiver(asyncio.DatagramProtocol):
    """Writes the SIP messages it is sent to `path`. Runs in the parent process, which outlives the engine.

    Args:
        port: UDP; 0 takes a free one, see `port` after `start()`.
    """

    def __init__(self, host: str, port: int, path: Path) -> None:
        self._host, self._port, self._path = host, port, path
        self._transport: asyncio.DatagramTransport | None = None
        self._file: TextIO | None = None
        self._day = date.min
        # SIP over UDP repeats itself; the memory of what was seen is bounded.
        self._seen: OrderedDict[tuple[str, str, int, int | None, str], None] = OrderedDict()
        self.counters = HepCounters()

    @property
    def port(self) -> int:
        """The port listened on."""
        if self._transport is None:
            return self._port
        address: tuple[str, int] = self._transport.get_extra_info("sockname")[:2]
        return address[1]

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            ToritsugiError: the port is taken, or the file cannot be opened.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
            self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: self, local_addr=(self._host, self._port)
            )
        except OSError as exc:
            await self.stop()
            raise ToritsugiError(
                f"SIP の写し (HEP) を受け取れません: {exc.strerror}",
                where=f"{self._host}:{self._port}, {self._path}",
                cure="TORITSUGI_HEP_PORT を空いているポートにする",
            ) from exc

    async def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.counters.packets += 1
        packet = parse_packet(data)
        message = parse_sip(packet) if packet else None
        if message is None:
            self.counters.garbage += 1
        elif self._wanted(message):
            self._write(message)

    def _wanted(self, message: SipMessage) -> bool:
        if message.method not in KEPT or (message.status is not None and message.method != "INVITE"):
            return False
        key = (message.call_id, message.method, message.cseq, message.status, message.src)
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        return True

    def _write(self, message: SipMessage) -> None:
        if self._file is None:
            return
        try:
            self._turn(_day_of(message.at))
            # Flushed at once: whoever reconciles reads this file while we write it.
            self._file.write(json.dumps(asdict(message), ensure_ascii=False) + "\n")
            self._file.flush()
            self.counters.written += 1
        except OSError:
            if not self.counters.lost:
                log.exception("SIP messages cannot be written to %s", self._path)
            self.counters.lost += 1

    def _open(self) -> None:
        self._file = self._path.open("a", encoding="utf-8")
        stat = self._path.stat()
        self._day = _day_of(stat.st_mtime) if stat.st_size else date.min

    def _turn(self, today: date) -> None:
        """Begin a new file with a new day, and when the file was taken away because its time was over."""
        old = self._file
        if old is None:
            return
        if today > self._day > date.min:
            rename_live(self._path, self._day.isoformat())
        if not self._path.exists():
            self._open()
            old.close()
        self._day = max(self._day, today)


def _day_of(at: float) -> date:
    return datetime.fromtimestamp(at, TOKYO).date()
