"""FastAGI decision latency: our server with the real menu session, against a minimal hand-written responder.

The load is another process that plays Asterisk's part of a call: header, then one reply to every command, at once,
with the keys a caller would press. What it measures is the time from its last byte (a header or a reply) to the
command that follows: the silence a caller would hear while we think. The reference sends the same commands from a
list and decides nothing, so the ratio is what our parsing, deciding, checking and quoting cost.

Calls start at fixed intervals whatever happens to earlier ones, so a slow responder cannot slow the load down.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from core.clock import TOKYO, ManualClock
from core.settings import PROJECT_ROOT
from ivr.session import Session, apply_result
from runtime.sounds import PromptFiles
from services.city import load_city
from telephony.agi.server import FastAgiChannel, FastAgiServer

CITY = "matsusaka"
OPEN_AT = datetime(2024, 11, 26, 10, 0, tzinfo=TOKYO).timestamp()
KEYS = {"menu_main": "2"}
"""Keys by prompt; a caller presses while the prompt plays."""
RATES = (10, 50, 100)
GATE_P99_MS = 50.0
"""A caller notices a pause from about a fifth of a second on; the menu may use a quarter of that."""


async def _ours(port_ready: Callable[[int], None]) -> None:
    profile = load_city(CITY)
    with tempfile.TemporaryDirectory() as folder:
        prompts = PromptFiles(Path(folder), profile.city.id, None)
        clock = ManualClock(OPEN_AT)

        async def ivr(channel: FastAgiChannel) -> None:
            session = Session(channel, profile.plan, prompts, clock, lambda: None)
            await apply_result(channel, await session.run())

        server = FastAgiServer("127.0.0.1", 0, {"ivr": ivr})
        await server.start()
        port_ready(server.port)
        await asyncio.Event().wait()


async def _reference(port_ready: Callable[[int], None], commands: list[bytes]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await reader.readline()).strip():
            pass
        for command in commands:
            writer.write(command)
            await reader.readline()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=256)
    port_ready(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _call(port: int, number: int, waits: list[float], heard: list[bytes] | None = None) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    header = (
        f"agi_network: yes\nagi_network_script: ivr\nagi_request: agi://127.0.0.1:{port}/ivr\n"
        f"agi_channel: PJSIP/trunk-{number:08x}\nagi_language: en\nagi_type: PJSIP\n"
        f"agi_uniqueid: n1-1790000000.{number}\nagi_callerid: 0900000{number % 10000:04}\n"
        "agi_context: ivr-entry\nagi_extension: s\nagi_priority: 5\n"
        f"agi_accountcode: c-n1-1790000000.{number}\nagi_arg_1: c-n1-1790000000.{number}\n\n"
    )
    said, last = header.encode(), b""
    while True:
        writer.write(said)
        sent = time.perf_counter()
        command = await reader.readline()
        if not command:
            break
        last = command
        waits.append(time.perf_counter() - sent)
        if heard is not None:
            heard.append(command)
        said = _reply(command.decode())
    writer.close()
    if b"TORITSUGI_DONE" not in last:
        raise RuntimeError(f"the menu did not come to its end: {last!r}")


def _reply(command: str) -> bytes:
    if command.startswith("STREAM FILE"):
        name = (
            command.split('"')[1].rpartition("/")[2]
            if '"' in command
            else command.split()[2].rpartition("/")[2]
        )
        key = KEYS.get(name)
        return f"200 result={ord(key) if key else 0} endpos=8000\n".encode()
    if command.startswith("WAIT FOR DIGIT"):
        return b"200 result=0\n"
    if command.startswith("CHANNEL STATUS"):
        return b"200 result=6\n"
    return b"200 result=1\n" if command.startswith("SET") else b"200 result=0\n"


async def _load(port: int, rate: int, seconds: float) -> dict[str, Any]:
    for number in range(5):  # imports, caches, the first connection
        await _call(port, number, [])
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    begin, tasks, late = loop.time(), [], 0.0
    for number in range(round(rate * seconds)):
        due = begin + number / rate
        if (pause := due - loop.time()) > 0:
            await asyncio.sleep(pause)
        late = max(late, loop.time() - due)
        tasks.append(asyncio.create_task(_call(port, number, waits)))
    done = await asyncio.gather(*tasks, return_exceptions=True)
    waits.sort()
    return {
        "calls": len(tasks),
        "failed": sum(isinstance(item, BaseException) for item in done),
        "decisions": len(waits),
        "p50_ms": round(1000 * statistics.median(waits), 3),
        "p99_ms": round(1000 * waits[int(len(waits) * 0.99)], 3),
        "max_ms": round(1000 * waits[-1], 3),
        "load_late_ms": round(1000 * late, 1),
    }


async def _record(port: int) -> list[bytes]:
    heard: list[bytes] = []
    await _call(port, 0, [], heard)
    return heard


async def _start(kind: str, *arguments: str) -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.agi_latency", kind, *arguments,
        cwd=PROJECT_ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    return process, int(await process.stdout.readline())


async def _measure(seconds: float) -> dict[str, Any]:
    ours, port = await _start("ours")
    commands = await _record(port)
    reference, other = await _start("reference", json.dumps([line.decode() for line in commands]))
    rates: list[dict[str, Any]] = []
    try:
        for rate in RATES:
            row: dict[str, Any] = {"calls_per_s": rate}
            for name, process, place in (("ours", ours, port), ("reference", reference, other)):
                before = _cpu(process.pid)
                row[name] = await _client(place, rate, seconds)
                row[name]["server_cpu_ms_a_call"] = round(
                    1000 * (_cpu(process.pid) - before) / row[name]["calls"], 3
                )
            row["ratio"] = {
                key: round(row["ours"][key] / row["reference"][key], 2)
                for key in ("p50_ms", "p99_ms", "server_cpu_ms_a_call")
                if row["reference"][key]
            }
            rates.append(row)
    finally:
        for process in (ours, reference):
            process.kill()
            await process.wait()
    return {"commands_a_call": len(commands), "seconds_a_rate": seconds, "rates": rates}


async def _client(port: int, rate: int, seconds: float) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.agi_latency", "load", str(port), str(rate), str(seconds),
        cwd=PROJECT_ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    result: dict[str, Any] = json.loads(said)
    return result


def _cpu(pid: int) -> float:
    """Processor seconds that a process has used (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Measure 10, 50 and 100 calls a second, ours and the reference in turn."""
    figures = asyncio.run(_measure(3.0 if quick else 15.0))
    worst = max(row["ours"]["p99_ms"] for row in figures["rates"])
    failed = sum(row["ours"]["failed"] for row in figures["rates"])
    return {
        **figures,
        "reference": "asyncio responder that sends the same commands from a list",
        "gate": {"p99_ms_at_most": GATE_P99_MS, "met": worst <= GATE_P99_MS and not failed},
    }


def _main(kind: str, *arguments: str) -> None:
    def port_ready(port: int) -> None:
        print(port, flush=True)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    if kind == "ours":
        asyncio.run(_ours(port_ready))
    elif kind == "reference":
        asyncio.run(_reference(port_ready, [line.encode() for line in json.loads(arguments[0])]))
    else:
        print(json.dumps(asyncio.run(_load(int(arguments[0]), int(arguments[1]), float(arguments[2])))))


if __name__ == "__main__":
    _main(*sys.argv[1:])
