"""What the ledger's last calls tell the floor of service and patience, for a start that knows what was known before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acd.experience import Experience
from core.ids import QueueName, demand_of
from ledger.calls import Call, Disposition

REMEMBERED_CALLS = 1000
"""Calls that are looked at: some days of a small centre, one of a large one."""


def experience_of(calls: Iterable[Call], wrap_up_s: Mapping[QueueName, float]) -> Experience:
    """The experience that these calls make, oldest first.

    An operator's wrap-up counts as the line allows for it, as it does while the floor runs: what was seen may be a
    break that began in it.

    Args:
        wrap_up_s: by demand.
    """
    experience = Experience()
    for call in calls:
        for segment in call.segments:
            queue = segment.queue or call.queue
            if queue is not None and segment.ended_at is not None:
                demand = demand_of(queue)
                talk_s = segment.ended_at - segment.started_at
                experience.handled(demand, talk_s + wrap_up_s.get(demand, 0.0))
        if call.queue is not None and call.wait_s is not None:
            gave_up = call.disposition is Disposition.ABANDONED_QUEUE
            experience.waited(demand_of(call.queue), call.wait_s, gave_up=gave_up)
    return experience
