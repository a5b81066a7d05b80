"""What each figure counts. A function's docstring is its definition; `reports.definitions` holds the wording that is
printed.

A changed definition gets a new version there and never rewrites a delivered report. Every function takes the
calls of one interval (half-open, Asia/Tokyo, by **arrival**), and test calls never count. No calls in a
denominator gives None, printed as 「–」: neither 0 % nor 100 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ledger.calls import Call, Disposition


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRateRule:
    """Which calls stand in the denominator of 応答率. A contract may throw these switches."""

    id: str = "offered_v1"
    callbacks: bool = True
    """Callers who booked a callback: they wanted a person and have not had one yet."""
    system_failures: bool = True
    """Callers whom our own fault cut off."""
    menu_abandons: bool = False
    """Callers who left before choosing; by default measured apart."""
    short_abandon_s: float = 0.0
    """Queue waits shorter than this, given up by the caller, are left out of both sides; 0 leaves out none.
    """

    def offers(self, call: Call) -> bool:
        """Whether this call wanted an operator, by this rule."""
        if is_short_abandon(call, self.short_abandon_s):
            return False
        return call.disposition in self._counted

    @property
    def _counted(self) -> set[Disposition]:
        counted = {Disposition.ANSWERED, Disposition.ABANDONED_QUEUE, Disposition.OVERFLOW}
        if self.callbacks:
            counted.add(Disposition.CALLBACK)
        if self.system_failures:
            counted.add(Disposition.SYSTEM_FAILURE)
        if self.menu_abandons:
            counted.add(Disposition.ABANDONED_MENU)
        return counted

    @property
    def text_ja(self) -> str:
        """The denominator in words."""
        parts = ["応答", "待ち中の切断", "混雑の案内"]
        parts += ["折り返し予約"] if self.callbacks else []
        parts += ["システム障害"] if self.system_failures else []
        parts += ["案内中の切断"] if self.menu_abandons else []
        words = "応答 ÷（" + "＋".join(parts) + "）"
        if self.short_abandon_s > 0:
            words += f"。{self.short_abandon_s:g}秒未満の待ちで切れた呼は除く"
        return words


ANSWER_RATE_RULES = {"offered_v1": AnswerRateRule()}
"""Rules by the name that a profile's `[reports] answer_rate_definition` uses."""


def counted(calls: Iterable[Call]) -> list[Call]:
    """Calls of citizens: test calls are out."""
    return [call for call in calls if call.disposition is not Disposition.TEST]


def count(disposition: Disposition) -> Callable[[Iterable[Call]], int]:
    """How many calls ended so."""
    return lambda calls: sum(call.disposition is disposition for call in calls)


def incoming(calls: Iterable[Call]) -> int:
    """incoming v1: calls that reached the city's numbers, whatever became of them, after-hours calls
    included.

    Source: 000 §5④, InfiniTalk 番号指定着信数. Ring attempts at operators are no calls.
    """
    return len(counted(calls))


answered = count(Disposition.ANSWERED)
abandoned_queue = count(Disposition.ABANDONED_QUEUE)
abandoned_menu = count(Disposition.ABANDONED_MENU)
overflow = count(Disposition.OVERFLOW)
after_hours = count(Disposition.AFTER_HOURS)
self_served = count(Disposition.SELF_SERVED)
callbacks = count(Disposition.CALLBACK)
referred = count(Disposition.REFERRED)
system_failures = count(Disposition.SYSTEM_FAILURE)
tests = count(Disposition.TEST)


def is_short_abandon(call: Call, seconds: float) -> bool:
    """short_abandon v1: given up in the queue after less than `seconds`."""
    return call.disposition is Disposition.ABANDONED_QUEUE and (call.wait_s or 0.0) < seconds


def offered(calls: Iterable[Call], rule: AnswerRateRule) -> int:
    """offered v1: calls that wanted an operator, by the contract's rule. After hours is never among them."""
    return sum(rule.offers(call) for call in calls)


def answer_rate(calls: Sequence[Call], rule: AnswerRateRule) -> float | None:
    """answer_rate v1 (応答率): answered ÷ offered, 0 to 1.

    Source: 001 2章2(3)イ and 002 5(3)⑤ (90 %), 004 7(5)オ(イ) (85 %); none of them defines the denominator.
    """
    return _share(answered(calls), offered(calls, rule))


def answer_rate_of_all(calls: Sequence[Call]) -> float | None:
    """answer_rate_of_all v1: answered ÷ all calls of opening hours, menu callers included; for comparison
    only.
    """
    open_calls = [call for call in counted(calls) if call.disposition is not Disposition.AFTER_HOURS]
    return _share(answered(open_calls), len(open_calls))


def service_level(calls: Sequence[Call], within_s: float, rule: AnswerRateRule) -> float | None:
    """service_level v1: answered after a wait of at most `within_s` ÷ offered (the denominator of 応答率)."""
    soon = [
        call for call in calls if call.disposition is Disposition.ANSWERED and (call.wait_s or 0) <= within_s
    ]
    return _share(len(soon), offered(calls, rule))


def longest_wait(calls: Iterable[Call]) -> float | None:
    """longest_wait v1: the longest time in queues, over all outcomes (not only answered calls), seconds."""
    return max((call.wait_s for call in counted(calls) if call.wait_s is not None), default=None)


def average_speed_of_answer(calls: Iterable[Call]) -> float | None:
    """asa v1 (平均応答速度): sum of answered calls' waits ÷ answered; the wait runs from queue entry."""
    return _mean([call.wait_s or 0.0 for call in calls if call.disposition is Disposition.ANSWERED])


def average_from_arrival(calls: Iterable[Call]) -> float | None:
    """asa_arrival v1: as asa, from the call's arrival at the trunk (greeting and menu included)."""
    waits = [call.wait_from_arrival_s for call in calls if call.disposition is Disposition.ANSWERED]
    return _mean([wait for wait in waits if wait is not None])


def average_talk(calls: Iterable[Call]) -> float | None:
    """att v1 (平均通話時間): sum of talk with operators, holds included ÷ answered."""
    return _mean([call.talk_s for call in calls if call.disposition is Disposition.ANSWERED])


def average_wrap_up(calls: Iterable[Call]) -> float | None:
    """acw v1 (平均後処理時間): mean of the after-call work that is known."""
    known = [call.wrap_up_s for call in calls if call.disposition is Disposition.ANSWERED]
    return _mean([wrap_up for wrap_up in known if wrap_up is not None])


def waits_of_at_least(calls: Iterable[Call], seconds: float) -> list[Call]:
    """five_minutes v1 (5分ルール): calls that waited `seconds` or more, answered or not. Source: 004 7(5)オ(イ)."""
    return [call for call in counted(calls) if call.wait_s is not None and call.wait_s >= seconds]


def wait_told_true(calls: Iterable[Call]) -> float | None:
    """wait_told v1 (待ち時間の案内の的中率): answered calls whose first range of minutes, told while they waited,
    held the moment at which an operator answered ÷ answered calls that were told one.
    """
    told = [
        (next((word for word in call.wait_words if word.most_min is not None), None), call.segments)
        for call in calls
        if call.disposition is Disposition.ANSWERED
    ]
    held = [
        60.0 * (word.least_min or 0) <= segments[0].started_at - word.at <= 60.0 * (word.most_min or 0)
        for word, segments in told
        if word is not None and segments
    ]
    return _share(sum(held), len(held))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
