"""Random scripts of handing over on the real switch, each checked against what the telephones saw.

A script is one citizen's call: served, then moves in any order that a person could make: handed on at once, asked
first and joined, or not, or in vain, to and fro between the two, all three in one talk, hung up while a department
still rings, to another line, by a department to the next one, until somebody hangs up, be it in the middle of a
question. The truth is told by the ends: who talked with the citizen from when to when, which telephone was rung with
which result, who hung up. The ledger's record must tell the same.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._stories import make_importable
from core.ids import OperatorId
from demo.ends.calls import IncomingCall, OutgoingCall
from demo.ends.dialog import Dialog

make_importable()
from centre import Phone, eventually, talk
from handover import INSIDE, OTHER, OUTSIDE, WITHIN_S, Handover, recording_unlike

MOST_MOVES = 4
REFUSALS = {486: ("BUSY", "transfer_busy"), 603: ("REFUSED", "transfer_no_answer"),
            500: ("CHANUNAVAIL", "transfer_unreachable")}  # fmt: skip
LINE, LINES_OPERATOR = "803", OperatorId("201")
_starting = asyncio.Lock()
"""Alembic migrates one database at a time in a process."""
CODES = {"blind": "*7", "ask": "*8", "join": "*2", "back": "*1", "three": "*3", "swap": "*4"}
OPERATORS_MOVES = ("blind", "refused", "ask", "abort", "vain", "line", "swap", "three", "rings_on", "quits")


@dataclass(slots=True)
class Part:
    """One party with the citizen. `ended` is None while it lasts."""

    who: str
    began: float
    ended: float | None = None


@dataclass(slots=True)
class Truth:
    """What the telephones saw of one call."""

    seed: int
    moves: list[str] = field(default_factory=list)
    operators: list[Part] = field(default_factory=list)
    staff: list[Part] = field(default_factory=list)
    transfers: list[tuple[str, str, str]] = field(default_factory=list)
    ended_by: str = ""
    ended: float = 0.0


@dataclass(slots=True)
class Script:
    """Plays one script."""

    city: Handover
    phones: dict[str, Phone]
    dice: random.Random
    truth: Truth
    call: OutgoingCall | None = None
    peer: Dialog | None = None
    """Whose telephone the citizen talks to."""
    operator: str = "101"
    department: str = ""
    """Extension of who the citizen talks to; empty while it is an operator."""
    over: bool = False
    """Somebody has hung up for good in the middle of a move."""

    async def run(self) -> OutgoingCall:
        self.call = await self.city.centre.queued("1")
        self.peer = await self.phones[self.operator].answer()
        # From the answer on, not from when both tones are found: a busy machine finds them seconds later.
        self.truth.operators.append(Part(self.operator, time.time()))
        await talk(self.call, self.peer)
        for _ in range(self.dice.randint(1, MOST_MOVES)):
            if self.department == OUTSIDE:
                break  # behind the trunk nobody hands on
            move = "hand_on" if self.department else self.dice.choice(OPERATORS_MOVES)
            if move == "line" and self.operator == LINES_OPERATOR:
                continue
            self.truth.moves.append(move)
            await getattr(self, f"_{move}")()
            if self.over:
                return self.call
        await self._end()
        return self.call

    # ---- moves -----------------------------------------------------------------------------------------

    def _other(self) -> str:
        return self.dice.choice([each for each in (OUTSIDE, INSIDE, OTHER) if each != self.department])

    async def _sends(self, extension: str) -> asyncio.Task[int] | None:
        """By the telephone's button or, an operator's, by the switch's code."""
        assert self.peer is not None
        if not self.department and self.dice.random() < 0.3:
            await self.city.by_code(self.peer, CODES["blind"], extension)
            return None
        return await self.city.hand_over(self.peer, extension)

    async def _blind(self) -> None:
        extension = self._other()
        await self._sends(extension)
        rung = await self.city.department(extension)
        await self._gone()
        await asyncio.sleep(self.dice.uniform(0.0, 1.0))
        rung.answer()
        self._with_department(extension, rung, "blind")
        await talk(self._citizen, rung)

    async def _hand_on(self) -> None:
        """From one department to the next, or in vain and back to the operator."""
        if self.dice.random() < 0.6:
            await self._blind()
        else:
            await self._refused()

    async def _refused(self) -> None:
        extension = self._other()
        status = self.dice.choice(sorted(REFUSALS))
        await self._sends(extension)
        rung = await self.city.department(extension)
        await self._gone()
        rung.refuse(status)
        result, why = REFUSALS[status]
        self.truth.transfers.append((extension, result, "blind"))
        phone = self.phones[self.operator]
        again = await self.city.back(phone, f"op_{why}")
        self.truth.operators.append(Part(self.operator, await self._joined(again)))
        self.peer, self.department = again, ""

    async def _ask(self) -> None:
        """Asked and joined."""
        extension, phone, by_code = self._other(), self.phones[self.operator], self.dice.random() < 0.3
        offer = self._offer()
        if by_code:
            rung = await self.city.asked_by_code(offer, CODES["ask"], extension)
            await offer.media.press(CODES["join"])
        else:
            asked = await self.city.ask(phone, offer, extension)
            rung = await self.city.department(extension)
            rung.answer()
            await asked.answered(5)
            await talk(asked, rung)
            assert await self.city.join(offer, asked, extension) < 300
            for mine in (offer, asked):
                if not mine.is_over:
                    await mine.hang_up()
        self._parted(time.time())
        self._with_department(extension, rung, "attended")
        await talk(self._citizen, rung)

    async def _abort(self) -> None:
        """Asked, and back to the citizen."""
        extension, offer, asked, rung = await self._question()
        await (asked if self.dice.random() < 0.5 else rung).hang_up()
        assert await rung.ended(10)
        assert await asked.ended(10)
        assert await offer.hold("sendrecv") < 300
        self.truth.transfers.append((extension, "ANSWER", "consult"))
        await talk(self._citizen, offer)

    async def _question(self) -> tuple[str, IncomingCall, OutgoingCall, IncomingCall]:
        """The citizen on hold, operator and department in talk: extension, offer, question, department."""
        extension, phone, offer = self._other(), self.phones[self.operator], self._offer()
        asked = await self.city.ask(phone, offer, extension)
        rung = await self.city.department(extension)
        rung.answer()
        await asked.answered(5)
        await talk(asked, rung)
        return extension, offer, asked, rung

    async def _vain(self) -> None:
        """Asked, and nobody there."""
        extension, phone, offer = self._other(), self.phones[self.operator], self._offer()
        status = self.dice.choice(sorted(REFUSALS))
        asked = await self.city.ask(phone, offer, extension)
        (await self.city.department(extension)).refuse(status)
        assert await asked.ended(15)
        assert await offer.hold("sendrecv") < 300
        self.truth.transfers.append((extension, REFUSALS[status][0], "consult"))
        await talk(self._citizen, offer)

    async def _line(self) -> None:
        """To the other line, whose operator takes the citizen."""
        await self._sends(LINE)
        await self._gone()
        other = self.phones[LINES_OPERATOR]
        rung = await other.rings()
        self.truth.transfers.append((LINE, "QUEUE", "blind"))
        rung.answer()
        self.truth.operators.append(Part(LINES_OPERATOR, time.time()))
        self.peer, self.operator, self.department = rung, LINES_OPERATOR, ""
        await talk(self._citizen, rung)

    async def _swap(self) -> None:
        """To and fro between citizen and department; then joined, or back to the citizen."""
        extension, offer = self._other(), self._offer()
        rung = await self.city.asked_by_code(offer, CODES["ask"], extension)
        await offer.media.press(CODES["swap"])
        await talk(self._citizen, offer)
        await offer.media.press(CODES["swap"])
        await talk(offer, rung)
        if self.dice.random() < 0.5:
            await offer.media.press(CODES["join"])
            self._parted(time.time())
            self._with_department(extension, rung, "attended")
            await talk(self._citizen, rung)
        else:
            await offer.media.press(CODES["back"])
            assert await rung.ended(10)
            self.truth.transfers.append((extension, "ANSWER", "consult"))
            await talk(self._citizen, offer)

    async def _three(self) -> None:
        """All three in one talk, until the operator or the department leaves."""
        extension, offer = self._other(), self._offer()
        rung = await self.city.asked_by_code(offer, CODES["ask"], extension)
        await offer.media.press(CODES["three"])
        self.truth.transfers.append((extension, "ANSWER", "attended"))
        self.truth.staff.append(Part(extension, time.time()))
        await talk(self._citizen, rung)
        await talk(self._citizen, offer)
        if self.dice.random() < 0.5:
            await offer.hang_up()
            self._parted(time.time())
            self.peer, self.department = rung, extension
            await talk(self._citizen, rung)
        else:
            await rung.hang_up()
            self.truth.staff[-1].ended = time.time()
            await talk(self._citizen, offer)

    async def _rings_on(self) -> None:
        """The operator hangs up while the department rings: the citizen follows when it answers."""
        extension, offer = self._other(), self._offer()
        await self.city.by_code(offer, CODES["ask"], extension)
        rung = await self.city.department(extension)
        await offer.hang_up()
        self._parted(time.time())
        await asyncio.sleep(self.dice.uniform(0.0, 1.0))
        rung.answer()
        self._with_department(extension, rung, "attended")
        await talk(self._citizen, rung)

    async def _quits(self) -> None:
        """While the department is asked, the citizen gives up, or the operator puts both receivers down."""
        extension, offer, asked, rung = await self._question()
        self.truth.transfers.append((extension, "ANSWER", "consult"))
        first = self.dice.choice(["citizen", "operator"])
        if first == "citizen":
            await self._citizen.hang_up()
        else:
            await asyncio.gather(asked.hang_up(), offer.hang_up())
        self.truth.ended, self.truth.ended_by, self.over = time.time(), first, True
        self._parted(self.truth.ended)
        for left in (offer, self._citizen):
            assert await left.ended(10)
        if not asked.is_over:
            await asked.hang_up()
        assert await rung.ended(10)

    async def _end(self) -> None:
        assert self.peer is not None
        first = self.dice.choice(["citizen", "peer"])
        await (self._citizen if first == "citizen" else self.peer).hang_up()
        self.truth.ended = time.time()
        assert await (self.peer if first == "citizen" else self._citizen).ended(10)
        self.truth.ended_by = "citizen" if first == "citizen" else "staff" if self.department else "operator"
        self._parted(self.truth.ended)

    def _offer(self) -> IncomingCall:
        """The operator's leg to the citizen."""
        assert isinstance(self.peer, IncomingCall)
        return self.peer

    # ---- what was seen -----------------------------------------------------------------------------------

    @property
    def _citizen(self) -> OutgoingCall:
        assert self.call is not None
        return self.call

    async def _gone(self) -> None:
        """The switch ends the leg of who handed the citizen on."""
        assert self.peer is not None
        assert await self.peer.ended(10)
        self._parted(time.time())

    def _parted(self, at: float) -> None:
        parts = self.truth.staff if self.department else self.truth.operators
        if parts and parts[-1].ended is None:
            parts[-1].ended = at

    def _with_department(self, extension: str, rung: IncomingCall, kind: str) -> None:
        self.truth.transfers.append((extension, "ANSWER", kind))
        self.truth.staff.append(Part(extension, time.time()))
        self.peer, self.department = rung, extension

    async def _joined(self, again: IncomingCall) -> float:
        """Until the two hear each other; when that began to be so, by the sound."""
        before = time.time()
        await talk(self._citizen, again)
        return before


def differences(truth: Truth, record: dict[str, Any]) -> list[str]:
    """What the ledger tells otherwise; empty when nothing."""
    found = []
    if record["disposition"] != "answered":
        found.append(f"disposition {record['disposition']}")
    if record["ended_by"] != truth.ended_by:
        found.append(f"ended by {record['ended_by']}, not {truth.ended_by}")
    told = [(each["to"], each["result"], str(each["kind"])) for each in record["transfers"]]
    if told != truth.transfers:
        found.append(f"transfers {told}, not {truth.transfers}")
    for what, rows, parts in (
        (
            "operator",
            [(r["operator"], r["started_at"], r["ended_at"]) for r in record["segments"]],
            truth.operators,
        ),
        ("staff", [(r["to"], r["started_at"], r["ended_at"]) for r in record["staff"]], truth.staff),
    ):
        if [row[0] for row in rows] != [part.who for part in parts]:
            found.append(f"{what}s {[row[0] for row in rows]}, not {[part.who for part in parts]}")
            continue
        for (who, began, ended), part in zip(rows, parts, strict=True):
            for name, at, seen in (("began", began, part.began), ("ended", ended, part.ended)):
                if at is None or seen is None or abs(at - seen) > WITHIN_S:
                    apart = "unknown" if at is None or seen is None else f"{at - seen:+.2f} s"
                    found.append(f"{what} {who} {name} {apart}")
    return found


async def run_scripts(folder: Path, *, scripts: int, seed: int, side_by_side: int = 4) -> dict[str, Any]:
    """Play the scripts in `side_by_side` centres at once; counts and every difference.

    A script whose ends did not hear what they waited for is played once more, after the others, and both are told: the
    ledger was not asked. What the ledger tells otherwise is never asked twice.
    """
    shares = [list(range(seed + place, seed + scripts, side_by_side)) for place in range(side_by_side)]
    results = await asyncio.gather(
        *(_centre(folder / f"centre{place}", seeds) for place, seeds in enumerate(shares))
    )
    moves: Counter[str] = sum((each.moves for each in results), Counter())
    return {
        "scripts": scripts,
        "seed": seed,
        "moves": dict(sorted(moves.items())),
        "recordings": sum(each.recordings for each in results),
        "played_again": [text for each in results for text in each.again],
        "faults": [text for each in results for text in each.faults],
    }


@dataclass(slots=True)
class Outcome:
    """What came of one centre's scripts."""

    moves: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    recordings: int = 0
    """How many were held against the ledger: one of each call, both sides as long as the call."""


async def _centre(folder: Path, seeds: list[int]) -> Outcome:
    async with _starting:
        city = await Handover.open(folder)
    centre, outcome, todo, tried = city.centre, Outcome(), list(seeds), set[int]()
    records: list[tuple[str, dict[str, Any]]] = []
    try:
        async with centre.at_work("101", LINES_OPERATOR) as phones:
            by_number = {phone.operator: phone for phone in phones}
            while todo:
                seed = todo.pop(0)
                truth = Truth(seed)
                script = Script(city, by_number, random.Random(f"transfer {seed}"), truth)
                found: list[str] = []
                try:
                    call = await script.run()
                    record = await centre.ledger(call)
                    found = differences(truth, record)
                    records.append((f"script {seed} ({' '.join(truth.moves)})", record))
                except (AssertionError, TimeoutError) as problem:
                    unplayed = f"script {seed} ({' '.join(truth.moves)}): not played to its end: {problem}"
                    if seed in tried:
                        outcome.faults.append(unplayed)
                    else:
                        outcome.again.append(unplayed)
                        todo.append(seed)
                    if script.call is not None:
                        await script.call.hang_up()
                tried.add(seed)
                outcome.moves.update(truth.moves)
                outcome.faults += [f"script {seed} ({' '.join(truth.moves)}): {text}" for text in found]
                await _tidy(city, phones)
        # At the end: a recording is known to the centre seconds after its call.
        for name, record in records:
            outcome.faults += [f"{name}: {text}" for text in await recording_unlike(centre, record)]
            outcome.recordings += 1
        await city.agrees()
    finally:
        await city.close()
    return outcome


async def _tidy(city: Handover, phones: list[Phone]) -> None:
    """No call is left, and both operators are ready."""
    for phone in phones:
        for left in [each for each in phone.end.calls if not each.is_over]:
            await left.hang_up()
        await phone.ready()
        await phone.state("ready")
    await eventually(lambda: not city.centre.live()["waiting"], what="empty queues")
