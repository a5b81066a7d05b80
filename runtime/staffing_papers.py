"""What the `staffing` commands print: words for people, records for the next program."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from acd.staffing.days import ExpectedDay, total_band
from acd.staffing.erlang import Traffic, steady_state
from acd.staffing.outbound import OutboundDecision
from acd.staffing.seats import (
    Goal,
    fewest_for_day,
    lines_needed,
    outcome_of,
    rostered,
    seats_by_slot,
    seats_needed,
)
from acd.staffing.what_if import Person, Played, play_days
from core.errors import ToritsugiError
from core.ids import OperatorId
from runtime.instance import Instance
from runtime.staffing import (
    HISTORY_WEEKS,
    LINES_BLOCKED,
    assumed,
    days_of_month,
    demand_rules,
    goal_of,
    history_of,
    mix_of,
    month_from_history,
    month_from_volume,
    open_times,
    outbound_of,
    outreach_made,
    people_of,
    planned,
    read_plan,
    ready,
    rests,
    roster_shortages,
    write_outreach,
)
from services.city import CityProfile, load_city

Say = Callable[[str], None]
WAIT_GOALS = (Goal(share=0.8, within_s=20), Goal(share=0.9, within_s=30), Goal(share=0.9, within_s=60))


def seats_text(city: str, month: date) -> Iterator[str]:
    """`staffing seats`: what the specification's volumes need, with every assumption."""
    profile = load_city(city)
    plan, goal = planned(profile), goal_of(profile)
    traffic = assumed(plan)
    yield f"{profile.city.name_ja} {month:%Y年%-m月}の席数計画"
    yield from _assumptions(profile, month)
    volumes = [("ふだんの月", plan.usual_month)]
    if plan.busiest_month is not None:
        volumes.append(("最大の月", plan.busiest_month))
    for name, calls in volumes:
        days = month_from_volume(profile, month, float(calls))
        if not days:
            raise ToritsugiError(f"{month:%Y-%m} は受付日がありません", where="--month", cure="別の月を書く")
        yield f"■ {name}: {calls:,}件"
        yield from _case(profile, days, traffic, goal, plan.shrinkage)


def _assumptions(profile: CityProfile, month: date) -> Iterator[str]:
    plan = planned(profile)
    opened = [day for day in days_of_month(month) if open_times(profile.hours, day)]
    weekend = sum(rests(profile.hours, day) for day in opened)
    target = profile.acd.targets.answer_rate
    rest = f"、土日祝{weekend}日（1日の件数は平日の{plan.weekend_share:.0%}）" if weekend else ""
    yield f"  受付日: 平日{len(opened) - weekend}日{rest}"
    yield f"  処理時間 {plan.handling_s}秒（後処理を含む）、待ちきれる時間 平均{plan.patience_s}秒"
    yield f"  案内 {plan.announcements_s}秒（回線だけを使う）"
    yield f"  集中: 平日の{plan.peak_share:.0%}が{plan.peak_hour}時台。ほかは受付時間に均等"
    source = "" if target is not None else "（仕様書に定めがないため90%とする）"
    yield f"  目標: 応答率 {goal_of(profile).share:.0%}{source}"
    yield "  電話はでたらめに来て（ポアソン）、処理時間と待ちきれる時間は指数分布。全員が全部の用件を受ける"


def _case(
    profile: CityProfile, days: list[ExpectedDay], traffic: Traffic, goal: Goal, shrinkage: float
) -> Iterator[str]:
    busiest = max(days, key=lambda day: day.calls)
    plan = planned(profile)
    slot = max(busiest.slots, key=lambda each: each.calls)
    peak = replace(traffic, calls_per_hour=slot.calls_per_hour)
    yield f"  平日1日 {busiest.calls:.1f}件、最も多い1時間 {peak.calls_per_hour:.1f}件（{peak.load:.2f}アーラン）"
    answered = seats_needed(peak, goal)
    yield f"  最も多い1時間に {goal.share:.0%} に応答する席: {answered}席（アーランA）"
    for each in WAIT_GOALS:
        yield f"  {each.share:.0%} を {each.within_s:.0f}秒以内: {seats_needed(peak, each)}席（アーランC）"
    whole = fewest_for_day(days, traffic, goal)
    yield f"  一日中同じ席数で、月の応答率を {goal.share:.0%} 以上にする席: {whole}席"
    most = max(answered, whole)
    people = rostered(most, shrinkage)
    yield f"  休暇・研修・休憩 {shrinkage:.0%} を見込むと、{most}席に {people:.2f} 人分（{math.ceil(people - 1e-9)}人）"
    held = plan.announcements_s + steady_state(peak, most).mean_wait_s + traffic.handling_s
    lines = lines_needed(peak.calls_per_hour, held, LINES_BLOCKED)
    yield f"  回線: 話し中が {LINES_BLOCKED:.0%} 以下になるのは {lines}回線（アーランB、{most}席のとき1件{held:.0f}秒）"
    seats = profile.acd.seats
    outcomes = [outcome_of(day, traffic, seats) for day in days]
    rate = sum(each.answered for each in outcomes) / sum(each.calls for each in outcomes)
    yield f"  設定の{seats}席では: 月の応答率 {rate:.1%}、最も多い1時間 {steady_state(peak, seats).answered:.1%}"


# ---- forecast, roster, outbound ------------------------------------------------------------------


async def forecast_rows(city: str | None, month: date, weeks: int, say: Say) -> list[dict[str, Any]]:
    """`staffing forecast`: the month by day and half-hour, with the seats that each needs."""
    instance = await ready(city)
    try:
        first = days_of_month(month)[0]
        history = await history_of(instance, min(first, instance.clock.city_now().date()), weeks)
    finally:
        await instance.database.close()
    days = month_from_history(instance.profile, history, days_of_month(month))
    traffic, known = history.traffic(instance.profile.acd.staffing)
    mean, low, high = total_band(days)
    say(
        f"{month:%Y年%-m月}の見込み {mean:.0f}件（95% の範囲 {low:.0f}〜{high:.0f}件）。過去 {len(history.days)} 日から"
    )
    say(
        f"処理時間 {traffic.handling_s:.0f}秒、待ちきれる時間 {traffic.patience_s:.0f}秒"
        f"（{'過去の電話から' if known else '設定の想定'}）"
    )
    goal = goal_of(instance.profile)
    return [
        {
            "date": day.day.isoformat(),
            "begins": slot.label,
            "calls": round(slot.calls, 3),
            "seats": seats,
        }
        for day in days
        for slot, seats in zip(day.slots, seats_by_slot(day, traffic, goal), strict=True)
    ]


async def roster_rows(city: str | None, path: Path, month: date, say: Say) -> list[dict[str, Any]]:
    """`staffing check`: the half-hours of the month in which the roster falls short."""
    shifts = read_plan(path)
    profile, days, traffic = await _expected(city, month, say)
    wanted = {day.day for day in days}
    for day in sorted({shift.day for shift in shifts} - wanted):
        say(f"シフト表の {day} は、{month:%Y-%m} の受付日ではありません")
    rows = roster_shortages(profile, shifts, days, traffic)
    say(f"不足 {len(rows)} 枠（30分ごと、{len(wanted)} 日）")
    return [
        {
            "date": row.day.isoformat(),
            "begins": f"{row.begins_min // 60:02d}:{row.begins_min % 60:02d}",
            "needed": row.needed,
            "planned": row.planned,
        }
        for row in rows
    ]


async def _expected(
    city: str | None, month: date, say: Say
) -> tuple[CityProfile, list[ExpectedDay], Traffic]:
    """The month from history where there is one, else from the profile's volumes."""
    instance = await ready(city)
    try:
        first = days_of_month(month)[0]
        history = await history_of(instance, min(first, instance.clock.city_now().date()), HISTORY_WEEKS)
    finally:
        await instance.database.close()
    profile = instance.profile
    if history.days:
        say(f"見込みは過去 {len(history.days)} 日から")
        traffic, _known = history.traffic(profile.acd.staffing)
        return profile, month_from_history(profile, history, days_of_month(month)), traffic
    say("過去の電話がないため、見込みは設定の件数から")
    plan = planned(profile)
    return profile, month_from_volume(profile, month, float(plan.usual_month)), assumed(plan)


async def outbound_record(city: str | None, day: date, made_today: int) -> dict[str, Any]:
    """`staffing outbound`: whether the centre may call out, and how often."""
    instance = await ready(city)
    try:
        made_today += await outreach_made(instance, day)
        found = await outbound_of(instance, day, made_today)
    finally:
        await instance.database.close()
    return _outbound(found)


async def outreach_written(
    city: str | None, facility: str, content: str, result: str, *, number: str, by: str, say: Say
) -> str:
    """`staffing called`: the id of what was written down.

    A call that was made is written down on any day; on a day that allows none, or above its cap, that is said.
    """
    instance = await ready(city)
    try:
        written = await write_outreach(instance, facility, content, result, number=number, by=by)
        today = instance.clock.city_now().date()
        try:
            found = await outbound_of(instance, today, await outreach_made(instance, today) - 1)
        except ToritsugiError as problem:
            say(f"書き留めました。かけてよい日かは分かりません: {problem.message}")
            return written
        if not found.allowed or found.cap < 1:
            why = _outbound(found)["why"] if not found.allowed else "その日の上限に達していました"
            say(
                f"書き留めました。ただし、勧奨の電話をかけてよい日ではありませんでした ({why})。市に伝えてください。"
            )
        return written
    finally:
        await instance.database.close()


def _outbound(found: OutboundDecision) -> dict[str, Any]:
    if not found.middle_reached:
        why = "月半ばに達していません"
    elif found.allowed:
        why = f"月の見込みが想定の {found.share:.1%} で、{found.below:.0%} を下回ります"
    else:
        why = f"月の見込みが想定の {found.share:.1%} で、{found.below:.0%} 以上です"
    return {
        "date": found.day.isoformat(),
        "allowed": found.allowed,
        "why": why,
        "cap": found.cap,
        "calls_so_far": found.calls_so_far,
        "expected_total": round(found.expected_total, 1),
        "planned": found.planned,
    }


# ---- what-if -------------------------------------------------------------------------------------


async def what_if_record(
    city: str | None,
    day: date,
    *,
    seats: int | None,
    without: tuple[str, ...],
    away: tuple[int, int],
    days: int,
    seed: int,
    busiest: bool,
    say: Say,
) -> dict[str, Any]:
    """`staffing what-if`: a day as planned and with people away, with the same random callers."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    try:
        people = await people_of(instance, day, seats)
    finally:
        await instance.database.close()
    profile = instance.profile
    plan = planned(profile)
    calls = plan.busiest_month if busiest and plan.busiest_month else plan.usual_month
    expected = next(each for each in month_from_volume(profile, day, float(calls)) if each.day == day)
    known = {person.operator for person in people}
    for gone in without:
        if gone not in known:
            raise ToritsugiError(
                f"いない人です: {gone}", where="--without", cure=f"次のどれか: {', '.join(sorted(known))}"
            )

    def changed(person: Person) -> Person | None:
        return person.absent(*away) if person.operator in {OperatorId(each) for each in without} else person

    def played(change: Callable[[Person], Person | None] | None, what: str) -> Played:
        return play_days(
            expected,
            assumed(plan),
            demand_rules(profile),
            mix_of(profile),
            people,
            days=days,
            seed=seed,
            long_wait_s=float(profile.acd.targets.wait_alert_s or 300),
            changed=change,
            progress=lambda number: say(f"{what}: {number} 日") if number % 50 == 0 else None,
        )

    as_planned = await asyncio.to_thread(played, None, "予定どおり")
    record: dict[str, Any] = {
        "date": day.isoformat(),
        "people": len(people),
        "calls": round(expected.calls, 1),
        "formula_answer_rate": _rounded(outcome_of(expected, assumed(plan), len(people)).answer_rate),
        "planned": _played(as_planned),
    }
    if without:
        with_change = await asyncio.to_thread(played, changed, "変更後")
        record["changed"] = _played(with_change)
    return record


def _played(found: Played) -> dict[str, Any]:
    return {
        "days": found.days,
        "answer_rate": _rounded(found.answer_rate.mean),
        "mean_95": [_rounded(found.answer_rate.low), _rounded(found.answer_rate.high)],
        "days_95": [_rounded(found.low), _rounded(found.high)],
        "long_waits_a_day": round(found.long_waits, 2),
        "nine_of_ten_wait_s": round(found.wait_90_s, 1),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def as_json(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)


def next_month(day: date) -> date:
    """The first of the month after the one that `day` lies in."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
