"""AMI events a second: our session against a minimal hand parser and bare panoramisk, in one run.

The server is another process on loopback and sends as fast as it is read. Two mixtures: every event wanted (the
worst case, a reload of all members), and an Asterisk at work, where one event of ten is. Compare the ratios and the
processor time; wall time depends on what else the machine does. Ours includes what the hand parser leaves out:
typed events, checks, the queue to the consumer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import platform
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from panoramisk import Manager

from telephony.ami.events import FullyBooted, QueueMemberStatus, UserEvent
from telephony.ami.session import AmiSession

GATES = {"all_wanted": 0.1, "at_work": 0.5}
"""Least ratio to the hand parser, in events per second of processor time."""

_SERVER = r"""
import socket, sys
count, unwanted = int(sys.argv[1]), int(sys.argv[2])
def message(**headers):
    return "".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n"
def wanted(n):
    return message(Event="QueueMemberStatus", Privilege="agent,all", Timestamp="1795226806.536150",
        SystemName="n1", Queue="booking-ja", MemberName="op101", Interface="PJSIP/op101",
        StateInterface="PJSIP/op101", Membership="dynamic", Penalty=n, CallsTaken=3, LastCall=1795226800,
        LastPause=0, LoginTime=1795220000, InCall=0, Status=1, Paused=0, PausedReason="", Ringinuse=0,
        Wrapuptime=0)
other = message(Event="VarSet", Privilege="dialplan,all", Timestamp="1795226806.031239", SystemName="n1",
    Channel="PJSIP/trunk-00000001", ChannelState=6, ChannelStateDesc="Up", CallerIDNum="09012345678",
    CallerIDName="<unknown>", ConnectedLineNum="<unknown>", ConnectedLineName="<unknown>", Language="ja",
    AccountCode="c-n1-1795226806.1", Context="ivr-entry", Exten="s", Priority=4,
    Uniqueid="n1-1795226806.1", Linkedid="n1-1795226806.1", Variable="T_WHY", Value="unfinished")
burst = b"".join(wanted(n) + other * unwanted for n in range(count))
burst += message(Event="UserEvent", UserEvent="End")
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    connection, _ = server.accept()
    connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    stream = connection.makefile("rb")
    action = {}
    for line in stream:
        if line.strip():
            key, _, value = line.decode().strip().partition(": ")
            action[key] = value
            continue
        answer = message(Response="Success", ActionID=action.get("ActionID", ""), Message="ok")
        if action["Action"] == "Login":
            answer += message(Event="FullyBooted", Uptime=5)
        connection.sendall(answer + (burst if action["Action"] == "Start" else b""))
        action = {}
    connection.close()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One burst through one client."""

    wall_s: float
    cpu_s: float


Client = Callable[[int, int], Awaitable[Round]]


class _Stopwatch:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> Round:
        return Round(wall_s=time.perf_counter() - self._wall, cpu_s=time.process_time() - self._cpu)


async def _ours(port: int, count: int) -> Round:
    session = AmiSession("127.0.0.1", port, "u", "s", queue_size=100_000)
    await session.connect()
    running = asyncio.create_task(session.run())
    assert isinstance(await session.events.get(), FullyBooted)
    watch, seen = _Stopwatch(), 0
    starting = asyncio.create_task(session.action("Start", timeout=60))
    while not isinstance(event := await session.events.get(), UserEvent):
        seen += isinstance(event, QueueMemberStatus)
    result = watch.stop()
    await starting
    await session.close()
    await running
    assert seen == count, f"{seen} of {count} events"
    return result


class _HandParser(asyncio.Protocol):
    """The least that turns the stream into dicts of text."""

    def __init__(self) -> None:
        self.buffer, self.seen = b"", 0
        self.end = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        *frames, self.buffer = (self.buffer + data).split(b"\r\n\r\n")
        for frame in frames:
            event = dict(line.split(": ", 1) for line in frame.decode().split("\r\n") if ": " in line)
            name = event.get("Event")
            self.seen += name == "QueueMemberStatus"
            if name == "UserEvent":
                self.end.set_result(None)


async def _hand(port: int, count: int) -> Round:
    transport, parser = await asyncio.get_running_loop().create_connection(_HandParser, "127.0.0.1", port)
    watch = _Stopwatch()
    transport.write(b"Action: Start\r\n\r\n")
    await parser.end
    result = watch.stop()
    transport.close()
    assert parser.seen == count
    return result


async def _bare(port: int, count: int) -> Round:
    seen = 0
    end = asyncio.get_running_loop().create_future()

    def callback(_manager: object, event: Any) -> None:
        nonlocal seen
        seen += event.event == "QueueMemberStatus"
        if event.event == "UserEvent":
            end.set_result(None)

    manager = Manager(host="127.0.0.1", port=port, username="u", secret="s")
    manager.register_event("*", callback)
    await manager.connect()
    await manager.authenticated_future
    watch = _Stopwatch()
    manager.send_action({"Action": "Start"})
    await end
    result = watch.stop()
    manager.connection_lost = lambda exc: None
    manager.close()
    assert seen == count
    return result


CLIENTS: dict[str, Client] = {"ours": _ours, "hand": _hand, "panoramisk": _bare}


async def _measure(count: int, unwanted: int, rounds: int) -> dict[str, Any]:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SERVER, str(count), str(unwanted), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        port = int(await server.stdout.readline())
        taken: dict[str, list[Round]] = {name: [] for name in CLIENTS}
        for _ in range(rounds):
            for name, client in CLIENTS.items():  # in turn, so that a busy moment meets all
                taken[name].append(await client(port, count))
    finally:
        server.kill()
        await server.wait()
    events = count * (1 + unwanted)
    speeds = {
        name: {
            "events_per_cpu_s": round(events / statistics.median(item.cpu_s for item in items)),
            "events_per_s": round(events / statistics.median(item.wall_s for item in items)),
            "events_per_s_range": [
                round(events / max(item.wall_s for item in items)),
                round(events / min(item.wall_s for item in items)),
            ],
        }
        for name, items in taken.items()
    }
    fast = statistics.median(item.cpu_s for item in taken["hand"])
    return {
        "events": events,
        "wanted": count,
        "rounds": rounds,
        "clients": speeds,
        "ratio_to_hand": {
            name: round(fast / statistics.median(item.cpu_s for item in items), 3)
            for name, items in taken.items()
        },
    }


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Measure, write `out/ami_events.json`, return the same."""
    logging.getLogger("panoramisk").setLevel(logging.ERROR)
    count, rounds = (5_000, 3) if quick else (50_000, 5)
    mixtures = {
        "all_wanted": asyncio.run(_measure(count, 0, rounds)),
        "at_work": asyncio.run(_measure(count // 5, 9, rounds)),
    }
    result: dict[str, Any] = {
        "name": "ami_events",
        "machine": {
            "cpus": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        **mixtures,
        "gates": {
            name: {"least": least, "met": mixtures[name]["ratio_to_hand"]["ours"] >= least}
            for name, least in GATES.items()
        },
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "ami_events.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), quick="--quick" in sys.argv), indent=2))
