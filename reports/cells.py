"""How a cell is printed, the same on every page."""

from __future__ import annotations

from datetime import date, datetime

from reports.paper import Kind, Value

NOTHING = "–"
_WEEKDAYS = "月火水木金土日"


def minutes(seconds: float | None) -> str:
    """`83.4` → `1分23秒`; a missing figure is 「–」."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    if whole < 60:
        return f"{whole}秒"
    if whole < 3600:
        return f"{whole // 60}分{whole % 60:02d}秒"
    return f"{whole // 3600}時間{whole % 3600 // 60:02d}分"


def limit(seconds: float) -> str:
    """A limit in words: `300` → `5分`."""
    return f"{seconds / 60:g}分" if seconds % 60 == 0 and seconds else minutes(seconds)


def percent(share: float | None, places: int = 1) -> str:
    """`0.9` → `90.0%`, cut off rather than rounded up, so that 89.96 % never reads as a target of 90 % met."""
    if share is None:
        return NOTHING
    unit = 10**places
    parts = int(share * 100 * unit + 1e-9)
    return f"{parts // unit}.{parts % unit:0{places}}%"


def day_text(day: date) -> str:
    """`2024年11月25日（月）`."""
    return f"{day.year}年{day.month}月{day.day}日（{_WEEKDAYS[day.weekday()]}）"


def short_day(day: date) -> str:
    """`11/25（月）`."""
    return f"{day.month}/{day.day}（{_WEEKDAYS[day.weekday()]}）"


def cell_text(value: Value, kind: Kind) -> str:
    """A cell as a person reads it; a missing figure is 「–」, a missing text is empty."""
    if value is None:
        return "" if kind is Kind.TEXT else NOTHING
    if isinstance(value, datetime):
        return f"{value.month}/{value.day} {value:%H:%M:%S}"
    if isinstance(value, date):
        return short_day(value)
    if isinstance(value, str):
        return value
    match kind:
        case Kind.SECONDS:
            return minutes(value)
        case Kind.SHARE:
            return percent(value)
        case Kind.FINE_SHARE:
            return percent(value, 3)
        case Kind.CALLS:
            return f"{value:,.0f}"
        case _:
            return f"{value:,.1f}" if isinstance(value, float) and value % 1 else f"{value:,.0f}"


def plain(value: Value) -> Value:
    """A cell for a program: figures to four places, dates as ISO text, a missing one empty."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return round(value, 4) if isinstance(value, float) else value
