"""Facts as JSON values and back, for whoever stores them; generic over the classes of `ledger.facts`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, get_type_hints

from core.errors import ToritsugiError
from core.facts.dialplan import StepResult
from core.phone import Caller, CallerKind
from ledger import facts as f

KINDS: Mapping[str, type[f.Fact]] = {
    name: kind
    for name, kind in vars(f).items()
    if isinstance(kind, type) and issubclass(kind, f.Fact) and kind is not f.Fact
}
"""Every fact by the name it is stored under."""

_HINTS = {name: get_type_hints(kind) for name, kind in KINDS.items()}
_BASE = {"at", "source", "call"}


def kind_of(fact: f.Fact) -> str:
    return type(fact).__name__


def encode_fact(fact: f.Fact) -> dict[str, Any]:
    """The fact's own fields as JSON values; `at`, `source` and `call` are stored beside them."""
    payload: dict[str, Any] = {}
    for field in fields(fact):
        if field.name in _BASE:
            continue
        value = getattr(fact, field.name)
        if isinstance(value, Caller):
            value = {"kind": value.kind.value, "number": value.number}
        elif isinstance(value, Enum):
            value = value.value
        payload[field.name] = value
    return payload


def decode_fact(
    kind: str, payload: Mapping[str, Any], *, at: float, source: f.Source, call: str | None
) -> f.Fact:
    """The fact that was stored.

    Raises:
        ToritsugiError: no such kind of fact, or a field is missing: the row is of another version.
    """
    cls = KINDS.get(kind)
    if cls is None:
        raise ToritsugiError(f"知らない種類の記録です: {kind}", where="fact", cure="新しい版で開く")
    hints = _HINTS[kind]
    values: dict[str, Any] = {"at": at, "source": source, "call": call}
    for name, value in payload.items():
        if name in hints:
            values[name] = _decoded(hints[name], value)
    try:
        return cls(**values)
    except TypeError as exc:
        raise ToritsugiError(
            f"記録の項目が足りません: {kind} {exc}", where="fact", cure="作成した版で開く"
        ) from exc


def _decoded(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if hint is Caller:
        return Caller(CallerKind(value["kind"]), value["number"])
    if hint in (StepResult, f.QueueExit):
        return hint(value)
    return value
