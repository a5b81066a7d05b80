"""From the state of the centre to the readings that alerts are judged by. Pure; every text is for a supervisor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from acd.alert_inputs import AlertInputs, AlertNames, AnsweredSoFar, ReportDue, percent_text, span_text
from acd.alert_profile import AlertsSection
from acd.alerts import AlertKind, Reading
from acd.profile import TargetsSection
from acd.view import Caller, FloorView, Seat
from core.facts.dialplan import PauseReason
from core.ids import QueueName, demand_of

Z_90 = 1.2816
"""One-sided 90 % of the normal distribution."""
HELD_BACK = f"paused:{PauseReason.MISSED.value}"

_OF_THE_FLOOR = frozenset(
    {
        AlertKind.WAIT_LIMIT,
        AlertKind.WAIT_RISK,
        AlertKind.WAITING,
        AlertKind.LONG_CALL,
        AlertKind.LONG_HOLD,
        AlertKind.MISSED_OFFERS,
        AlertKind.NOBODY,
        AlertKind.GUARD,
    }
)


def unknown_kinds(inputs: AlertInputs) -> frozenset[AlertKind]:
    """Kinds about which these inputs say nothing."""
    unknown: set[AlertKind] = set()
    if inputs.view is None:
        unknown |= _OF_THE_FLOOR
    if inputs.answers is None:
        unknown.add(AlertKind.ANSWER_RATE)
    if inputs.refused is None:
        unknown.add(AlertKind.TRUNK)
    return frozenset(unknown)


def readings_of(
    inputs: AlertInputs, rules: AlertsSection, targets: TargetsSection, names: AlertNames
) -> list[Reading]:
    """All readings of a moment, kinds that are off included."""
    found: list[Reading] = []
    if inputs.view is not None:
        found += _waits(inputs, inputs.view, targets, names)
        found += _operators(inputs, inputs.view, rules, names)
        found += _nobody(inputs, inputs.view, rules, names)
    if targets.answer_rate is not None:
        found += [
            _answer_rate(so_far, targets.answer_rate, rules)
            for so_far in inputs.answers or ()
            if so_far.offered
            >= (rules.answer_rate.month_calls if so_far.month else rules.answer_rate.day_calls)
        ]
    found += [
        Reading(
            kind=AlertKind.REPEAT,
            subject=each.subject,
            value=each.calls,
            label=each.shown,
            text=f"{each.shown} から {rules.repeat.within_min} 分の間に {each.calls} 回、電話がありました。",
            since=each.since,
        )
        for each in inputs.repeat_callers
    ]
    found += [
        Reading(
            kind=AlertKind.TICKET,
            subject=each.ticket,
            value=1,
            label=f"{each.kind} {each.ticket}",
            text=f"{each.department}{each.kind}の期限が近いか、過ぎています。"
            if each.late
            else f"{each.department}{each.kind}を受け付けました。",
            since=each.since,
        )
        for each in inputs.tickets
    ]
    found += [
        Reading(
            kind=AlertKind.REPORT_DUE,
            subject=each.subject,
            value=1,
            label=f"{each.name}（{each.period}）",
            text=_due_text(each),
        )
        for each in inputs.reports_due
    ]
    found += _machinery(inputs, rules)
    found += [
        Reading(
            kind=AlertKind.HELP,
            subject=operator,
            value=float(inputs.at - at < rules.help.lasts_s),
            label=names.operator(operator),
            text=f"{names.operator(operator)}が応援を求めています。",
            since=at,
        )
        for operator, at in inputs.help_asked.items()
    ]
    found += [
        Reading(
            kind=AlertKind.CALLBACK,
            subject=failed.call,
            value=1,
            label=f"通話 {failed.call}",
            text=f"「{failed.line}」の折り返しを{failed.tries}回かけましたが、つながりませんでした。"
            if failed.tries
            else f"「{failed.line}」の折り返しを、約束の時間までにかけられませんでした。",
            since=failed.at,
        )
        for failed in inputs.failed_callbacks
    ]
    found += [
        Reading(
            kind=AlertKind.GUARD,
            subject=step.subject,
            value=step.steps,
            label=step.label,
            text=step.text if step.demand is None else f"{names.demand(step.demand)}：{step.text}",
            since=step.at,
        )
        for step in inputs.guard
    ]
    return found


# ---- waiting --------------------------------------------------------------------------------------


def _waits(
    inputs: AlertInputs, view: FloorView, targets: TargetsSection, names: AlertNames
) -> Iterator[Reading]:
    by_demand: dict[QueueName, list[Caller]] = {}
    for caller in view.callers:
        by_demand.setdefault(caller.demand, []).append(caller)
    limit = targets.wait_alert_s
    if limit is not None:
        for demand, callers in by_demand.items():
            yield _longest(inputs.at, demand, callers, float(limit), names)
            expected = [inputs.expected_wait_s.get(caller.channel) for caller in callers]
            known = [wait for wait in expected if wait is not None]
            if known:
                over = sum(wait >= limit for wait in known)
                yield Reading(
                    kind=AlertKind.WAIT_RISK,
                    subject=demand,
                    value=max(known),
                    label=names.demand(demand),
                    text=f"{names.demand(demand)}でお待ちの{len(callers)}人のうち{over}人が、このままでは"
                    f"{span_text(limit)}以上お待ちになる見込みです（最長で約{span_text(max(known))}）。",
                )
    if targets.waiting_alert is not None:
        parts = "、".join(
            f"{names.demand(demand)}{len(callers)}人" for demand, callers in sorted(by_demand.items())
        )
        yield Reading(
            kind=AlertKind.WAITING,
            value=len(view.callers),
            text=f"{len(view.callers)}人がお待ちです（{parts}）。目安は{targets.waiting_alert}人までです。"
            if view.callers
            else "お待ちの方はいません。",
        )


def _longest(
    at: float, demand: QueueName, callers: Sequence[Caller], limit: float, names: AlertNames
) -> Reading:
    first = min(caller.since for caller in callers)
    over = sum(at - caller.since >= limit for caller in callers)
    more = f"{span_text(limit)}以上の方は{over}人です。" if over > 1 else ""
    return Reading(
        kind=AlertKind.WAIT_LIMIT,
        subject=demand,
        value=at - first,
        label=names.demand(demand),
        text=f"{names.demand(demand)}で市民の方が{span_text(at - first)}お待ちです（上限{span_text(limit)}）。{more}",
        since=first + limit,
    )


# ---- operators ------------------------------------------------------------------------------------


def _operators(
    inputs: AlertInputs, view: FloorView, rules: AlertsSection, names: AlertNames
) -> Iterator[Reading]:
    for seat in view.seats:
        name = names.operator(seat.operator)
        if seat.state == "talking" and seat.operator not in inputs.relay:
            yield Reading(
                kind=AlertKind.LONG_CALL,
                subject=seat.operator,
                value=inputs.at - seat.since,
                label=name,
                text=f"{name}の通話が{span_text(inputs.at - seat.since)}続いています。",
                since=seat.since,
            )
        held_since = inputs.holds.get(seat.operator)
        if held_since is not None:
            yield Reading(
                kind=AlertKind.LONG_HOLD,
                subject=seat.operator,
                value=inputs.at - held_since,
                label=name,
                text=f"{name}の保留が{span_text(inputs.at - held_since)}続いています（市民の方には保留音だけ）。",
                since=held_since,
            )
        yield _missed(inputs, seat, rules, name)


def _missed(inputs: AlertInputs, seat: Seat, rules: AlertsSection, name: str) -> Reading:
    rule = rules.missed_offers
    lately = [
        moment
        for moment in inputs.missed.get(seat.operator, ())
        if inputs.at - moment < 60.0 * rule.within_min
    ]
    held = seat.state == HELD_BACK
    times = f"呼び出しに{len(lately)}回続けて出ていません" if lately else "呼び出しに出ていません"
    return Reading(
        kind=AlertKind.MISSED_OFFERS,
        subject=seat.operator,
        value=max(len(lately), rule.offers) if held else len(lately),
        label=name,
        text=f"{name}が{times}{'。いまは呼び出しを止めています' if held else ''}。",
        since=min(lately, default=seat.since if held else None),
    )


def _nobody(
    inputs: AlertInputs, view: FloorView, rules: AlertsSection, names: AlertNames
) -> Iterator[Reading]:
    if not inputs.open:
        return
    on_duty = [seat for seat in view.seats if seat.on_duty]
    if not on_duty:
        away = len(view.seats)
        waiting = f"{len(view.callers)}人がお待ちです。" if view.callers else ""
        yield Reading(
            kind=AlertKind.NOBODY,
            value=1,
            text=(
                f"受付時間中ですが、サインインしている{away}人が全員離席中です。{waiting}"
                if away
                else f"受付時間中ですが、サインインしている人がいません。{waiting}"
            ),
        )
        return
    if not rules.nobody.each_line:
        return
    covered = {demand_of(queue) for seat in on_duty for queue in seat.queues}
    for demand in names.demands:
        if demand in names.main and demand not in covered:
            name = names.demand(demand)
            yield Reading(
                kind=AlertKind.NOBODY,
                subject=demand,
                value=1,
                label=name,
                text=f"{name}を受けられる人がいません（ほかの業務は{len(on_duty)}人で受けています）。",
            )


# ---- answer rate ----------------------------------------------------------------------------------


def wilson_upper(answered: int, offered: int, z: float = Z_90) -> float:
    """The highest rate that these counts leave likely (Wilson's score interval, one-sided).

    Source: E. B. Wilson, JASA 22 (1927).
    """
    if not offered:
        return 1.0
    rate = answered / offered
    centre = rate + z * z / (2 * offered)
    margin = z * math.sqrt(rate * (1 - rate) / offered + z * z / (4 * offered * offered))
    return min(1.0, (centre + margin) / (1 + z * z / offered))


def _answer_rate(so_far: AnsweredSoFar, target: float, rules: AlertsSection) -> Reading:
    """1 is bad, -1 good, 0 between.

    A day is judged by what its calls say about how it is going: a few lost calls in the morning are chance. A month
    is judged as the contract judges it, by the plain rate.
    """
    rate = so_far.answered / so_far.offered
    judged = rate if so_far.month else wilson_upper(so_far.answered, so_far.offered)
    value = 1 if judged < target else -1 if rate >= min(1.0, target + rules.answer_rate.margin) else 0
    first = so_far.first_day
    label = f"{first.month}月" if so_far.month else f"{first.month}月{first.day}日"
    lost = so_far.offered - so_far.answered
    return Reading(
        kind=AlertKind.ANSWER_RATE,
        subject=first.strftime("month:%Y-%m") if so_far.month else f"day:{first.isoformat()}",
        value=value,
        label=label,
        text=f"{label}の応答率は{percent_text(rate)}です（目標{percent_text(target)}以上。対象{so_far.offered}件のうち"
        f"{lost}件に応答できていません）。{_needed(so_far, target)}",
    )


def _needed(so_far: AnsweredSoFar, target: float) -> str:
    """How many calls in a row must now be answered to be back at the target."""
    if target >= 1 or so_far.answered / so_far.offered >= target:
        return ""
    more = math.ceil((target * so_far.offered - so_far.answered) / (1 - target) - 1e-9)
    return f"目標に戻るには、このあと{more}件続けて応答する必要があります。"


# ---- machinery ------------------------------------------------------------------------------------

_PROCESSES = {
    "engine": "中枢（engine）",
    "transcriber": "文字起こし（transcriber）",
    "desk": "画面（desk）",
    "asterisk": "交換機（Asterisk）",
}


def _due_text(paper: ReportDue) -> str:
    name = f"{paper.name}（{paper.period}）"
    if paper.left_days < 0:
        return f"{name}の提出期限（{paper.due}）を{-paper.left_days}日過ぎ、まだ提出済みになっていません。"
    left = f"あと{paper.left_days}日" if paper.left_days else "今日"
    return f"{name}の提出期限は{paper.due}（{left}）で、まだ提出済みになっていません。"


def _machinery(inputs: AlertInputs, rules: AlertsSection) -> Iterator[Reading]:
    for restarted in inputs.restarts:
        name = _PROCESSES.get(restarted.process, restarted.process)
        fresh = inputs.at - restarted.at < 60.0 * rules.engine.within_min
        yield Reading(
            kind=AlertKind.ENGINE,
            subject=restarted.process,
            value=1 if fresh else 0,
            label=name,
            text=f"{name}が止まり、自動で始め直しました（開始から{restarted.count}回目）。",
            since=restarted.at,
        )
    if inputs.switch_lost_since is not None:
        yield Reading(
            kind=AlertKind.ENGINE,
            subject="ami",
            value=1,
            label="交換機との接続",
            text="中枢が交換機（Asterisk）につながっていません。電話は最後の設定のまま流れています。",
            since=inputs.switch_lost_since,
        )
    if inputs.engine_silent_s is not None:
        yield Reading(
            kind=AlertKind.ENGINE_SILENT,
            value=inputs.engine_silent_s,
            label=_PROCESSES["engine"],
            text=f"中枢（engine）の応答が{span_text(inputs.engine_silent_s)}ありません。電話は予備の案内でつないでいます。",
            since=inputs.at - inputs.engine_silent_s,
        )
    for trunk, since in sorted(inputs.unreachable_trunks.items()):
        yield Reading(
            kind=AlertKind.TRUNK,
            subject=trunk,
            value=rules.trunk.refused,
            label=f"回線 {trunk}",
            text=f"回線の相手（{trunk}）から返事がありません。",
            since=since,
        )
    refused = [
        moment for moment in inputs.refused or () if inputs.at - moment < 60.0 * rules.trunk.within_min
    ]
    if refused:
        yield Reading(
            kind=AlertKind.TRUNK,
            subject="refused",
            value=len(refused),
            label="着信の拒否",
            text=f"市の番号あての着信を、{rules.trunk.within_min}分間に{len(refused)}回断りました。",
            since=min(refused),
        )
