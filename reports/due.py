"""When a paper is due, by Japanese business days."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum, unique

from reports.profile import ReportSection

IsBusinessDay = Callable[[date], bool]


@unique
class Span(StrEnum):
    """What period a paper speaks of."""

    DAY = "day"
    WEEK = "week"
    """Monday to Sunday."""
    MONTH = "month"
    SO_FAR = "so_far"
    """From the contract's beginning to the month's end."""
    CONTRACT = "contract"
    EVENT = "event"
    """Something that happened; no calendar knows it."""


def span_of(paper: ReportSection) -> Span:
    """The period of a paper, by its kind unless the profile names another."""
    if paper.span is not None:
        return Span(paper.span)
    return {
        "daily": Span.DAY, "weekly": Span.WEEK, "monthly": Span.MONTH, "interim": Span.SO_FAR, "final": Span.SO_FAR,
        "completion": Span.CONTRACT, "results": Span.CONTRACT,
    }.get(paper.kind, Span.EVENT)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One paper that falls due."""

    kind: str
    name_ja: str
    first_day: date
    last_day: date
    due: date | None
    """None where the city and the centre agree on it."""
    rule: str
    """In words."""


def business_day_after(day: date, number: int, is_business_day: IsBusinessDay) -> date:
    """The `number`th business day after `day`, 1 for the next one."""
    found = day
    while number > 0:
        found += timedelta(days=1)
        number -= is_business_day(found)
    return found


def last_business_day(first: date, last: date, is_business_day: IsBusinessDay) -> date:
    """The last business day from `first` to `last`; the next one after `last` when there is none."""
    day = last
    while day >= first:
        if is_business_day(day):
            return day
        day -= timedelta(days=1)
    return business_day_after(last, 1, is_business_day)


def due_of(
    paper: ReportSection, last_day: date, is_business_day: IsBusinessDay, contract: tuple[date, date]
) -> date | None:
    """When the paper of a period that ends on `last_day` is due; None where it is a matter of agreement.

    A day of the month stays where it is on a holiday, as the specifications write it without exception: the paper is to
    be there by then.
    """
    match paper.due:
        case "next_business_day":
            return business_day_after(last_day, 1, is_business_day)
        case "last_business_day_of_next_week":
            monday = last_day + timedelta(days=7 - last_day.weekday())
            return last_business_day(monday, monday + timedelta(days=6), is_business_day)
        case "business_day_of_next_month":
            return business_day_after(_month_end(last_day), paper.number or 1, is_business_day)
        case "day_of_next_month":
            end = _month_end(last_day) + timedelta(days=1)
            return end.replace(day=min(paper.number or 1, calendar.monthrange(end.year, end.month)[1]))
        case "days_after":
            return last_day + timedelta(days=paper.number or 0)
        case "on_date" if paper.on is not None:
            month, day = (int(part) for part in paper.on.split("-"))
            years = range(contract[0].year, contract[1].year + 2)
            dates = [date(year, month, day) for year in years]
            return next((each for each in dates if each >= contract[0]), None)
        case "at_contract_end":
            return business_day_after(contract[1], 1, is_business_day)
        case _:
            return None


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def papers_due(
    papers: tuple[ReportSection, ...],
    month: date,
    is_business_day: IsBusinessDay,
    contract: tuple[date, date],
) -> list[Due]:
    """Every paper that falls due in a month, in order; those by agreement once, without a date, at the end.

    Args:
        month: any day of it.
        contract: its first and last day; outside it nothing is due but what follows its end.
    """
    first, last = month.replace(day=1), _month_end(month)
    found: list[Due] = []
    for paper in papers:
        for begin, end in _periods(paper, first, last, contract):
            due = due_of(paper, end, is_business_day, contract)
            if due is None or first <= due <= last:
                found.append(
                    Due(
                        kind=paper.kind, name_ja=paper.name_ja, first_day=begin, last_day=end, due=due,
                        rule=paper.due_ja(),
                    )
                )  # fmt: skip
    return sorted(found, key=lambda each: (each.due is None, each.due or last, each.kind, each.first_day))


def _periods(
    paper: ReportSection, first: date, last: date, contract: tuple[date, date]
) -> list[tuple[date, date]]:
    """Periods whose paper may fall due between `first` and `last`."""
    begin, end = contract
    match span_of(paper):
        case Span.DAY:
            days = [first - timedelta(days=14) + timedelta(days=number) for number in range(14 + last.day)]
            return [(day, day) for day in days if begin <= day <= end]
        case Span.WEEK:
            monday = first - timedelta(days=first.weekday() + 21)
            weeks = [(monday + timedelta(weeks=n), monday + timedelta(weeks=n, days=6)) for n in range(9)]
            return [(max(a, begin), min(b, end)) for a, b in weeks if b >= begin and a <= end and b <= last]
        case Span.MONTH:
            before = (first - timedelta(days=1)).replace(day=1)
            month_end = _month_end(before)
            return [(max(before, begin), min(month_end, end))] if before <= end and month_end >= begin else []
        case Span.SO_FAR:
            until = first - timedelta(days=1)
            return [(begin, min(until, end))] if begin <= until else []
        case Span.CONTRACT:
            return [(begin, end)]
        case _:
            return []
