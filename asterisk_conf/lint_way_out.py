"""The lint's rules for the one way out to a number that is not rendered: call-backs (dialplans/70-callback.conf).

Toll fraud has to be impossible by construction: nothing but the engine's Originate comes there, and nothing but a
number like a citizen's telephone is dialled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from asterisk_conf.dialplan_text import Dialplan, read_entries
from asterisk_conf.dialplan_way import Way
from asterisk_conf.finding import Finding

WAY_OUT = "callback-out"
"""The one context in which the extension is the number that is dialled."""
WAY_OUT_PATTERNS = frozenset({"_0[5-9]0[1-9]XXXXXXX", "_0[1-9][1-9]XXXXXXX"})
"""What may be dialled there: mobile and IP telephones, geographic numbers (core/phone.py)."""
WAY_OUT_REFUSALS = frozenset({"_01[2-9]0XXXXXX", "_0570XXXXXX", "_0990XXXXXX"})
"""Services that look geographic; each a closer match than the pattern that would let it out."""


def way_out(plan: Dialplan, way: Way) -> Iterator[Finding]:
    """Nothing but the engine's Originate comes to the context whose extension is dialled, and only numbers like a
    citizen's telephone match there."""
    context = plan.contexts.get(WAY_OUT)
    if context is None:
        return
    for name, steps in context.extensions.items():
        wanted = "callback-dial,${EXTEN},1" if name in WAY_OUT_PATTERNS else "callback-refused,s,1"
        if name not in WAY_OUT_PATTERNS | WAY_OUT_REFUSALS or steps[0].arguments != wanted:
            yield Finding(
                rule="way-out",
                place=steps[0].place,
                message=f"折り返しの発信先が決まりと違います: {name}",
                cure="lint.py の WAY_OUT_PATTERNS と WAY_OUT_REFUSALS に合わせる",
            )
    for missing in sorted((WAY_OUT_PATTERNS | WAY_OUT_REFUSALS) - context.extensions.keys()):
        yield Finding(
            rule="way-out",
            place=f"{context.file}:{context.line}",
            message=f"折り返しの発信先の決まりがありません: {missing}",
            cure="書き足す",
        )
    for other in plan.contexts.values():
        for included, place in other.includes:
            if included in (WAY_OUT, "callback-dial"):
                yield _door(place, f"{other.name} が {included} を include しています")
        for step in (step for steps in other.extensions.values() for step in steps):
            if other.name != WAY_OUT and re.search(r"\bcallback-(?:out|dial)\b", step.arguments):
                yield _door(step.place, f"{other.name} から折り返しの発信に行けます")
            if step.application == "Dial" and "${EXTEN}" in step.arguments and other.name != "callback-dial":
                yield _door(step.place, "相手の選んだ番号に発信します")
    if context.includes:
        yield _door(f"{context.file}:{context.line}", f"{WAY_OUT} がほかの文脈を含んでいます")


def _door(place: str, message: str) -> Finding:
    return Finding(rule="way-out", place=place, message=message, cure="中枢の Originate だけに使う")


def way_out_endpoints(files: Mapping[str, str]) -> Iterator[Finding]:
    """No telephone and no trunk begins in the way out, or may transfer into it."""
    for entry in read_entries(files, "pjsip.conf"):
        if re.search(r"\bcallback-(?:out|dial)\b", entry.value):
            yield _door(entry.place, f"{entry.section} から折り返しの発信に行けます")
    for entry in read_entries(files, "queues.conf"):
        if entry.key == "context" and entry.value != "queue-keys":
            yield _door(entry.place, f"待っている人が {entry.value} に行けます")
