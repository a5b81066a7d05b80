"""How well citizens were served: themes to train, and how evenly calls were spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from reports.drawn import Shown, drawn, part_of
from reports.evenness import carried_by
from reports.metrics import share
from reports.opening import Opening
from reports.paper import Column, Kind, Table, Words

if TYPE_CHECKING:
    from reports.sections.material import Material


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTheme:
    """What was missing in calls that were checked."""

    theme: str
    missed: int
    checked: int
    """Calls to which the item applied."""
    item: str
    """Id in the checklist."""
    operators: str
    """Who missed it most often, with how often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekSpread:
    """How evenly one skill's calls were spread in one week."""

    monday: date
    skill: str
    offers: int
    group: str
    """Id of the skill."""
    spread: float | None
    """(max - min) / mean of the load rates."""
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMaterial:
    """What papers on the service draw on."""

    checked: int
    """Calls whose quality was checked."""
    mean_score: float | None
    """0 to 100."""
    themes: Sequence[TrainingTheme]
    weeks: Sequence[WeekSpread]


def _service(material: Material) -> ServiceMaterial:
    if material.service is None:
        raise ValueError("a section on the service without its material")
    return material.service


def themes(material: Material) -> Table:
    """研修のテーマ (印西 5④): what was missing most often."""
    found = _service(material)
    columns = (
        Column(id="theme", title="研修のテーマ", wide=True),
        Column(id="missed", title="できていない", kind=Kind.NUMBER),
        Column(id="checked", title="確かめた通話", kind=Kind.NUMBER),
        Column(id="share", title="割合", kind=Kind.SHARE, ratio=("missed", "checked")),
        Column(id="operators", title="多い人", wide=True),
    )
    part = part_of(material.period)
    rows = [
        (
            each.theme,
            part.valued(each.missed, f"theme:missed:{each.item}"),
            part.valued(each.checked, f"theme:checked:{each.item}"),
            share(each.missed, each.checked),
            each.operators,
        )
        for each in found.themes
    ]
    score = "" if found.mean_score is None else f"、平均点は100点満点の{found.mean_score:.1f}点"
    return drawn(
        id="themes", title="応対品質と研修のテーマ", columns=columns, rows=rows,
        note=f"品質を確かめた通話は{found.checked:,}件{score}。機械の判定は案で、監督者の判定を先に採る。",
    )  # fmt: skip


def evenness(material: Material) -> Table:
    """均等配分 of each week."""
    columns = (
        Column(id="monday", title="週の月曜", kind=Kind.DATE),
        Column(id="skill", title="技能"),
        Column(id="offers", title="呼び出し", kind=Kind.NUMBER),
        Column(id="spread", title="ばらつき", kind=Kind.SHARE),
        Column(id="words", title="読み方", wide=True),
    )
    rows = [
        (
            each.monday,
            each.skill,
            Shown(
                value=each.offers,
                opens=Opening(
                    metric=carried_by("offers", each.group),
                    first=each.monday,
                    last=each.monday + timedelta(days=6),
                ),
            ),
            each.spread,
            each.words,
        )
        for each in _service(material).weeks
    ]
    return drawn(
        id="evenness", title="均等配分（週ごと）", columns=columns, rows=rows,
        note="負荷率の（最大 − 最小）÷ 平均。0%に近いほど均等。人ごとの数字は週報（report evenness）にある。",
    )  # fmt: skip


def standing_out(material: Material) -> Words:
    """What the tables say, in words."""
    found, resolution, tally = _service(material), material.resolution, material.period.whole
    lines = []
    if resolution is not None and resolution.answered:
        lines.append(
            f"番号の分かる応答{resolution.answered:,}件のうち{resolution.resolved:,}件は、一度の電話で終わったと推定します。"
        )
    lines.append(
        f"転送先が応答した電話は{tally.transferred:,}件、職員と話した電話は{tally.reached:,}件でした。"
    )
    if found.themes:
        first = found.themes[0]
        lines.append(
            f"最も多くできていなかったのは「{first.theme}」で、確かめた{first.checked:,}件のうち{first.missed:,}件でした。"
        )
    else:
        lines.append("研修のテーマになる不足は見つかっていません。")
    return Words(id="service_words", title="目立ったこと", lines=tuple(lines))
