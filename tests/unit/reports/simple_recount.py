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
Event = tuple[float, str, dict[str, str], dict[str, Any]]
Stay = tuple[str, float, float]
"""A leg in a bridge: from when to when."""
GONE = ("ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY", "WITHDRAW", "SYSCOMPAT")
REFUSED = (
    "TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL", "EXITWITHTIMEOUT", "EXITEMPTY",
)  # fmt: skip


def _cel(lines: Sequence[str]) -> dict[str, list[Event]]:
    by_call: dict[str, list[Event]] = {}
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue  # cut by a killed switch
        extra = json.loads(row["eventextra"]) if row["eventextra"] else {}
        payload = {
            key: value[0] for key, value in parse_qs(extra.get("extra", ""), keep_blank_values=True).items()
        }
        own = row["accountcode"] if row["accountcode"].startswith("c-") else f"c-{row['linkedid']}"
        payload["_channel"], payload["_leg"] = row["channame"], row["uniqueid"]
        by_call.setdefault(payload.get("call") or own, []).append(
            (float(row["eventtime"]), row["eventtype"], payload, extra)
        )
    return by_call


def _operator(member: str) -> str:
    """`op101`, `Local/op101@members` and `PJSIP/op101-0000000a` are 101."""
    return member.rpartition("/")[2].partition("@")[0].partition("-")[0].removeprefix("op")


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def recount(
    cel_lines: Sequence[str], queue_lines: Sequence[str], short_s: int, within_s: int, long_s: int
) -> Figures:
    """Every metric of all calls."""
    return figures_of(calls_of(cel_lines, queue_lines), short_s, within_s, long_s)


def calls_of(cel_lines: Sequence[str], queue_lines: Sequence[str]) -> list[Figures]:
    """Each citizen's call by itself; `end` is None while it lasts."""
    rows = [line.split("|") for line in queue_lines]
    pauses: dict[str, list[tuple[int, str, str]]] = {}
    for row in rows:
        if row[4] in ("PAUSE", "PAUSEALL", "UNPAUSE", "UNPAUSEALL", "REMOVEMEMBER"):
            pauses.setdefault(_operator(row[3]), []).append((int(row[0]), row[4], (*row[5:], "")[0]))
    return [
        found
        for call, events in _cel(cel_lines).items()
        if (found := _one(call, sorted(events, key=lambda each: each[0]), rows, pauses)) is not None
    ]


def figures_of(calls: Sequence[Figures], short_s: int, within_s: int, long_s: int) -> Figures:
    """Every metric of these calls."""
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
        "transferred": len([call for call in answered if call["transferred"]]),
        "reached": len([call for call in answered if call["handed"] and call["met"]]),
        "handed": len([call for call in answered if call["handed"]]),
    }  # fmt: skip
    known = [call["wrap_up"] for call in answered if call["wrap_up"] is not None]
    figures["acw"] = sum(known) / len(known) / 1000 if known else None
    figures["aht"] = (
        (sum(call["talk"] for call in answered) + sum(known)) / len(answered) / 1000 if answered else None
    )
    return figures


def _one(
    call: str, events: list[Event], rows: list[list[str]], pauses: dict[str, list[tuple[int, str, str]]]
) -> Figures | None:
    arrivals = [(at, payload) for at, name, payload, _ in events if name == "TS_ARRIVED"]
    if not arrivals:
        return None
    arrived, head = arrivals[0]
    leg = call.removeprefix("c-")
    mine = [row for row in rows if row[1] == leg]
    hang_up = next(
        ((at, extra) for at, name, payload, extra in events if name == "HANGUP" and payload["_leg"] == leg),
        None,
    )
    last = max([events[-1][0], *(float(row[0]) for row in mine)])
    restarts = [int(row[0]) for row in rows if row[4] == "QUEUESTART" and arrived < int(row[0]) >= last - 1]
    died = hang_up is None and bool(restarts)
    ended = hang_up[0] if hang_up else max(restarts[0], last) if restarts else None
    found: Figures = {
        "call": call, "test": head.get("test") == "1", "end": None, "wait": None, "talk": 0, "wrap_up": None,
        "told": None, "arrival": 0,
    }  # fmt: skip
    talks = _talks(events, mine, ended, died)
    first = talks[0][0] if talks else None
    joins = [at for at, name, _, _ in events if name == "TS_QUEUE" and (ended is None or at <= ended)]
    if joins:
        until = min(each for each in (first, last if died else ended, last) if each is not None)
        found["wait"] = _ms(_waited(joins, events, mine, until, hang_up))
    if first is not None:
        found["arrival"] = _ms(first - arrived)
        found["talk"] = _ms(_covered([(begun, until) for begun, until, _ in talks if until is not None]))
        known = [
            work
            for begun, until, operator in talks
            if until is not None and (work := _after_work(pauses.get(operator, []), begun, until)) is not None
        ]
        found["wrap_up"] = _ms(sum(known)) if known else None
        word = next(
            ((at, said) for at, name, said, _ in events if name == "TS_WAIT_WORD" and said["most"]), None
        )
        if word is not None:
            least, most = int(word[1]["least"] or 0), int(word[1]["most"])
            found["told"] = 60 * least <= first - word[0] <= 60 * most
    met = _met(events, leg, ended)
    found["met"] = bool(met)
    found["handed"], found["transferred"] = _handed(events, {leg for leg, _ in met})
    if ended is not None:
        by = str(hang_up[1].get("hangupsource", "")) if hang_up else "dialplan"
        ours = by.startswith(("dialplan", "Local/")) or ("/" not in by and by != "")
        found["end"] = _end(bool(talks), died, ours, ended, joins, met, events, mine)
    return found


def _talks(
    events: list[Event], rows: list[list[str]], ended: float | None, died: bool
) -> list[tuple[float, float | None, str]]:
    """From when to when which operator talked: whoever met somebody in a bridge, or whom queue_log names.

    An operator who is gone at once leaves only queue_log's row. A talk that died with the switch has no known end.
    """
    named = {row[6]: (float(row[0]), row[3]) for row in rows if row[4] == "CONNECT"}
    begun = {p["_leg"]: (at, p["member"]) for at, name, p, _ in events if name == "TS_CONNECT"}
    found = []
    for leg in [*begun, *(leg for leg in named if leg not in begun)]:
        stays = _stays(events, leg)
        if leg in begun:
            at, member = begun[leg]
        else:
            second, member = named[leg]
            at = min([since for _, since, _ in stays if second <= since < second + 1.5], default=second)
        if not (stays or leg in named) or (ended is not None and at > ended):
            continue
        until: float | None = max([until for _, _, until in stays], default=float("inf"))
        if until == float("inf"):
            until = None if died else ended
        elif ended is not None and until is not None:
            until = min(until, ended)
        found.append((at, None if until is None else max(at, until), _operator(member)))
    return sorted(found, key=lambda each: each[0])


def _covered(spans: list[tuple[float, float]]) -> float:
    total, reached = 0.0, 0.0
    for begun, until in sorted(spans):
        total += max(0.0, until - max(begun, reached))
        reached = max(reached, until)
    return total


def _waited(
    joins: list[float], events: list[Event], rows: list[list[str]], until: float, hang_up: Any
) -> float:
    sharp = [at for at, name, said, _ in events if name == "TS_OVERFLOW" or (
        name == "TS_QUEUE_EXIT" and said["status"])]  # fmt: skip
    if hang_up:
        sharp.append(hang_up[0])
    # Whole seconds where nothing sharper lies in them.
    left = [
        int(row[0])
        for row in rows
        if row[4] in GONE and not any(int(row[0]) <= at < int(row[0]) + 1.5 for at in [*sharp, *joins[1:]])
    ]
    total = 0.0
    for place, joined in enumerate(joins):
        ends = [at for at in [*sharp, *left, *joins[place + 1 :], until] if at >= joined]
        total += max(0.0, min([*ends, until]) - joined)
    return total


def _after_work(rows: list[tuple[int, str, str]], begun: float, until: float) -> float | None:
    """Until the telephone is free, on a break, signed out or in the next talk; a new reason is no end."""
    periods: list[tuple[int, int]] = []
    since: int | None = None
    for place, (at, event, why) in enumerate(rows):
        if event.startswith("PAUSE") and why in ("talking", "wrapup"):
            if since is not None and why == "talking" and at > since + 2:
                periods.append((since, at))
                since = at
            since = at if since is None else since
        elif since is not None:
            follows = [(name, reason) for moment, name, reason in rows[place + 1 :] if moment == at]
            paused = [reason for name, reason in follows if name.startswith("PAUSE")]
            if not (event.startswith("UNPAUSE") and paused and paused[0] == "wrapup"):
                periods.append((since, at))
                since = None
    near = [period for period in [*periods, *([(since, -1)] if since is not None else [])]
            if begun - 2 <= period[0] <= until + 2]  # fmt: skip
    if not near:
        return None
    end = min(near, key=lambda period: abs(period[0] - begun))[1]
    return None if end < 0 else max(0.0, end - until)


def _stays(events: list[Event], leg: str) -> list[Stay]:
    found: list[Stay] = []
    gone = None
    for at, name, payload, extra in events:
        if payload["_leg"] != leg:
            continue
        if name == "BRIDGE_ENTER":
            found.append((extra["bridge_id"], at, float("inf")))
        elif name == "BRIDGE_EXIT":
            inside = any(bridge == extra["bridge_id"] and until == float("inf") for bridge, _, until in found)
            if not inside and gone is not None:
                # No entry is told: it came straight from the bridge before.
                found.append((extra["bridge_id"], gone, float("inf")))
            gone = at
            found = [
                (bridge, since, at if until == float("inf") and bridge == extra["bridge_id"] else until)
                for bridge, since, until in found
            ]
        elif name == "HANGUP":
            found = [(bridge, since, min(until, at)) for bridge, since, until in found]
    return found


def _met(events: list[Event], leg: str, ended: float | None) -> list[tuple[str, float]]:
    """Legs of the directory that shared a bridge with the caller's, and since when."""
    called_back = [payload["_leg"] for _, name, payload, _ in events if name == "TS_CALLBACK_TALK"]
    callers = [stay for each in (leg, *called_back) for stay in _stays(events, each)]
    reached = dict.fromkeys(payload["_leg"] for _, name, payload, _ in events if name == "TS_STAFF")
    return [
        (each, max(since, began))
        for each in reached
        for bridge, since, until in _stays(events, each)
        for other, began, ends in callers
        if bridge == other and max(since, began) < min(until, ends)
    ]


def _handed(events: list[Event], met: set[str]) -> tuple[bool, bool]:
    """Whether an operator handed the caller on to the directory, and whether somebody answered."""
    handed = answered = False
    open_to, reached = "", False
    for _, name, payload, _ in events:
        if name in ("TS_TRANSFER", "TS_CONSULT") and payload.get("straight") != "yes":
            result = payload.get("result", "")
            if name == "TS_TRANSFER":
                handed = True
                answered |= result == "ANSWER"
            if not result or payload["to"] == open_to:
                answered |= reached and not result
                open_to, reached = ("" if result or name == "TS_CONSULT" else payload["to"]), False
        elif name == "TS_STAFF":
            reached |= payload["to"] == open_to != ""
    for _, name, payload, _ in events:
        asked = name == "TS_STAFF" and payload["_leg"] in met
        if asked and any(n == "TS_CONSULT" and p["to"] == payload["to"] for _, n, p, _ in events):
            handed = answered = True
    return handed, answered or reached


def _end(
    talked: bool, died: bool, ours: bool, ended: float, joins: list[float], met: list[tuple[str, float]],
    events: list[Event], rows: list[list[str]],
) -> str:  # fmt: skip
    if talked:
        return "answered"
    if died:
        return "system_failure"
    joined = max(joins, default=0.0)
    if any(joined <= since <= ended for _, since in met):
        return "referred"
    for name, end in (("TS_CALLBACK", "callback"), ("TS_REFERRED", "referred"), ("TS_SELF_SERVED", "self_served"),
                      ("TS_CLOSED", "after_hours"), ("TS_OVERFLOW", "overflow")):  # fmt: skip
        heard = [(at, payload) for at, event, payload, _ in events if event == name and at >= joined]
        if heard:
            return "system_failure" if heard[-1][1].get("reason") == "failure" else end
    left = [(float(row[0]), row[4]) for row in rows if row[4] in GONE]
    if any(how == "ABANDON" for _, how in left):
        return "abandoned_queue"
    left += [(at, payload["status"]) for at, name, payload, _ in events if name == "TS_QUEUE_EXIT"]
    how = max([each for each in left if each[1]], default=(0.0, ""))[1]
    if how in REFUSED:
        return "overflow"
    if how == "SYSCOMPAT" or ours:
        return "system_failure"
    return "abandoned_menu" if not joins or how in ("KEY", "EXITWITHKEY") else "abandoned_queue"
