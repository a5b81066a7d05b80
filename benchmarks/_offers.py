"""Many real offers under a slow AMI, judged by what the telephones saw.

Citizens keep every queue filled; some give up, some operators miss an offer. The judge knows the skills and the rules
and joins the two logs of the telephones; it asks neither the switch nor the engine.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asterisk_conf.embedded import EmbeddedAsterisk
from asterisk_conf.from_city import operator_queues, paths_for
from benchmarks._centre import NUMBER, CitySpec, LineSpec, LoadCentre, short_prompts, write_profile
from benchmarks._delayed import delayed_ami
from benchmarks._ends import CallLog, Citizens, Handling, OfferLog, Operators
from core.settings import settings_from
from runtime.install.asterisk import asterisk_command, ensure_asterisk
from services.city import load_city
from storage.database import Database

from centre import eventually, free_ports  # isort: skip

WRAP_UP_S = 1
STAGE_SLACK_S = 1.05
"""The dialplan counts a stage in whole seconds."""
SLACK_S = 0.05
CITY = CitySpec(
    id="ugoki",
    lines=(
        LineSpec(id="card", asks=((0, {"card": 3}), (4, {"card": 2}), (8, {"card": 1})), ring_s=5),
        LineSpec(id="portal", asks=((0, {"portal": 3}), (5, {"portal": 1})), ring_s=5),
        LineSpec(id="booking", ring_s=5),
        LineSpec(id="form", asks=((0, {"form": 2, "card": 1}), (6, {"form": 1})), ring_s=5),
    ),
    operators={
        "201": {"card": 5, "portal": 4, "booking": 3, "form": 3},
        "202": {"card": 4, "portal": 2, "booking": 2},
        "203": {"card": 3, "booking": 3, "form": 2},
        "204": {"card": 2, "portal": 3, "form": 1},
        "205": {"card": 1, "portal": 1, "booking": 5, "form": 2},
        "206": {"portal": 5, "booking": 1},
        "207": {"card": 3, "form": 4},
        "208": {"card": 2, "booking": 4, "portal": 3, "form": 1},
    },
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the telephones saw."""

    offers: int
    answered: int
    every_queue_waiting: int
    """Offers at which every line had somebody waiting besides the offered citizen."""
    faults: list[str] = field(default_factory=list)


def judge(
    city: CitySpec, calls: Sequence[CallLog], offers: Sequence[OfferLog], lines: Mapping[str, str]
) -> Verdict:
    """Faults against the rules: rung twice at once, in wrap-up, or a demand that the operator may not serve.

    Args:
        lines: citizen's number to the line they asked for.
    """
    faults: list[str] = []
    last_answer = {
        offer.user: offer.answered_at for offer in sorted(offers, key=lambda o: o.answered_at or 0.0)
    }
    keyed = {call.user: call.keyed_at or call.invited_at for call in calls}
    for operator in city.operators:
        mine = sorted((o for o in offers if o.operator == f"op{operator}"), key=lambda o: o.rang_at)
        for before, offer in itertools.pairwise(mine):
            ended = before.ended_at if before.ended_at is not None else float("inf")
            if offer.rang_at < ended - SLACK_S:
                faults.append(f"{operator} rung twice at once: {before} {offer}")
            elif before.answered_at is None or last_answer[before.user] != before.answered_at:
                # Not taken, or hung up within the moment before the two were joined: the citizen waited on and was
                # answered by somebody else.
                continue
            elif offer.rang_at < ended + WRAP_UP_S - SLACK_S:
                faults.append(f"{operator} rung {offer.rang_at - ended:.3f} s after a talk: {before} {offer}")
    specs = {line.id: line for line in city.lines}
    for offer in offers:
        line = specs[lines[offer.user]]
        skills = city.operators[offer.operator.removeprefix("op")]
        waited = offer.rang_at - keyed[offer.user]
        asks = line.asks or ((0, {line.id: 1}),)
        may = [
            least
            for after, least in asks
            if after <= waited + STAGE_SLACK_S
            and all(skills.get(s, 0) >= level for s, level in least.items())
        ]
        if not may:
            faults.append(f"{offer.operator} may not serve {line.id} after {waited:.2f} s: {offer}")
    taken = {offer.user: offer.answered_at for offer in offers if offer.answered_at is not None}
    full = 0
    for offer in offers:
        waiting = {
            lines[call.user]
            for call in calls
            if call.keyed_at is not None
            and call.user != offer.user
            and call.keyed_at < offer.rang_at
            and (call.ended_at or float("inf")) > offer.rang_at
            and taken.get(call.user, float("inf")) > offer.rang_at
        }
        full += waiting == set(specs)
    return Verdict(len(offers), len(taken), full, faults)


async def run_offers(
    folder: Path, *, offers: int, delay_s: float, seed: int, waiting_each: int = 4
) -> dict[str, Any]:
    """The trial; figures with `faults`, a list of sentences that is empty when all went well."""
    profile, home = write_profile(folder, CITY), folder / "home"
    home.mkdir()
    short_prompts(home, profile)
    centre = LoadCentre(
        home=home, ports=free_ports(5), database=Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}"),
        profile=str(profile),
    )  # fmt: skip
    chance = random.Random(seed)
    lines: dict[str, str] = {}
    try:
        await centre.start({operator: dict(skills) for operator, skills in CITY.operators.items()})
        citizens, operators = await Citizens.open(centre.place), await Operators.open(centre.place)
        citizens.connected = operators.connected
        operators.handling = lambda _operator, _user: Handling(
            ring_s=chance.uniform(0.02, 0.3), talk_s=chance.uniform(0.05, 0.5), answers=chance.random() > 0.02
        )
        await operators.register({f"op{number}": secret for number, secret in centre.secrets.items()})
        async with delayed_ami(centre, seed, delay_s):
            await sign_in(centre, CITY)
            callers = [
                asyncio.create_task(_keep_calling(citizens, place, line.id, lines, chance))
                for place, line in enumerate(CITY.lines, start=1)
                for _ in range(waiting_each)
            ]
            try:
                await eventually(
                    lambda: len(operators.log) >= offers or any(c.done() for c in callers),
                    within=60 + offers, what=lambda: f"{offers} offers ({len(operators.log)}; {centre.log_tail()})",
                )  # fmt: skip
            finally:
                for caller in callers:
                    caller.cancel()
                outcomes = await asyncio.gather(*callers, return_exceptions=True)
            broken = [repr(o) for o in outcomes if isinstance(o, Exception)]
        astray = await _led_elsewhere(centre, lines)
        verdict = judge(CITY, citizens.log, list(operators.log), lines | astray)
        explained = await _explained(centre)
        citizens.close()
        operators.close()
    finally:
        await centre.stop()
    return {
        "offers": verdict.offers,
        "answered": verdict.answered,
        "every_queue_waiting": verdict.every_queue_waiting,
        "ami_delay_s": [0.0, delay_s],
        "seed": seed,
        "led_elsewhere": len(astray),
        "explained": explained,
        "faults": [*verdict.faults, *broken],
    }


async def sign_in(centre: LoadCentre, city: CitySpec) -> None:
    """Everybody at once, as the console would."""
    settings = settings_from(centre.environment())
    prefix = ensure_asterisk(settings.tools)
    paths = paths_for(settings, modules=prefix.modules, data=prefix.data)
    asterisk = EmbeddedAsterisk(asterisk_command(prefix), paths)
    profile = load_city(centre.profile)
    for operator, skills in city.operators.items():
        for queue, penalty in operator_queues(profile, skills, ("ja",)):
            await asterisk.cli(
                f"queue add member PJSIP/op{operator} to {queue} penalty {penalty} as op{operator}"
            )
    for operator in city.operators:
        await eventually(
            lambda operator=operator: centre.operator_state(operator) == "ready",
            what=f"{operator} ready",
        )


async def _keep_calling(
    citizens: Citizens, place: int, line: str, lines: dict[str, str], chance: random.Random
) -> None:
    for _ in itertools.count():
        user = f"090{chance.randrange(10**8):08d}"
        lines[user] = line
        patience = chance.uniform(3.0, 12.0) if chance.random() < 0.15 else 90.0
        await citizens.call(NUMBER, user, str(place), key_after_s=0.4, patience_s=patience)
        await asyncio.sleep(chance.uniform(0.0, 0.3))


async def _led_elsewhere(centre: LoadCentre, lines: Mapping[str, str]) -> dict[str, str]:
    """Citizens whose key came to nothing and whom the menu led to its usual line (with a late heartbeat the fallback
    script begins anew, and a key pressed before it listens is lost)."""
    await asyncio.sleep(1.5)  # for the last calls on disk
    async with centre.database.reading() as unit:
        calls = await unit.calls.between(0.0, 4e9)
    return {
        call.caller.number: call.line
        for call in calls
        if call.caller is not None
        and call.caller.number in lines
        and call.line is not None
        and call.line != lines[call.caller.number]
    }


async def _explained(centre: LoadCentre) -> dict[str, int]:
    """How many offers have their reasons stored, by deviation."""
    counts: dict[str, int] = {}
    await asyncio.sleep(1.5)  # the engine stores what it has every half second, and AMI is late
    async with centre.database.reading() as unit:
        for offer in await unit.offers.between(0.0, 4e9):
            counts[offer.deviation or "as_wished"] = counts.get(offer.deviation or "as_wished", 0) + 1
    return counts
