"""`[ivr]`, `[prompts.*]` and `[readings]` of a profile, turned into a `Flow`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from core.ids import LineId
from core.profile_file import Section, Text
from ivr.flow import Flow, LineQueues, Menu, Repeat, Target, Tell, ToLine, ToMenu, ToStaff

Key = Annotated[str, Field(pattern=r"^[0-9*#]$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class ChoiceSection(Section):
    """One key of a menu: one of `line`, `menu`, `tell`, `refer`, `staff`, `repeat`; `staff` may name a `line` too."""

    topic: str = ""
    """What the caller wants, in Japanese; shown to clerks and in reports."""
    line: Name | None = None
    menu: Name | None = None
    tell: Name | None = None
    """Name of the announcement."""
    refer: Name | None = None
    """Id of a referral: the caller is told of another office's number."""
    staff: Annotated[str, Field(pattern=r"^[1-9]\d{2,3}$")] | None = None
    """Extension of the directory that is rung without an operator; when nobody takes the call, `line` does, or else
    `fallback_line`."""
    repeat: bool = False

    @model_validator(mode="after")
    def _one_target(self) -> ChoiceSection:
        line = self.line if self.staff is None else None
        ways = (line, self.menu, self.tell, self.refer, self.staff)
        if sum(way is not None for way in ways) + self.repeat != 1:
            raise ValueError("行き先は一つだけです|line、menu、tell、refer、staff、repeat のどれか一つを書く")
        if not self.topic and not self.repeat:
            raise ValueError("用件がありません|topic に用件を書く")
        return self

    def target(self, referrals: Mapping[str, Tell], fallback_line: str) -> Target:
        """`referrals` by id; a `KeyError` names one that is not there."""
        if self.staff is not None:
            return ToStaff(self.staff, LineId(self.line or fallback_line))
        if self.refer is not None:
            return referrals[self.refer]
        if self.line is not None:
            return ToLine(LineId(self.line))
        if self.menu is not None:
            return ToMenu(self.menu)
        if self.tell is not None:
            return Tell(self.tell)
        return Repeat()


class MenuSection(Section):
    id: Name
    prompt: Name
    choices: Annotated[dict[Key, ChoiceSection], Field(min_length=1)]


class IvrSection(Section):
    """`[ivr]`: what a caller meets before a person."""

    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    language_keys: dict[Key, Language] = Field(default_factory=dict)
    language_timeout_s: Annotated[float, Field(ge=0.5, le=10)]
    start: Name
    tries: Annotated[int, Field(ge=1, le=5)]
    max_steps: Annotated[int, Field(ge=3, le=30)]
    digit_timeout_s: Annotated[float, Field(ge=2, le=30)]
    fallback_line: Name
    menus: Annotated[tuple[MenuSection, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> IvrSection:
        ids = [menu.id for menu in self.menus]
        if len(set(ids)) != len(ids):
            raise ValueError("メニューの id が重なっています|一つずつ違う id にする")
        if self.start not in ids:
            raise ValueError(f"始まりのメニューがありません: {self.start}|start をあるメニューの id にする")
        for language in self.language_keys.values():
            if language not in self.languages:
                raise ValueError(f"languages にない言語です: {language}|languages に書き足す")
        for language in self.languages[1:]:
            if language not in self.language_keys.values():
                raise ValueError(f"選ぶキーのない言語です: {language}|language_keys に書き足す")
        by_id = {menu.id: menu for menu in self.menus}
        reached, ahead = set(), [self.start]
        while ahead:
            name = ahead.pop()
            if name in reached:
                continue
            reached.add(name)
            if name not in by_id:
                raise ValueError(f"行き先のメニューがありません: {name}|menus に書き足す")
            ahead += [choice.menu for choice in by_id[name].choices.values() if choice.menu]
        if unreached := set(ids) - reached:
            raise ValueError(f"たどり着けないメニューです: {', '.join(sorted(unreached))}|つなぐか消す")
        return self

    def own_prompts(self) -> set[str]:
        """Names of the menus' and announcements' prompts."""
        tells = {choice.tell for menu in self.menus for choice in menu.choices.values() if choice.tell}
        return {menu.prompt for menu in self.menus} | tells

    def flow(
        self,
        lines: Mapping[LineId, LineQueues],
        referrals: Mapping[str, Tell] = MappingProxyType({}),
        direct: Mapping[str, LineId] = MappingProxyType({}),
    ) -> Flow:
        """The menu as data.

        Args:
            lines: which queues each service line has.
            referrals: what is told of another office, by the referral's id.
            direct: `Flow.direct`.
        """
        return Flow(
            languages=self.languages,
            language_keys=dict(self.language_keys),
            language_timeout_s=self.language_timeout_s,
            start=self.start,
            menus={
                menu.id: Menu(
                    id=menu.id,
                    prompt=menu.prompt,
                    choices={
                        key: choice.target(referrals, self.fallback_line)
                        for key, choice in menu.choices.items()
                    },
                )
                for menu in self.menus
            },
            tries=self.tries,
            max_steps=self.max_steps,
            digit_timeout_s=self.digit_timeout_s,
            fallback_line=LineId(self.fallback_line),
            lines=dict(lines),
            direct=dict(direct),
        )


class PromptsSection(Section):
    """`[prompts.ja]`, `[prompts.en]` …: language to name to text. Only here are keys free."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Language, dict[Name, Text]] = Field(init=False)

    def texts(self) -> dict[str, dict[str, str]]:
        return {language: dict(texts) for language, texts in self.__pydantic_extra__.items()}


class ReadingsSection(Section):
    """`[readings]`: Japanese surface to kana, for words that a synthesiser reads wrongly."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[str, Field(pattern=r"^[ぁ-ゖァ-ヺー、]+$")]] = Field(init=False)

    def readings(self) -> dict[str, str]:
        return dict(self.__pydantic_extra__)
