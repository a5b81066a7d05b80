"""`toritsugi accept`: the long trials, each a demonstration of its own process, judged by what it leaves behind."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from core.errors import ToritsugiError
from core.settings import PROJECT_ROOT
from runtime.benchmarking import RESULTS, machine, store_result
from runtime.process import read_json
from services.city import list_cities

KILL_CITY = "matsusaka"
KILL_CALLS = 16
KILLS = 10
CITY_CALLS = 12
OFFERS = 1000
OFFERS_SEED = 11
AMI_DELAY_S = 0.5
AGEO_MOST = 3600 / 3300
"""上尾 5(3)⑤: 3,600 calls in the fullest month, 3,300 in the mean one."""
DAYS_SEEDS = (1, 2, 3)
DAYS_SPEED = 30.0
DAY_CITY = "ageo"
DAY_CALLS = 24
DAY_SEED = 1
DAY_WORDS, DAY_TOP_3 = 0.8, 0.8
"""Least share of the script's key words that transcripts carry, and of talks with the right entry among three."""
DESK_MINUTES = 30.0
DESK_SEED = 1
SCRIPTS = 300
SCRIPTS_SEED = 100
HISTORIES = 20_000
HISTORIES_A_SEED = 1000
"""Reports rest on at least 10,000 histories that both counts agree on."""
LIMIT_S = 1800.0
"""No single demonstration of a trial may take longer."""

Say = Callable[[str], None]


async def run_acceptance(
    names: list[str], say: Say, *, results: Path = RESULTS, minutes: float | None = None
) -> int:
    """Run the named trials, or all; returns the exit status. Results go to `results/accept-<name>.json`.

    Args:
        minutes: how long those last that run for a time; None for as long as they are meant to.

    Raises:
        ToritsugiError: no such trial.
    """
    for name in names:
        if name not in TRIALS:
            raise ToritsugiError(
                f"ない試験です: {name}", where="accept", cure=f"次のどれか: {', '.join(TRIALS)}"
            )
    failed = 0
    for name in names or list(TRIALS):
        say(f"{name} を始めます。")
        started = time.monotonic()
        trial = partial(_desk, minutes=minutes) if name == "desk" and minutes else TRIALS[name]
        outcome = await trial(say)
        passed = all(run["passed"] for run in outcome["runs"])
        failed += not passed
        result = {
            "name": name,
            "passed": passed,
            "took_s": round(time.monotonic() - started, 1),
            **outcome,
            "machine": machine(),
        }
        store_result(results / f"accept-{name}.json", result)
        say(f"{name}: {'合格' if passed else '不合格'}")
    return 1 if failed else 0


async def _kill_engine(say: Say) -> dict[str, Any]:
    run = await _demo(
        KILL_CITY, "--calls", str(KILL_CALLS), "--kill-engine", str(KILLS), expected_kills=KILLS, say=say
    )
    return {"city": KILL_CITY, "calls": KILL_CALLS, "kills": KILLS, "runs": [run]}


async def _cities(say: Say) -> dict[str, Any]:
    runs = [await _demo(city, "--calls", str(CITY_CALLS), say=say) for city in list_cities()]
    return {"calls": CITY_CALLS, "runs": runs}


async def _offers(say: Say) -> dict[str, Any]:
    """A thousand real offers with callers in every queue and AMI up to half a second late each way."""
    trial = importlib.import_module("benchmarks._offers")
    say(f"呼び出し {OFFERS} 回を、遅れる AMI で行います。")
    with TemporaryDirectory(prefix="toritsugi-accept-") as folder:
        figures: dict[str, Any] = await trial.run_offers(
            Path(folder), offers=OFFERS, delay_s=AMI_DELAY_S, seed=OFFERS_SEED
        )
    return {"runs": [{**figures, "passed": not figures["faults"]}]}


async def _days(say: Say) -> dict[str, Any]:
    """Three compressed days of Ageo's maximum month on the real switch, ours beside app_queue's own strategies."""
    trial = importlib.import_module("benchmarks._days")
    with TemporaryDirectory(prefix="toritsugi-accept-") as folder:
        figures: dict[str, Any] = await trial.run_days(
            Path(folder), "ageo", load=AGEO_MOST, seeds=DAYS_SEEDS, speed=DAYS_SPEED, say=say
        )
    runs = [
        {
            **day,
            # The simulator's band is the claim about our own days; the others are shown beside it.
            "passed": all(row["within_band"] for row in day["policies"] if row["policy"] == "ours"),
        }
        for day in figures.pop("days")
    ]
    return {**figures, "runs": runs}


async def _transfers(say: Say) -> dict[str, Any]:
    """Random scripts of handing over, each against what the telephones saw."""
    trial = importlib.import_module("benchmarks._transfers")
    say(f"転送を含む通話 {SCRIPTS} 本を、でたらめな順の操作で行います。")
    with TemporaryDirectory(prefix="toritsugi-accept-") as folder:
        figures: dict[str, Any] = await trial.run_scripts(Path(folder), scripts=SCRIPTS, seed=SCRIPTS_SEED)
    return {"runs": [{**figures, "passed": not figures["faults"]}]}


async def _transfer_cases(say: Say) -> dict[str, Any]:
    """Every move of handing over with everything that the three may do, on both sides of the trunk."""
    trial = importlib.import_module("benchmarks._transfer_cases")
    say("転送の物語を、起こりうるすべての組合せで行います。")
    with TemporaryDirectory(prefix="toritsugi-accept-") as folder:
        figures: dict[str, Any] = await trial.run_cases(Path(folder))
    return {"runs": [{**figures, "passed": not figures["faults"]}]}


async def _demo_day(say: Say) -> dict[str, Any]:
    """A day whose transcripts, suggestions and gaps are held against what the telephones said."""
    run = await _demo(
        DAY_CITY, "--calls", str(DAY_CALLS), "--seed", str(DAY_SEED), further=misunderstood, say=say
    )
    return {"city": DAY_CITY, "calls": DAY_CALLS, "seed": DAY_SEED, "runs": [run]}


async def _recount(say: Say) -> dict[str, Any]:
    """Every metric of random histories, counted twice from the same raw lines."""
    trial = importlib.import_module("benchmarks._recount")
    runs = []
    for seed in range(1, HISTORIES // HISTORIES_A_SEED + 1):
        say(f"でたらめな通話の記録 {HISTORIES_A_SEED} 組を二通りに数えます（{seed} 回目）。")
        figures = await asyncio.to_thread(trial.run_recount, seed, HISTORIES_A_SEED)
        runs.append({**figures, "passed": not figures["faults"] and figures["histories"] >= HISTORIES_A_SEED})
    histories = sum(run["histories"] for run in runs)
    return {"histories": histories, "calls": sum(run["calls"] for run in runs), "runs": runs}


async def _desk(say: Say, minutes: float = DESK_MINUTES) -> dict[str, Any]:
    """From the switch's event to the changed element in a browser, with 210 screens, bursts and a cut network."""
    trial = importlib.import_module("benchmarks._desk")
    say(f"画面を {minutes:g} 分動かします。")
    with TemporaryDirectory(prefix="toritsugi-accept-") as folder:
        figures: dict[str, Any] = await trial.run_desk(Path(folder), minutes=minutes, seed=DESK_SEED, say=say)
    return {"runs": [{**figures, "passed": not figures["faults"]}]}


TRIALS: Mapping[str, Callable[[Say], Awaitable[dict[str, Any]]]] = {
    "kill-engine": _kill_engine,
    "cities": _cities,
    "offers": _offers,
    "days": _days,
    "transfers": _transfers,
    "transfer-cases": _transfer_cases,
    "demo-day": _demo_day,
    "recount": _recount,
    "desk": _desk,
}


async def _demo(
    city: str,
    *options: str,
    say: Say,
    expected_kills: int = 0,
    further: Callable[[Mapping[str, Any]], list[str]] = lambda _: [],
) -> dict[str, Any]:
    """One headless demonstration; what it says goes to our own stderr. Its home stays when something is wrong.

    Args:
        further: what else a `summary.json` may tell against it.
    """
    say(f"{city} の一日を動かします。")
    folder = Path(mkdtemp(prefix="toritsugi-accept-"))
    out = folder / "out"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "runtime", "demo", "--city", city, "--headless", "--out", str(out), *options,
        cwd=PROJECT_ROOT, env={**os.environ, "TORITSUGI_HOME": str(folder)},
        stdin=asyncio.subprocess.DEVNULL, stdout=sys.stderr,
    )  # fmt: skip
    started = time.monotonic()
    late = False
    try:
        async with asyncio.timeout(LIMIT_S):
            status = await process.wait()
    except TimeoutError:
        late = True
        process.terminate()
        status = await process.wait()
    summary = read_json(out / "summary.json")
    faults = judge(summary, expected_kills) + (further(summary) if summary else [])
    if status:
        faults.insert(0, f"exit status {status}")
    if late:
        faults.insert(0, f"not done within {LIMIT_S:.0f} s")
    if faults:
        say(f"録音、データベース、結果を残しました。見終わったら消してください: {folder}")
    else:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return {
        "city": city,
        "passed": not faults,
        "faults": faults,
        "took_s": round(time.monotonic() - started, 1),
        "summary": summary,
    }


def judge(summary: Mapping[str, Any], expected_kills: int) -> list[str]:
    """What a demonstration's `summary.json` says against it; empty when nothing does."""
    if not summary:
        return ["no summary.json"]
    faults = [] if summary.get("ok") is True else ["the demonstration did not find itself right"]
    if summary.get("differences") != []:
        faults.append(f"truth and ledger differ: {summary.get('differences')}")
    if summary.get("reconciliation", {}).get("agrees") is not True:
        faults.append("the ledger does not agree with the SIP messages on the wire")
    if summary.get("agree") != summary.get("calls"):
        faults.append(f"{summary.get('agree')} of {summary.get('calls')} calls agree")
    if summary.get("engine_kills", 0) != expected_kills:
        faults.append(f"the engine was killed {summary.get('engine_kills', 0)} times, not {expected_kills}")
    return faults


def misunderstood(summary: Mapping[str, Any]) -> list[str]:
    """What a demonstration's `summary.json` says against its transcripts, suggestions, gaps and masking."""
    found = summary.get("understood")
    if not found:
        return ["nothing is said of what was understood"]
    words, entries, gaps = found["words"], found["suggestions"], found["gaps"]
    planted, left = found["planted"], found["left"]
    faults = []
    if words["share"] < DAY_WORDS:
        faults.append(f"transcripts carry {words['heard']} of {words['said']} key words")
    if not entries["asked"] or entries["share"] < DAY_TOP_3:
        faults.append(f"{entries['top_3']} of {entries['asked']} talks have the right entry among three")
    if not gaps["topics"] or gaps["found"] != gaps["topics"]:
        faults.append(f"gaps were found for {gaps['found']} of {gaps['topics']}")
    if not planted["calls"]:
        faults.append("nobody said a number: nothing is proved")
    if planted["unmasked_transcripts"]:
        faults.append(f"numbers stand in the transcripts of {planted['unmasked_transcripts']}")
    if set(planted["recordings"]) - {"proven"}:
        faults.append(f"not every recording with a number was proved silent: {planted['recordings']}")
    if left["traces"]:
        faults.append(f"numbers were found: {left['traces']}")
    return faults
