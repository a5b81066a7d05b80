"""A second, deliberately simple count of everything, from the raw lines: no ledger, no fold, no tally.

It reads the lines as text, groups them by call with dictionaries, and computes each metric by the words of
`docs/metrics.md`. Milliseconds are whole, as there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

Figures = dict[str, Any]


def _cel(lines: Sequence[str]) -> dict[str, list[tuple[float, str, dict[str, str], dict[str, Any]]]]:
    by_call: dict[str, list[tuple[float, str, dict[str, str], dict[str, Any]]]] = {}
    for line in lines:
        row = json.loads(line)
        extra = json.loads(row["eventextra"]) if row["eventextra"] else {}
        payload = {
            key: value[0] for key, value in parse_qs(extra.get("extra", ""), keep_blank_values=True).items()
        }
        call = payload.get("call") or row["accountcode"] or f"c-{row['linkedid']}"
        payload["_channel"], payload["_leg"] = row["channame"], row["uniqueid"]
        by_call.setdefault(call, []).append((float(row["eventtime"]), row["eventtype"], payload, extra))
    return by_call


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def recount(
    cel_lines: Sequence[str], queue_lines: Sequence[str], short_s: int, within_s: int, long_s: int
) -> Figures:
    """Every metric of all calls."""
    rows = [line.split("|") for line in queue_lines]
    pauses: dict[str, list[tuple[int, str, str]]] = {}
    for row in rows:
        if row[4] in ("PAUSEALL", "UNPAUSEALL"):
            pauses.setdefault(row[3].removeprefix("op"), []).append((int(row[0]), row[4], row[5]))
    calls = [
        found
        for call, events in _cel(cel_lines).items()
        if (found := _one(call, sorted(events, key=lambda each: each[0]), rows, pauses)) is not None
    ]
    mine = [call for call in calls if not call["test"]]

    def how_many(end: str) -> int:
        return len([call for call in mine if call["end"] == end])

    answered = [call for call in mine if call["end"] == "answered"]
    left = [call for call in mine if call["end"] == "abandoned_queue"]
    waited = [call for call in mine if call["wait"] is not None]
    figures: Figures = {
        "tests": len(calls) - len(mine),
        "incoming": len(mine),
        **{
            end: how_many(end)
            for end in (
                "answered", "abandoned_queue", "abandoned_menu", "self_served", "overflow", "after_hours", "callback",
                "referred", "system_failure",
            )
        },
    }  # fmt: skip
    short = len([call for call in left if call["wait"] < 1000 * short_s])
    base = {name: figures[name] for name in figures}
    wanted = base["answered"] + base["abandoned_queue"]
    whole = {
        "offered_v1": wanted + base["overflow"] + base["callback"] + base["system_failure"] - short,
        "without_callbacks_v1": wanted + base["overflow"] + base["system_failure"] - short,
        "with_menu_v1": wanted + base["overflow"] + base["callback"] + base["system_failure"]
        + base["abandoned_menu"] - short,
        "answered_or_abandoned_v1": wanted - short,
        "open_hours_v1": base["incoming"] - base["after_hours"] - short,
        "all_incoming_v1": base["incoming"] - short,
    }  # fmt: skip
    for name, number in whole.items():
        figures[f"rate {name}"] = base["answered"] / number if number else None
    soon = len([call for call in answered if call["wait"] <= 1000 * within_s])
    soon_left = len([call for call in left if call["wait"] <= 1000 * within_s])
    figures |= {
        "short": short,
        "level": soon / whole["offered_v1"] if whole["offered_v1"] else None,
        "level asterisk": soon / len(answered) if answered else None,
        "level asterisk2": (soon + soon_left) / (len(answered) + len(left)) if answered or left else None,
        "level xcally": soon / n if (n := len(answered) + len(left) - soon_left) else None,
        "level breakouts": soon / n if (n := len(answered) + len(left) + base["callback"]) else None,
        "abandon": len(left) / len(waited) if waited else None,
        "longest": max(call["wait"] for call in waited) / 1000 if waited else None,
        "asa": sum(call["wait"] for call in answered) / len(answered) / 1000 if answered else None,
        "asa arrival": sum(call["arrival"] for call in answered) / len(answered) / 1000 if answered else None,
        "att": sum(call["talk"] for call in answered) / len(answered) / 1000 if answered else None,
        "long": len([call for call in waited if call["wait"] >= 1000 * long_s]),
        "told": len([call for call in answered if call["told"] is not None]),
        "told true": len([call for call in answered if call["told"]]),
        "transferred": len([call for call in answered if call["transfer"] == "ANSWER"]),
        "reached": len([call for call in answered if call["staff"]]),
        "handed": len([call for call in answered if call["transfer"] is not None]),
    }  # fmt: skip
    known = [call["wrap_up"] for call in answered if call["wrap_up"] is not None]
    figures["acw"] = sum(known) / len(known) / 1000 if known else None
    figures["aht"] = (
        (sum(call["talk"] for call in answered) + sum(known)) / len(answered) / 1000 if answered else None
    )
    return figures


def _one(
    call: str, events: list[Any], rows: list[list[str]], pauses: dict[str, list[tuple[int, str, str]]]
) -> Figures | None:
    named = {name: (at, payload) for at, name, payload, _ in reversed(events)}
    if "TS_ARRIVED" not in named:
        return None
    arrived = named["TS_ARRIVED"][0]
    leg = call.removeprefix("c-")
    by = next(
        extra["hangupsource"]
        for _, name, payload, extra in events
        if name == "HANGUP" and payload["_leg"] == leg
    )
    mine = [row for row in rows if row[1] == leg]
    found: Figures = {
        "test": named["TS_ARRIVED"][1].get("test") == "1", "wait": None, "talk": 0, "wrap_up": None, "told": None,
        "transfer": None,
        "staff": "TS_STAFF" in named,
    }  # fmt: skip
    joined = named["TS_QUEUE"][0] if "TS_QUEUE" in named else None
    begun = named["TS_CONNECT"][0] if "TS_CONNECT" in named else None
    if joined is not None:
        left = [
            at
            for at, name, _, _ in events
            if name in ("TS_QUEUE_EXIT", "HANGUP", "TS_CONNECT") and at >= joined
        ]
        found["wait"] = _ms(min(left) - joined)
    if begun is not None:
        operator = named["TS_CONNECT"][1]["member"].rpartition("op")[2]
        until = next(
            at for at, name, payload, _ in events if name == "BRIDGE_EXIT" and "/op" in payload["_channel"]
        )
        found["talk"], found["arrival"] = _ms(until - begun), _ms(begun - arrived)
        free = [at for at, event, _ in pauses.get(operator, []) if event == "UNPAUSEALL" and at >= int(until)]
        next_talk = [
            at for at, event, why in pauses.get(operator, []) if why == "talking" and at > int(begun) + 2
        ]
        after = [at for at in free if not next_talk or at <= next_talk[0]]
        if after or next_talk:
            found["wrap_up"] = _ms((after or next_talk)[0] - until)
        if "TS_WAIT_WORD" in named:
            at, word = named["TS_WAIT_WORD"]
            found["told"] = 60 * int(word["least"]) <= begun - at <= 60 * int(word["most"])
        results = [
            payload["result"] for _, name, payload, _ in events if name == "TS_TRANSFER" and payload["result"]
        ]
        found["transfer"] = results[-1] if results else None
    given = [
        name
        for name in ("TS_CALLBACK", "TS_REFERRED", "TS_SELF_SERVED", "TS_CLOSED", "TS_OVERFLOW")
        if name in named
    ]
    if begun is not None:
        found["end"] = "answered"
    elif given:
        found["end"] = {
            "TS_CALLBACK": "callback", "TS_REFERRED": "referred", "TS_SELF_SERVED": "self_served",
            "TS_CLOSED": "after_hours", "TS_OVERFLOW": "overflow",
        }[given[0]]  # fmt: skip
    elif any(row[4] == "ABANDON" for row in mine):
        found["end"] = "abandoned_queue"
    else:
        found["end"] = "system_failure" if by.startswith("dialplan") else "abandoned_menu"
    return found
