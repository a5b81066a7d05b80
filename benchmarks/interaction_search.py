"""Search among a million interaction records: ours, against hand-written SQL on indexes made for each question.

One SQLite database holds the records as the store writes them (its bulk path builds it), and beside them, for the
reference alone, a plain table with one column a facet, composite indexes made for these very questions, link tables for
tags and operators, and FTS5 over the same tokens. The reference knows the questions beforehand; ours does not. Both
find the same ids in the same order and the same counts, which is checked, on the same connection, in turn.

The ratio is of processor time, which does not depend on what else the machine does; the time on the wall stands beside
it. A search with its counts, which is what the desk asks for, must not take twice the reference. A page alone must
not either, or less than three milliseconds: an index made for two facets finds their newest fifty in a third of one,
which is less than our statement takes to be written out, so a ratio of such times tells nothing about a million.

The export runs in a process of its own; its memory is read as it goes.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from core.clock import ManualClock
from core.ids import CallId, OperatorId
from core.settings import PROJECT_ROOT
from interactions.access import Person, Role
from interactions.case import CallSummary, Case, CaseStatus, open_case
from interactions.search import CaseQuery, Facet, Flag, Hits, sought_of
from interactions.search_words import PLAIN
from services.case_exchange import CaseExchange
from storage.database import Database

RECORDS = 1_000_000
QUICK_RECORDS = 30_000
BATCH = 2_000
BEGIN = 1_700_000_000.0
YEARS_S = 2.0 * 365 * 86_400
GATE_RATIO = 2.0
GATE_PAGE_MS = 3.0
"""Of processor time: a page that takes less need not meet the ratio."""
GATE_GROWTH_MB = 32.0
ROUNDS = 7
EXPORTED_S = {"csv": YEARS_S, "jsonl": 0.15 * YEARS_S}
"""From the first record on: all as CSV, and many times what is in memory at once as JSON Lines."""
SUPERVISOR = Person(name="上田", role=Role.SUPERVISOR)

TOPICS = (
    "マイナンバーカードの再発行", "交付の予約", "予約日の変更", "暗証番号を忘れた", "電子証明書の更新",
    "住所変更の届出", "氏名の変更", "健康保険証としての利用", "公金受取口座の登録", "代理人による受け取り",
    "受け取りに必要な書類", "カードを紛失した", "写真の撮り方", "マイナポータルの操作", "手数料と期限", "土日の窓口",
    "子どものカード", "転出と引っ越し", "外国籍の方の申請", "通知書が届かない",
)  # fmt: skip
ACTS = (
    "窓口の場所と時間を案内した",
    "郵送の手順を案内した",
    "予約を入れて復唱した",
    "担当課へ転送した",
    "折り返しを依頼した",
    "案内先の番号を伝えた",
)
RARE = ("鹿児島", "襟裳岬", "鵜飼", "瑠璃色", "柘植")
TAGS = ("急ぎ", "高齢", "代理", "外国語", "再入電", "要確認", "窓口混雑", "書類不備", "システム", "お礼")
LINES, CATEGORIES = ("booking", "card", "portal"), ("booking", "card", "portal", "complaint")
OPERATORS = tuple(str(number) for number in range(101, 131))


def records(count: int) -> Iterator[Case]:
    """Cases of chance, the same for the same count."""
    rng = random.Random(20_261_127)
    statuses = list(CaseStatus)
    for number in range(count):
        started = round(BEGIN + YEARS_S * number / count + rng.random(), 3)
        topic = rng.choice(TOPICS)
        line = rng.choice(LINES)
        case = open_case(
            CallSummary(
                call_id=CallId(f"c-n1-{int(started)}.{number}"), caller="09000000000", line=line,
                language="en" if rng.random() < 0.03 else "ja", menu_path=("main:1",),
                operators=(OperatorId(rng.choice(OPERATORS)),), started_at=started, ended_at=started + 180.0,
            )
        )  # fmt: skip
        rare = f"{rng.choice(RARE)}から。" if rng.random() < 0.001 else ""
        unwritten = rng.random() < 0.05
        yield replace(
            case,
            status=rng.choices(statuses, (5, 88, 4, 3))[0],
            category=rng.choice(CATEGORIES[:3]) if rng.random() < 0.97 else "complaint",
            tags=tuple(rng.sample(TAGS, rng.choice((0, 0, 0, 1, 1, 2)))),
            question="" if unwritten else f"{rare}{topic}について、{rng.choice(TOPICS)}も聞かれた。",
            answer="" if unwritten else f"{rng.choice(ACTS)}。",
            complaint=rng.random() < 0.02,
            mistaken_guidance=rng.random() < 0.002,
            confidential=rng.random() < 0.005,
        )


async def build(database: Database, count: int) -> float:
    """Store the records by the bulk path; seconds."""
    began = time.perf_counter()
    await database.migrate()
    batch: list[Case] = []
    for case in records(count):
        batch.append(case)
        if len(batch) == BATCH:
            async with database.uow() as unit:
                await unit.cases.add_many(batch)
            batch.clear()
    if batch:
        async with database.uow() as unit:
            await unit.cases.add_many(batch)
    return time.perf_counter() - began


REFERENCE = """
CREATE TABLE ref_case (id INTEGER PRIMARY KEY, case_id TEXT, started_at REAL, month INT, status TEXT, category TEXT,
  line TEXT, language TEXT, complaint INT, mistaken_guidance INT, confidential INT, unwritten INT);
INSERT INTO ref_case SELECT s.place, i.case_id, i.started_at, s.month, i.status, i.category,
  json_extract(c.summary, '$.line'), json_extract(c.summary, '$.language'), i.complaint, i.mistaken_guidance,
  i.confidential, i.question = '' AND i.answer = ''
  FROM interaction i JOIN search_case s ON s.case_id = i.case_id JOIN interaction_call c ON c.case_id = i.case_id;
CREATE TABLE ref_tag (tag TEXT, id INT, PRIMARY KEY (tag, id)) WITHOUT ROWID;
INSERT INTO ref_tag SELECT t.value, r.id FROM ref_case r JOIN interaction i ON i.case_id = r.case_id,
  json_each(i.tags) t;
CREATE TABLE ref_operator (operator TEXT, id INT, PRIMARY KEY (operator, id)) WITHOUT ROWID;
INSERT INTO ref_operator SELECT o.value, r.id FROM ref_case r JOIN interaction_call c ON c.case_id = r.case_id,
  json_each(c.summary, '$.operators') o;
CREATE INDEX ref_tag_id ON ref_tag (id);
CREATE INDEX ref_operator_id ON ref_operator (id);
CREATE INDEX ref_status ON ref_case (status, category, id);
CREATE INDEX ref_category ON ref_case (category, id);
CREATE INDEX ref_complaint ON ref_case (complaint, id);
ANALYZE;
"""
_FACETS = (
    "status",
    "category",
    "line",
    "language",
    "complaint",
    "mistaken_guidance",
    "confidential",
    "unwritten",
    "month",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One search, and the same by hand: the rest of a SELECT over `ref_case r`."""

    name: str
    query: CaseQuery
    sql: str


def questions(count: int) -> list[Question]:
    half = BEGIN + YEARS_S / 2
    low = round(half * 1000) << 20

    def match(expression: str) -> str:
        return f"FROM search_fts f JOIN ref_case r ON r.id = f.rowid WHERE search_fts MATCH '{expression}'"

    return [
        Question(name="everything", query=CaseQuery(), sql="FROM ref_case r WHERE 1"),
        Question(
            name="status and category",
            query=CaseQuery(values={Facet.STATUS: ["escalated"], Facet.CATEGORY: ["card"]}),
            sql="FROM ref_case r WHERE r.status = 'escalated' AND r.category = 'card'",
        ),
        Question(
            name="period and complaint",
            query=CaseQuery(values={Facet.FLAG: [Flag.COMPLAINT]}, since=half),
            sql=f"FROM ref_case r WHERE r.complaint = 1 AND r.id >= {low}",
        ),
        Question(
            name="tag and period",
            query=CaseQuery(values={Facet.TAG: ["代理"]}, since=half),
            sql=f"FROM ref_tag t JOIN ref_case r ON r.id = t.id WHERE t.tag = '代理' AND t.id >= {low}",
        ),
        Question(
            name="operator and status",
            query=CaseQuery(values={Facet.OPERATOR: ["107"], Facet.STATUS: ["done"]}),
            sql="FROM ref_operator o JOIN ref_case r ON r.id = o.id WHERE o.operator = '107' AND r.status = 'done'",
        ),
        Question(
            name="frequent word",
            query=CaseQuery(words="再発行"),
            sql=match('"再発 発行"'),
        ),
        Question(
            name="rare word",
            query=CaseQuery(words="襟裳岬"),
            sql=match('"襟裳 裳岬"'),
        ),
        Question(
            name="words and facets",
            query=CaseQuery(
                words="暗証番号 窓口",
                values={Facet.STATUS: ["done"], Facet.LINE: ["card", "portal"], Facet.LANGUAGE: ["ja"]},
                since=half,
            ),
            sql=match('"暗証 証番 番号" AND "窓口"')
            + f" AND f.rowid >= {low} AND r.status = 'done' AND r.line IN ('card', 'portal') AND r.language = 'ja'",
        ),
        Question(
            name="words, tag and operator",
            query=CaseQuery(words="予約", values={Facet.TAG: ["急ぎ"], Facet.OPERATOR: ["115"]}),
            sql=match('"予約"') + " AND r.id IN (SELECT id FROM ref_tag WHERE tag = '急ぎ')"
            " AND r.id IN (SELECT id FROM ref_operator WHERE operator = '115')",
        ),
    ]


async def by_hand(
    connection: AsyncConnection, question: Question, *, counts: bool
) -> tuple[list[str], dict[str, Any]]:
    """The page and the counts as a person would write them for this question."""
    key = "f.rowid" if "search_fts" in question.sql else "t.id" if "ref_tag t" in question.sql else "r.id"
    key = "o.id" if "ref_operator o" in question.sql else key
    page = await connection.exec_driver_sql(f"SELECT r.case_id {question.sql} ORDER BY {key} DESC LIMIT 51")
    ids = [row[0] for row in page]
    if not counts:
        return ids[:50], {}
    found: dict[str, Any] = {}
    grouped = ", ".join(f"r.{facet}" for facet in _FACETS)
    one = await connection.exec_driver_sql(f"SELECT {grouped}, count(*) {question.sql} GROUP BY {grouped}")
    for row in one:
        for facet, value in zip(_FACETS, row, strict=False):
            values = found.setdefault(facet, {})
            values[value] = values.get(value, 0) + row[-1]
    newest = f"SELECT r.id {question.sql} ORDER BY {key} DESC LIMIT 20000"
    for table, column in (("ref_tag", "tag"), ("ref_operator", "operator")):
        rows = await connection.exec_driver_sql(
            f"SELECT l.{column}, count(*) FROM ({newest}) n JOIN {table} l ON l.id = n.id GROUP BY l.{column}"
        )
        found[column] = {row[0]: row[1] for row in rows}
    return ids[:50], found


async def ours(database: Database, question: Question, unit: Any, *, counts: bool) -> Hits:
    sought = sought_of(question.query, SUPERVISOR, PLAIN)
    hits: Hits = await unit.cases.index.search(question.query, sought, counts=counts)
    return hits


def same(hits: Hits, ids: list[str], counts: dict[str, Any]) -> bool:
    """Whether both found the same."""
    if list(hits.case_ids) != ids:
        return False
    if hits.counts is None:
        return True
    values = hits.counts.values
    return (
        values[Facet.STATUS] == counts.get("status", {})
        and values[Facet.CATEGORY] == counts.get("category", {})
        and values[Facet.LINE] == counts.get("line", {})
        and values[Facet.FLAG].get("complaint", 0) == counts.get("complaint", {}).get(1, 0)
        and values[Facet.FLAG].get("unwritten", 0) == counts.get("unwritten", {}).get(1, 0)
        and sum(hits.counts.months.values()) == sum(counts.get("month", {}).values())
        and values[Facet.TAG] == counts["tag"]
        and values[Facet.OPERATOR] == counts["operator"]
    )


async def compare(database: Database, count: int) -> list[dict[str, Any]]:
    """Every question, page alone and page with counts, ours and by hand in turn; medians."""
    results = []
    async with database.reading() as unit:
        for question in questions(count):
            row: dict[str, Any] = {"question": question.name}
            for counts in (False, True):
                times: dict[str, list[float]] = {"ours": [], "by_hand": []}
                walls: dict[str, list[float]] = {"ours": [], "by_hand": []}
                agree = True
                for _ in range(ROUNDS):
                    began, started = time.perf_counter(), time.process_time()
                    hits = await ours(database, question, unit, counts=counts)
                    between, halfway = time.perf_counter(), time.process_time()
                    ids, found = await by_hand(unit.connection, question, counts=counts)
                    times["ours"].append(halfway - started)
                    times["by_hand"].append(time.process_time() - halfway)
                    walls["ours"].append(between - began)
                    walls["by_hand"].append(time.perf_counter() - between)
                    agree = agree and same(hits, ids, found)
                if not agree:
                    raise RuntimeError(f"{question.name}: ours and the hand-written query differ")
                if hits.counts is not None:
                    row["hits"] = hits.counts.total
                middle = {who: statistics.median(seconds) * 1000 for who, seconds in times.items()}
                on_the_wall = {who: round(statistics.median(each) * 1000, 2) for who, each in walls.items()}
                row["with_counts" if counts else "page"] = {
                    "ours_ms": round(middle["ours"], 2),
                    "by_hand_ms": round(middle["by_hand"], 2),
                    "ratio": round(middle["ours"] / middle["by_hand"], 2),
                    "wall_ms": on_the_wall,
                }
            results.append(row)
    return results


# ---- export ---------------------------------------------------------------------------------------


def resident_mb() -> float:
    """Memory of this process (proc(5), VmRSS)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def _export(path: str, format_: str) -> dict[str, Any]:
    database = Database(f"sqlite+aiosqlite:///{path}")
    exchange = CaseExchange(database.uow, database.reading, ManualClock(BEGIN))
    began, size, pieces, samples = time.perf_counter(), 0, 0, []
    async for piece in exchange.export(SUPERVISOR, format_, 0.0, BEGIN + EXPORTED_S[format_]):
        size += len(piece.encode())
        pieces += 1
        if pieces % 20 == 0:
            samples.append(resident_mb())
    await database.close()
    # The first samples include what any export needs: driver, statements, one page.
    settled = samples[len(samples) // 10 :] or [resident_mb()]
    return {
        "format": format_,
        "seconds": round(time.perf_counter() - began, 1),
        "megabytes": round(size / 1e6, 1),
        "resident_mb": {
            "first": round(settled[0], 1),
            "most": round(max(settled), 1),
            "last": round(settled[-1], 1),
        },
        "growth_mb": round(max(settled) - settled[0], 1),
    }


async def exported(path: Path, format_: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.interaction_search", str(path), format_,
        cwd=PROJECT_ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    result: dict[str, Any] = json.loads(said)
    return result


async def _measure(count: int, folder: Path) -> dict[str, Any]:
    path = folder / "toritsugi.db"
    database = Database(f"sqlite+aiosqlite:///{path}")
    seconds = await build(database, count)
    size = sum(each.stat().st_size for each in folder.iterdir()) / 1e6
    async with database.engine.begin() as connection:
        for statement in filter(str.strip, REFERENCE.split(";")):
            await connection.exec_driver_sql(statement)
    found = await compare(database, count)
    await database.close()
    return {
        "records": count,
        "build": {
            "seconds": round(seconds, 1), "records_per_s": round(count / seconds), "database_mb": round(size, 1),
        },
        "questions": found,
        "export": [await exported(path, format_) for format_ in ("csv", "jsonl")],
    }  # fmt: skip


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Build, ask, export; a million records, or a few thousand when quick."""
    folder = Path(tempfile.mkdtemp(prefix="toritsugi-search-"))
    try:
        figures = asyncio.run(_measure(QUICK_RECORDS if quick else RECORDS, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    worst = {
        form: max(row[form]["ratio"] for row in figures["questions"]) for form in ("page", "with_counts")
    }
    pages_met = all(
        row["page"]["ratio"] <= GATE_RATIO or row["page"]["ours_ms"] <= GATE_PAGE_MS
        for row in figures["questions"]
    )
    growth = max(each["growth_mb"] for each in figures["export"])
    return {
        **figures,
        "reference": "SQL written by hand for each question, on composite indexes made for it and FTS5",
        "worst_ratio": worst,
        "gate": {
            "ratio_at_most": GATE_RATIO,
            "or_page_ms_at_most": GATE_PAGE_MS,
            "export_grows_mb_at_most": GATE_GROWTH_MB,
            "met": worst["with_counts"] <= GATE_RATIO and pages_met and growth <= GATE_GROWTH_MB,
        },
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_export(sys.argv[1], sys.argv[2]))))
