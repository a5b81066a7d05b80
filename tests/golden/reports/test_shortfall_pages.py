"""The shortfall report's page and table: word for word, and whole in one file."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from report_pages import check_golden, check_page
from report_weeks import Centre, short_month
from test_shortfall import BAD, CITY, report_of

from reports.render_shortfall import period_text, render_shortfall_csv, render_shortfall_html

pytestmark = pytest.mark.golden


def test_the_page_is_as_agreed() -> None:
    check_golden("shortfall.html", render_shortfall_html(report_of(short_month(), BAD)))


def test_the_table_is_as_agreed() -> None:
    check_golden("shortfall.csv", render_shortfall_csv(report_of(short_month(), BAD)))


def test_pages_are_whole_and_can_be_read_by_everyone() -> None:
    met = report_of(short_month(), date(2026, 11, 17))
    for report in (report_of(short_month(), BAD), met, report_of(Centre(1), BAD)):
        page = render_shortfall_html(report)
        check_page(page)
        assert "改善策（担当者が記入）" in page
        assert "09012345678" not in page
    assert "この期間の応答率は目標に届いている" in render_shortfall_html(met)


def test_the_period_in_words() -> None:
    month = report_of(short_month(), date(2026, 11, 1), date(2026, 11, 30))
    assert period_text(month) == "2026年11月"
    assert period_text(report_of(Centre(1), BAD)) == "2026年11月24日（火）"
    part = report_of(Centre(1), date(2026, 11, 1), date(2026, 11, 29))
    assert period_text(part) == "2026年11月1日（日）から2026年11月29日（日）まで"
    assert CITY.city in render_shortfall_html(month)


def test_the_csv_can_be_read_back() -> None:
    text = render_shortfall_csv(report_of(short_month(), BAD))
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["時"] for row in rows] == ["9", "11", "12", "13", "14", "15"]
    assert sum(int(row["応答できなかった電話"]) for row in rows) == 17
    assert all(len(row["通話番号"].split()) == int(row["応答できなかった電話"]) for row in rows)
