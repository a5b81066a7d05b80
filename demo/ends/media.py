"""One call's audio: an RTP and an RTCP socket, a queue of what to say or press, and what is heard."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from collections import deque
from dataclasses import dataclass

from demo.ends.g711 import ALAW_SILENCE, ULAW_SILENCE, Samples, decode, encode
from demo.ends.hearing import HeardAudio, VoiceActivity
from demo.ends.rtp import (
    PeerReport,
    ReceptionStatistics,
    RtpPacket,
    SenderReport,
    dtmf_payload,
    parse_dtmf,
    parse_rtcp,
    parse_rtp,
    report_block,
    rtcp_bye,
)
from demo.ends.sdp import AudioDescription
from demo.ends.ticker import FRAME_S, shared_ticker

_FRAME = 160
_REPORT_EVERY = 100  # frames: 2 s
_END_REPEATS = 3
_REPORT_GAP_S = 0.5


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance that went out: epoch times, and whether it was said to its end."""

    name: str
    started_at: float
    ended_at: float
    whole: bool


@dataclass(slots=True)
class _Utterance:
    name: str
    samples: Samples
    done: asyncio.Future[bool]
    data: bytes = b""
    offset: int = 0
    started_at: float = 0.0


@dataclass(slots=True)
class _KeyPress:
    key: str
    frames: int
    pause: int
    done: asyncio.Future[bool]
    started: int = 0
    sent: int = 0


@dataclass(slots=True)
class MediaCounters:
    """Packets as this end counted them."""

    sent: int = 0
    octets: int = 0
    rtcp_sent: int = 0
    rtcp_received: int = 0


class MediaSession:
    """Sends 20 ms packets from `connect` to `close` (silence when nothing is queued) and keeps what comes."""

    def __init__(self, host: str, *, threshold: float = 300.0) -> None:
        self._rtp, self._rtcp = _socket_pair(host)
        self.host, self.port = host, int(self._rtp.getsockname()[1])
        self.heard = HeardAudio()
        self.voice = VoiceActivity(threshold)
        self.keys: list[tuple[str, float]] = []
        """Keys that the peer pressed (RFC 4733), with epoch times."""
        self.spoken: list[Spoken] = []
        self.counters = MediaCounters()
        self.statistics = ReceptionStatistics()
        self.peer_report: PeerReport | None = None
        self.round_trip_s: float | None = None
        self._remote: AudioDescription | None = None
        self._payload, self._sending = 0, True
        self._dtmf: int | None = None
        self._queue: deque[_Utterance | _KeyPress] = deque()
        self._ssrc = secrets.randbits(32)
        self._sequence, self._timestamp = secrets.randbits(15), secrets.randbits(31)
        self._marker, self._frames = True, 0
        self._last_sr, self._last_sr_at, self._reported_at = 0, 0.0, 0.0
        self._last_event: tuple[int, int] | None = None
        self._key_came = asyncio.Event()
        self.closed = False
        loop = asyncio.get_running_loop()
        loop.add_reader(self._rtp, self._read_rtp)
        loop.add_reader(self._rtcp, self._read_rtcp)

    def describe(self, *, version: int = 1) -> AudioDescription:
        """Our offer."""
        return AudioDescription(host=self.host, port=self.port, session=self._ssrc >> 1, version=version)

    def connect(self, remote: AudioDescription, ours: AudioDescription) -> None:
        """Start sending to `remote` with the codec of the answer; again after a re-INVITE."""
        answer = remote if len(remote.payloads) <= len(ours.payloads) else ours
        self._remote = remote
        self._payload, self._dtmf = answer.payloads[0], remote.dtmf
        self._sending = ours.direction in {"sendrecv", "sendonly"} and remote.direction in {
            "sendrecv",
            "recvonly",
        }
        if not self.closed:
            shared_ticker().add(self)

    async def say(self, samples: Samples, name: str = "") -> bool:
        """Queue an utterance and wait for its end; False when it was cut short."""
        return await self.queue(samples, name)

    def queue(self, samples: Samples, name: str = "") -> asyncio.Future[bool]:
        """Queue an utterance; the future tells whether it was said to its end."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self.closed:
            done.set_result(False)
        else:
            self._queue.append(_Utterance(name, samples, done))
        return done

    async def press(self, keys: str, *, hold_s: float = 0.12, pause_s: float = 0.1) -> bool:
        """Press keys in turn (RFC 4733); False when the call ended or the peer takes no events."""
        if self._dtmf is None:
            return False
        waits: list[asyncio.Future[bool]] = []
        for key in keys:
            if self.closed:
                return False
            done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            frames, pause = max(2, round(hold_s / FRAME_S)), round(pause_s / FRAME_S)
            self._queue.append(_KeyPress(key, frames, pause, done))
            waits.append(done)
        return all([await done for done in waits])

    def stop_saying(self) -> None:
        """Drop what is being said and what is queued."""
        while self._queue:
            self._finish(whole=False)

    async def wait_key(self, timeout: float) -> str | None:
        """The next key that the peer presses within `timeout` seconds."""
        have = len(self.keys)
        try:
            async with asyncio.timeout(timeout):
                while len(self.keys) == have:
                    self._key_came.clear()
                    await self._key_came.wait()
        except TimeoutError:
            return None
        return self.keys[have][0]

    def close(self) -> None:
        """Say goodbye by RTCP and free the sockets. Waiting `say` and `press` return False."""
        if self.closed:
            return
        self._send_report(bye=True)
        self.closed = True
        shared_ticker().discard(self)
        self.stop_saying()
        loop = asyncio.get_running_loop()
        for sock in (self._rtp, self._rtcp):
            loop.remove_reader(sock)
            sock.close()

    # Sending

    def tick(self) -> None:
        if self._remote is None:
            return
        self._frames += 1
        if self._frames % _REPORT_EVERY == 10:
            self._send_report()
        if self._sending:
            payload_type, payload, timestamp = self._next_payload()
            self._send(payload_type, payload, timestamp)
        self._timestamp = (self._timestamp + _FRAME) & 0xFFFFFFFF

    def skip(self, frames: int) -> None:
        self._timestamp = (self._timestamp + frames * _FRAME) & 0xFFFFFFFF
        self._marker = True

    def _next_payload(self) -> tuple[int, bytes, int]:
        silence = bytes([ULAW_SILENCE if self._payload == 0 else ALAW_SILENCE])
        while self._queue:
            item = self._queue[0]
            if isinstance(item, _KeyPress):
                packet = self._key_payload(item)
                return packet or (self._payload, silence * _FRAME, self._timestamp)
            if not item.started_at:
                item.started_at, item.data = time.time(), encode(item.samples, self._payload)
            chunk = item.data[item.offset : item.offset + _FRAME]
            item.offset += _FRAME
            if item.offset >= len(item.data):
                self._finish(whole=True)
            if chunk:
                return self._payload, chunk + silence * (_FRAME - len(chunk)), self._timestamp
        return self._payload, silence * _FRAME, self._timestamp

    def _key_payload(self, press: _KeyPress) -> tuple[int, bytes, int] | None:
        if not press.sent:
            press.started, self._marker = self._timestamp, True
        press.sent += 1
        if press.sent > press.frames + _END_REPEATS:
            if press.sent >= press.frames + _END_REPEATS + press.pause:
                self._finish(whole=True)
            return None
        held = min(press.sent, press.frames) * _FRAME
        payload = dtmf_payload(press.key, held, end=press.sent > press.frames)
        assert self._dtmf is not None  # noqa: S101 - press() refuses otherwise
        return self._dtmf, payload, press.started

    def _finish(self, *, whole: bool) -> None:
        item = self._queue.popleft()
        if isinstance(item, _Utterance) and item.started_at:
            self.spoken.append(Spoken(item.name, item.started_at, time.time(), whole))
        if not item.done.done():
            item.done.set_result(whole)

    def _send(self, payload_type: int, payload: bytes, timestamp: int) -> None:
        packet = RtpPacket(
            payload_type=payload_type,
            sequence=self._sequence,
            timestamp=timestamp,
            ssrc=self._ssrc,
            payload=payload,
            marker=self._marker,
        )
        self._sequence, self._marker = (self._sequence + 1) & 0xFFFF, False
        self.counters.sent += 1
        self.counters.octets += len(payload)
        self._transmit(self._rtp, packet.pack(), 0)

    def _transmit(self, sock: socket.socket, data: bytes, offset: int) -> None:
        if self._remote is None or self.closed:
            return
        # A full buffer or a closed peer port loses this packet, as on any network.
        with contextlib.suppress(OSError):
            sock.sendto(data, (self._remote.host, self._remote.port + offset))

    def _send_report(self, *, bye: bool = False) -> None:
        now = self._reported_at = time.time()
        block = b""
        if self.statistics.received:
            delay = now - self._last_sr_at if self._last_sr_at else 0.0
            block = report_block(self.statistics, self._last_sr, delay)
        report = SenderReport(
            ssrc=self._ssrc,
            at=now,
            timestamp=self._timestamp,
            packets=self.counters.sent,
            octets=self.counters.octets,
        )
        data = report.pack(block, f"end@{self.host}")
        self.counters.rtcp_sent += 1
        self._transmit(self._rtcp, data + (rtcp_bye(self._ssrc) if bye else b""), 1)

    # Receiving

    def _read_rtp(self) -> None:
        while not self.closed:
            try:
                data = self._rtp.recv(2048)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier packet; the next call goes on
            packet = parse_rtp(data)
            if packet is not None:
                self._receive(packet, time.time())

    def _receive(self, packet: RtpPacket, arrival: float) -> None:
        self.statistics.add(packet, arrival)
        if packet.payload_type in {0, 8}:
            samples = decode(packet.payload, packet.payload_type)
            self.heard.add(samples, packet.timestamp, packet.ssrc, arrival)
            self.voice.add(samples, arrival)
        elif self._dtmf is not None and packet.payload_type in {self._dtmf, 101}:
            event = parse_dtmf(packet.payload)
            # Every packet of one press has the press's timestamp; the first one counts.
            if event is not None and self._last_event != (packet.ssrc, packet.timestamp):
                self._last_event = (packet.ssrc, packet.timestamp)
                self.keys.append((event[0], arrival))
                self._key_came.set()

    def _read_rtcp(self) -> None:
        while not self.closed:
            try:
                data = self._rtcp.recv(2048)
            except BlockingIOError:
                return
            except OSError:
                continue
            arrival = time.time()
            self.counters.rtcp_received += 1
            report = parse_rtcp(data, self._ssrc)
            if report is None:
                continue
            self.peer_report = report
            round_trip = report.round_trip_s(arrival)
            self.round_trip_s = round_trip if round_trip is not None else self.round_trip_s
            if report.middle_ntp:
                self._last_sr, self._last_sr_at = report.middle_ntp, arrival
                # At once, so that even a short call gives the peer a round trip; but never in answer to an
                # answer, or two such ends would not stop.
                if arrival - self._reported_at > _REPORT_GAP_S:
                    self._send_report()


def _socket_pair(host: str) -> tuple[socket.socket, socket.socket]:
    for _ in range(200):
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            rtp.bind((host, 0))
            port = int(rtp.getsockname()[1])
            if port % 2:
                rtp.close()
                rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                rtp.bind((host, port - 1))
                port -= 1
            rtcp.bind((host, port + 1))
        except OSError:
            rtp.close()
            rtcp.close()
            continue
        for sock in (rtp, rtcp):
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        return rtp, rtcp
    raise OSError("no free pair of UDP ports")
