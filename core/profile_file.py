"""A city's profile as a file: reading it, finding a key's line, and saying in plain words what is wrong.

Each context declares its own section as a `Section` and asks for it with `section`. The sections that belong
to no context, `[city]` and `[numbers]`, are declared here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from core.errors import ToritsugiError
from core.phone import normalise_number
from core.settings import PROJECT_ROOT

PROFILES = PROJECT_ROOT / "profiles"


class ProfileProblem(ToritsugiError):
    """One thing wrong with a profile; `where` is `file:line [dotted.key]`."""

    code = "profile.problem"


class ProfileInvalid(ToritsugiError):
    """A profile that cannot be used; `problems` lists every reason found."""

    code = "profile.invalid"

    def __init__(self, problems: Iterable[ToritsugiError]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "プロファイルに誤りがあります\n" + "\n".join(f"  {problem}" for problem in self.problems),
            cure="toritsugi profile check で確かめる",
        )


class Section(BaseModel):
    """Base of every section: frozen, and a key that nobody reads is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class RawProfile:
    """A profile as read: its values, and the line on which each key stands."""

    path: Path
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    """Dotted key (`acd.lines.0.id`) to line number, from 1."""

    def where(self, key: str) -> str:
        """`file:line [key]`, with the line of the nearest key above when `key` itself is absent."""
        parts = key.split(".")
        for length in range(len(parts), 0, -1):
            line = self.lines.get(".".join(parts[:length]))
            if line is not None:
                return f"{self.path.name}:{line} [{key}]"
        return f"{self.path.name} [{key}]"

    def problem(self, key: str, message: str, cure: str) -> ProfileProblem:
        return ProfileProblem(message, where=self.where(key), cure=cure)


def load_profile_text(path: Path) -> RawProfile:
    """The profile at `path`, parsed but not yet validated.

    Raises:
        ProfileProblem: the file is missing, is no UTF-8 text or no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise ProfileProblem(
            "プロファイルがありません", where=path.name, cure=f"{PROFILES.name}/ に置く"
        ) from exc
    except UnicodeDecodeError as exc:
        raise ProfileProblem("文字コードが違います", where=path.name, cure="UTF-8 で保存する") from exc
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ProfileProblem(
            f"TOML として読めません: {exc}", where=path.name, cure="その行の書き方を直す"
        ) from exc
    return RawProfile(path, values, _key_lines(text))


_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\"-]+)\s*\]\]?")
_KEY = re.compile(r"^\s*\"?([A-Za-z0-9_-]+)\"?\s*=(.*)$")


def _key_lines(text: str) -> dict[str, int]:
    """Where each key stands. Only for messages: an unusual layout costs a line number, nothing else."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix, in_text = "", False

    def resolve(names: list[str]) -> str:
        path = ""
        for name in names:
            path = f"{path}.{name}" if path else name
            if path in counts:
                path = f"{path}.{counts[path]}"
        return path

    for number, line in enumerate(text.splitlines(), start=1):
        if in_text:
            in_text = '"""' not in line
        elif header := _HEADER.match(line):
            names = header.group(2).replace('"', "").split(".")
            if header.group(1) == "[[":
                bare = ".".join(filter(None, [resolve(names[:-1]), names[-1]]))
                counts[bare] = counts.get(bare, -1) + 1
                prefix = f"{bare}.{counts[bare]}"
            else:
                prefix = resolve(names)
            found.setdefault(prefix, number)
        elif key := _KEY.match(line):
            found[f"{prefix}.{key.group(1)}" if prefix else key.group(1)] = number
            in_text = key.group(2).count('"""') == 1
    return found


_S = TypeVar("_S", bound=Section)

_MESSAGES = {
    "missing": ("項目がありません", "この項目を書き足す"),
    "extra_forbidden": ("知らない項目です", "綴りを確かめるか、消す"),
    "string_type": ("文字列ではありません", "引用符で囲む"),
    "int_type": ("整数ではありません", "数字だけを書く"),
    "bool_type": ("true か false ではありません", "true または false を書く"),
    "date_type": ("日付ではありません", "2026-04-01 のように書く"),
    "string_too_short": ("空です", "内容を書く"),
    "too_short": ("項目が足りません", "少なくとも一つ書く"),
}


def section(raw: RawProfile, name: str, model: type[_S]) -> _S:
    """The section `name` of a profile, validated by the context that owns it.

    Raises:
        ProfileInvalid: lists every wrong key with file, line and cure.
    """
    values = raw.values.get(name)
    if not isinstance(values, dict):
        raise ProfileInvalid([raw.problem(name, "節がありません", f"[{name}] を書き足す")])
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        raise ProfileInvalid(_problems(raw, name, exc)) from exc


def _problems(raw: RawProfile, name: str, error: ValidationError) -> list[ProfileProblem]:
    problems = []
    for item in error.errors(include_url=False):
        key = ".".join([name, *(str(part) for part in item["loc"])])
        message, cure = _MESSAGES.get(item["type"], ("", ""))
        if item["type"] == "value_error":
            message, _, cure = str(item["ctx"]["error"]).partition("|")
        elif not message:
            message, cure = f"値が正しくありません: {item['msg']}", f"今の値: {item['input']!r}"
        problems.append(raw.problem(key, message, cure))
    return problems


def unknown_sections(raw: RawProfile, known: Iterable[str]) -> list[ProfileProblem]:
    """A problem for each top-level section that nobody owns."""
    names = set(known)
    return [
        raw.problem(name, "知らない節です", f"使える節: {', '.join(sorted(names))}")
        for name in raw.values
        if name not in names
    ]


def _telephone(text: str) -> str:
    number = normalise_number(text)
    if number is None or not number.startswith("0") or not 10 <= len(number) <= 11:
        raise ValueError(f"電話番号として読めません: {text!r}|0 から始まる10桁か11桁で書く")
    return number


TelephoneNumber = Annotated[str, AfterValidator(_telephone)]
"""National digits, `0…`; hyphens in the profile are dropped."""

Text = Annotated[str, Field(min_length=1)]


class CitySection(Section):
    """`[city]`: whose call centre this is."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
    """ASCII; also the folder of its prompts."""
    name_ja: Text
    name_en: Text
    reading: Text
    """Kana; how the name is spoken."""
    centre_ja: Text
    """What the greeting calls the place."""
    centre_en: Text
    spec: Text
    """Title of the specification that this profile follows."""
    department: Text
    """The city's department in charge."""


class NumbersSection(Section):
    """`[numbers]`: what citizens dial and what they see."""

    service: Annotated[tuple[TelephoneNumber, ...], Field(min_length=1)]
    """Numbers the trunk accepts."""
    outbound: TelephoneNumber
    """Number shown when the centre calls."""
    test: tuple[TelephoneNumber, ...] = ()
    """Numbers whose calls count as tests, not as citizens' calls."""
