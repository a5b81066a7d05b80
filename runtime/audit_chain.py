"""`audit verify`: the whole chain of the audit, and every anchor of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from runtime.anchoring import KEY, anchor_path
from runtime.instance import Instance
from services.audit import Verifier
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
            while page := await unit.audit.links(after, PAGE):
                verifier.feed(page)
                after = page[-1].seq
                if verifier.read // 100_000 > (verifier.read - len(page)) // 100_000:
                    say(f"{verifier.read} 行を確かめました。")
        problems = verifier.finish()
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
