"""The daily report's page and table: word for word, readable without colour, and whole in one file.

`TORITSUGI_UPDATE_GOLDEN=1` writes the expected files anew; read the difference before committing it.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import datetime

import pytest
from report_calls import DAY, at, call_of, city_time_of
from report_pages import check_golden, check_page

from core.clock import TOKYO
from core.phone import Caller, CallerKind
from ledger.calls import Disposition, Gap, Segment, Transfer
from ledger.reconcile import Difference, DifferenceKind, Reconciliation
from reports.comparison import compare
from reports.daily import CityFacts, DailyReport, daily_report
from reports.render import render_daily_csv, render_daily_html, render_demo_report

pytestmark = pytest.mark.golden
D = Disposition

CITY = CityFacts(
    city="松阪市",
    centre="松阪市マイナンバーカード交付予約コールセンター",
    answer_rate_target=0.9,
    target_source="仕様書 2章2(3)ア、イ",
    line_names={"booking": "交付予約", "card": "カードの問い合わせ"},
    operator_names={"101": "青木", "102": "石川"},
    opening="9時00分から17時15分",
)


def whole_day() -> DailyReport:
    moved = call_of(
        D.ANSWERED,
        at(10, 5),
        42.0,
        transfers=(Transfer(at=at(10, 9), to="701", label="戸籍住民課", result="ANSWER"),),
    )
    second = Segment(operator="102", started_at=at(10, 9), ended_at=at(10, 10), wrap_up_s=20.0)  # type: ignore[arg-type]
    calls = [
        *(call_of(D.ANSWERED, at(9, n * 4), 6.0 + n, talk=90.0 + 10 * n) for n in range(9)),
        replace(moved, segments=(*moved.segments, second)),
        call_of(D.ABANDONED_QUEUE, at(9, 50), 312.0, line="card"),
        call_of(D.ABANDONED_MENU, at(11, 2), caller=Caller(CallerKind.WITHHELD)),
        call_of(D.OVERFLOW, at(9, 51), 0.4, overflow_reason="full"),
        call_of(D.SELF_SERVED, at(13, 30), caller=Caller(CallerKind.PAYPHONE)),
        call_of(D.SYSTEM_FAILURE, at(14, 0), 3.0, gaps=(Gap.END,)),
        call_of(D.AFTER_HOURS, at(17, 40), closed_reason="after_hours"),
        call_of(D.TEST, at(8, 30)),
    ]
    return daily_report(
        CITY,
        DAY.date(),
        calls,
        city_time_of,
        made_at=datetime(2024, 11, 26, 8, 0, tzinfo=TOKYO),
        reconciliation=Reconciliation(invites=18, refused=1, given_up=0, calls=17, differences=[]),
        versions={"取次": "0.1.0", "Asterisk": "22.10.1"},
    )


def test_the_page_is_as_agreed() -> None:
    check_golden("daily.html", render_daily_html(whole_day()))


def test_the_table_is_as_agreed() -> None:
    check_golden("daily.csv", render_daily_csv(whole_day()))


def _pages() -> list[str]:
    truth = [
        {
            "sip_call_id": "sip-1",
            "intent": "予約",
            "disposition": "answered",
            "operators": ["101"],
            "wait_s": 6.0,
        }
    ]
    empty = daily_report(CITY, DAY.date(), [], city_time_of, made_at=datetime(2024, 11, 26, tzinfo=TOKYO))
    said = [
        {"side": "line", "start_s": 1.0, "text": "<b>松阪市</b>です", "confidence": 0.95},
        {"side": "citizen", "start_s": 3.5, "text": "予約したいのですが", "confidence": 0.3},
    ]
    report = whole_day()
    transcripts = {report.calls[0].call_id: said, report.calls[1].call_id: []}
    return [
        render_daily_html(report),
        render_daily_html(empty),
        render_demo_report(report, compare(truth, []), transcripts),
        render_demo_report(empty, [], None),
    ]


@pytest.mark.parametrize("number", range(4))
def test_pages_are_whole_and_can_be_read_by_everyone(number: int) -> None:
    check_page(_pages()[number])


def test_colours_have_contrast_and_bars_do_without_them() -> None:
    text = render_daily_html(whole_day())
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", text))
    for name in ("ink", "soft", "deep"):
        for ground in ("paper", "wash"):
            assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    assert "url(#hatch)" in text
    assert "url(#dots)" in text


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_nothing_personal_or_dangerous_is_printed() -> None:
    page = _pages()[2]
    assert "09012345678" not in page
    assert "090****5678" in page
    assert "<b>松阪市</b>" not in page
    assert "&lt;b&gt;松阪市" in page


def test_an_empty_day_prints_dashes() -> None:
    page = _pages()[1]
    assert page.count(">–<") >= 5
    assert "100.0%" not in page


def test_differences_and_a_missing_reconciliation_are_said() -> None:
    report = whole_day()
    unproven = replace(report, reconciliation=None)
    assert "照合は、この報告の作成時には行っていない" in render_daily_html(unproven)
    difference = Difference(kind=DifferenceKind.INVITE_WITHOUT_CALL, what="abc@x")
    wrong = replace(
        report,
        reconciliation=Reconciliation(invites=2, refused=0, given_up=0, calls=1, differences=[difference]),
    )
    assert "着信があったが台帳に呼がない：abc@x" in render_daily_html(wrong)


def test_truth_that_disagrees_is_shown() -> None:
    assert "不一致（台帳にない）" in _pages()[2]


def test_the_csv_can_be_read_back() -> None:
    text = render_daily_csv(whole_day())
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    whole = {row["項目"]: row["値"] for row in rows if row["区分"] == "全日"}
    assert (whole["incoming"], whole["answered"], whole["longest_wait"]) == ("16", "10", "312.0")
    assert float(whole["answer_rate"]) == pytest.approx(10 / 13, abs=1e-4)
    hours = sum(
        int(row["値"]) for row in rows if row["区分"].startswith("時間帯") and row["項目"] == "incoming"
    )
    assert hours == 16
