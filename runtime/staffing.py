"""Seats, forecast, what-if and roster of one city: from its history where there is one, else from its profile."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from acd.demand import skills_of
from acd.simulation.centre import DemandRules
from acd.staffing.days import (
    SATURDAY,
    ExpectedDay,
    day_from_volume,
    forecast,
    slots_of,
    weekday_calls,
    within_opening,
)
from acd.staffing.erlang import Traffic
from acd.staffing.outbound import OutboundDecision, outbound_decision
from acd.staffing.profile import StaffingSection
from acd.staffing.roster import Shift, Shortage, read_roster, shortages
from acd.staffing.seats import Goal, seats_by_slot
from acd.staffing.what_if import Person
from core.errors import ToritsugiError
from core.hours import OpeningHours
from core.ids import OperatorId, QueueName
from core.phone import callable_number
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep
from ledger.calls import Call
from reports.metrics import average_handling
from reports.tally import Tally, tally_of
from runtime.floor_papers import DAY_S, midnight, month_of
from runtime.instance import Instance
from runtime.records import Records
from services.city import CityProfile
from services.city_facts import city_facts
from storage.database import Database

HISTORY_WEEKS = 8
LEAST_ANSWERED = 100
"""With fewer answered calls behind, handling time and patience are the profile's."""
LEAST_GIVEN_UP = 10
LINES_BLOCKED = 0.01
"""想定: one caller in a hundred finds all lines busy in the peak hour."""
GOAL_WITHOUT_TARGET = 0.9


async def calls_by_day(database: Database, since: float, until: float) -> AsyncIterator[list[Call]]:
    """The calls of a period, a day at a time: nobody who adds them up has to hold them."""
    async with database.reading() as unit:
        while since < until:
            end = min(since + DAY_S, until)
            yield await unit.calls.between(since, end)
            since = end


def planned(profile: CityProfile) -> StaffingSection:
    """The profile's volumes.

    Raises:
        ToritsugiError: it names none.
    """
    if profile.acd.staffing is None:
        raise ToritsugiError(
            f"{profile.city.name_ja}の仕様書には入電の見込みがありません",
            where="設定の [acd.staffing]",
            cure="見込みを設定に書くか、履歴から staffing forecast を使う",
        )
    return profile.acd.staffing


def goal_of(profile: CityProfile) -> Goal:
    """The contract's answer rate; where there is none, 90 %."""
    return Goal(share=profile.acd.targets.answer_rate or GOAL_WITHOUT_TARGET)


def assumed(plan: StaffingSection) -> Traffic:
    """Handling time and patience as the profile assumes them, without calls."""
    return Traffic(calls_per_hour=0.0, handling_s=float(plan.handling_s), patience_s=float(plan.patience_s))


def open_times(hours: OpeningHours, day: date) -> tuple[tuple[int, int], ...]:
    """Open intervals of a day in minutes since midnight."""
    return tuple((each.opens, each.closes) for each in hours.plan(day).intervals)


def rests(hours: OpeningHours, day: date) -> bool:
    """Whether it is Saturday, Sunday or a public holiday, open or not."""
    return day.weekday() >= SATURDAY or hours.holiday_name(day) is not None


def days_of_month(month: date) -> list[date]:
    first, last = month_of(month)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def month_from_volume(profile: CityProfile, month: date, calls: float) -> list[ExpectedDay]:
    """Every open day of a month with its share of the month's calls."""
    plan, hours = planned(profile), profile.hours
    opened = [day for day in days_of_month(month) if open_times(hours, day)]
    weekend = [day for day in opened if rests(hours, day)]
    each = weekday_calls(calls, len(opened) - len(weekend), len(weekend), plan.weekend_share)
    return [
        day_from_volume(
            day,
            each * (plan.weekend_share if day in weekend else 1.0),
            open_times(hours, day),
            plan.peak_hour,
            plan.peak_share,
        )
        for day in opened
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the ledger tells about the weeks before a day."""

    days: Mapping[date, Mapping[int, int]]
    """Open days to the calls of each half-hour."""
    tally: Tally

    def traffic(self, plan: StaffingSection | None) -> tuple[Traffic, bool]:
        """Handling time and patience, and whether the history gave them.

        Patience is what waiting callers waited in all, divided by how many gave up (censored exponential).

        Raises:
            ToritsugiError: too few calls behind, and no assumption in the profile.
        """
        handling, given_up = average_handling(self.tally), self.tally.given_up.count
        if handling and self.tally.answered.count >= LEAST_ANSWERED and given_up >= LEAST_GIVEN_UP:
            patience = max(1.0, self.tally.waits.total_ms / 1000.0 / given_up)
            return Traffic(calls_per_hour=0.0, handling_s=handling, patience_s=patience), True
        if plan is None:
            raise ToritsugiError(
                f"応答した電話が{self.tally.answered.count}件、待ち中の切断が{given_up}件しかなく、処理時間と"
                "待ちきれる時間を見積もれません",
                where="過去の電話",
                cure="設定の [acd.staffing] に想定を書く",
            )
        return assumed(plan), False


async def history_of(instance: Instance, before: date, weeks: int) -> History:
    """The open days of the weeks before `before`; calls of closed hours are left out."""
    profile, clock = instance.profile, instance.clock
    rule = city_facts(profile, before).rule
    found: dict[date, dict[int, int]] = {}
    tally = Tally()
    since, until = before - timedelta(weeks=weeks), before
    async for calls in calls_by_day(instance.database, midnight(since), midnight(until)):
        mine = [call for call in calls if rule.offers(call)]
        tally.merge(tally_of(mine))
        for call in mine:
            local = clock.city_time_of(call.arrived_at)
            begin = 60 * local.hour + 30 * (local.minute // 30)
            day = found.setdefault(local.date(), {})
            day[begin] = day.get(begin, 0) + 1
    if not found:
        return History(days={}, tally=tally)
    first = min(found)
    behind = [first + timedelta(days=number) for number in range((until - first).days)]
    days = {each: found.get(each, {}) for each in behind if open_times(profile.hours, each)}
    return History(days=days, tally=tally)


def month_from_history(profile: CityProfile, history: History, days: Sequence[date]) -> list[ExpectedDay]:
    """These days, forecast.

    Raises:
        ToritsugiError: no history.
    """
    hours = profile.hours
    opened = [day for day in days if open_times(hours, day)]
    slots = {day: slots_of(open_times(hours, day)) for day in {*opened, *history.days}}
    try:
        found = forecast(
            opened,
            history.days,
            slots,
            [day for day in slots if hours.holiday_name(day) is not None],
        )
        return [within_opening(each, open_times(hours, each.day)) for each in found]
    except ValueError as problem:
        raise ToritsugiError(
            "過去の電話がないので、見込みを立てられません",
            where="通話台帳",
            cure="電話が貯まってから行うか、staffing seats で仕様書の見込みを使う",
        ) from problem


async def ready(city: str | None, say: Callable[[str], None] = lambda _: None) -> Instance:
    """The instance with everything from disk in its ledger; lines that cannot be read are said."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    records = Records(instance.settings, instance.profile, instance.database, instance.clock)
    await records.take_in()
    if records.damaged:
        say(
            f"交換機の記録に読めない行が{records.damaged}行ありました。その行の出来事は数値に入りません。"
            f"ledger reconcile で電話の漏れを確かめてください: {instance.settings.cel_log.parent.parent}"
        )
    return instance


# ---- people --------------------------------------------------------------------------------------


async def people_of(instance: Instance, day: date, seats: int | None) -> list[Person]:
    """Who is at the telephone all day: the operators known, or so many who can do everything."""
    profile = instance.profile
    opened = open_times(profile.hours, day)
    if not opened:
        raise ToritsugiError(f"{day} は休みです", where="--date", cure="受付のある日を書く")
    begins, ends = opened[0][0], opened[-1][1]
    if seats is not None:
        everything = {
            **{line.id: 3 for line in profile.acd.lines},
            **{skill.id: 3 for skill in profile.acd.skills},
            **{language: 5 for line in profile.acd.lines for language in line.languages},
        }
        skills = {OperatorId(str(901 + number)): everything for number in range(seats)}
    else:
        async with instance.database.reading() as unit:
            known = [each for each in await unit.operators.list() if each.active]
        skills = {OperatorId(each.id): skills_of(each.skills, each.languages) for each in known}
        if not skills:
            skills = {
                OperatorId(each.id): skills_of(each.lines, each.languages) for each in profile.demo.operators
            }
    return [
        Person(operator=operator, skills=held, begins=begins, ends=ends)
        for operator, held in sorted(skills.items())
    ]


def demand_rules(profile: CityProfile) -> list[DemandRules]:
    return [
        DemandRules(
            demand=demand,
            wrap_up_s=float(line.wrap_up_s),
            ring_s=float(line.ring_s),
            max_waiting=line.max_waiting,
        )
        for demand, line in profile.acd.demands()
    ]


def mix_of(profile: CityProfile) -> dict[QueueName, float]:
    """Each line's share of the calls, in its first language; by the profile's volumes."""
    calls = planned(profile).month_calls
    return {
        demand.name: float(calls.get(line.id, 0))
        for demand, line in profile.acd.demands()
        if demand.language == line.languages[0] and calls.get(line.id, 0)
    }


# ---- roster and outbound -------------------------------------------------------------------------


def read_plan(path: Path) -> list[Shift]:
    """The roster file.

    Raises:
        ToritsugiError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise ToritsugiError(
            f"シフト表が読めません: {path}", where=str(path), cure="UTF-8 の CSV を置く"
        ) from problem
    return read_roster(text, path.name)


def roster_shortages(
    profile: CityProfile, shifts: Sequence[Shift], days: Sequence[ExpectedDay], traffic: Traffic
) -> list[Shortage]:
    """Half-hours in which the roster falls short of the goal."""
    goal = goal_of(profile)
    needed = {
        day.day: [
            (slot.begins_min, seats)
            for slot, seats in zip(day.slots, seats_by_slot(day, traffic, goal), strict=True)
        ]
        for day in days
    }
    return shortages(shifts, needed)


async def outreach_made(instance: Instance, day: date) -> int:
    """Calls to offices and homes that were written down for a day."""
    begin = midnight(day)
    async with instance.database.reading() as unit:
        tickets = await unit.tickets.between(begin, begin + DAY_S)
    return sum(ticket.kind is TicketKind.OUTREACH for ticket in tickets)


async def write_outreach(
    instance: Instance, facility: str, content: str, result: str, *, number: str, by: str
) -> str:
    """Write down a call that the centre has made to an office or a home (松阪 2章2(5)); its id.

    Raises:
        ToritsugiError: the contract has no such calls, a word is missing, or the number cannot be called.
    """
    if planned(instance.profile).outbound is None:
        raise _no_outbound(instance.profile)
    for name, text in (("--facility", facility), ("--content", content), ("--result", result), ("--by", by)):
        if not text.strip():
            raise ToritsugiError("書かれていません", where=name, cure="施設、用件、結果、かけた人を書く")
    digits = callable_number(number) if number else ""
    if digits is None:
        raise ToritsugiError(f"かけられない番号です: {number}", where="--number", cure="市外局番から書く")
    now = instance.clock.epoch()
    ticket = Ticket(
        ticket_id=f"t-{secrets.token_hex(4)}", kind=TicketKind.OUTREACH, opened_at=now, due_at=now,
        content=content.strip(), person=facility.strip(), number=digits, state=TicketState.DONE, owner=by.strip(),
        result=result.strip(), steps=(TicketStep(at=now, by=by.strip(), state=TicketState.DONE, note=result.strip()),),
    )  # fmt: skip
    async with instance.database.uow() as unit:
        await unit.tickets.add(ticket)
    return ticket.ticket_id


def _no_outbound(profile: CityProfile) -> ToritsugiError:
    return ToritsugiError(
        f"{profile.city.name_ja}の契約に、電話による勧奨はありません",
        where="設定の [acd.staffing.outbound]",
        cure="契約にあるなら書く",
    )


async def outbound_of(instance: Instance, day: date, made_today: int) -> OutboundDecision:
    """松阪's switch on a day, from the month's calls so far and the forecast of the rest.

    Raises:
        ToritsugiError: the city's contract has no such calls, or there is no history.
    """
    profile = instance.profile
    plan = planned(profile)
    if plan.outbound is None:
        raise _no_outbound(profile)
    first, _last = month_of(day)
    opened = [each for each in days_of_month(day) if open_times(profile.hours, each)]
    so_far, rule = 0, city_facts(profile, day).rule
    async for calls in calls_by_day(instance.database, midnight(first), midnight(day)):
        so_far += sum(rule.offers(call) for call in calls)
    history = await history_of(instance, day, HISTORY_WEEKS)
    rest = month_from_history(profile, history, [each for each in opened if each >= day])
    return outbound_decision(
        day=day,
        calls_so_far=so_far,
        expected_rest=sum(each.calls for each in rest),
        open_days=len(opened),
        open_days_behind=sum(each < day for each in opened),
        planned=plan.usual_month,
        below=plan.outbound.below,
        daily_cap=plan.outbound.daily_cap,
        made_today=made_today,
    )
