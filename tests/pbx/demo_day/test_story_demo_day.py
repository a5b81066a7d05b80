"""The demonstration as a newcomer runs it: truth, ledger and wire agree, recordings and transcripts are there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT

pytestmark = pytest.mark.pbx

DEMO_S = 400
FIELDS = {
    "call_id",
    "sip_call_id",
    "caller",
    "dialled",
    "arrived_at",
    "ended_at",
    "line",
    "language",
    "menu_path",
}
FIELDS |= {"disposition", "operators", "wait_s", "talk_s", "wrap_up_s", "transfers", "ended_by", "recordings"}
FIELDS |= {"transcript_state"}


@pytest.mark.timeout(DEMO_S + 30)
def test_demo_day(tmp_path: Path) -> None:
    out = tmp_path / "out"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.endswith("_PORT")},
        "TORITSUGI_HOME": str(tmp_path / "home"),
        "TORITSUGI_ENGLISH_VOICE": "espeak",
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "runtime",
            "demo",
            "--city",
            "ageo",
            "--calls",
            "8",
            "--headless",
            "--out",
            str(out),
        ],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEMO_S,
        check=False,
    )
    summary = json.loads((out / "summary.json").read_text("utf-8")) if (out / "summary.json").exists() else {}
    assert done.returncode == 0, (summary, done.stderr[-2000:])
    truth = [json.loads(line) for line in (out / "truth.jsonl").read_text("utf-8").splitlines()]
    ledger = {
        row["sip_call_id"]: row
        for row in map(json.loads, (out / "ledger.jsonl").read_text("utf-8").splitlines())
    }
    assert len(truth) == len(ledger) == 8
    for record in truth:
        row = ledger[record["sip_call_id"]]
        assert set(row) >= FIELDS
        assert row["disposition"] == record["disposition"], record
        assert row["operators"] == record["operators"], record
        assert abs((row["wait_s"] or 0.0) - record["wait_s"]) <= 1.0, record
        if row["disposition"] == "answered":
            assert row["recordings"]
            assert row["transcript_state"] == "done"
    page = (out / "report.html").read_text("utf-8")
    assert "<title>" in page
    assert "応答率" in page
