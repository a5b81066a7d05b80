"""Sustained call set-up: our menu, queue and recording, against the same Asterisk with a static dialplan.

The static dialplan does by itself what ours asks the engine for: answer, record both sides, say the same prompts,
take the same key, queue to the same operators. SIPp is the citizens; one process of ours answers for all operators
and hangs up after a short talk (both sides the same for both variants; neither end sends media, Asterisk sends its
prompts). The rate rises step by step until a variant fails: fewer than 99 of 100 calls reached an operator, or the
mean way to an operator takes a second longer than at the first step.

Beside the rates stands the processor time a call costs, which does not depend on what else the machine does.
"""

from __future__ import annotations

import asyncio
import csv
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from asterisk_conf.embedded import EmbeddedAsterisk
from asterisk_conf.from_city import paths_for
from asterisk_conf.render import write
from benchmarks._centre import LoadCentre, short_prompts
from benchmarks._stories import make_importable
from core.settings import PROJECT_ROOT, settings_from
from runtime.install.asterisk import asterisk_command, ensure_asterisk
from runtime.install.sipp import sipp_command
from storage.database import Database

make_importable()
from centre import NUMBER, Centre, eventually, free_ports

CITY = "keisoku"
QUEUE = "card-ja"
TALK_S = 0.5
OPERATORS = 40
RATES = (2, 4, 8, 16, 24, 32, 48, 64, 96)
SCENARIO = Path(__file__).with_name("call_setup.xml")
LEAST_SHARE = 0.99
SLOWER_S = 1.0
_CLOCK_TICK = 100.0

STATIC = """
[general]
static = yes
writeprotect = yes

[from-trunk]
exten => {number},1,Answer()
 same => n,MixMonitor(,r({recordings}/s-${{UNIQUEID}}-citizen.wav)t({recordings}/s-${{UNIQUEID}}-line.wav))
 same => n,Playback({sounds}/greeting)
 same => n,Read(KEY,{sounds}/menu_main,1,,1,2)
 same => n,Playback({sounds}/connecting)
 same => n,Queue({queue},,,,60)
 same => n,Hangup()

[from-operator]
exten => s,1,Hangup()
"""


def _profile(folder: Path) -> Path:
    """The stories' city in one language, with long queues and no wrap-up."""
    text = (PROJECT_ROOT / "tests" / "pbx" / "shiken.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("[prompts.en]")
    text = head + rest[rest.index("[interactions]") :]
    for old, new in (
        (r'id = "shiken"', f'id = "{CITY}"'),
        (r'\["ja", "en"\]', '["ja"]'),
        (r"language_keys = .*", ""),
        (r"wrap_up_s = \d+", "wrap_up_s = 0"),
        (r"max_waiting = \d+", "max_waiting = 200"),
        (r"wait_limit_s = \d+", "wait_limit_s = 60"),
        (r"english = [\d.]+", "english = 0.0"),
    ):
        text, found = re.subn(old, new, text)
        if not found:
            raise RuntimeError(f"shiken.toml no longer says {old!r}")
    path = folder / f"{CITY}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@asynccontextmanager
async def _telephones(centre: Centre) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks._operators", str(centre.ports[0]), str(TALK_S),
        cwd=PROJECT_ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await _ask(process, json.dumps({f"op{number}": secret for number, secret in centre.secrets.items()}))
        yield process
    finally:
        process.kill()
        await process.wait()


async def _ask(process: asyncio.subprocess.Process, line: str = "") -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n".encode())
    answer: dict[str, Any] = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
    return answer


async def _sign_in(asterisk: EmbeddedAsterisk, centre: Centre) -> None:
    for number in centre.secrets:
        await asterisk.cli(f"queue add member PJSIP/op{number} to {QUEUE} penalty 10 as op{number}")
        await asterisk.cli(f"queue unpause member PJSIP/op{number} queue {QUEUE} reason ready")

    async def all_free() -> bool:
        shown = await asterisk.cli(f"queue show {QUEUE}")
        return shown.count("Not in use") == len(centre.secrets) and "paused:" not in shown

    await eventually(all_free, within=40, what="all operators free")


async def _load(
    centre: Centre,
    telephones: asyncio.subprocess.Process,
    rate: int,
    seconds: float,
    processes: dict[str, int],
) -> dict[str, Any]:
    calls = round(rate * seconds)
    answered = (await _ask(telephones))["answered"]
    before = {name: _cpu(pid) for name, pid in processes.items()}
    with tempfile.TemporaryDirectory() as folder:
        stats = Path(folder) / "stats.csv"
        sipp = await asyncio.create_subprocess_exec(
            *sipp_command(settings_from().tools),
            f"127.0.0.1:{centre.ports[0]}", "-sf", str(SCENARIO), "-s", NUMBER, "-i", "127.0.0.1", "-nostdin",
            "-p", str(free_ports(1)[0]), "-r", str(rate), "-m", str(calls), "-l", "2000", "-mp", "28000",
            "-trace_stat", "-stf", str(stats), "-fd", "1", "-timeout", f"{seconds + 40:.0f}", "-recv_timeout", "20000",
            cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await sipp.wait()
        with stats.open(newline="") as file:
            row = list(csv.DictReader(file, delimiter=";"))[-1]

    async def quiet() -> bool:
        return (await _ask(telephones))["open"] == 0

    with suppress(AssertionError):
        await eventually(quiet, within=10, what="the end of all talks")
    await asyncio.sleep(1.0)  # the ledger's own work on these calls belongs to their cost
    reached = (await _ask(telephones))["answered"] - answered
    return {
        "calls_per_s": rate,
        "calls": calls,
        "reached_operator": reached,
        "failed_at_caller": int(row["FailedCall(C)"]),
        "way_to_operator_s": round(_seconds(row["CallLength(C)"]) - TALK_S, 3),
        "answer_ms": round(1000 * _seconds(row["ResponseTime1(C)"]), 1),
        "cpu_ms_a_call": {
            name: round(1000 * (_cpu(pid) - before[name]) / calls, 1) for name, pid in processes.items()
        },
    }


def _seconds(text: str) -> float:
    """SIPp's `00:00:01:234567` (hours, minutes, seconds, and a fraction whose digits tell its unit)."""
    hours, minutes, seconds, fraction = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction) / 10 ** len(fraction)


def _cpu(pid: int) -> float:
    """Processor seconds of a process and of the children it has waited for (proc(5), fields 14 to 17)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _CLOCK_TICK


async def _climb(
    centre: Centre,
    asterisk: EmbeddedAsterisk,
    processes: dict[str, int],
    rates: tuple[int, ...],
    seconds: float,
) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    failed_at: int | None = None
    async with _telephones(centre) as telephones:
        await _sign_in(asterisk, centre)
        await _load(centre, telephones, rates[0], 2.0, processes)  # warm-up
        for rate in rates:
            step = await _load(centre, telephones, rate, seconds, processes)
            steps.append(step)
            slow = step["way_to_operator_s"] > steps[0]["way_to_operator_s"] + SLOWER_S
            if step["reached_operator"] < LEAST_SHARE * step["calls"] or slow:
                failed_at = rate
                break
    held = [s for s in steps if s["calls_per_s"] != failed_at]
    cost = [sum(step["cpu_ms_a_call"].values()) for step in held or steps]
    return {
        "sustained_calls_per_s": held[-1]["calls_per_s"] if held else 0,
        "fails_at_calls_per_s": failed_at,
        "cpu_ms_a_call": round(sorted(cost)[len(cost) // 2], 1),
        "steps": steps,
    }


async def _measure(folder: Path, rates: tuple[int, ...], seconds: float) -> dict[str, Any]:
    profile, home = _profile(folder), folder / "home"
    home.mkdir()
    short_prompts(home, profile)
    centre = LoadCentre(
        home=home,
        ports=free_ports(5),
        database=Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}"),
        profile=str(profile),
    )
    settings = settings_from(centre.environment())
    prefix = ensure_asterisk(settings.tools)
    paths = paths_for(settings, modules=prefix.modules, data=prefix.data)
    asterisk = EmbeddedAsterisk(asterisk_command(prefix), paths)
    try:
        await centre.start({str(201 + place): {"card": 4} for place in range(OPERATORS)})
        warden = centre.warden()
        ours = await _climb(
            centre,
            asterisk,
            {"asterisk": warden["asterisk"], "engine": warden["engine"]["pid"]},
            rates,
            seconds,
        )
    finally:
        await centre.stop()
    files = {str(path.relative_to(paths.etc)): path.read_text("utf-8") for path in paths.etc.rglob("*.conf")}
    write(
        {name: text for name, text in files.items() if not name.startswith("dialplans/")}
        | {
            "extensions.conf": STATIC.format(
                number=NUMBER, recordings=paths.recordings, sounds=paths.sounds / "ja" / CITY, queue=QUEUE
            ),
            "modules.conf": files["modules.conf"] + "load = app_read.so\n",
            "queues.conf": files["queues.conf"]
            .replace("membergosub = member-connect\n", "")
            .replace("autopause = all", "autopause = no"),
        },
        paths.etc,
    )
    try:
        await asterisk.start()
        assert asterisk.pid is not None
        static = await _climb(centre, asterisk, {"asterisk": asterisk.pid}, rates, seconds)
    finally:
        await asterisk.stop()
    return {"ours": ours, "static": static}


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Both variants, one after the other, on the same machine, Asterisk, operators and callers."""
    rates, seconds = ((2, 6), 3.0) if quick else (RATES, 8.0)
    with tempfile.TemporaryDirectory(prefix="toritsugi-bench-") as folder:
        figures = asyncio.run(_measure(Path(folder), rates, seconds))
    ours, static = figures["ours"], figures["static"]
    return {
        **figures,
        "operators": OPERATORS,
        "talk_s": TALK_S,
        "seconds_a_rate": seconds,
        "reference": "the same Asterisk and configuration, a static dialplan, no engine, no ledger",
        "ratio": {
            "sustained_rate": round(
                ours["sustained_calls_per_s"] / max(static["sustained_calls_per_s"], 1), 2
            ),
            "cpu_a_call": round(ours["cpu_ms_a_call"] / static["cpu_ms_a_call"], 2),
        },
    }
