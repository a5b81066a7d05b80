"""Why an offer went to this operator: the ranking of the moment, and whether it is what the engine wished."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from acd.events import ExplainOffer, OfferMade, Ranked
from acd.order import LoadRule, scores
from acd.routing import matching
from acd.view import Caller, FloorView, Seat
from core.ids import OperatorId, QueueName


def explain(
    offer: OfferMade,
    view: FloorView,
    needy: Sequence[Caller],
    others: Sequence[tuple[OperatorId, Collection[QueueName]]],
    penalties: Mapping[OperatorId, int],
    rule: LoadRule,
    *,
    held: int,
    wanted: int,
) -> ExplainOffer:
    """The record of one offer.

    Args:
        view: the floor just before the offer.
        needy: callers for whom nobody rings, neediest first; the offered caller among them.
        others: everybody else who is free or about to be, with the queues open to them.
        penalties: the order as the engine last wished it.
        held: version of the order that the switch had acknowledged.
        wanted: version that the engine wished for.
    """
    mine = [seat for seat in view.seats if offer.queue in seat.queues]
    score = scores({seat.operator: seat.load for seat in view.seats}, rule)
    ranking = tuple(
        Ranked(
            operator=seat.operator,
            penalty=penalties.get(seat.operator, 0),
            score=round(score[seat.operator], 4),
            load=seat.load,
            idle_s=round(max(0.0, view.at - seat.last_ended_at), 1),
            free=_is_free(seat) and seat.queues[offer.queue],
        )
        for seat in sorted(mine, key=lambda seat: (penalties.get(seat.operator, 0), seat.operator))
    )
    caller = next((caller for caller in needy if caller.channel == offer.caller), None)
    return ExplainOffer(
        at=offer.at,
        operator=offer.operator,
        queue=offer.queue,
        caller=offer.caller,
        call=offer.call,
        waited_s=round(view.at - caller.since, 3) if caller is not None else 0.0,
        version=held,
        wanted=wanted,
        ranking=ranking,
        deviation=_deviation(offer, view, needy, others, ranking),
    )


def _is_free(seat: Seat) -> bool:
    return seat.state == "ready"


def _deviation(
    offer: OfferMade,
    view: FloorView,
    needy: Sequence[Caller],
    others: Sequence[tuple[OperatorId, Collection[QueueName]]],
    ranking: Sequence[Ranked],
) -> str:
    place = next((n for n, ranked in enumerate(ranking) if ranked.operator == offer.operator), None)
    if place is None or not ranking[place].free:
        return "unknown"
    before = _needier(needy, offer.caller)
    meant = matching(before, others)
    served = {caller.channel for caller in meant.values()}
    own = next(seat.queues for seat in view.seats if seat.operator == offer.operator)
    if any(caller.channel not in served and caller.queue in own for caller in before):
        return "caller"
    if any(ranked.free and ranked.operator not in meant for ranked in ranking[:place]):
        return "order"
    return ""


def _needier(needy: Sequence[Caller], channel: str) -> list[Caller]:
    """Callers that come before this one; all of them when it is not known."""
    before: list[Caller] = []
    for caller in needy:
        if caller.channel == channel:
            break
        before.append(caller)
    return before
