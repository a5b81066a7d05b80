"""A `CallPlan` as JSON: rendered when the service starts, read by the fallback script in milliseconds.

The script must not pay for TOML, pydantic and the holiday library; holidays are therefore listed by date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from core.hours import Interval, OpeningHours, Period, SpecialDay, YearEnd
from core.ids import LineId
from ivr.flow import Flow, LineQueues, Menu, Repeat, Target, Tell, ToLine, ToMenu, ToStaff
from ivr.session import CallPlan

FORMAT = 2


def dump_plan(plan: CallPlan, holidays: Mapping[date, str]) -> str:
    """The plan as text. `holidays` must cover the time until the next start of the service."""
    return json.dumps(
        {
            "format": FORMAT,
            "flow": _flow_out(plan.flow),
            "hours": _hours_out(plan.hours, holidays),
            "templates": {language: dict(texts) for language, texts in plan.templates.items()},
        },
        ensure_ascii=False,
    )


def load_plan(text: str) -> CallPlan:
    """The plan of a text that `dump_plan` wrote.

    Raises:
        ValueError: another format.
        KeyError: damaged.
    """
    values = json.loads(text)
    if values["format"] != FORMAT:
        raise ValueError(f"plan format {values['format']}, expected {FORMAT}")
    return CallPlan(
        flow=_flow_in(values["flow"]), hours=_hours_in(values["hours"]), templates=values["templates"]
    )


def _flow_out(flow: Flow) -> dict[str, Any]:
    return {
        "languages": flow.languages,
        "language_keys": dict(flow.language_keys),
        "language_timeout_s": flow.language_timeout_s,
        "start": flow.start,
        "menus": [
            {
                "id": menu.id,
                "prompt": menu.prompt,
                "choices": {key: _target_out(target) for key, target in menu.choices.items()},
            }
            for menu in flow.menus.values()
        ],
        "tries": flow.tries,
        "max_steps": flow.max_steps,
        "digit_timeout_s": flow.digit_timeout_s,
        "fallback_line": flow.fallback_line,
        "lines": {name: [line.languages, line.priority] for name, line in flow.lines.items()},
        "direct": dict(flow.direct),
    }


def _flow_in(values: dict[str, Any]) -> Flow:
    menus = [
        Menu(
            id=menu["id"],
            prompt=menu["prompt"],
            choices={key: _target_in(target) for key, target in menu["choices"].items()},
        )
        for menu in values["menus"]
    ]
    return Flow(
        languages=tuple(values["languages"]),
        language_keys=values["language_keys"],
        language_timeout_s=values["language_timeout_s"],
        start=values["start"],
        menus={menu.id: menu for menu in menus},
        tries=values["tries"],
        max_steps=values["max_steps"],
        digit_timeout_s=values["digit_timeout_s"],
        fallback_line=LineId(values["fallback_line"]),
        lines={
            LineId(name): LineQueues(tuple(languages), priority)
            for name, (languages, priority) in values["lines"].items()
        },
        direct={extension: LineId(line) for extension, line in values["direct"].items()},
    )


def _target_out(target: Target) -> list[str | None]:
    match target:
        case ToLine(line):
            return ["line", line]
        case ToMenu(menu):
            return ["menu", menu]
        case Tell(prompt, refer_to):
            return ["tell", prompt, refer_to]
        case ToStaff(extension, line):
            return ["staff", extension, line]
        case Repeat():
            return ["repeat"]


def _target_in(values: list[Any]) -> Target:
    match values:
        case ["line", line]:
            return ToLine(LineId(line))
        case ["menu", menu]:
            return ToMenu(menu)
        case ["tell", prompt, refer_to]:
            return Tell(prompt, refer_to)
        case ["staff", extension, line]:
            return ToStaff(extension, LineId(line))
        case ["repeat"]:
            return Repeat()
    raise ValueError(f"unknown target: {values}")


def _spans_out(intervals: tuple[Interval, ...]) -> list[list[int]]:
    return [[part.opens, part.closes] for part in intervals]


def _spans_in(values: list[list[int]]) -> tuple[Interval, ...]:
    return tuple(Interval(opens, closes) for opens, closes in values)


def _hours_out(hours: OpeningHours, holidays: Mapping[date, str]) -> dict[str, Any]:
    return {
        "periods": [
            [period.valid_from.isoformat(), [_spans_out(day) for day in period.week]]
            for period in hours.periods
        ],
        "closed_on_holidays": hours.closed_on_holidays,
        "year_end": [hours.year_end.first, hours.year_end.last] if hours.year_end else None,
        "special_days": {
            day.isoformat(): [_spans_out(special.intervals), special.name]
            for day, special in hours.special_days.items()
        },
        "holidays": {day.isoformat(): name for day, name in holidays.items()},
    }


def _hours_in(values: dict[str, Any]) -> OpeningHours:
    holidays = {date.fromisoformat(day): name for day, name in values["holidays"].items()}
    year_end = values["year_end"]
    return OpeningHours(
        periods=tuple(
            Period(date.fromisoformat(start), tuple(_spans_in(day) for day in week))
            for start, week in values["periods"]
        ),
        closed_on_holidays=values["closed_on_holidays"],
        year_end=YearEnd(first=tuple(year_end[0]), last=tuple(year_end[1])) if year_end else None,
        special_days={
            date.fromisoformat(day): SpecialDay(_spans_in(spans), name)
            for day, (spans, name) in values["special_days"].items()
        },
        holiday_name=holidays.get,
    )
