"""Times, days and timetables as one says them, in Japanese and in English."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby

from core.hours import Interval, OpeningHours, Period

_DAYS_JA = "月火水木金土日"
_DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS_EN = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def time_ja(minute: int) -> str:
    """`510` → 午前8時30分, `720` → 正午, `750` → 午後0時30分, `1440` → 夜12時."""
    if minute == 720:
        return "正午"
    if minute == 1440:
        return "夜12時"
    hour, rest = divmod(minute, 60)
    half = "午前" if hour < 12 else "午後"
    return f"{half}{hour % 12}時{f'{rest}分' if rest else ''}"


def time_en(minute: int) -> str:
    """`510` → 8:30 a.m., `720` → noon, `1440` → midnight."""
    if minute == 720:
        return "noon"
    if minute in (0, 1440):
        return "midnight"
    hour, rest = divmod(minute, 60)
    return f"{(hour - 1) % 12 + 1}{f':{rest:02}' if rest else ''} {'a.m.' if hour < 12 else 'p.m.'}"


def say_next_opening(now: datetime, opening: datetime, language: str) -> str:
    """When it opens again, as heard at `now` (both in the city's zone): 「明日、午前8時30分から」.

    Today and tomorrow are named so; any other day by month, day and weekday.
    """
    minute = opening.hour * 60 + opening.minute
    away = (opening.date() - now.date()).days
    if language == "ja":
        day = {0: "本日", 1: "明日"}.get(
            away, f"{opening.month}月{opening.day}日、{_DAYS_JA[opening.weekday()]}曜日"
        )
        return f"{day}、{time_ja(minute)}から"
    named = {0: "today", 1: "tomorrow"}.get(away)
    if named:
        return f"{named} at {time_en(minute)}"
    weekday, month = _DAYS_EN[opening.weekday()], _MONTHS_EN[opening.month - 1]
    return f"on {weekday}, {month} {opening.day}, at {time_en(minute)}"


def say_minutes(least: int, most: int, language: str) -> str:
    """A wait in whole minutes that remains: 「あと2分から4分ほどで」, `2 to 4 minutes`.

    A least of 0 is said by the most alone: 「長くても2分ほどで」, `less than 2 minutes`. (「以内」 is misheard on the
    telephone.)

    Raises:
        ValueError: `least` is not below `most`, or below 0.
    """
    if not 0 <= least < most:
        raise ValueError(f"not a range: {least}-{most}")
    if language == "ja":
        return f"長くても{most}分ほどで" if least == 0 else f"あと{least}分から{most}分ほどで"
    if least == 0:
        return "less than a minute" if most == 1 else f"less than {most} minutes"
    return f"{least} to {most} minutes"


_KEYS = {"*": ("コメ印", "star"), "#": ("シャープ", "pound")}


def say_key(key: str, language: str) -> str:
    """A key of the telephone: the digit itself, `*` コメ印, `#` シャープ."""
    return _KEYS[key][0 if language == "ja" else 1] if key in _KEYS else key


_DIGITS_JA = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー")
_DIGITS_EN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def say_number(number: str, language: str) -> str:
    """A telephone number digit by digit, with a pause at each hyphen: `0120-95` → 「ゼロイチニーゼロ、キューゴー」."""
    japanese = language == "ja"
    digits = _DIGITS_JA if japanese else _DIGITS_EN
    groups = [[digits[int(digit)] for digit in group] for group in number.split("-")]
    return "、".join("".join(group) for group in groups) if japanese else ", ".join(map(" ".join, groups))


def say_timetable(hours: OpeningHours, language: str) -> str:
    """The whole timetable in one breath, changes inside the contract and closed days included.

    In Japanese it is to be followed by 「です」.
    """
    japanese = language == "ja"
    spoken = []
    for index, period in enumerate(hours.periods):
        text = _say_week(period, japanese)
        if len(hours.periods) > 1:
            following = hours.periods[index + 1].valid_from if index + 1 < len(hours.periods) else None
            text = _say_span(following, period.valid_from, japanese) + text
        spoken.append(text)
    text = ("、" if japanese else "; ").join(spoken)
    closed = _say_closed(hours, japanese)
    if not closed:
        return text
    return f"{text}です。{closed}" if japanese else f"{text}, {closed}"


def _say_span(following: date | None, start: date, japanese: bool) -> str:
    if following is not None:
        last = date.fromordinal(following.toordinal() - 1)
        return f"{last.month}月{last.day}日までは、" if japanese else f"until {_day_en(last)}, "
    return f"{start.month}月{start.day}日からは、" if japanese else f"from {_day_en(start)}, "


def _day_en(day: date) -> str:
    return f"{_MONTHS_EN[day.month - 1]} {day.day}"


def _say_week(period: Period, japanese: bool) -> str:
    parts = []
    for intervals, group in groupby(range(7), key=lambda day: period.week[day]):
        if intervals:
            parts.append(f"{_say_days(list(group), japanese)}{_say_times(intervals, japanese)}")
    return ("、" if japanese else ", ").join(parts)


def _say_days(days: list[int], japanese: bool) -> str:
    first, last = days[0], days[-1]
    if len(days) == 7:
        return "毎日、" if japanese else "every day "
    if len(days) == 1:
        return f"{_DAYS_JA[first]}曜日の" if japanese else f"{_DAYS_EN[first]} "
    if japanese:
        return f"{_DAYS_JA[first]}曜日から{_DAYS_JA[last]}曜日の"
    return f"{_DAYS_EN[first]} to {_DAYS_EN[last]} "


def _say_times(intervals: Iterable[Interval], japanese: bool) -> str:
    if japanese:
        return "と".join(f"{time_ja(part.opens)}から{time_ja(part.closes)}まで" for part in intervals)
    return " and ".join(f"from {time_en(part.opens)} to {time_en(part.closes)}" for part in intervals)


def _say_closed(hours: OpeningHours, japanese: bool) -> str:
    parts = []
    if hours.closed_on_holidays:
        parts.append("祝日" if japanese else "public holidays")
    if hours.year_end:
        (month1, day1), (month2, day2) = hours.year_end.first, hours.year_end.last
        parts.append(
            f"{month1}月{day1}日から{month2}月{day2}日まで"
            if japanese
            else f"{_MONTHS_EN[month1 - 1]} {day1} to {_MONTHS_EN[month2 - 1]} {day2}"
        )
    if not parts:
        return ""
    return f"{'と、'.join(parts)}は、お休み" if japanese else f"except {' and '.join(parts)}"
