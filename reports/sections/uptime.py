"""稼働率: what was measured from outside, each minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from reports.availability import Availability, availability
from reports.cells import percent
from reports.paper import Block, Column, Kind, Row, Rows, Table, Words

if TYPE_CHECKING:
    from reports.sections.material import Material

SERVICES = {
    "call": "電話の受付（試験の発信）",
    "switch": "電話交換機の応答",
    "engine": "着信の振り分け",
    "desk": "画面の表示",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """The measured minutes of a period, and what the contract asks."""

    found: Availability
    target: float | None
    """0 to 1; None when the specification sets none."""
    city_time_of: Callable[[float], datetime]


def _uptime(material: Material) -> Uptime:
    if material.uptime is None:
        raise ValueError("a section on availability without its material")
    return material.uptime


def standing_out(material: Material) -> Words:
    uptime = _uptime(material)
    found, target = uptime.found, uptime.target
    if not found.services:
        return Words(id="uptime_words", title="目立ったこと", lines=("この期間は測っていません。",))
    rates = {name: availability(served) for name, served in found.services.items()}
    worst = min(rates, key=lambda name: (rates[name] or 0.0, name))
    text = f"最も低い稼働率は「{SERVICES.get(worst, worst)}」の{percent(rates[worst], 3)}"
    if target is not None:
        text += f"で、目標の{percent(target, 3)}に" + (
            "届きました" if (rates[worst] or 0.0) >= target else "届きませんでした"
        )
    else:
        text += "でした"
    lost = sum(served.lost for served in found.services.values())
    return Words(
        id="uptime_words",
        title="目立ったこと",
        lines=(f"{text}。", f"応答のなかった時間は、合わせて{lost:,}分（{len(found.outages):,}回）でした。"),
    )


def services(material: Material) -> Table:
    found = _uptime(material).found
    columns = (
        Column(id="service", title="サービス"),
        Column(id="answered", title="応答した分", kind=Kind.NUMBER),
        Column(id="measured", title="測った分", kind=Kind.NUMBER),
        Column(id="rate", title="稼働率", kind=Kind.FINE_SHARE, ratio=("answered", "measured")),
        Column(id="lost", title="応答のなかった分", kind=Kind.NUMBER),
        Column(id="unmeasured", title="測れなかった分", kind=Kind.NUMBER),
    )
    rows: list[Row] = [
        (
            SERVICES.get(name, name), served.answered, served.measured, availability(served), served.lost,
            found.unmeasured(name),
        )
        for name, served in sorted(found.services.items(), key=lambda each: _place(each[0]))
    ]  # fmt: skip
    return Table(
        id="uptime", title="稼働率", columns=columns, rows=Rows(columns, rows),
        note="1分に1回、外から利用して確かめる。測れなかった分は、応答したことにも、しなかったことにもしない。",
    )  # fmt: skip


def outages(material: Material) -> Table:
    uptime = _uptime(material)
    columns = (
        Column(id="since", title="始まり", kind=Kind.MOMENT),
        Column(id="service", title="サービス"),
        Column(id="minutes", title="分", kind=Kind.NUMBER),
        Column(id="why", title="理由", wide=True),
    )
    rows: list[Row] = [
        (
            uptime.city_time_of(each.since).replace(tzinfo=None, microsecond=0),
            SERVICES.get(each.service, each.service), each.minutes, each.why,
        )
        for each in uptime.found.outages
    ]  # fmt: skip
    return Table(id="outages", title="応答のなかった時間", columns=columns, rows=Rows(columns, rows))


def uptime(material: Material) -> tuple[Block, ...]:
    """All of it."""
    return standing_out(material), services(material), outages(material)


def _place(name: str) -> tuple[int, str]:
    return (list(SERVICES).index(name) if name in SERVICES else len(SERVICES)), name
