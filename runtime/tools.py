"""What a command needs beside its Python environment, brought before it starts."""

from __future__ import annotations

import sys
from pathlib import Path

from runtime.install.ensure import COMMAND_TOOLS, Task, ensure_all
from runtime.install.progress import Progress
from runtime.install.web import ensure_web, find_web
from speech.engines import EngineKind, choose
from speech.models import fetch_models, models_dir

WITH_DESK = frozenset({"demo", "test", "up"})
"""Commands that serve the desk. Its packages come once Python is there: npm may come with it."""
LANGUAGES = ("ja", "en")
"""Languages whose calls are transcribed."""


def bring_tools(command: str, tools: Path) -> None:
    """Bring the programs and speech models that `command` needs; silent when all is there.

    Raises:
        ToritsugiError: a program cannot be brought. A missing model is told on stderr, never raised: recordings
            wait for it.
    """
    extra = [models_task(tools)]
    if command in WITH_DESK:
        extra.append(
            Task(
                name="web",
                ready=lambda: find_web(tools) is not None,
                bring=lambda progress: ensure_web(tools, progress),
            )
        )
    ensure_all(COMMAND_TOOLS.get(command, frozenset()), tools, extra=extra)


def models_task(tools: Path) -> Task:
    """The recognisers' models, as something to be brought beside the rest."""
    return Task(name="models", ready=lambda: _heard(tools), bring=lambda progress: _bring(tools, progress))


def _heard(tools: Path) -> bool:
    folders = [models_dir(tools)]
    return all(choose(language, folders).kind is not EngineKind.NO_MODEL for language in LANGUAGES)


def _bring(tools: Path, progress: Progress) -> None:
    with progress.step("音声認識モデル / speech models") as step:

        def show(what: str, share: float | None) -> None:
            step.note(what if share is None else f"{what} {share:.0%}")

        report = fetch_models(tools, show, languages=LANGUAGES)
        step.finished_with(", ".join(f"{choice.language}: {choice.kind}" for choice in report.choices))
    for note in report.notes:
        print(f"  {note}", file=sys.stderr)
