"""What the city's profile and the operators' skills say about offers and waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.channels import DEFAULT_CAPS, Caps, Channel
from acd.demand import Demand, Skills, queues_for
from acd.order import LoadRule
from core.ids import OperatorId, QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorRules:
    """The rules that one floor works by, until it is given others."""

    demands: tuple[Demand, ...] = ()
    skills: Mapping[OperatorId, Skills] = field(default_factory=dict)
    groups: Mapping[OperatorId, str] = field(default_factory=dict)
    """Who stands by until the guard calls their group in."""
    caps: Mapping[OperatorId, Caps] = field(default_factory=dict)
    """Of operators for whom the default does not hold."""
    in_hand: Mapping[OperatorId, Mapping[Channel, int]] = field(default_factory=dict)
    """What operators serve on other channels now."""
    wrap_up_s: Mapping[QueueName, float] = field(default_factory=dict)
    """By demand."""
    missed_before_pause: int = 2
    """Offers missed in a row until the operator stays paused (1 or more)."""
    load_rule: LoadRule = LoadRule.MINUTES
    limits_s: Mapping[QueueName, float] = field(default_factory=dict)
    """The wait that must not be passed, by demand; the demand's own limit where none is named."""
    staged_s: float = 2.0
    """How long a freed operator is open for the neediest caller's queue alone."""
    give_back_after_s: float = 3.0
    """How long an operator who missed an offer is passed over, so that it goes to somebody else first."""
    first_word_after_s: float = 20.0
    """Wait until the first word about the position."""
    word_every_s: float = 45.0
    words: Mapping[QueueName, tuple[float, float]] = field(default_factory=dict)
    """(`first_word_after_s`, `word_every_s`) of demands that differ."""

    def limit_s(self, demand: QueueName) -> float:
        """The wait of this demand that must not be passed."""
        named = self.limits_s.get(demand)
        if named is not None:
            return named
        return next((each.wait_limit_s for each in self.demands if each.name == demand), 300.0)

    def queues_of(self, operator: OperatorId) -> set[QueueName]:
        """The queues that this operator's skills reach."""
        return set(queues_for(self.demands, self.skills.get(operator, {})))

    def takes_telephone(self, operator: OperatorId) -> bool:
        """Whether the operator's caps leave room for a telephone call beside what they serve on other channels."""
        caps = self.caps.get(operator, DEFAULT_CAPS)
        return caps.room(Channel.TELEPHONE, self.in_hand.get(operator, {}))
