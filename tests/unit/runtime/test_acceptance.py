"""What a trial takes for a pass, and what not."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from core.errors import ToritsugiError
from runtime import acceptance, benchmarking
from runtime.acceptance import judge, run_acceptance

pytestmark = pytest.mark.unit

GOOD: dict[str, Any] = {
    "ok": True,
    "calls": 16,
    "agree": 16,
    "differences": [],
    "reconciliation": {"agrees": True},
    "engine_kills": 10,
}


def test_a_good_summary_passes() -> None:
    assert judge(GOOD, 10) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"ok": False}, "right"),
        ({"agree": 15}, "15 of 16"),
        ({"differences": [{"sip_call_id": "a"}]}, "differ"),
        ({"reconciliation": {"agrees": False}}, "wire"),
        ({"engine_kills": 9}, "9 times"),
    ],
)
def test_each_fault_is_named(change: dict[str, Any], word: str) -> None:
    assert any(word in fault for fault in judge(GOOD | change, 10))


def test_no_summary_is_a_fault() -> None:
    assert judge({}, 0) == ["no summary.json"]


async def test_an_unknown_trial_names_the_known_ones() -> None:
    with pytest.raises(ToritsugiError, match=r"kill-engine, cities"):
        await run_acceptance(["sleep"], lambda text: None)


async def test_a_failed_trial_is_stored_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def trial(say: object) -> dict[str, Any]:
        return {"runs": [{"passed": True}, {"passed": False}]}

    monkeypatch.setattr(acceptance, "TRIALS", {"short": trial})
    assert await run_acceptance([], lambda text: None, results=tmp_path) == 1
    assert '"passed": false' in (tmp_path / "accept-short.json").read_text("utf-8")


# ---- benchmarks -----------------------------------------------------------------------------------


def test_every_benchmark_is_found() -> None:
    assert {"agi_latency", "ami_events", "call_setup"} <= set(benchmarking.benchmark_names())


def test_an_unknown_benchmark_names_the_known_ones() -> None:
    with pytest.raises(ToritsugiError, match="agi_latency"):
        benchmarking.run_benchmarks(["x"], quick=True, say=print, out=print)


@pytest.mark.parametrize("quick", [True, False])
def test_a_result_carries_its_machine_and_a_fault_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    class Bad:
        @staticmethod
        def run(out: Path, quick: bool) -> dict[str, Any]:
            raise RuntimeError("no SIPp")

    class Good:
        @staticmethod
        def run(out: Path, quick: bool) -> dict[str, Any]:
            return {"ratio": 0.5}

    modules = {"benchmarks.bad": Bad, "benchmarks.good": Good}
    monkeypatch.setattr(benchmarking, "benchmark_names", lambda: ["bad", "good"])
    monkeypatch.setattr(importlib, "import_module", modules.__getitem__)
    said: list[str] = []
    printed: list[str] = []
    status = benchmarking.run_benchmarks(
        [], quick=quick, say=said.append, out=printed.append, results=tmp_path
    )
    assert status == 1
    assert any("no SIPp" in line for line in said)
    assert '"ratio": 0.5' in printed[0]
    assert '"cores"' in printed[0]
    assert (tmp_path / "good.json").exists() is not quick
