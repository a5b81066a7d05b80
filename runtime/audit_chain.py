"""`audit verify`: the whole chain of the audit, and every anchor of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from runtime.anchoring import KEY, anchor_path
from runtime.instance import Instance
from services.audit import AuditFault, AuditProblem, Verifier
from storage.anchors import AnchorFile

PAGE = 1000


async def verify_audit(city: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    """`audit verify`: reads the whole chain and every anchor; anchors its end when all is well."""
    instance = Instance.open(city=city)
    key = instance.secret(KEY)
    file = AnchorFile(anchor_path(instance.settings.home))
    await instance.database.migrate()
    anchors = await asyncio.to_thread(file.read)
    try:
        async with instance.database.reading() as unit:
            head = await unit.audit.head()
            verifier = Verifier(head, anchors, key)
            after = 0
            # Others go on writing: what they add after the head was read is of the next time.
            while page := [link for link in await unit.audit.links(after, PAGE) if link.seq <= head.seq]:
                verifier.feed(page)
                after = page[-1].seq
                if verifier.read // 100_000 > (verifier.read - len(page)) // 100_000:
                    say(f"{verifier.read} 行を確かめました。")
            beyond = await unit.audit.links(head.seq, 1)
            added = bool(beyond) and (await unit.audit.head()).seq < beyond[0].seq
        problems = verifier.finish()
        if added:
            problems.append(
                AuditProblem(fault=AuditFault.BROKEN, seq=beyond[0].seq, detail="終わりより先にある行")
            )
        if not problems:
            await instance.anchoring().once()
    finally:
        await instance.database.close()
    return {
        "lines": verifier.read,
        "first": head.pruned_seq + 1,
        "last": head.seq,
        "hash": head.hash,
        "anchors": len(anchors),
        "whole": not problems,
        "problems": [
            {
                "fault": problem.fault.value,
                "meaning": problem.fault.label_ja,
                "seq": problem.seq,
                "detail": problem.detail,
            }
            for problem in problems
        ],
    }
