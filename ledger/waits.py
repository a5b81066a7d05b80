"""How long a caller waited in queues."""

from __future__ import annotations

from ledger import facts as f
from ledger.story import Story, is_exact

_TICK_S = 0.02
"""queue_log's second comes from a clock that lags CEL's by up to a tick of the kernel (10 ms at the most): an entry
just after the full second may bear the second before."""


def wait_of(story: Story, first_operator: float | None) -> tuple[float | None, bool]:
    """Seconds in queues until the first operator or until leaving, summed; and whether only whole seconds
    tell.

    None when the caller never was in a queue. While the caller still waits, and when the switch died, the
    time up to the last thing known counts.
    """
    joins, coarse = _joins(story)
    if not joins:
        return None, False
    last = story.last_known_at if story.ended_at is None or story.died_with_switch else story.ended_at
    limit = last if first_operator is None else min(last, first_operator)
    exits = _exits(story)
    total = 0.0
    for position, joined in enumerate(joins):
        following = joins[position + 1] if position + 1 < len(joins) else limit
        left = min((moment for moment in exits if moment >= joined), default=limit)
        total += max(0.0, min(left, following, limit) - joined)
    return total, coarse


def _joins(story: Story) -> tuple[list[float], bool]:
    exact = [(fact.at, fact.queue) for fact in story.all(f.JoinedQueue)]
    joins = [at for at, _ in exact]
    coarse = False
    for entered in story.all(f.EnteredQueue):
        if not any(queue == entered.queue and -1.0 - _TICK_S < entered.at - at <= 3.0 for at, queue in exact):
            joins.append(max(entered.at, story.arrived_at))
            coarse = True
    return sorted(joins), coarse


def _exits(story: Story) -> list[float]:
    left = [fact for fact in story.all(f.LeftQueue) if fact.how is not f.QueueExit.AGENT_DUMPED]
    sharp = [fact.at for fact in left if is_exact(fact)]
    sharp += [fact.at for fact in story.all(f.Overflowed)]
    if story.ended_at is not None:
        sharp.append(story.ended_at)
    # On to another queue; the entry that a caller leaves within the same second is no end of it.
    onward = [(fact.at, fact.queue) for fact in story.all(f.JoinedQueue)]
    return [
        story.exact_near(fact, *sharp, *(at for at, queue in onward if queue != fact.queue)) for fact in left
    ]
