"""What each figure counts. A function's docstring is its definition; `reports.definitions` holds the wording that is
printed.

A changed definition gets a new version there and never rewrites a delivered report. Every function takes the tally of
one interval (half-open, Asia/Tokyo, by **arrival**), and test calls never count. No calls in a denominator gives None,
printed as 「–」: neither 0 % nor 100 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ledger.calls import Call, Disposition
from reports.answer_rates import AnswerRateRule, offered
from reports.tally import Tally, milliseconds

_D = Disposition


def share(part: int, whole: int) -> float | None:
    """`part` of `whole`; None of nothing."""
    return part / whole if whole else None


def counted(calls: Iterable[Call]) -> list[Call]:
    """Calls of citizens: test calls are out."""
    return [call for call in calls if call.disposition is not Disposition.TEST]


def incoming(tally: Tally) -> int:
    """incoming v1 (入電): calls that reached the city's numbers, whatever became of them, after hours and open ones
    included.

    Source: 000 §5④, InfiniTalk 番号指定着信数. Ring attempts at operators are no calls.
    """
    return tally.ends.total() + tally.open


def _ended(disposition: Disposition, what: str) -> Callable[[Tally], int]:
    def count(tally: Tally) -> int:
        return tally.ends[disposition]

    count.__doc__ = what
    return count


answered = _ended(_D.ANSWERED, "answered v1 (応答): an operator and the citizen were joined.")
abandoned_queue = _ended(
    _D.ABANDONED_QUEUE, "abandoned_queue v1: the citizen left while waiting for an operator."
)
abandoned_menu = _ended(_D.ABANDONED_MENU, "abandoned_menu v1: the citizen left during the announcements.")
overflow = _ended(_D.OVERFLOW, "overflow v1: full, nobody there, or the wait limit; no abandonment.")
after_hours = _ended(_D.AFTER_HOURS, "after_hours v1: the centre was closed.")
self_served = _ended(_D.SELF_SERVED, "self_served v1: the announcements were all that was wanted.")
callbacks = _ended(_D.CALLBACK, "callbacks v1: a call-back was booked.")
referred = _ended(_D.REFERRED, "referred v1: another number was named.")
system_failures = _ended(_D.SYSTEM_FAILURE, "system_failures v1: cut off by our own fault.")


def short_abandons(tally: Tally, seconds: int) -> int:
    """short_abandons v1 (早切れ): given up in the queue after less than `seconds`."""
    return tally.given_up.below(seconds)


def answer_rate_of_all(tally: Tally) -> float | None:
    """answer_rate_of_all v1: answered ÷ all calls of opening hours, menu callers included; for comparison only."""
    return share(tally.ends[_D.ANSWERED], incoming(tally) - tally.ends[_D.AFTER_HOURS])


def abandon_rate(tally: Tally) -> float | None:
    """abandon_rate v1 (放棄呼率): abandoned in the queue ÷ calls that were in a queue.

    Source: Amazon Connect (abandoned ÷ queued; a booked call-back is no abandonment), Proseed 000209.
    """
    return share(tally.ends[_D.ABANDONED_QUEUE], tally.waits.count)


def menu_abandon_rate(tally: Tally) -> float | None:
    """menu_abandon_rate v1 (案内中の切断率): abandoned in the menu ÷ calls of opening hours. Source: Proseed 000209."""
    return share(tally.ends[_D.ABANDONED_MENU], incoming(tally) - tally.ends[_D.AFTER_HOURS])


def line_loss(busy: int | None, tally: Tally) -> float | None:
    """line_loss v1 (呼損率): calls that met a busy trunk ÷ those and the incoming ones.

    Args:
        busy: from the carrier, for the same interval; the switch never sees them. None gives None.

    Source: callcenter-dojo, bewith (ビジー返し). 呼損率 is not 放棄呼率.
    """
    return None if busy is None else share(busy, busy + incoming(tally))


def service_level(tally: Tally, within_s: int, rule: AnswerRateRule) -> float | None:
    """service_level v1: answered after a wait of at most `within_s` ÷ offered (the denominator of 応答率)."""
    return share(tally.answered.within(within_s), offered(tally, rule))


def service_level_asterisk(tally: Tally, within_s: int) -> float | None:
    """service_level_asterisk v1: answered within ÷ answered. Source: app_queue's SL; it overlooks who gave up."""
    return share(tally.answered.within(within_s), tally.answered.count)


def service_level_asterisk2(tally: Tally, within_s: int) -> float | None:
    """service_level_asterisk2 v1: (answered within + abandoned within) ÷ (answered + abandoned).

    Source: app_queue's SL2; who gives up quickly counts as a success.
    """
    good = tally.answered.within(within_s) + tally.given_up.within(within_s)
    return share(good, tally.answered.count + tally.given_up.count)


def service_level_genesys(tally: Tally, within_s: int, short_s: int) -> float | None:
    """service_level_genesys v1: answered within ÷ (answered + abandoned + overflow − abandoned below `short_s`).

    Source: Genesys Cloud, its switches as named.
    """
    whole = tally.answered.count + tally.given_up.count + tally.ends[_D.OVERFLOW]
    return share(tally.answered.within(within_s), whole - tally.given_up.below(short_s))


def service_level_xcally(tally: Tally, within_s: int) -> float | None:
    """service_level_xcally v1: answered within ÷ (answered + abandoned after `within_s`). Source: XCALLY."""
    late = tally.given_up.count - tally.given_up.within(within_s)
    return share(tally.answered.within(within_s), tally.answered.count + late)


def service_level_breakouts(tally: Tally, within_s: int) -> float | None:
    """service_level_breakouts v1: answered within ÷ (answered + abandoned + call-backs). Source: NewVoiceMedia."""
    whole = tally.answered.count + tally.given_up.count + tally.ends[_D.CALLBACK]
    return share(tally.answered.within(within_s), whole)


def longest_wait(tally: Tally) -> float | None:
    """longest_wait v1: the longest time in queues, over all outcomes (not only answered calls), seconds."""
    return tally.waits.longest_s


def average_speed_of_answer(tally: Tally) -> float | None:
    """asa v1 (平均応答速度): sum of answered calls' waits ÷ answered; the wait runs from queue entry."""
    return tally.answered.mean_s


def average_from_arrival(tally: Tally) -> float | None:
    """asa_arrival v1: as asa, from the call's arrival at the trunk (greeting and menu included)."""
    return tally.from_arrival.mean_s


def average_talk(tally: Tally) -> float | None:
    """att v1 (平均通話時間): sum of talk with operators, holds included ÷ answered."""
    return tally.talk.mean_s


def average_wrap_up(tally: Tally) -> float | None:
    """acw v1 (平均後処理時間): mean of the after-call work that is known."""
    return tally.wrap_up.mean_s


def average_handling(tally: Tally) -> float | None:
    """aht v1 (平均処理時間): (talk with holds + known after-call work) ÷ answered. Source: cloud-contactcenter.jp."""
    number = tally.talk.count
    return (tally.talk.total_ms + tally.wrap_up.total_ms) / number / 1000.0 if number else None


def long_waits(tally: Tally, seconds: int) -> int:
    """five_minutes v1 (5分ルール): calls that waited `seconds` or more, answered or not. Source: 004 7(5)オ(イ)."""
    return tally.waits.at_least(seconds)


def waits_of_at_least(calls: Iterable[Call], seconds: int) -> list[Call]:
    """The calls behind `long_waits`."""
    return [
        call
        for call in counted(calls)
        if call.wait_s is not None and milliseconds(call.wait_s) >= 1000 * seconds
    ]


def wait_told_true(tally: Tally) -> float | None:
    """wait_told v1 (待ち時間の案内の的中率): answered calls whose first range of minutes, told while they waited,
    held the moment at which an operator answered ÷ answered calls that were told one.
    """
    return share(tally.told_true, tally.told)


def transfer_rate(tally: Tally) -> float | None:
    """transfer_rate v1 (転送率): answered calls with a transfer that was answered ÷ answered."""
    return share(tally.transferred, tally.ends[_D.ANSWERED])


def second_line_rate(tally: Tally) -> float | None:
    """second_line_rate v1 (二次対応率): answered calls handed to the city's directory ÷ answered. Source: 003 10(1)."""
    return share(tally.handed_over, tally.ends[_D.ANSWERED])


def second_line_reached(tally: Tally) -> float | None:
    """second_line_reached v1: calls in which the staff talked with the citizen ÷ calls handed to them. 003 10(3)イ."""
    return share(tally.reached, tally.handed_over)


def occupancy(handled_s: float, available_s: float) -> float | None:
    """occupancy v1 (占有率): (talk + hold + after-call work) ÷ the same and ready time. Source: Proseed 000218.

    Args:
        handled_s: of all operators in the interval.
        available_s: signed in and not away (`ledger.presence.available_s`); talking and wrapping up are in it.
    """
    return handled_s / available_s if available_s > 0 else None


def utilisation(talk_s: float, signed_in_s: float) -> float | None:
    """utilisation v1 (稼働率): talk ÷ signed-in time, breaks included. Source: BIZTEL; vendors differ."""
    return talk_s / signed_in_s if signed_in_s > 0 else None
