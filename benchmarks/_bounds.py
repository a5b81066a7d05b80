"""What nobody could do better, knowing every call beforehand: bounds by linear programming.

Both are relaxations, so the truth lies on the other side of them: work may be split over operators and time.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linprog  # type: ignore[import-untyped]
from scipy.sparse import csr_array  # type: ignore[import-untyped]

from acd.demand import Demand
from acd.simulation.centre import Centre
from acd.simulation.measures import Carried
from acd.simulation.trace import Trace
from core.ids import OperatorId, QueueName

SLOT_S = 300.0


def _serves(demand: Demand, skills: Mapping[str, int]) -> bool:
    return any(stage.served_by(skills) for stage in demand.stages)


def most_answered(centre: Centre, trace: Trace) -> float:
    """An upper bound of the callers that could be answered.

    Slots of five minutes. A call occupies an operator for ringing, talk and wrap-up, somewhere between its arrival
    and the end of a talk that begins at the last moment of patience. Operators with the same skills form a group whose
    time in each slot is shared; lunch is not taken out, since a talk may run into it.
    """
    rules = centre.by_demand()
    groups: dict[tuple[tuple[str, int], ...], int] = defaultdict(int)
    for person in trace.operators:
        groups[tuple(sorted(person.skills.items()))] += 1
    kinds = list(groups)
    limits: dict[tuple[str, int, int], int] = {}
    bounds: list[float] = []
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    equal: list[tuple[int, int, float]] = []
    variables = 0

    def limit(kind: str, first: int, second: int, most: float) -> int:
        key = (kind, first, second)
        if key not in limits:
            limits[key] = len(bounds)
            bounds.append(most)
        return limits[key]

    calls = [(call, min(call.answer_s.values(), default=0.0)) for call in trace.calls]
    possible = [(call, rings) for call, rings in calls if rings <= call.patience_s]
    for number, (call, rings) in enumerate(possible):
        of = rules[call.demand]
        work = rings + call.service_s + of.wrap_up_s
        last_start = call.at_s + min(call.patience_s - rings, of.demand.wait_limit_s + of.ring_s)
        begin, end = call.at_s, last_start + work
        served = variables
        variables += 1
        equal.append((number, served, -work))
        for slot in range(math.floor(begin / SLOT_S), math.floor(end / SLOT_S) + 1):
            overlap = min(end, (slot + 1) * SLOT_S) - max(begin, slot * SLOT_S)
            if overlap <= 0.0:
                continue
            for group, kind in enumerate(kinds):
                if not _serves(of.demand, dict(kind)):
                    continue
                equal.append((number, variables, 1.0))
                for row in (
                    limit("call", number, slot, overlap),
                    limit("group", group, slot, groups[kind] * SLOT_S),
                ):
                    rows.append(row)
                    columns.append(variables)
                    values.append(1.0)
                variables += 1
    gains = np.zeros(variables)
    most = np.full(variables, np.inf)
    for _, column, value in equal:
        if value < 0.0:
            gains[column], most[column] = -1.0, 1.0
    solved = linprog(
        gains,
        A_ub=csr_array((values, (rows, columns)), shape=(len(bounds), variables)),
        b_ub=bounds,
        A_eq=csr_array(
            (
                [value for _, _, value in equal],
                ([row for row, _, _ in equal], [column for _, column, _ in equal]),
            ),
            shape=(len(possible), variables),
        ),
        b_eq=np.zeros(len(possible)),
        bounds=np.stack([np.zeros(variables), most], axis=1),
        method="highs",
    )
    if not solved.success:
        raise RuntimeError(solved.message)
    return float(-solved.fun)


def least_uneven(
    centre: Centre,
    work_s: Mapping[QueueName, float],
    people: Mapping[OperatorId, Carried],
    skill: str,
) -> float:
    """A lower bound of (max - min) / mean of handled minutes per signed-in hour among the holders of a skill.

    Args:
        work_s: talk and wrap-up that was done in each demand; any share of it may go to any who may serve it.
    """
    rules = centre.by_demand()
    operators = list(people)
    holders = [op for op in operators if people[op].skills.get(skill, 0) > 0]
    pairs = [
        (demand, op)
        for demand in work_s
        for op in operators
        if _serves(rules[demand].demand, people[op].skills)
    ]
    # Scaled so that the holders' mean is 1: then the ratio is linear (Charnes and Cooper).
    scale, top, bottom = len(pairs), len(pairs) + 1, len(pairs) + 2
    equal, wanted = [], []
    for demand, amount in work_s.items():
        row = np.zeros(len(pairs) + 3)
        row[[i for i, pair in enumerate(pairs) if pair[0] == demand]] = 1.0
        row[scale] = -amount
        equal.append(row)
        wanted.append(0.0)
    mean = np.zeros(len(pairs) + 3)
    within = []
    for op in holders:
        load = np.zeros(len(pairs) + 3)
        load[[i for i, pair in enumerate(pairs) if pair[1] == op]] = 1.0 / people[op].hours
        mean += load / len(holders)
        above, below = load.copy(), -load
        above[top], below[bottom] = -1.0, 1.0
        within += [above, below]
    equal.append(mean)
    wanted.append(1.0)
    cost = np.zeros(len(pairs) + 3)
    cost[top], cost[bottom] = 1.0, -1.0
    solved = linprog(
        cost,
        A_ub=np.array(within),
        b_ub=np.zeros(len(within)),
        A_eq=np.array(equal),
        b_eq=wanted,
        method="highs",
    )
    if not solved.success:
        raise RuntimeError(solved.message)
    return max(0.0, float(solved.fun))


def offers_by_skill(demands: Sequence[tuple[QueueName, int]]) -> dict[str, int]:
    """How many offers asked for each line and each language, from (demand, offers)."""
    found: dict[str, int] = defaultdict(int)
    for demand, offers in demands:
        line, _, language = demand.rpartition("-")
        found[line] += offers
        found[language] += offers
    return dict(found)
