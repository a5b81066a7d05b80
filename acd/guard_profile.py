"""`[acd.guard]` of a profile: the ladder that is climbed before a caller waits too long."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.profile_file import Section, Text

GroupName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
Seconds = Annotated[int, Field(ge=0, le=7200)]


@unique
class GuardAct(StrEnum):
    """What a step of the ladder does."""

    RELAX = "relax"
    """The caller goes to the demand's next stage at once."""
    CALL_IN = "call_in"
    """The group's people who stand by are offered calls."""
    OFFER_CALLBACK = "offer_callback"
    OVERFLOW = "overflow"
    """The caller hears the overflow message, and the call ends."""
    ALERT = "alert"
    """Nothing but the alert that every step raises."""

    @property
    def label_ja(self) -> str:
        return _LABELS[self]


_LABELS = {
    GuardAct.RELAX: "条件をゆるめる",
    GuardAct.CALL_IN: "応援を呼び込む",
    GuardAct.OFFER_CALLBACK: "折り返しを申し出る",
    GuardAct.OVERFLOW: "混雑の案内で終える",
    GuardAct.ALERT: "知らせる",
}


class GuardStepSection(Section):
    """One step: what to do, and when. With several triggers any of them is enough."""

    act: GuardAct
    group: GroupName | None = None
    """Whom `call_in` calls in."""
    within_s: Seconds | None = None
    """A caller who will pass the limit by the forecast, and no more than this many seconds are left until then."""
    waited_s: Seconds | None = None
    """A caller who has waited this long."""
    waiting: Annotated[int, Field(ge=0, le=200)] | None = None
    """More than this many callers wait. Such a step does not wait for the steps before it."""
    counted: Literal["centre", "line"] = "centre"
    """What `waiting` counts: all callers of the step's lines together, or each line by itself."""
    lines: tuple[str, ...] = ()
    """Lines whose callers this step is for; empty for all."""

    @model_validator(mode="after")
    def _complete(self) -> GuardStepSection:
        if self.within_s is None and self.waited_s is None and self.waiting is None:
            raise ValueError("きっかけがありません|within_s・waited_s・waiting のどれかを書く")
        if (self.act is GuardAct.CALL_IN) != (self.group is not None):
            raise ValueError("group は call_in にだけ、必ず書きます|呼び込む組の名前を書く")
        if self.act is GuardAct.OVERFLOW and self.waiting is not None:
            raise ValueError("overflow は人数では始められません|回線の max_waiting を使う")
        return self


class GuardSection(Section):
    """Who can be called in, and the ladder in its order."""

    limit_s: Annotated[int, Field(ge=1, le=7200)] | None = None
    """The wait that must not be passed; `targets.wait_alert_s` where none is written."""
    calm_s: Annotated[int, Field(ge=1, le=7200)] = 120
    """Calm for this long without a break before a group goes back to standing by."""
    calm_waiting: Annotated[int, Field(ge=0, le=200)] | None = None
    """Calm, for steps with `waiting`: no more callers than this; half of `waiting` where none is written."""
    settle_s: Annotated[int, Field(ge=0, le=600)] = 5
    """From one step for a caller to the next, so that the first can help."""
    groups: dict[GroupName, Text] = Field(default_factory=dict)
    """Groups that stand by, and what people call them."""
    steps: tuple[GuardStepSection, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> GuardSection:
        for step in self.steps:
            if step.group is not None and step.group not in self.groups:
                names = "、".join(sorted(self.groups)) or "(まだ一つもない)"
                raise ValueError(f"groups にない組です: {step.group}|groups に書く。今あるのは {names}")
        return self
