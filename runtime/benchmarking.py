"""`toritsugi bench`: every benchmark of `benchmarks/`, each against its reference in one run."""

from __future__ import annotations

import importlib
import json
import os
import platform
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.settings import PROJECT_ROOT, settings_from
from runtime.install.asterisk import find_asterisk

FOLDER = PROJECT_ROOT / "benchmarks"
RESULTS = FOLDER / "results"


def benchmark_names(folder: Path = FOLDER) -> list[str]:
    """Modules of the folder that define `run(out, quick)`."""
    return sorted(
        path.stem
        for path in folder.glob("*.py")
        if not path.stem.startswith("_") and "\ndef run(" in path.read_text(encoding="utf-8")
    )


def run_benchmarks(
    names: list[str],
    *,
    quick: bool,
    say: Callable[[str], None],
    out: Callable[[str], None],
    results: Path = RESULTS,
) -> int:
    """Run the named benchmarks, or all; returns the exit status, 1 when one of them failed.

    Each result is one JSON line on stdout and a file `results/<name>.json` with the machine it was measured on.
    A quick run does not replace the file of a full one.

    Raises:
        ToritsugiError: no such benchmark.
    """
    known = benchmark_names()
    for name in names:
        if name not in known:
            raise ToritsugiError(
                f"ない測定です: {name}", where="bench", cure=f"次のどれか: {', '.join(known)}"
            )
    failed = 0
    for name in names or known:
        say(f"{name} を測っています。")
        started = time.monotonic()
        try:
            figures = importlib.import_module(f"benchmarks.{name}").run(results, quick)
        except Exception as problem:
            failed += 1
            say(f"エラー: {name}: {problem}")
            continue
        result = {
            **figures,
            "name": name,
            "quick": quick,
            "took_s": round(time.monotonic() - started, 1),
            "machine": machine(),
        }
        if not quick:
            store_result(results / f"{name}.json", result)
        out(json.dumps(result, ensure_ascii=False))
    return 1 if failed else 0


def store_result(path: Path, result: dict[str, Any]) -> None:
    """Replace one file of results, readable and with a stable order of keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What the figures were measured on. `load_average` tells whether the machine had other work."""
    found = find_asterisk(settings_from().tools)
    return {
        "cpu": _proc("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_mb": int((_proc("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) // 1024,
        "system": _proc("/etc/os-release", "PRETTY_NAME", "=").strip('"'),
        "python": platform.python_version(),
        "asterisk": found.version if found else None,
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "date": datetime.now(TOKYO).isoformat(timespec="seconds"),
    }


def _proc(path: str, key: str, mark: str = ":") -> str:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
    for line in text.splitlines():
        name, found, value = line.partition(mark)
        if found and name.strip() == key:
            return value.strip()
    return ""
