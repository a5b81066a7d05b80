"""`prober`: uses each service from outside once a minute and has it written down whether it answered."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import aiohttp

from core.settings import Settings
from desk.settings import OWN_CERTIFICATE, DeskSettings
from reports.availability import MINUTE_S, Measured
from runtime.availability import write_minute
from runtime.process import read_json, run_folder
from runtime.remembered import remembered_desk, remembered_settings

log = logging.getLogger(__name__)
WITHIN_S = 10.0
"""A service that has not answered by then has not answered."""
LIVE_OLD_S = 5.0
RESENT_AFTER_S = (0.5, 1.0, 2.0, 4.0)
"""RFC 3261 17.1.2.2: UDP loses requests, and one lost packet is no outage."""
Look = Callable[[], Awaitable[str]]


async def page_answers(desk: DeskSettings) -> str:
    """Fetch the desk's first page as a browser does; why it failed, empty when it came."""
    own = desk.certificate == OWN_CERTIFICATE
    timeout = aiohttp.ClientTimeout(total=WITHIN_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{desk.origin}/sign-in", ssl=not own) as answer,
        ):
            text = await answer.text()
            if answer.status != 200:
                return f"画面が {answer.status} を返した"
            return "" if "</html>" in text else "画面が途中で切れた"
    except TimeoutError:
        return f"画面が{WITHIN_S:g}秒以内に開かなかった"
    except (aiohttp.ClientError, OSError, UnicodeDecodeError) as problem:
        return f"画面に届かない（{type(problem).__name__}）"


class _Answer(asyncio.DatagramProtocol):
    def __init__(self, call_id: str) -> None:
        self._call_id = call_id.encode()
        self.came: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _address: Any) -> None:
        if data.startswith(b"SIP/2.0 ") and self._call_id in data and not self.came.done():
            self.came.set_result(None)

    def error_received(self, problem: Exception) -> None:
        if not self.came.done():
            self.came.set_exception(problem)


async def switch_answers(host: str, port: int) -> str:
    """Send SIP OPTIONS as a carrier does; why there was no answer, empty when there was one, whatever it said."""
    loop = asyncio.get_running_loop()
    call_id = uuid4().hex
    # A dead peer shows at once by ICMP on a connected socket.
    transport, answer = await loop.create_datagram_endpoint(
        lambda: _Answer(call_id), remote_addr=(host, port)
    )
    own_host, own_port = transport.get_extra_info("sockname")[:2]
    shown = f"[{own_host}]" if ":" in own_host else own_host
    to = f"[{host}]" if ":" in host else host
    request = (
        f"OPTIONS sip:{to}:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {shown}:{own_port};branch=z9hG4bK{call_id};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:availability@{shown}>;tag={call_id[:8]}\r\nTo: <sip:{to}:{port}>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode("ascii")
    try:
        for pause in RESENT_AFTER_S:
            transport.sendto(request)
            try:
                async with asyncio.timeout(pause):
                    await asyncio.shield(answer.came)
                return ""
            except TimeoutError:
                continue
        return "電話交換機が応答しなかった"
    except OSError:
        return "電話交換機が動いていない"
    finally:
        transport.close()


async def engine_answers(settings: Settings) -> str:
    """Whether the engine's last word is fresh and it hears the switch."""
    live = await asyncio.to_thread(read_json, run_folder(settings) / "live.json")
    age = time.time() - float(live.get("at") or 0.0)
    if age > LIVE_OLD_S:
        return "中枢が動いていない"
    return "" if live.get("ami_connected") else "中枢が交換機につながっていない"


def looks_of(settings: Settings) -> Mapping[str, Look]:
    """What is looked at on this instance."""
    looks: dict[str, Look] = {
        "switch": lambda: switch_answers(settings.sip_host, settings.sip_port),
        "engine": lambda: engine_answers(settings),
    }
    if settings.http_port:
        looks["desk"] = lambda: page_answers(remembered_desk(settings))
    return looks


async def look(looks: Mapping[str, Look]) -> Measured:
    """All services at once."""
    at = time.time()
    found = await asyncio.gather(*(_told(each) for each in looks.values()))
    return Measured(at=at, services=dict(zip(looks, found, strict=True)))


async def _told(one: Look) -> str:
    try:
        async with asyncio.timeout(WITHIN_S + 5.0):
            return await one()
    except Exception as problem:
        log.warning("availability: a look failed: %s", type(problem).__name__)
        return f"確かめられなかった（{type(problem).__name__}）"


async def run_prober() -> None:
    """The process: started by the parent, looks in each minute, ends on SIGTERM."""
    settings, stop = remembered_settings(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    looks = looks_of(settings)
    while not stop.is_set():
        # In the middle of each minute of the clock: two looks never fall into one minute.
        wait = MINUTE_S - (time.time() - MINUTE_S / 2) % MINUTE_S
        try:
            async with asyncio.timeout(wait):
                await stop.wait()
        except TimeoutError:
            measured = await look(looks)
            try:
                await asyncio.to_thread(write_minute, settings, measured)
            except OSError as problem:
                log.error("availability: this minute could not be written: %s", problem)
