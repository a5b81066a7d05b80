"""A day of the simulator's trace on the real switch, in compressed time: ours, and app_queue's own strategies.

Everything is divided by the speed but what the switch counts in whole seconds: each waiting caller is looked at once a
second, wrap-up is one second. The simulator plays the same compressed trace with the same seconds. Breaks and missed
offers are left out: a telephone rings at least five seconds before it counts as missed, which would be minutes.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from acd.demand import Demand
from acd.simulation.band import Band, Jitter, band
from acd.simulation.centre import Centre as SimulatedCentre
from acd.simulation.centre import DemandRules, Play, Strategy
from acd.simulation.trace import Trace, TraceCall
from asterisk_conf.embedded import EmbeddedAsterisk
from asterisk_conf.from_city import paths_for
from asterisk_conf.render import write
from benchmarks._centre import NUMBER, CitySpec, LineSpec, LoadCentre, short_prompts, write_profile
from benchmarks._cities import trace_of
from benchmarks._ends import CallLog, Citizens, Handling, OfferLog, Operators
from benchmarks._offers import sign_in
from core.ids import QueueName
from core.settings import settings_from
from runtime.install.asterisk import asterisk_command, ensure_asterisk
from services.city import load_city
from storage.database import Database

from centre import eventually, free_ports  # isort: skip

KEY_AFTER_S = 0.6
CONNECTING_S = 0.3
"""From the key to the queue: the prompt before it."""
WRAP_UP_S = 1
RUNS = 60
_starting = asyncio.Lock()
"""Alembic migrates one database at a time in a process."""
STRATEGIES = ("leastrecent", "rrmemory", "fewestcalls")
STATIC = """
[general]
static = yes
writeprotect = yes

[from-trunk]
exten => _012000090[1-3],1,Answer()
 same => n,MixMonitor(,r({recordings}/s-${{UNIQUEID}}-citizen.wav)t({recordings}/s-${{UNIQUEID}}-line.wav))
 same => n,Read(KEY,{sounds}/greeting&{sounds}/menu_main,1,,1,5)
 same => n,Playback({sounds}/connecting)
 same => n,Goto(${{EXTEN}}-${{KEY}},1)
{queues}

[from-operator]
exten => s,1,Hangup()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedDay:
    """What the telephones saw of one day under one policy. Seconds of compressed time."""

    policy: str
    calls: int
    answered: int
    waits_s: tuple[float, ...]
    """From the queue to the answer, of the answered."""
    handled: Mapping[str, int]
    """Calls by operator."""
    busy_s: Mapping[str, float]
    """Talk plus wrap-up by operator."""
    way_s: tuple[float, ...]
    """From the key to the queue, of those who found an operator free: the answer less the telephone's ringing."""


def compressed(trace: Trace, speed: float) -> Trace:
    """The trace `speed` times faster, from its first call on, without breaks and missed offers."""
    start = trace.calls[0].at_s
    end = (trace.calls[-1].at_s - start) / speed + 300.0
    operators = tuple(replace(person, breaks=(), shifts=((0.0, end),)) for person in trace.operators)
    return Trace(
        operators=operators,
        calls=tuple(_faster(call, start, speed) for call in trace.calls),
    )


def _faster(call: TraceCall, start: float, speed: float) -> TraceCall:
    picks_up = min(call.answer_s.values(), default=0.0)
    return replace(
        call,
        at_s=2.0 + (call.at_s - start) / speed,
        service_s=call.service_s / speed,
        patience_s=call.patience_s / speed,
        answer_s=dict.fromkeys(call.answer_s, picks_up / speed),
        missed=0,
    )


def city_for(trace: Trace, demands: Sequence[Demand], *, wait_limit_s: int) -> CitySpec:
    """A made city with a line for each demand; a level tells from which stage on an operator may serve it."""
    lines = []
    for demand in demands:
        stages = len(demand.stages)
        asks = tuple(
            (round(stage.after_s), {_line_id(demand.name): stages - place})
            for place, stage in enumerate(demand.stages)
        )
        lines.append(
            LineSpec(
                id=_line_id(demand.name), asks=asks if stages > 1 else (), ring_s=20, wrap_up_s=WRAP_UP_S,
                wait_limit_s=wait_limit_s,
            )
        )  # fmt: skip
    operators: dict[str, dict[str, int]] = {}
    for person in trace.operators:
        levels = {}
        for demand in demands:
            place = next((n for n, stage in enumerate(demand.stages) if stage.served_by(person.skills)), None)
            if place is not None:
                levels[_line_id(demand.name)] = len(demand.stages) - place
        operators[person.operator] = levels
    return CitySpec(id="asobi", lines=lines, operators=operators)


def _line_id(demand: QueueName) -> str:
    return demand.replace("-", "").replace("_", "")


def user_of(call: TraceCall) -> str:
    return f"090{call.number:08d}"


def _ring_s(call: TraceCall) -> float:
    return max(0.02, min(call.answer_s.values(), default=0.02))


async def play_ours(
    folder: Path, trace: Trace, demands: Sequence[Demand], *, first_rtp: int, even_by: str = "minutes"
) -> PlayedDay:
    """Our centre, whole: menu, queues, engine, ledger."""
    city = replace(city_for(trace, demands, wait_limit_s=600), even_by=even_by)
    async with _centre(folder, city, list(city.operators), first_rtp) as centre:
        citizens, operators = await _people(centre, trace, list(city.operators))
        await sign_in(centre, city)
        await _play(trace, demands, citizens, NUMBER)
        day = _day("ours", trace, citizens.log, operators.log)
        citizens.close()
        operators.close()
    return day


async def play_static(
    folder: Path, trace: Trace, demands: Sequence[Demand], *, first_rtp: int
) -> list[PlayedDay]:
    """The same Asterisk with a static dialplan, its own strategies side by side, each with operators of its own."""
    city = city_for(trace, demands, wait_limit_s=600)
    teams = {
        strategy: {operator: f"{number}{operator[1:]}" for operator in city.operators}
        for number, strategy in enumerate(STRATEGIES, start=4)
    }
    everybody = [operator for team in teams.values() for operator in team.values()]
    async with _centre(folder, city, everybody, first_rtp) as centre:
        await centre.halt()
        asterisk = _asterisk(centre)
        paths = _paths(centre)
        files = {
            str(path.relative_to(paths.etc)): path.read_text("utf-8") for path in paths.etc.rglob("*.conf")
        }
        write(
            {name: text for name, text in files.items() if not name.startswith("dialplans/")}
            | {
                "extensions.conf": STATIC.format(
                    recordings=paths.recordings, sounds=paths.sounds / "ja" / city.id, queues=_ways(demands)
                ),
                "modules.conf": files["modules.conf"] + "load = app_read.so\n",
                "queues.conf": _queues(demands),
            },
            paths.etc,
        )
        await asterisk.start()
        try:
            ends = []
            for place, (strategy, team) in enumerate(teams.items(), start=1):
                citizens, operators = await _people(centre, trace, list(team.values()))
                for operator, number in team.items():
                    person = next(p for p in trace.operators if p.operator == operator)
                    for demand in demands:
                        for stage in demand.stages:
                            if stage.served_by(person.skills):
                                await asterisk.cli(
                                    f"queue add member PJSIP/op{number} to {strategy}-{stage.queue} penalty 0"
                                )
                ends.append((strategy, citizens, operators, f"012000090{place}"))
            await asyncio.gather(
                *(_play(trace, demands, citizens, number) for _strategy, citizens, _operators, number in ends)
            )
            days = []
            for strategy, citizens, operators, _number in ends:
                names = {number: operator for operator, number in teams[strategy].items()}
                log = [
                    replace(o, operator=f"op{names[o.operator.removeprefix('op')]}") for o in operators.log
                ]
                days.append(_day(strategy, trace, citizens.log, log))
                citizens.close()
                operators.close()
        finally:
            await asterisk.stop()
    return days


def _ways(demands: Sequence[Demand]) -> str:
    lines = []
    for place, strategy in enumerate(STRATEGIES, start=1):
        for key, demand in enumerate(demands, start=1):
            lines.append(f"exten => 012000090{place}-{key},1,NoOp()")
            for stage_place, stage in enumerate(demand.stages):
                seconds = demand.step_s(stage_place) if stage_place + 1 < len(demand.stages) else 600
                lines.append(f" same => n,Queue({strategy}-{stage.queue},,,,{max(1, round(seconds))})")
            lines.append(" same => n,Hangup()")
    return "\n".join(lines)


def _queues(demands: Sequence[Demand]) -> str:
    text = "[general]\npersistentmembers = no\nautofill = yes\nshared_lastcall = yes\n"
    for strategy, demand in itertools.product(STRATEGIES, demands):
        for stage in demand.stages:
            text += (
                f"\n[{strategy}-{stage.queue}]\nstrategy = {strategy}\nmusicclass = default\ntimeout = 20\nretry = 1\n"
                f"timeoutpriority = conf\nringinuse = no\nautofill = yes\nautopause = no\nwrapuptime = {WRAP_UP_S}\n"
                "announce-frequency = 0\nannounce-position = no\nannounce-holdtime = no\nreportholdtime = no\n"
            )
    return text


@asynccontextmanager
async def _centre(
    folder: Path, city: CitySpec, operators: Sequence[str], first_rtp: int
) -> AsyncIterator[LoadCentre]:
    folder.mkdir(parents=True)
    profile, home = write_profile(folder, city), folder / "home"
    home.mkdir()
    short_prompts(home, profile)
    centre = LoadCentre(
        home=home, ports=free_ports(5), database=Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}"),
        profile=str(profile), first_rtp=first_rtp,
    )  # fmt: skip
    try:
        async with _starting:
            await centre.start({operator: dict(city.operators.get(operator, {})) for operator in operators})
        # Silence is transcribed too; it must not take the processor from the day.
        os.setpriority(os.PRIO_PROCESS, centre.warden()["transcriber"]["pid"], 19)
        yield centre
    finally:
        await centre.stop()


def _paths(centre: LoadCentre) -> Any:
    settings = settings_from(centre.environment())
    prefix = ensure_asterisk(settings.tools)
    return paths_for(settings, modules=prefix.modules, data=prefix.data)


def _asterisk(centre: LoadCentre) -> EmbeddedAsterisk:
    prefix = ensure_asterisk(settings_from(centre.environment()).tools)
    return EmbeddedAsterisk(asterisk_command(prefix), _paths(centre))


async def _people(centre: LoadCentre, trace: Trace, operators: Sequence[str]) -> tuple[Citizens, Operators]:
    calls = {user_of(call): call for call in trace.calls}
    citizens, phones = await Citizens.open(centre.place), await Operators.open(centre.place)
    citizens.connected = phones.connected
    phones.handling = lambda _operator, user: Handling(
        ring_s=_ring_s(calls[user]), talk_s=calls[user].service_s
    )
    await phones.register({f"op{number}": centre.secrets[number] for number in operators})
    return citizens, phones


async def _play(trace: Trace, demands: Sequence[Demand], citizens: Citizens, number: str) -> None:
    keys = {demand.name: str(place) for place, demand in enumerate(demands, start=1)}
    start = time.monotonic()

    async def one(call: TraceCall) -> None:
        await asyncio.sleep(max(0.0, start + call.at_s - KEY_AFTER_S - CONNECTING_S - time.monotonic()))
        await citizens.call(
            number, user_of(call), keys[call.demand], key_after_s=KEY_AFTER_S,
            patience_s=CONNECTING_S + call.patience_s,
        )  # fmt: skip

    await asyncio.gather(*(one(call) for call in trace.calls))
    await eventually(lambda: not citizens.open_calls, within=60, what="the last citizen's end")


def _day(policy: str, trace: Trace, calls: Sequence[CallLog], offers: Sequence[OfferLog]) -> PlayedDay:
    keyed = {call.user: call.keyed_at for call in calls}
    # Who gave up in the moment in which the telephone was picked up has not been answered, for nobody was there.
    gave_up = {call.user for call in calls if call.gave_up}
    talks = [offer for offer in offers if offer.answered_at is not None and offer.user not in gave_up]
    handled: dict[str, int] = {person.operator: 0 for person in trace.operators}
    busy: dict[str, float] = dict.fromkeys(handled, 0.0)
    waits = []
    rings = {user_of(call): _ring_s(call) for call in trace.calls}
    ways = sorted(
        talk.answered_at - (keyed[talk.user] or talk.answered_at) - rings[talk.user]
        for talk in talks
        if talk.answered_at is not None
    )
    # The switch looks at who waits once a second: whoever was later than this had to wait.
    free = [way for way in ways if way <= ways[len(ways) // 20] + 0.4]
    way_s = fmean(free)
    for talk in talks:
        operator = talk.operator.removeprefix("op")
        assert talk.answered_at is not None
        assert talk.ended_at is not None
        handled[operator] += 1
        busy[operator] += talk.ended_at - talk.answered_at + WRAP_UP_S
        entered = (keyed[talk.user] or talk.answered_at) + way_s
        waits.append(max(0.0, talk.answered_at - entered))
    return PlayedDay(
        policy=policy, calls=len(calls), answered=len({talk.user for talk in talks}), waits_s=tuple(waits),
        handled=handled, busy_s=busy, way_s=tuple(free),
    )  # fmt: skip


def simulated_centre(demands: Sequence[Demand]) -> SimulatedCentre:
    """The compressed day's centre for the simulator: the same seconds as the switch's."""
    return SimulatedCentre(
        demands=tuple(
            DemandRules(demand=replace(demand, wait_limit_s=600.0), wrap_up_s=float(WRAP_UP_S), ring_s=20.0)
            for demand in demands
        )
    )


def expected_answers(centre: SimulatedCentre, trace: Trace, day: PlayedDay, seed: int) -> Band:
    """The 95 % band of answered calls for the day as the telephones played it.

    A citizen knows the key and not the queue: they give up `CONNECTING_S` and their patience after the key, and were in
    the queue after one of the day's measured ways. What is left of their patience there is what the simulator gets.
    """
    values = []
    for run in range(RUNS):
        dice = random.Random(f"{seed} {run}")
        calls = tuple(
            replace(call, patience_s=max(0.0, call.patience_s + CONNECTING_S - dice.choice(day.way_s)))
            for call in trace.calls
        )
        jitter = Jitter(arrival_s=0.5, pick_up_s=0.03, talk_s=0.03)
        shaken = band(
            centre, Trace(calls=calls, operators=trace.operators), Play(strategy=Strategy(day.policy)),
            jitter=jitter, runs=1, seed=run,
        )  # fmt: skip
        values += shaken.values
    values.sort()
    cut = math.floor(0.025 * RUNS)
    return Band(values=tuple(values), low=values[cut], high=values[RUNS - 1 - cut])


async def run_days(
    folder: Path, city: str, *, load: float, seeds: Sequence[int], speed: float, say: Callable[[str], None]
) -> dict[str, Any]:
    """Several days at once, each under every policy, with the simulator's 95 % band for the same trace."""
    profile = load_city(city)
    demands = [demand for demand, _line in profile.acd.demands()]
    traces = {seed: compressed(trace_of(profile, load=load, seed=seed), speed) for seed in seeds}
    longest = max(trace.calls[-1].at_s for trace in traces.values())
    say(
        f"{city} の {len(seeds)} 日を {speed:g} 倍の速さで動かします。約 {longest / 60 + 3:.0f} 分かかります。"
    )

    async def one(place: int, seed: int) -> dict[str, Any]:
        first_rtp = 12000 + 3000 * place
        ours, static = await asyncio.gather(
            play_ours(folder / f"ours-{seed}", traces[seed], demands, first_rtp=first_rtp),
            play_static(folder / f"static-{seed}", traces[seed], demands, first_rtp=first_rtp + 1000),
        )
        return {"seed": seed, "days": [ours, *static]}

    played = await asyncio.gather(*(one(place, seed) for place, seed in enumerate(seeds)))
    say("シミュレーターで同じ日を動かします。")
    centre = simulated_centre(demands)
    days = []
    for result in played:
        trace = traces[result["seed"]]
        rows = []
        for day in result["days"]:
            expected = await asyncio.to_thread(expected_answers, centre, trace, day, result["seed"])
            rows.append(
                {
                    "policy": day.policy,
                    "calls": day.calls,
                    "answered": day.answered,
                    "band": [expected.low, expected.high],
                    "band_mean": round(expected.mean, 1),
                    "within_band": expected.holds(day.answered),
                    "way_to_queue_s": round(fmean(day.way_s), 3),
                    "mean_wait_s": round(speed * fmean(day.waits_s), 1) if day.waits_s else None,
                    "uneven_minutes": _spread(day.busy_s.values()),
                    "uneven_calls": _spread(day.handled.values()),
                    "handled": day.handled,
                    "busy_s": {op: round(speed * seconds) for op, seconds in day.busy_s.items()},
                }
            )
        days.append({"seed": result["seed"], "policies": rows})
    return {"city": city, "load": load, "speed": speed, "days": days}


def _spread(loads: Iterable[float]) -> float:
    values = list(loads)
    return round((max(values) - min(values)) / max(fmean(values), 1e-9), 3)
