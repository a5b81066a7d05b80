"""RTP and RTCP packets (RFC 3550, RFC 4733) as values, and the statistics a receiver keeps."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEADER = struct.Struct("!BBHII")
_NTP_EPOCH = 2_208_988_800


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpPacket:
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        second = self.payload_type | (0x80 if self.marker else 0)
        head = _HEADER.pack(
            0x80, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc & 0xFFFFFFFF
        )
        return head + self.payload


def parse_rtp(data: bytes) -> RtpPacket | None:
    """The packet in a datagram, or None when it is no RTP version 2."""
    if len(data) < _HEADER.size or data[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    start = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if start > end:
        return None
    return RtpPacket(
        payload_type=second & 0x7F,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=data[start:end],
        marker=bool(second & 0x80),
    )


DTMF_KEYS = "0123456789*#ABCD"


def dtmf_payload(key: str, duration: int, *, end: bool) -> bytes:
    """RFC 4733 telephone-event: `duration` in timestamp units, volume −10 dBm0."""
    return struct.pack("!BBH", DTMF_KEYS.index(key), 0x8A if end else 0x0A, min(duration, 0xFFFF))


def parse_dtmf(payload: bytes) -> tuple[str, bool] | None:
    """Key and end bit of a telephone-event, None for events that are no key."""
    if len(payload) < 4 or payload[0] >= len(DTMF_KEYS):
        return None
    return DTMF_KEYS[payload[0]], bool(payload[1] & 0x80)


class ReceptionStatistics:
    """RFC 3550 appendix A: sequence numbers seen, packets lost, interarrival jitter."""

    def __init__(self) -> None:
        self.ssrc = 0
        self.received = 0
        self.jitter = 0.0
        """Timestamp units."""
        self._base = 0
        self._highest = -1
        self._transit: float | None = None
        self._prior_expected = 0
        self._prior_received = 0
        self._lost_before = 0

    @property
    def expected(self) -> int:
        return self._highest - self._base + 1 if self.received else 0

    @property
    def lost(self) -> int:
        """Packets that never came, over every source heard; repeated packets hide lost ones."""
        return self._lost_before + max(0, self.expected - self.received)

    @property
    def highest(self) -> int:
        """Extended highest sequence number."""
        return max(self._highest, 0)

    def add(self, packet: RtpPacket, arrival: float) -> None:
        """Count a packet that arrived at `arrival` seconds."""
        if not self.received or packet.ssrc != self.ssrc:
            self._lost_before = self.lost
            self.ssrc, self.received = packet.ssrc, 0
            self._base = self._highest = packet.sequence
            self._prior_expected = self._prior_received = 0
            self._transit = None
        else:
            step = (packet.sequence - self._highest) & 0xFFFF
            if step < 0x8000:
                self._highest += step
        self.received += 1
        transit = arrival * 8000 - packet.timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < 8000:  # a new talk spurt with a jumped clock is no jitter
                self.jitter += (change - self.jitter) / 16
        self._transit = transit

    def fraction_lost(self) -> int:
        """Loss since the last question, in 1/256."""
        expected, received = self.expected - self._prior_expected, self.received - self._prior_received
        self._prior_expected, self._prior_received = self.expected, self.received
        if expected <= 0 or received >= expected:
            return 0
        return min(255, (expected - received) * 256 // expected)


def ntp_of(epoch: float) -> int:
    """64-bit NTP time stamp."""
    return int((epoch + _NTP_EPOCH) * (1 << 32))


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderReport:
    """What we tell: how much was sent, and (when something was heard) how it arrived."""

    ssrc: int
    at: float
    timestamp: int
    packets: int
    octets: int

    def pack(self, report: bytes, cname: str) -> bytes:
        blocks = 1 if report else 0
        sender = struct.pack(
            "!BBHIQIII",
            0x80 | blocks,
            200,
            6 + 6 * blocks,
            self.ssrc,
            ntp_of(self.at),
            self.timestamp & 0xFFFFFFFF,
            self.packets,
            self.octets,
        )
        item = bytes([1, len(cname)]) + cname.encode("ascii")
        chunk = self.ssrc.to_bytes(4, "big") + item
        chunk += bytes(4 - len(chunk) % 4)
        return sender + report + struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk


def report_block(statistics: ReceptionStatistics, last_sr: int, delay_s: float) -> bytes:
    """A reception report block; `last_sr` is the middle of the peer's last NTP time, `delay_s` since then."""
    lost = min(statistics.lost, 0x7FFFFF)
    return struct.pack(
        "!IIIIII",
        statistics.ssrc,
        statistics.fraction_lost() << 24 | lost,
        statistics.highest & 0xFFFFFFFF,
        int(statistics.jitter),
        last_sr,
        int(delay_s * 65536) if last_sr else 0,
    )


def rtcp_bye(ssrc: int) -> bytes:
    return struct.pack("!BBHI", 0x81, 203, 1, ssrc)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerReport:
    """What the peer's RTCP said: its clock (middle 32 bits of NTP, 0 without SR) and its report about us."""

    middle_ntp: int = 0
    fraction_lost: int | None = None
    cumulative_lost: int = 0
    last_sr: int = 0
    delay: int = 0

    def round_trip_s(self, arrival: float) -> float | None:
        """Seconds, when the peer echoed a report of ours."""
        if not self.last_sr:
            return None
        now = (ntp_of(arrival) >> 16) & 0xFFFFFFFF
        return ((now - self.last_sr - self.delay) & 0xFFFFFFFF) / 65536


def parse_rtcp(data: bytes, our_ssrc: int) -> PeerReport | None:
    """The first SR or RR of a compound packet, None when there is none."""
    offset = 0
    while offset + 8 <= len(data):
        first, kind, length = struct.unpack_from("!BBH", data, offset)
        end = offset + 4 * (length + 1)
        if first >> 6 != 2 or end > len(data):
            return None
        if kind in {200, 201}:
            return _peer_report(data[offset:end], kind, first & 0x1F, our_ssrc)
        offset = end
    return None


def _peer_report(part: bytes, kind: int, count: int, our_ssrc: int) -> PeerReport | None:
    middle, start = 0, 8
    if kind == 200:
        if len(part) < 28:
            return None
        middle, start = (int.from_bytes(part[8:16], "big") >> 16) & 0xFFFFFFFF, 28
    for index in range(count):
        at = start + 24 * index
        if at + 24 > len(part):
            break
        ssrc, loss, _, _, last_sr, delay = struct.unpack_from("!IIIIII", part, at)
        if ssrc == our_ssrc:
            return PeerReport(
                middle_ntp=middle,
                fraction_lost=loss >> 24,
                cumulative_lost=loss & 0xFFFFFF,
                last_sr=last_sr,
                delay=delay,
            )
    return PeerReport(middle_ntp=middle)
