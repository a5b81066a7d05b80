"""Voice quality of every route (宇部市 仕様書 10(4)ア②): what each leg of each call reported at its end.

A leg has two directions: what arrived here (`rx`), which the switch counts itself, and what arrived at the other end
(`tx`), which that end reports by RTCP. A figure that nobody reported is missing and never zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum, unique

from core.clock import TOKYO
from core.ids import CallId, Uniqueid
from ledger.calls import Call, Quality
from reports.opening import Opening

SHORT_PACKETS = 100
"""A leg of fewer packets (two seconds at 20 ms each) is counted and not judged: one lost packet would be a per cent."""
WORST = 10


@unique
class RouteKind(StrEnum):
    TRUNK = "trunk"
    OPERATORS = "operators"
    DEPARTMENT = "department"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a leg leads: the citizens' line, the operators' telephones, or one department."""

    kind: RouteKind
    extension: str = ""
    """Of the department."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """From where on a figure counts as bad, and who says so."""

    name_ja: str
    limit: float
    unit: str
    source: str


LOSS = Threshold(name_ja="損失", limit=0.03, unit="割合", source="ITU-T G.1010 表I.1（会話音声：3%未満）")
JITTER = Threshold(name_ja="ゆらぎ", limit=0.05, unit="秒", source="ITU-T Y.1541 クラス0・1（IPDV 50ミリ秒）")
ROUND_TRIP = Threshold(
    name_ja="往復の遅れ", limit=0.3, unit="秒", source="ITU-T G.114（片道150ミリ秒まで、往復はその2倍）"
)
THRESHOLDS = (LOSS, JITTER, ROUND_TRIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One leg's figures."""

    call: CallId
    at: datetime
    route: Route
    name: str
    """The channel without its serial number, e.g. `op101`."""
    packets: int
    """Arrived here; when that is not known, sent."""
    rx_loss: float | None
    tx_loss: float | None
    """Share lost, 0 to 1."""
    rx_jitter_s: float | None
    tx_jitter_s: float | None
    round_trip_s: float | None

    @property
    def judged(self) -> bool:
        return self.packets >= SHORT_PACKETS

    @property
    def loss(self) -> float | None:
        """Of the worse direction."""
        return _worse(self.rx_loss, self.tx_loss)

    @property
    def jitter_s(self) -> float | None:
        """Of the worse direction."""
        return _worse(self.rx_jitter_s, self.tx_jitter_s)

    @property
    def over(self) -> tuple[Threshold, ...]:
        """Which thresholds it exceeds."""
        values = ((LOSS, self.loss), (JITTER, self.jitter_s), (ROUND_TRIP, self.round_trip_s))
        return tuple(each for each, value in values if value is not None and value > each.limit)

    @property
    def badness(self) -> float:
        """The largest share of a threshold that it reaches."""
        values = ((LOSS, self.loss), (JITTER, self.jitter_s), (ROUND_TRIP, self.round_trip_s))
        return max((value / each.limit for each, value in values if value is not None), default=0.0)


LEG_COUNTS: dict[str, tuple[str, Callable[[Leg], bool]]] = {
    "legs": ("回線脚", lambda leg: True),
    "judged": ("判定した回線脚", lambda leg: leg.judged),
    "over": ("基準を超えた回線脚", lambda leg: leg.judged and bool(leg.over)),
    "unreported": (
        "相手の報告がない回線脚",
        lambda leg: leg.judged and leg.round_trip_s is None and leg.tx_loss is None,
    ),
}
"""What is counted of a route: in words, and whether a leg stands in it."""


def legs_in(metric: str) -> tuple[str, Route, Callable[[Call], int]]:
    """`legs:over:department:701`: what it is called, the route, and how many legs of a call stand in it.

    Raises:
        KeyError, ValueError: there is no such count.
    """
    name, what, kind, extension = metric.split(":")
    if name != "legs":
        raise KeyError(name)
    title, stands = LEG_COUNTS[what]
    route = Route(kind=RouteKind(kind), extension=extension)
    return (
        title,
        route,
        lambda call: sum(
            stands(leg)
            for leg in legs_of(call, lambda at: datetime.fromtimestamp(at, TOKYO))
            if leg.route == route
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """One route of the period. Medians and high values are of the judged legs that told the figure."""

    route: Route
    name: str
    legs: int
    judged: int
    over: int
    """Judged legs above a threshold."""
    unreported: int
    """Judged legs whose other end reported nothing."""
    loss: tuple[float | None, float | None, float | None]
    """Median, 95th percentile, highest; so the next two."""
    jitter_s: tuple[float | None, float | None, float | None]
    round_trip_s: tuple[float | None, float | None, float | None]

    def opening(self, what: str, report: QualityReport) -> Opening:
        """The calls behind one of `LEG_COUNTS`."""
        metric = f"legs:{what}:{self.route.kind.value}:{self.route.extension}"
        return Opening(metric=metric, first=report.first_day, last=report.last_day)

    @property
    def share_over(self) -> float | None:
        return self.over / self.judged if self.judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    city: str
    centre: str
    first_day: date
    last_day: date
    made_at: datetime
    rows: tuple[RouteRow, ...]
    worst: tuple[Leg, ...]
    """Of all routes, the worst first; none that is well within every threshold's half."""
    names: Mapping[str, str]
    """Department by extension."""

    def route_name(self, route: Route) -> str:
        return route_name(route, self.names)


def route_name(route: Route, names: Mapping[str, str]) -> str:
    """A route in words; `names`: departments by extension."""
    match route.kind:
        case RouteKind.TRUNK:
            return "市民の回線（トランク）"
        case RouteKind.OPERATORS:
            return "オペレーターの電話機"
        case RouteKind.DEPARTMENT:
            name = names.get(route.extension)
            return f"{name}（{route.extension}）" if name else f"内線 {route.extension}"


def legs_of(call: Call, city_time_of: Callable[[float], datetime]) -> list[Leg]:
    """Every leg of a call that reported figures."""
    staff = {segment.channel: segment.to for segment in call.staff}
    return [
        Leg(
            call=call.call_id,
            at=city_time_of(call.arrived_at),
            route=_route(call, quality, staff),
            name=quality.leg.partition("/")[2].rpartition("-")[0] or quality.leg,
            packets=quality.rx_count if quality.rx_count is not None else quality.tx_count or 0,
            rx_loss=_share(quality.rx_lost, quality.rx_count),
            # Sent packets count what was lost on the way too.
            tx_loss=None
            if quality.tx_lost is None or not quality.tx_count or _silent(quality)
            else min(1.0, quality.tx_lost / quality.tx_count),
            rx_jitter_s=quality.rx_jitter_s,
            tx_jitter_s=None if _silent(quality) else quality.tx_jitter_s,
            round_trip_s=None if _silent(quality) else quality.rtt_s,
        )
        for quality in call.qualities
    ]


def _silent(quality: Quality) -> bool:
    """Whether the other end reported nothing: Asterisk then gives zeros for all that it would have told."""
    return not (quality.tx_lost or quality.tx_jitter_s or quality.rtt_s)


def _route(call: Call, quality: Quality, staff: Mapping[Uniqueid, str]) -> Route:
    if quality.channel is not None and quality.channel in staff:
        return Route(kind=RouteKind.DEPARTMENT, extension=staff[quality.channel])
    if quality.leg.startswith("PJSIP/op"):
        return Route(kind=RouteKind.OPERATORS)
    return Route(kind=RouteKind.TRUNK)


def _share(lost: int | None, arrived: int | None) -> float | None:
    if lost is None or arrived is None or lost + arrived <= 0:
        return None
    return max(0, lost) / (max(0, lost) + arrived)


def _worse(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def quality_report(
    calls: Iterable[Call],
    *,
    city: str,
    centre: str,
    names: Mapping[str, str],
    first_day: date,
    last_day: date,
    made_at: datetime,
    city_time_of: Callable[[float], datetime],
) -> QualityReport:
    """The calls of a period by route. `names`: departments by extension."""
    legs = [leg for call in calls for leg in legs_of(call, city_time_of)]
    bare = QualityReport(
        city=city, centre=centre, first_day=first_day, last_day=last_day, made_at=made_at, rows=(), worst=(),
        names=names,
    )  # fmt: skip
    routes = {
        Route(kind=RouteKind.TRUNK),
        Route(kind=RouteKind.OPERATORS),
        *(leg.route for leg in legs),
    }
    order = list(RouteKind)
    rows = [
        _row(route, bare.route_name(route), [leg for leg in legs if leg.route == route])
        for route in sorted(routes, key=lambda route: (order.index(route.kind), route.extension))
    ]
    worst = sorted(
        (leg for leg in legs if leg.judged and leg.badness >= 0.5),
        key=lambda leg: (-leg.badness, leg.at, leg.name),
    )
    return QualityReport(
        city=city, centre=centre, first_day=first_day, last_day=last_day, made_at=made_at, rows=tuple(rows),
        worst=tuple(worst[:WORST]), names=names,
    )  # fmt: skip


def _row(route: Route, name: str, legs: Sequence[Leg]) -> RouteRow:
    judged = [leg for leg in legs if leg.judged]
    counts = {what: sum(map(stands, legs)) for what, (_, stands) in LEG_COUNTS.items()}
    return RouteRow(
        route=route,
        name=name,
        **counts,
        loss=_spread(leg.loss for leg in judged),
        jitter_s=_spread(leg.jitter_s for leg in judged),
        round_trip_s=_spread(leg.round_trip_s for leg in judged),
    )


def _spread(values: Iterable[float | None]) -> tuple[float | None, float | None, float | None]:
    known = sorted(value for value in values if value is not None)
    if not known:
        return None, None, None

    def rank(share: float) -> float:
        return known[max(0, math.ceil(share * len(known)) - 1)]

    return rank(0.5), rank(0.95), known[-1]
