"""What `speech.redact` finds of what a transcript must not keep, on labelled sentences that it was not made with.

A labelled span is found when every character of it is masked but signs and spaces; a mask is right when it touches a
labelled span (or what may be masked) and takes no more than three characters besides. The part `development` served
to make the program; the gates are on `held_out`.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.settings import PROJECT_ROOT
from speech.redact import Secret, Turn, find_secrets

DATA = PROJECT_ROOT / "benchmarks" / "data" / "masking.jsonl"
GATES = {"my_number": 0.99, "telephone": 0.97, "precision": 0.95}
"""At least so much recall of a kind and precision of all masks; names and addresses are printed as they are."""
KINDS = ("my_number", "telephone", "pin", "reference", "number", "address", "name")
_BESIDES = 3
_GROUP = {Secret.TWELVE_DIGITS: "my_number"}


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Measure both parts, write `out/masking.json` and `out/masking.md`, return the figures."""
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    parts = {
        part: _score([row for row in rows if row["part"] == part]) for part in ("development", "held_out")
    }
    held = parts["held_out"]
    reached = {
        "my_number": held["kinds"]["my_number"]["recall"],
        "telephone": held["kinds"]["telephone"]["recall"],
        "precision": held["all"]["precision"],
    }
    result = {
        "name": "masking",
        "parts": parts,
        "gates": {
            name: {"least": least, "reached": reached[name], "met": reached[name] >= least}
            for name, least in GATES.items()
        },
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "masking.json").write_text(
        json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (out / "masking.md").write_text(table(result), encoding="utf-8")
    return result


def _score(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    wanted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    given: Counter[str] = Counter()
    right: Counter[str] = Counter()
    clean = disturbed = 0
    began = time.process_time()
    masks = [find_secrets([Turn(side="citizen", text=row["text"])])[0] for row in rows]
    seconds = time.process_time() - began
    for row, spans in zip(rows, masks, strict=True):
        text = row["text"]
        covered = {at for span in spans for at in range(span.start, span.end)}
        for label in row["spans"]:
            wanted[label["kind"]] += 1
            inside = [at for at in range(label["start"], label["end"]) if text[at].isalnum()]
            found[label["kind"]] += covered.issuperset(inside)
        allowed = {at for label in row["spans"] for at in range(label["start"], label["end"])}
        allowed |= {at for start, end in row["may"] for at in range(start, end)}
        for span in spans:
            kind = _GROUP.get(span.secret, span.secret.value)
            own = set(range(span.start, span.end))
            besides = [at for at in own - allowed if text[at].isalnum()]
            given[kind] += 1
            right[kind] += bool(own & allowed) and len(besides) <= _BESIDES
        if not row["spans"]:
            clean += 1
            disturbed += any(not set(range(s.start, s.end)) <= allowed for s in spans)
    return {
        "sentences": len(rows),
        "kinds": {
            kind: {
                "labelled": wanted[kind],
                "recall": _share(found[kind], wanted[kind]),
                "recall_low": _low(found[kind], wanted[kind]),
                "masks": given[kind],
                "precision": _share(right[kind], given[kind]),
            }
            for kind in KINDS
        },
        "all": {
            "recall": _share(found.total(), wanted.total()),
            "masks": given.total(),
            "precision": _share(right.total(), given.total()),
            "precision_low": _low(right.total(), given.total()),
        },
        "without_secret": {"sentences": clean, "with_a_mask": disturbed},
        "cpu_ms_a_sentence": round(1000 * seconds / len(rows), 2),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0


def _low(part: int, whole: int, z: float = 1.96) -> float:
    """Lower end of Wilson's 95 % interval."""
    if not whole:
        return 0.0
    share, square = part / whole, z * z
    middle = share + square / (2 * whole)
    spread = z * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    return round((middle - spread) / (1 + square / whole), 4)


def table(result: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["# Masking", ""]
    for part, figures in result["parts"].items():
        clean = figures["without_secret"]
        lines += [
            f"## {part}: {figures['sentences']} sentences",
            "",
            "| kind | labelled | recall | 95 % from | masks | right |",
            "|---|---|---|---|---|---|",
            *(
                f"| {kind} | {row['labelled']} | {row['recall']:.3f} | {row['recall_low']:.3f} "
                f"| {row['masks']} | {row['precision']:.3f} |"
                for kind, row in figures["kinds"].items()
            ),
            f"| all | | {figures['all']['recall']:.3f} | | {figures['all']['masks']} | "
            f"{figures['all']['precision']:.3f} (95 % from {figures['all']['precision_low']:.3f}) |",
            "",
            f"Sentences without a secret: {clean['sentences']}, of which {clean['with_a_mask']} got a mask. "
            f"{figures['cpu_ms_a_sentence']} ms of one core a sentence.",
            "",
        ]
    lines += [
        "Gates (held_out): "
        + ", ".join(
            f"{name} {gate['reached']:.3f} of {gate['least']} ({'met' if gate['met'] else 'NOT MET'})"
            for name, gate in result["gates"].items()
        ),
        "",
    ]
    return "\n".join(lines)
