"""Three sentences on what stood out in a period. Each rests on figures of the tables by day, hour and line."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.calls import Disposition
from reports import metrics as m
from reports.answer_rates import answer_rate, offered, short_by
from reports.cells import limit, percent, short_day
from reports.period import Period
from reports.tally import Tally

ENOUGH = 10
"""With fewer offered calls a rate is chance and is not spoken of."""


def sentences(period: Period) -> tuple[str, ...]:
    """Three sentences, or one when there were no calls."""
    tally = period.whole
    if not m.incoming(tally):
        return ("この期間に入電はありませんでした。",)
    return (_target(period, tally), _busy(period, tally), _weak(period))


def _target(period: Period, tally: Tally) -> str:
    rule, target = period.city.rule, period.city.answer_rate_target
    rate, whole = answer_rate(tally, rule), offered(tally, rule)
    answered = tally.ends[Disposition.ANSWERED]
    if rate is None:
        return "オペレーターを求めた電話はありませんでした。"
    text = f"応答率は{percent(rate)}（分母{whole:,}件のうち{answered:,}件に応答）"
    if target is None:
        return f"{text}でした。"
    missing = short_by(answered, whole, target)
    if not missing:
        return f"{text}で、目標の{percent(target)}に届きました。"
    return f"{text}で、目標の{percent(target)}まであと{missing:,}件の応答が足りませんでした。"


def _busy(period: Period, tally: Tally) -> str:
    by_day, by_hour = period.by_day(), period.by_hour()
    day = max(by_day, key=lambda each: (m.incoming(by_day[each]), each))
    hour = max(by_hour, key=lambda each: (m.incoming(by_hour[each]), -each))
    part = m.share(m.incoming(by_hour[hour]), m.incoming(tally))
    text = f"最も多かった時間帯は{hour}時台で、入電の{percent(part)}（{m.incoming(by_hour[hour]):,}件）でした"
    if period.first_day == period.last_day:
        return f"{text}。"
    return f"最も入電が多かった日は{short_day(day)}の{m.incoming(by_day[day]):,}件、{text}。"


def _weak(period: Period) -> str:
    rule = period.city.rule
    found = [
        (rate, name, tally)
        for name, tally in _named(period)
        if offered(tally, rule) >= ENOUGH and (rate := answer_rate(tally, rule)) is not None
    ]
    waits = m.long_waits(period.whole, period.city.long_wait_s)
    least = limit(period.city.long_wait_s)
    tail = (
        f"待ちが{least}以上の電話は{waits:,}件でした。"
        if waits
        else f"待ちが{least}以上の電話はありませんでした。"
    )
    if not found:
        return f"電話が少なく、時間帯や用件ごとの応答率は比べられません。{tail}"
    rate, name, tally = min(found, key=lambda each: (each[0], each[1]))
    if rate >= 1.0:
        return f"どの時間帯、どの用件でも、オペレーターを求めた電話のすべてに応答しました。{tail}"
    lost = offered(tally, rule) - tally.ends[Disposition.ANSWERED]
    return f"応答率が最も低かったのは{name}の{percent(rate)}（応答できなかった電話 {lost:,}件）で、{tail}"


def _named(period: Period) -> Iterable[tuple[str, Tally]]:
    for hour, tally in period.by_hour().items():
        yield f"{hour}時台", tally
    for line, tally in period.by_line().items():
        if line:
            yield f"「{period.city.line_names.get(line, line)}」", tally
