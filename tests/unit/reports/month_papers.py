"""Papers of a made-up month, made without a database: raw lines, the fold, the period, the sections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache

from raw_lines import disk_of, month_of_visits

from core.clock import TOKYO
from ledger.calls import Call
from ledger.fold import fold_calls
from reports.availability import Measured, availability_of
from reports.city_papers import SECTIONS, build_paper
from reports.daily import CityFacts
from reports.paper import Paper, Rows
from reports.period import Period, period_of
from reports.resolution import resolution_of
from reports.sections.faq import Changed, FaqUse, Lacking, Ranked, ReviewDue
from reports.sections.material import CASE_COLUMNS, Complaint, HandledCase, Material, Outreach, case_cells
from reports.sections.service import ServiceMaterial, TrainingTheme, WeekSpread
from reports.sections.uptime import Uptime

FIRST, LAST = date(2024, 12, 1), date(2024, 12, 31)
DAYS = [date(2024, 12, day) for day in (2, 3, 4, 5, 6, 9, 10)]
CITY = CityFacts(
    city="松阪市",
    centre="マイナンバーカードコールセンター",
    answer_rate_target=0.9,
    line_names={"booking": "交付予約", "card": "カードの問い合わせ", "portal": "マイナポータル"},
)


def city_time_of(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, TOKYO)


@cache
def calls_of(number: int = 160, seed: int = 1) -> tuple[Call, ...]:
    visits = month_of_visits(DAYS, 540, 1035, number, tuple(CITY.line_names), seed)
    return tuple(fold_calls(disk_of(visits).facts()))


def period(calls: Sequence[Call]) -> Period:
    return period_of(CITY, FIRST, LAST, city_time_of, calls)


def material(calls: Sequence[Call]) -> Material:
    found = period(calls)
    cases = Rows(CASE_COLUMNS)
    for number in range(3):
        cases.append(
            case_cells(
                HandledCase(
                    at=datetime(2024, 12, 2, 10, number, tzinfo=TOKYO), case_id=f"i-{number}", caller="090****5678",
                    topic="交付予約", operator="青木", status="完了", question="=1+1 で始まる用件", answer="案内した",
                )
            )
        )  # fmt: skip
    return Material(
        period=found,
        topics={"booking": "交付予約", "complaint": "苦情"},
        topic_counts={"booking": 3, "": 1},
        cases=cases,
        complaints=[
            Complaint(
                at=datetime(2024, 12, 3, 11, 0, tzinfo=TOKYO), kind="苦情", content="待たされた",
                department="戸籍住民課",
                state="完了", handling="お詫びした",
            )
        ],
        outreach=[
            Outreach(
                at=datetime(2024, 12, 20, 14, 0, tzinfo=TOKYO), facility="=さくら苑", content="出張申請", result="希望",
                by="青木",
            )
        ],
        resolution=resolution_of(calls, 0.0, 2e9),
        places=("コールセンター", "窓口"),
        faq=FaqUse(
            searches=12, searches_before=9, zero_hit=2, no_strict_hit=4, used=8, in_vain=[("=図書館", 2), ("写真", 2)],
            entries=[Ranked(entry="card-fee", question="=手数料はいくらか", told=5, told_before=3, shown=7)],
            looked=40, unanswered=6,
            gaps=[
                Lacking(
                    words="旧姓、併記", calls=("c-n1-1.1", "c-n1-2.1", "c-n1-3.1"),
                    last=datetime(2024, 12, 9, 15, 0, tzinfo=TOKYO), example="=旧姓も載りますか",
                )
            ],
            due=[ReviewDue(entry="card-fee", question="手数料", department="市民課", why="有効期限が近い", until=LAST)],
            changes=[
                Changed(
                    at=datetime(2024, 12, 4, 9, 0, tzinfo=TOKYO), entry="card-fee", question="手数料", state="公開中",
                    by="hensyu",
                )
            ],
            states=[("公開中", 30), ("下書き", 2)],
        ),
        uptime=Uptime(
            found=availability_of(
                [
                    Measured(at=1_733_000_010.0 + 60.0 * number, services={"desk": "届かない" if number == 3 else ""})
                    for number in range(40)
                ],
                1_733_000_000.0,
                1_733_003_600.0,
            ),
            target=0.999,
            city_time_of=city_time_of,
        ),
        service=ServiceMaterial(
            checked=36, mean_score=81.5,
            themes=[TrainingTheme(theme="=おわりの確認", missed=12, checked=36, item="close", operators="青木 5件")],
            weeks=[
                WeekSpread(
                    monday=date(2024, 12, 2), skill="交付予約", group="booking", offers=120, spread=0.18,
                    words="ほぼ均等です。",
                )
            ],
        ),
    )  # fmt: skip


def paper(calls: Sequence[Call], sections: Sequence[str] = tuple(SECTIONS)) -> Paper:
    return build_paper(
        kind="monthly",
        title="月次報告",
        period_text="2024年12月",
        material=material(calls),
        sections=sections,
        made_at=datetime(2025, 1, 6, 9, 0, tzinfo=TOKYO),
    )
