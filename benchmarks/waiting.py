"""The wait that callers are told against the wait they had: five cities, on the simulated switch.

Every day is played with the production floor, which tells waiting callers at the profile's times (20 s, then every
45 s). The floor's experience goes on from day to day, as the ledger lets it; three days before the first that counts
give it a past. Judged, as the issue asks, are the first range a caller heard (does it hold the wait of those who were
answered, how wide is it) and whether callers who waited more than 60 s heard one.

Two loads a city, each also 30 % lower and higher:

- `specified`: the specification's volume on a weekday. Hardly anybody waits there.
- `limit`: the volume at which 90 % are just answered with the same operators. Here waiting is common.

On the same words stand what others would have said at that moment: app_queue (`|holdtime + 30 - waited|`, its
`holdtime` being 3/4 old and 1/4 new at each answer of the queue), the wait of the last caller answered, and the former
formula of position, mean and standard deviation. Those who give one figure are taken to mean one minute either way.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Any

from acd.events import FloorCommand, TellWaiting
from acd.experience import Experience
from acd.floor import Floor
from acd.rules import FloorRules
from acd.simulation.centre import Centre, Play
from acd.simulation.log import Happening, What
from acd.simulation.outcome import Caller, End
from acd.simulation.play import play
from benchmarks._cities import centre_of, trace_of
from core.ids import QueueName, demand_of
from services.city import CityProfile, list_cities, load_city

LOADS = (0.7, 1.0, 1.3)
ANSWERED_AT_LIMIT = 0.9
PAST_DAYS = 3
SPECIFIED_DAYS, LIMIT_DAYS = 60, 20
LONG_S = 60.0
OTHERS = ("app_queue", "last_answered", "former")
Range = tuple[float, float]
"""Minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one caller heard at one moment, and what others would have said."""

    waited_s: float
    said: Range | None
    others: dict[str, Range | None]


@dataclass(slots=True)
class Wait:
    """One caller's wait and the words in it."""

    caller: Caller
    words: list[Word] = field(default_factory=list)


class Others:
    """The other ways to tell, fed with the same day."""

    def __init__(self, wrap_up_s: dict[QueueName, float]) -> None:
        self._wrap_up_s = wrap_up_s
        self._since: dict[int, float] = {}
        self._holdtime: defaultdict[QueueName, float] = defaultdict(float)
        self._last_wait: dict[QueueName, float] = {}

    def __call__(self, happening: Happening, /) -> None:
        """The switch's log."""
        if happening.call is None or happening.queue is None:
            return
        demand = demand_of(happening.queue)
        if happening.what is What.ENTERED:
            self._since.setdefault(happening.call, happening.at)
        elif happening.what is What.ANSWERED:
            waited = happening.at - self._since[happening.call]
            # recalc_holdtime of app_queue.c
            self._holdtime[demand] = (3 * self._holdtime[demand] + waited) // 4
            self._last_wait[demand] = waited

    def say(self, floor: Floor, command: TellWaiting, now: float, waited_s: float) -> dict[str, Range | None]:
        demand = demand_of(command.queue)
        last = self._last_wait.get(demand)
        return {
            "app_queue": about(abs(self._holdtime[demand] + 30 - waited_s)),
            "last_answered": None if last is None else about(max(0.0, last - waited_s)),
            "former": former(floor, command, now),
        }


def about(seconds: float) -> Range:
    """One figure of whole minutes, taken as a minute either way."""
    minutes = math.floor(seconds / 60)
    return (minutes - 1.0, minutes + 1.0)


def former(floor: Floor, command: TellWaiting, now: float) -> Range | None:
    """Position, mean and standard deviation of the last 30 calls, as the floor told before it had an estimator."""
    view = floor.view(now)
    recent = view.handling_s.get(demand_of(command.queue), ())
    serving = sum(1 for seat in view.seats if command.queue in seat.queues and seat.on_duty)
    if len(recent) < 3 or serving < 1:
        return None
    centre = command.position * fmean(recent) / serving
    margin = pstdev(recent) * math.sqrt(command.position) / serving
    least = max(1, math.floor((centre - margin) / 60))
    most = max(least, math.ceil((centre + margin) / 60))
    return None if most > 30 else (float(least), float(most))


def told_days(
    profile: CityProfile, load: float, seeds: Iterable[int], *, past: int = PAST_DAYS
) -> list[Wait]:
    """Play days in a row; `past` more before them teach and do not count."""
    experience, centre = Experience(), centre_of(profile)
    found: list[Wait] = []
    for seed in [-1 - day for day in range(past)] + list(seeds):
        waits = told_day(profile, centre, load, seed, experience)
        found += waits if seed >= 0 else []
    return found


def told_day(
    profile: CityProfile, centre: Centre, load: float, seed: int, experience: Experience
) -> list[Wait]:
    """One day and what was told in it."""
    words: defaultdict[int, list[Word]] = defaultdict(list)
    others = Others({rules.demand.name: rules.wrap_up_s for rules in centre.demands})
    floors: list[Floor] = []

    def make(rules: FloorRules) -> Floor:
        times = {d.name: (float(ln.first_word_s), float(ln.word_every_s)) for d, ln in profile.acd.demands()}
        floors.append(Floor(replace(rules, words=times), experience))
        return floors[0]

    def listen(command: FloorCommand) -> None:
        if isinstance(command, TellWaiting):
            waiting = floors[0].waiting[command.caller]
            now = waiting.told_at or 0.0
            said = None if command.minutes is None else (float(command.minutes[0]), float(command.minutes[1]))
            waited_s = now - waiting.joined_at
            told = Word(waited_s=waited_s, said=said, others=others.say(floors[0], command, now, waited_s))
            words[int(command.caller.rpartition("-")[2])].append(told)

    day = play(
        centre,
        trace_of(profile, load=load, seed=seed),
        Play(seed=seed),
        observers=[others],
        on_command=listen,
        make_floor=make,
    )
    return [Wait(caller, words[number]) for number, caller in day.callers.items()]


def figures(waits: Sequence[Wait], heard: Callable[[Word], Range | None]) -> dict[str, Any]:
    """Of the first range that each caller heard, and of the later ones."""
    first: list[tuple[Range, float]] = []
    later: list[tuple[Range, float]] = []
    first_of_long: list[tuple[Range, float]] = []
    long = given = 0
    for wait in waits:
        said = [(each, word.waited_s) for word in wait.words if (each := heard(word)) is not None]
        if wait.caller.wait_s > LONG_S:
            long += 1
            given += bool(said)
        if wait.caller.end is End.ANSWERED:
            rests = [(each, (wait.caller.wait_s - waited_s) / 60) for each, waited_s in said]
            first += rests[:1]
            later += rests[1:]
            if wait.caller.wait_s > LONG_S:
                first_of_long += rests[:1]
    return {
        "told_first": len(first),
        "covers": _share([least <= rest <= most for (least, most), rest in first]),
        "covers_over_60_s": _share([least <= rest <= most for (least, most), rest in first_of_long]),
        "longer_than_told": _share([rest > most for (_, most), rest in first]),
        "width_min": median([most - least for (least, most), _ in first]) if first else None,
        "off_by_min": round(fmean([abs((least + most) / 2 - rest) for (least, most), rest in first]), 2)
        if first
        else None,
        "told_later": len(later),
        "covers_later": _share([least <= rest <= most for (least, most), rest in later]),
        "over_60_s": long,
        "given": round(given / long, 3) if long else None,
    }


def _share(held: Sequence[bool]) -> float | None:
    return round(sum(held) / len(held), 3) if held else None


def row(city: str, name: str, load: float, days: int) -> dict[str, Any]:
    """One city at one load."""
    waits = told_days(load_city(city), load, range(days))
    return {"city": city, "load": name, "times_specified": round(load, 2), "days": days, **summary(waits)}


def summary(waits: Sequence[Wait]) -> dict[str, Any]:
    ours = figures(waits, lambda word: word.said)
    by_demand: defaultdict[QueueName, list[Wait]] = defaultdict(list)
    for wait in waits:
        by_demand[wait.caller.demand].append(wait)
    return {
        "calls": len(waits),
        "answered": _share([wait.caller.end is End.ANSWERED for wait in waits]),
        "ours": ours,
        "others": {name: figures(waits, partial(_heard_from, name)) for name in OTHERS},
        "by_demand": {
            demand: figures(own, lambda word: word.said) for demand, own in sorted(by_demand.items())
        },
    }


def _heard_from(name: str, word: Word) -> Range | None:
    return word.others[name]


def load_at_limit(city: str, days: int = 4) -> float:
    """The volume, as a multiple of the specified one, at which 90 % are answered; to a twentieth."""
    profile = load_city(city)
    centre = centre_of(profile)

    def answered(load: float) -> float:
        played = [
            play(centre, trace_of(profile, load=load, seed=1000 + n), Play(seed=n)) for n in range(days)
        ]
        return sum(day.answered for day in played) / sum(len(day.callers) for day in played)

    low, high = 0.5, 12.0
    while high - low > 0.05:
        middle = (low + high) / 2
        low, high = (middle, high) if answered(middle) >= ANSWERED_AT_LIMIT else (low, middle)
    return low


def run(out: Path, quick: bool) -> dict[str, Any]:
    """All cities and loads; quick: ageo at its limit, three days."""
    if quick:
        return {"rows": [row("ageo", "limit", 2.5, 3)]}
    rows = []
    everything: defaultdict[str, list[Wait]] = defaultdict(list)
    for city in list_cities():
        limit = load_at_limit(city)
        for kind, unit, days in (("specified", 1.0, SPECIFIED_DAYS), ("limit", limit, LIMIT_DAYS)):
            for times in LOADS:
                name = kind if times == 1.0 else f"{kind} {times - 1:+.0%}"
                waits = told_days(load_city(city), unit * times, range(days))
                everything[name] += waits
                rows.append(
                    {"city": city, "load": name, "times_specified": round(unit * times, 2), "days": days}
                    | summary(waits)
                )
    totals = {
        name: {key: value for key, value in summary(waits).items() if key != "by_demand"}
        for name, waits in everything.items()
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "waiting.md").write_text(table(rows, totals), encoding="utf-8")
    return {"totals": totals, "rows": rows}


def table(rows: Sequence[dict[str, Any]], totals: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown."""
    columns = (
        "city", "load", "× specified", "answered", "over 60 s", "of them given", "first told", "covers",
        "waited longer", "width", "later told", "covers", "app_queue covers, off by", "last answered covers, off by",
        "former covers, width",
    )  # fmt: skip
    head = "| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|\n"

    def line(city: str, load: str, times: str, found: dict[str, Any]) -> str:
        ours, others = found["ours"], found["others"]
        cells = [
            city, load, times, found["answered"], ours["over_60_s"], ours["given"], ours["told_first"],
            ours["covers"], ours["longer_than_told"], ours["width_min"], ours["told_later"], ours["covers_later"],
            f"{others['app_queue']['covers']}, {others['app_queue']['off_by_min']}",
            f"{others['last_answered']['covers']}, {others['last_answered']['off_by_min']}",
            f"{others['former']['covers']}, {others['former']['width_min']}",
        ]  # fmt: skip
        return "| " + " | ".join("–" if cell is None else str(cell) for cell in cells) + " |\n"

    lines = [line(each["city"], each["load"], str(each["times_specified"]), each) for each in rows]
    sums = [line("all", name, "", found) for name, found in totals.items()]
    return (
        "# The wait that callers are told, against the wait they had\n\n"
        "Made by `./toritsugi bench waiting`; what stands in a column is said in `benchmarks/waiting.py`. Minutes are\n"
        "of real time.\n\n" + head + "".join(lines) + "".join(sums)
    )
