"""Every count of the papers by name, and the calls behind each.

A count is a function of a tally and adds up over calls. So it also says of a single call whether it stands in the
count: the tally of that call alone gives 1 or 0. Nothing is defined twice, and a list is as long as its figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.errors import ToritsugiError
from ledger.calls import Call, Disposition, TransferKind
from reports import metrics as m
from reports.answer_rates import ANSWER_RATE_RULES, AnswerRateRule, offered
from reports.daily import CityFacts
from reports.tally import Tally, milliseconds, tally_of

Count = Callable[[Tally], int]
_D = Disposition
LONGEST = "longest_wait"
"""No count: the calls that waited exactly as long as the longest one."""
BY_CONTRACT = "offered_by_contract"
"""The denominator in force on the day of each call."""
FOLLOWED = ("resolved", "answered_known", "callers", "repeaters")
"""Counts that look at the calls of the days after as well; `callers` and `repeaters` count numbers, not calls."""
TOPIC = "topic:"
"""Cases of a category, whose id follows; without one those of no category that the profile knows, with `*` all."""
WAY = (
    _D.AFTER_HOURS, _D.ABANDONED_MENU, _D.SELF_SERVED, _D.REFERRED, _D.ABANDONED_QUEUE, _D.OVERFLOW, _D.CALLBACK,
    _D.SYSTEM_FAILURE,
)  # fmt: skip
"""Where a call may end on its way from the trunk to an operator, in order."""


def _ends(disposition: Disposition) -> Count:
    return lambda tally: tally.ends[disposition]


def _opened(tally: Tally) -> int:
    return m.incoming(tally) - tally.ends[_D.AFTER_HOURS]


def _other(tally: Tally) -> int:
    return m.incoming(tally) - tally.ended(_D.ANSWERED, _D.ABANDONED_QUEUE, _D.OVERFLOW)


PLAIN: dict[str, tuple[str, Count]] = {
    "incoming": ("入電", m.incoming),
    "ended": ("終わった電話", lambda tally: tally.ends.total()),
    "open": ("通話中", lambda tally: tally.open),
    "tests": ("試験の電話", lambda tally: tally.tests),
    **{each.value: (each.label_ja, _ends(each)) for each in _D if each is not _D.TEST},
    "opened": ("時間外を除く入電", _opened),
    "other": ("その他（応答、待ち中の切断、混雑の案内のほか）", _other),
    "other_ended": (
        "その他（応答、待ち中の切断、混雑の案内のほか）",
        lambda tally: _other(tally) - tally.open,
    ),
    "unanswered": ("応答の前に終わった電話", lambda tally: tally.ended(*WAY)),
    "queued": ("待ち列に入った電話", lambda tally: tally.waits.count),
    "from_arrival": ("着信から応答までの時間が分かる電話", lambda tally: tally.from_arrival.count),
    "wrap_up": ("後処理の時間が分かる電話", lambda tally: tally.wrap_up.count),
    "told": ("待ち時間を案内して応答した電話", lambda tally: tally.told),
    "told_true": ("案内した時間のうちに応答した電話", lambda tally: tally.told_true),
    "transferred": ("転送先が応答した電話", lambda tally: tally.transferred),
    "transferred_blind": ("すぐに転送した電話", lambda tally: tally.transferred_by[TransferKind.BLIND]),
    "transferred_attended": (
        "確認してから転送した電話",
        lambda tally: tally.transferred_by[TransferKind.ATTENDED],
    ),
    "handed_over": ("職員へつなごうとした電話", lambda tally: tally.handed_over),
    "reached": ("職員と話した電話", lambda tally: tally.reached),
    "not_reached": ("職員が出なかった電話", lambda tally: tally.handed_over - tally.reached),
}
"""Counts without arguments: what they are called, and the count."""
LIMITED = ("five_minutes", "answered_within", "offered", "lost", "short_abandons")
"""Counts that take the city's limit or rule unless one is named behind a colon: `five_minutes:300`."""


def _limited(metric: str, city: CityFacts) -> tuple[str, Count]:
    """Raises KeyError or ValueError when there is no such count."""
    name, _, argument = metric.partition(":")
    rule = city.rule
    match name:
        case "five_minutes":
            least = int(argument or city.long_wait_s)
            return f"{least}秒以上待った電話", lambda tally: m.long_waits(tally, least)
        case "answered_within":
            within = int(argument or city.service_level_s)
            return f"{within}秒以内に応答した電話", lambda tally: tally.answered.within(within)
        case "short_abandons":
            below = int(argument or city.short_abandon_s)
            return f"{below}秒未満で切れた電話", lambda tally: m.short_abandons(tally, below)
        case "lost":
            rule = rule_of(argument) if argument else rule
            return "応答できなかった電話", lambda tally: offered(tally, rule) - m.answered(tally)
        case "offered":
            rule = rule_of(argument) if argument else rule
            return f"応答率の分母（{rule.name_ja}）", lambda tally: offered(tally, rule)
        case _:
            raise KeyError(name)


def _with_arguments(metric: str, city: CityFacts) -> tuple[str, Count]:
    """Raises KeyError or ValueError when there is no such count."""
    name, _, argument = metric.partition(":")
    match name:
        case "lost_in":
            menu = city.menu_names.get(argument, f"メニュー {argument}") if argument else "冒頭の案内"
            return f"{menu}の途中で切断", lambda tally: tally.lost_in[argument]
        case "past":
            until = WAY.index(Disposition(argument)) + 1
            return (
                f"「{Disposition(argument).label_ja}」で終わらずに先へ進んだ電話",
                lambda tally: tally.ends.total() - tally.ended(*WAY[:until]),
            )
        case "past_menus":
            menus = tuple(part for part in argument.split(",") if part)
            return (
                f"{'、'.join(('冒頭の案内', *(city.menu_names.get(each, each) for each in menus)))}で"
                "終わらずに先へ進んだ電話",
                lambda tally: (
                    tally.ends.total()
                    - tally.ends[_D.AFTER_HOURS]
                    - sum(tally.lost_in[menu] for menu in ("", *menus))
                ),
            )
        case _:
            raise KeyError(metric)


def rule_of(argument: str) -> AnswerRateRule:
    """`with_menu_v1:10`: a rule and its limit for short abandons. Raises KeyError or ValueError."""
    rule_id, _, short = argument.partition(":")
    rule = ANSWER_RATE_RULES[rule_id]
    return replace(rule, short_abandon_s=int(short)) if short else rule


def lost_by(rule: AnswerRateRule) -> str:
    """The name of the calls that stand in a denominator and were not answered."""
    return f"lost:{rule.id}:{rule.short_abandon_s}"


def offered_by(rule: AnswerRateRule) -> str:
    """The name of a denominator whatever the city's contract says later."""
    return f"offered:{rule.id}:{rule.short_abandon_s}"


def named_count(metric: str, city: CityFacts) -> tuple[str, Count]:
    """What a count is called, and the count.

    Raises:
        ToritsugiError: there is none of that name.
    """
    try:
        if metric in PLAIN:
            return PLAIN[metric]
        if metric.partition(":")[0] in LIMITED:
            return _limited(metric, city)
        return _with_arguments(metric, city)
    except (KeyError, ValueError) as problem:
        raise unknown(metric) from problem


def unknown(metric: str) -> ToritsugiError:
    """There is no count of that name."""
    names = ", ".join((*PLAIN, *LIMITED, LONGEST, BY_CONTRACT, *FOLLOWED))
    return ToritsugiError(
        f"知らない指標です: {metric[:80]}", where="指標（metric）", cure=f"次のどれか: {names}"
    )


def count_of(metric: str, city: CityFacts) -> Count:
    """The count. Raises ToritsugiError when there is none of that name."""
    return named_count(metric, city)[1]


def title_of(metric: str, city: CityFacts) -> str:
    """What the listed calls are, in words. Raises ToritsugiError when there is no such count."""
    own = {
        LONGEST: "最も長く待った電話",
        BY_CONTRACT: "応答率の分母（その日の契約による）",
        "resolved": "一次完了と推定した電話",
        "answered_known": "番号の分かる、応答した電話",
        "callers": "かけた番号（そのすべての電話）",
        "repeaters": "2回以上かけた番号（そのすべての電話）",
    }
    return own[metric] if metric in own else named_count(metric, city)[0]


def stands(count: Count, call: Call) -> bool:
    """Whether this call is one of those counted."""
    return count(tally_of([call])) > 0


def waited_longest(call: Call, longest_ms: int) -> bool:
    """Whether a call waited as long as the longest one."""
    return (
        call.disposition is not _D.TEST
        and call.wait_s is not None
        and milliseconds(call.wait_s) == longest_ms
    )
