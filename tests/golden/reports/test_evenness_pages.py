"""The evenness report's page and table: word for word, and whole in one file."""

from __future__ import annotations

import csv
import io

import pytest
from report_pages import check_golden, check_page
from report_weeks import Centre, even_week
from test_evenness import report_of

from core.ids import QueueName
from reports.evenness import EvennessReport, Explained
from reports.render_evenness import render_evenness_csv, render_evenness_html

pytestmark = pytest.mark.golden


def whole_week() -> EvennessReport:
    reasons = ["", "", "", "order", "caller", "unknown", "order"]
    explained = [Explained(demand=QueueName("booking-ja"), deviation=each) for each in reasons]
    return report_of(even_week(), explained=explained)


def test_the_page_is_as_agreed() -> None:
    check_golden("evenness.html", render_evenness_html(whole_week()))


def test_the_table_is_as_agreed() -> None:
    check_golden("evenness.csv", render_evenness_csv(whole_week()))


def test_pages_are_whole_and_can_be_read_by_everyone() -> None:
    for report in (whole_week(), report_of(Centre(1))):
        check_page(render_evenness_html(report))


def test_the_csv_can_be_read_back() -> None:
    text = render_evenness_csv(whole_week())
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    booking = [row for row in rows if row["技能"] == "booking"]
    assert sum(int(row["対応件数"]) for row in booking) == 108
    assert {row["参考値"] for row in booking} == {"0"}
