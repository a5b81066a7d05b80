"""Where a call can go: the targets of every step, and what can be reached from each door."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from asterisk_conf.dialplan_text import Dialplan, Step, matches, split_arguments

_JUMPS = frozenset({"Goto", "Gosub", "GotoIf", "GosubIf"})
_VARIABLE = re.compile(r"\$\{[^{}]*\}")

Node = tuple[str, str]
"""(context, extension as written)."""


class Way:
    """The graph of a dialplan, from its doors (context, extension or empty for any, place)."""

    def __init__(self, plan: Dialplan, doors: Sequence[tuple[str, str, str]]) -> None:
        self._plan = plan
        self.missing: list[tuple[str, str]] = []
        """(place, target) of every jump that leads nowhere."""
        self._next: dict[Node, set[Node]] = {}
        for step in plan.steps():
            for target in _targets(step):
                found = self._resolve(step, target)
                self._next.setdefault((step.context, step.extension), set()).update(found)
                if not found:
                    self.missing.append((step.place, target))
        start: set[Node] = set()
        for context, extension, place in doors:
            found = {
                (owner, name)
                for owner, name in self._extensions(context)
                if not extension or matches(name, extension)
            }
            start |= found
            if context not in plan.contexts or (extension and not found):
                self.missing.append((place, f"{context},{extension}" if extension else context))
        self._nodes = self._closure(start)
        self.contexts = {context for context, _ in self._nodes} | self._included(
            {context for context, _ in self._nodes} | {context for context, _, _ in doors}
        )
        """Contexts that a call can be in, or that one of them includes."""

    def steps_from(self, context: str, *, without: str = "") -> Iterator[Step]:
        """Every step that a call entering `context` can come to; the context `without` is a wall."""
        start = {node for node in self._extensions(context) if node[0] != without}
        for owner, name in sorted(self._closure(start, without)):
            yield from self._plan.contexts[owner].extensions[name]

    def _included(self, names: set[str]) -> set[str]:
        found: set[str] = set()
        queue = [name for name in names if name in self._plan.contexts]
        while queue:
            name = queue.pop()
            found.add(name)
            for included, _ in self._plan.contexts[name].includes:
                if included in self._plan.contexts and included not in found:
                    queue.append(included)
        return found

    def _extensions(self, context: str) -> list[Node]:
        return [
            (name, extension)
            for name in sorted(self._included({context}))
            for extension in self._plan.contexts[name].extensions
        ]

    def _closure(self, start: set[Node], wall: str = "") -> set[Node]:
        found: set[Node] = set()
        queue = list(start)
        while queue:
            node = queue.pop()
            if node in found or node[0] == wall:
                continue
            found.add(node)
            queue += self._next.get(node, set())
        return found

    def _resolve(self, step: Step, target: str) -> set[Node]:
        parts = [part.strip() for part in split_arguments(target)]
        priority = parts.pop()
        extension = parts.pop() if parts else None
        context = parts.pop() if parts else step.context
        return {
            (owner, name)
            for owner, name in self._extensions(context)
            if (name == step.extension if extension is None else _may_be(name, extension))
            and _has(self._plan.contexts[owner].extensions[name], priority)
        }


def _may_be(name: str, wanted: str) -> bool:
    """Whether the extension `name` may take `wanted`, where a variable stands for any text."""
    if "${" not in wanted:
        return name == wanted or matches(name, wanted)
    if name.startswith("_"):
        return True
    return bool(re.fullmatch(".*".join(re.escape(part) for part in _VARIABLE.split(wanted)), name))


def _has(steps: Sequence[Step], priority: str) -> bool:
    return any(priority in (str(step.priority), step.label) for step in steps)


def _targets(step: Step) -> Iterator[str]:
    """The targets of a jump, in Asterisk's form `[[context,]extension,]priority`, arguments of Gosub removed."""
    if step.application not in _JUMPS:
        return
    if step.application.endswith("If"):
        ways = split_arguments(step.arguments.partition("?")[2], ":")
    else:
        ways = [step.arguments]
    for way in ways:
        if way.strip():
            yield re.sub(r"\([^()]*\)$", "", way.strip())
