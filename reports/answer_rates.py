"""応答率: the contract's figure, and every other denominator that such contracts use.

No specification at hand defines the denominator (松阪 2章2(3), 上尾 5(3)⑤, 千葉 7(5)オ(イ)), so it is a named choice of
the city's profile, `[reports] answer_rate_definition`, and all of them are shown beside each other. A rule that is
changed gets a new name; a report that was delivered keeps the rule that it names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger.calls import Call, Disposition
from reports.tally import Tally, milliseconds

DEFAULT_RULE = "offered_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRateRule:
    """Which calls stand in the denominator of 応答率. A contract may throw these switches."""

    id: str = DEFAULT_RULE
    name_ja: str = "オペレーターを求めた電話"
    overflow: bool = True
    """Callers who were told that nobody can take the call."""
    callbacks: bool = True
    """Callers who booked a callback: they wanted a person and have not had one yet."""
    system_failures: bool = True
    """Callers whom our own fault cut off."""
    menu_abandons: bool = False
    """Callers who left before choosing; by default measured apart."""
    self_service: bool = False
    """Callers whom the announcements served, or sent to another number."""
    after_hours: bool = False
    """Callers outside opening hours."""
    short_abandon_s: int = 0
    """Queue waits shorter than this, given up by the caller, are left out of both sides; 0 leaves out none."""
    source: str = "取次の定義"

    def offers(self, call: Call) -> bool:
        """Whether this call stands in the denominator."""
        if call.disposition is Disposition.ABANDONED_QUEUE:
            return milliseconds(call.wait_s or 0.0) >= 1000 * self.short_abandon_s
        return call.disposition in self.counted

    @property
    def counted(self) -> frozenset[Disposition]:
        """Ways to end that stand in the denominator."""
        counted = {Disposition.ANSWERED, Disposition.ABANDONED_QUEUE}
        for switch, dispositions in (
            (self.overflow, {Disposition.OVERFLOW}),
            (self.callbacks, {Disposition.CALLBACK}),
            (self.system_failures, {Disposition.SYSTEM_FAILURE}),
            (self.menu_abandons, {Disposition.ABANDONED_MENU}),
            (self.self_service, {Disposition.SELF_SERVED, Disposition.REFERRED}),
            (self.after_hours, {Disposition.AFTER_HOURS}),
        ):
            counted |= dispositions if switch else set()
        return frozenset(counted)

    @property
    def text_ja(self) -> str:
        """The formula in words."""
        parts = ["応答", "待ち中の切断"]
        parts += ["混雑の案内"] if self.overflow else []
        parts += ["折り返し予約"] if self.callbacks else []
        parts += ["システム障害"] if self.system_failures else []
        parts += ["案内中の切断"] if self.menu_abandons else []
        parts += ["自動案内で完了", "他の番号を案内"] if self.self_service else []
        parts += ["時間外の案内"] if self.after_hours else []
        words = "応答 ÷（" + "＋".join(parts) + "）"
        if self.short_abandon_s > 0:
            words += f"。{self.short_abandon_s}秒未満の待ちで切れた電話は除く"
        return words


ANSWER_RATE_RULES = {
    rule.id: rule
    for rule in (
        AnswerRateRule(),
        AnswerRateRule(
            id="without_short_v1",
            name_ja="早切れ（10秒未満）を除く",
            short_abandon_s=10,
            source="Dialpad（0〜60秒を選ぶ）、RingCentral abandonedThresholdSeconds",
        ),
        AnswerRateRule(
            id="without_callbacks_v1",
            name_ja="折り返し予約を除く",
            callbacks=False,
            source="Amazon Connect（折り返しの予約は放棄に数えない）",
        ),
        AnswerRateRule(
            id="with_menu_v1",
            name_ja="案内中の切断を含む",
            menu_abandons=True,
            source="プロシード（案内中の放棄は分けて測る。ここでは含めて示す）",
        ),
        AnswerRateRule(
            id="answered_or_abandoned_v1",
            name_ja="応答と放棄だけ",
            overflow=False,
            callbacks=False,
            system_failures=False,
            source="Asterisk の SL2 と同じ分母（混雑の案内を数えない）",
        ),
        AnswerRateRule(
            id="open_hours_v1",
            name_ja="受付時間内の全入電",
            menu_abandons=True,
            self_service=True,
            source="松阪市仕様書の「入電件数」を時間内の全入電と読む場合",
        ),
        AnswerRateRule(
            id="all_incoming_v1",
            name_ja="時間外を含む全入電",
            menu_abandons=True,
            self_service=True,
            after_hours=True,
            source="応答率 = 対応数 ÷ 入電数（MiiTel、InfiniTalk 番号指定着信数）",
        ),
    )
}
"""Every legal denominator by the name that `[reports] answer_rate_definition` uses, the default first."""


def rule_named(name: str, short_abandon_s: int = 0) -> AnswerRateRule:
    """The rule of a contract; a city's own limit for short abandons goes before the rule's.

    Raises:
        KeyError: there is no such rule.
    """
    rule = ANSWER_RATE_RULES[name]
    return replace(rule, short_abandon_s=short_abandon_s) if short_abandon_s else rule


def offered(tally: Tally, rule: AnswerRateRule) -> int:
    """offered v1: calls that stand in the denominator, by the contract's rule."""
    return tally.ended(*rule.counted) - tally.given_up.below(rule.short_abandon_s)


def answer_rate(tally: Tally, rule: AnswerRateRule) -> float | None:
    """answer_rate v1 (応答率): answered ÷ offered, 0 to 1; None without offered calls.

    Source: 001 2章2(3)イ and 002 5(3)⑤ (90 %), 004 7(5)オ(イ) (85 %); none of them defines the denominator.
    """
    whole = offered(tally, rule)
    return tally.ends[Disposition.ANSWERED] / whole if whole else None


def answers_needed(answered: int, offered: int, target: float, still_to_come: int) -> int | None:
    """answers_needed v1: how many of the calls still to come must be answered so that the rate reaches `target`.

    Args:
        target: 0 to 1.
        still_to_come: offered calls that the rest of the period is expected to bring, 0 or more.

    Returns the smallest such number: 0 when the target is reached even if every one of them is lost, None when it is
    out of reach even if every one is answered.
    """
    needed = short_by(answered, offered + still_to_come, target)
    return needed if needed <= still_to_come else None


def short_by(answered: int, offered: int, target: float) -> int:
    """How many more of these calls would have had to be answered to reach `target` (0 to 1); 0 when it is reached."""
    return max(0, -int(-(target * offered - 1e-9) // 1) - answered)
