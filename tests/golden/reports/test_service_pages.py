"""The pages on voice quality and on complaints: word for word, and whole in one file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from report_pages import check_golden, check_page
from test_complaint_report import FIRST, done, ticket, told
from test_complaint_report import report_of as complaints
from test_quality_report import call, quality
from test_quality_report import report_of as qualities

from reports.complaints import ComplaintReport
from reports.quality import QualityReport
from reports.render_complaints import render_complaints_csv, render_complaints_html
from reports.render_quality import render_quality_csv, render_quality_html

pytestmark = pytest.mark.golden


def poor() -> QualityReport:
    return qualities(
        call(
            quality("PJSIP/trunk-00000001", "c", rtt_s=0.412, rx_lost=251, rx_count=4800),
            quality("PJSIP/op101-00000002", "o", tx_lost=0, tx_jitter_s=0.0, rtt_s=None),
            quality("PJSIP/trunk-00000003", "d", tx_jitter_s=0.0304),
            staff={"d": "701"},
        ),
        call(quality("PJSIP/trunk-00000007", "c"), quality("PJSIP/op101-00000008", "o", rx_count=7), hour=11),
    )


def complained() -> ComplaintReport:
    return complaints(
        [done(ticket("t-1", FIRST), FIRST + timedelta(hours=5)), ticket("t-3", FIRST - timedelta(days=9))],
        [told("t-1", FIRST + timedelta(seconds=70))],
    )


def test_the_pages_are_as_agreed() -> None:
    check_golden("quality.html", render_quality_html(poor()))
    check_golden("quality.csv", render_quality_csv(poor()))
    check_golden("complaints.html", render_complaints_html(complained()))
    check_golden("complaints.csv", render_complaints_csv(complained()))


def test_pages_are_whole_and_can_be_read_by_everyone() -> None:
    pages = [
        render_quality_html(poor()),
        render_quality_html(qualities()),
        render_complaints_html(complained()),
        render_complaints_html(complaints([], [])),
    ]
    for page in pages:
        check_page(page)
        assert "09012345678" not in page


def test_a_small_loss_is_not_rounded_to_nothing() -> None:
    report = qualities(call(quality("PJSIP/trunk-1", rx_lost=1, rx_count=200_000)))
    assert "0.01%" in render_quality_html(report)


def test_the_tables_can_be_read_back() -> None:
    rows = list(csv.DictReader(io.StringIO(render_quality_csv(poor()).removeprefix("\ufeff"))))
    assert [(row["経路"], row["回線脚"], row["基準超え"]) for row in rows] == [
        ("市民の回線（トランク）", "2", "1"),
        ("オペレーターの電話機", "2", "0"),
        ("市民課（701）", "1", "0"),
    ]
    lines = list(csv.DictReader(io.StringIO(render_complaints_csv(complained()).removeprefix("\ufeff"))))
    assert [(line["番号"], line["引き継ぎ"], line["期限に遅れた"]) for line in lines] == [
        ("t-3", "はい", "はい"),
        ("t-1", "", ""),
    ]
