"""Several tools at once, fetched side by side, with one progress display."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from runtime.install.asterisk import ensure_asterisk, find_asterisk
from runtime.install.chromium import ensure_chromium, find_chromium
from runtime.install.pango import ensure_pango, find_pango
from runtime.install.postgres import ensure_postgres, find_postgres
from runtime.install.progress import Progress
from runtime.install.sipp import ensure_sipp, find_sipp

COMMAND_TOOLS: Mapping[str, frozenset[str]] = {
    "demo": frozenset({"asterisk"}),
    "test": frozenset({"asterisk", "sipp", "postgres", "chromium", "pango"}),
    "bench": frozenset({"asterisk", "sipp"}),
    "accept": frozenset({"asterisk", "sipp"}),
    "up": frozenset({"asterisk"}),
}
"""What each command needs beside Python; the launcher brings it while the Python environment is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing that must be there."""

    name: str
    ready: Callable[[], bool]
    """Whether it is there already; fast, no network."""
    bring: Callable[[Progress], object]
    """Fetches it, showing a step; raises `ToritsugiError`."""


def _tasks(tools: Path) -> tuple[Task, ...]:
    return (
        Task(
            name="asterisk",
            ready=lambda: find_asterisk(tools) is not None,
            bring=lambda progress: ensure_asterisk(tools, progress),
        ),
        Task(
            name="sipp",
            ready=lambda: find_sipp(tools) is not None,
            bring=lambda progress: ensure_sipp(tools, progress),
        ),
        Task(
            name="pango",
            ready=lambda: find_pango(tools),
            bring=lambda progress: ensure_pango(tools, progress),
        ),
        Task(
            name="postgres",
            ready=lambda: find_postgres(tools) is not None,
            bring=lambda progress: ensure_postgres(tools, progress),
        ),
        Task(
            name="chromium",
            ready=lambda: find_chromium(tools) is not None,
            bring=lambda progress: ensure_chromium(tools, progress),
        ),
    )


def ensure_all(
    what: Collection[str],
    tools: Path,
    *,
    progress: Progress | None = None,
    extra: Sequence[Task] = (),
) -> None:
    """Bring every tool named in `what`, and `extra`, side by side. Silent when all is there.

    Args:
        what: names among `asterisk`, `sipp`, `postgres`, `chromium`.
        tools: the tools folder of the settings.
        extra: further things, such as speech models, that the caller knows how to bring.

    Raises:
        ToritsugiError: the first thing that could not be brought; the others were tried too.
        KeyError: a name is unknown.
    """
    known = {task.name: task for task in _tasks(tools)}
    missing = [task for task in (*extra, *(known[name] for name in sorted(what))) if not task.ready()]
    if not missing:
        return
    shown = progress or Progress(total=len(missing))
    with ThreadPoolExecutor(max_workers=len(missing)) as pool:
        running = [pool.submit(task.bring, shown) for task in missing]
    for future in running:
        future.result()
