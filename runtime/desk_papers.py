"""The reports that the desk hands out, made the way the command makes them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import date

from core.errors import ToritsugiError
from reports.due import Span, span_of
from reports.formats import Format
from reports.paper import Paper as PeriodPaper
from runtime.floor_papers import month_of
from runtime.papers import daily_paper, evenness_paper, shortfall_paper
from runtime.period_papers import METER_TITLE, made_paper, write_format
from services.city import CityProfile
from services.desk_ports import Paper, PaperKind

_PAGES = ("html", "csv")
_ALL = tuple(format_.value for format_ in Format)
OWN = (
    PaperKind(
        id="daily", name_ja="日次の報告", text_ja="一日の入電、応答率、待ち時間、時間帯ごとの件数。",
        period_ja="その日", formats=_PAGES,
    ),
    PaperKind(
        id="meter", name_ja=METER_TITLE, text_ja="応答率を、あり得る分母ごとに並べ、目標までに要る応答を示します。",
        period_ja="その日を含む月", formats=_ALL,
    ),
    PaperKind(
        id="faq", name_ja="FAQ の利用の報告", text_ja="検索の成否、よく使われた項目、不足、見直し、更新。",
        period_ja="その日を含む月", formats=_ALL,
    ),
    PaperKind(
        id="service", name_ja="応対品質の報告", text_ja="一次完了、転送、研修のテーマ、均等配分、苦情。",
        period_ja="その日を含む月", formats=_ALL,
    ),
    PaperKind(
        id="availability", name_ja="稼働率の報告", text_ja="一分ごとに確かめた、サービスごとの稼働率と止まった時間。",
        period_ja="その日を含む月", formats=_ALL,
    ),
    PaperKind(
        id="evenness", name_ja="均等配分の週報", text_ja="技能ごとに、オペレーターの負荷がどれだけそろっていたか。",
        period_ja="その日を含む週", formats=_PAGES,
    ),
    PaperKind(
        id="shortfall", name_ja="応答率の報告", text_ja="目標に届かなかったときの、原因と件数。",
        period_ja="その日を含む月", formats=_PAGES,
    ),
)  # fmt: skip
_TYPES = {
    "html": "text/html",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_PERIODS = {
    Span.DAY: "その日",
    Span.EVENT: "その日",
    Span.WEEK: "その日を含む週",
    Span.MONTH: "その日を含む月",
    Span.SO_FAR: "契約の初めからその月まで",
}


class CityPapers:
    """`services.desk_ports.Papers` of one city."""

    def __init__(self, profile: CityProfile) -> None:
        self._profile = profile
        # Printing takes a core and a thread of the few that passwords and recordings use as well.
        self._turn = asyncio.Semaphore(1)
        own = {kind.id for kind in OWN}
        self.kinds: Sequence[PaperKind] = (
            *OWN,
            *(
                PaperKind(
                    id=section.kind,
                    name_ja=section.name_ja.partition("(")[0],
                    text_ja="市の様式の報告。",
                    period_ja=_PERIODS.get(span_of(section), "契約の全期間"),
                    formats=_ALL,
                )
                for section in profile.reports.papers
                if section.kind not in own
            ),
        )

    async def make(self, kind: str, day: date, format_: str) -> Paper:
        known = next((each for each in self.kinds if each.id == kind), None)
        if known is None or format_ not in known.formats:
            raise ToritsugiError("ない報告です", where="報告", cure="一覧から選ぶ")
        async with self._turn:
            body = await self._body(kind, day, format_)
        return Paper(filename=f"{kind}-{day.isoformat()}.{format_}", content_type=_TYPES[format_], body=body)

    async def _body(self, kind: str, day: date, format_: str) -> bytes:
        city = str(self._profile.path)
        match kind:
            case "daily":
                return (await daily_paper(city, day, format_)).encode()
            case "evenness":
                return (await evenness_paper(city, day, format_)).encode()
            case "shortfall":
                first, last = month_of(day)
                text = await shortfall_paper(city, first, last, format_, save=False, say=lambda _: None)
                return text.encode()
        _instance, paper = await made_paper(city, kind, day, whole_month=True, say=lambda _: None)
        return await asyncio.to_thread(_written, paper, Format(format_))


def _written(paper: PeriodPaper, format_: Format) -> bytes:
    target = io.BytesIO()
    write_format(paper, format_, target)
    return target.getvalue()
