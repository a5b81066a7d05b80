"""The life of a paper: draft, checked, delivered, amended. Pure; `runtime.kept_papers` keeps the files.

A delivered version is never changed. What turns out wrong is amended: a new version beside the old one, with the reason
and every cell that differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, unique

from core.errors import ToritsugiError
from reports.cells import cell_text
from reports.paper import Paper


@unique
class State(StrEnum):
    DRAFT = "draft"
    CHECKED = "checked"
    DELIVERED = "delivered"

    @property
    def label_ja(self) -> str:
        return {"draft": "案", "checked": "確認済み", "delivered": "提出済み"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of state, by whom; `at` is ISO text in Japan's time."""

    at: str
    by: str
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a paper with its files."""

    number: int
    """From 1; from 2 on it amends the one before."""
    data_version: str
    rule: str
    """The contract's 応答率 as this version prints it."""
    files: Mapping[str, str]
    """File name to SHA-256."""
    cells: Mapping[str, str]
    """Every cell that is no list: `table/row/column` to what it shows; what amendments are compared by."""
    steps: tuple[Step, ...]

    @property
    def state(self) -> State:
        return self.steps[-1].state


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One cell that two versions show differently; None where it is not there."""

    where: str
    before: str | None
    after: str | None


def cells_of(paper: Paper) -> dict[str, str]:
    """Every cell of the tables that are no lists of calls, by its place."""
    found: dict[str, str] = {}
    for table in paper.tables():
        if table.listing:
            found[f"{table.title}/件数"] = f"{len(table.rows):,}"
            continue
        foot = table.foot()
        for row in (*table.rows, *((foot,) if foot is not None else ())):
            label = cell_text(row[0], table.columns[0].kind)
            for column, value in zip(table.columns[1:], row[1:], strict=True):
                if value is not None:
                    found[f"{table.title}/{label}/{column.title}"] = cell_text(value, column.kind)
    return found


def differences(before: Version, after: Version) -> list[Difference]:
    """Every cell that differs, in the order of the newer version; gone ones last."""
    found = [
        Difference(where=where, before=before.cells.get(where), after=value)
        for where, value in after.cells.items()
        if before.cells.get(where) != value
    ]
    if before.rule != after.rule:
        found.insert(0, Difference(where="応答率の定義", before=before.rule, after=after.rule))
    gone = [where for where in before.cells if where not in after.cells]
    return [*found, *(Difference(where=where, before=before.cells[where], after=None) for where in gone)]


def begun(
    versions: Sequence[Version],
    *,
    at: str,
    by: str,
    note: str,
    data_version: str,
    rule: str,
    files: Mapping[str, str],
    cells: Mapping[str, str],
) -> tuple[Version, ...]:
    """The versions with a new draft: it takes the place of a draft, and amends what is delivered.

    Raises:
        ToritsugiError: nobody is named; a checked version waits to be delivered; an amendment without a reason.
    """
    _named(by)
    last = versions[-1] if versions else None
    if last is not None and last.state is State.CHECKED:
        raise ToritsugiError(
            "確認済みの版があります",
            where=f"第{last.number}版",
            cure="提出するか、report-file reopen で案に戻す",
        )
    amends = last is not None and last.state is State.DELIVERED
    if amends and not note.strip():
        raise ToritsugiError("訂正の理由がありません", where="--note", cure="なぜ訂正するのかを書く")
    kept = versions if last is None or amends else versions[:-1]
    made = Version(
        number=len(kept) + 1, data_version=data_version, rule=rule, files=files, cells=cells,
        steps=(Step(at=at, by=by, state=State.DRAFT, note=note),),
    )  # fmt: skip
    return (*kept, made)


_NEXT = {State.DRAFT: State.CHECKED, State.CHECKED: State.DELIVERED}


def moved(
    versions: Sequence[Version], state: State, *, at: str, by: str, note: str = ""
) -> tuple[Version, ...]:
    """The versions with the last one in its next state; `checked` may go back to `draft`.

    Raises:
        ToritsugiError: there is none, nobody is named, or the state does not follow.
    """
    _named(by)
    if not versions:
        raise ToritsugiError("案がありません", where="報告", cure="先に report-file draft で案を作る")
    last = versions[-1]
    back = (last.state, state) == (State.CHECKED, State.DRAFT)
    if not back and _NEXT.get(last.state) is not state:
        raise ToritsugiError(
            f"「{last.state.label_ja}」から「{state.label_ja}」にはできません",
            where=f"第{last.number}版",
            cure="案、確認、提出の順に進める。提出済みは report-file draft で訂正の案を作る",
        )
    step = Step(at=at, by=by, state=state, note=note)
    return (*versions[:-1], replace(last, steps=(*last.steps, step)))


def _named(by: str) -> None:
    if not by.strip():
        raise ToritsugiError("だれがしたかがありません", where="--by", cure="氏名を書く")
