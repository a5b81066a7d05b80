"""The certificate of an erasure as a page to print (消去証明書)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.render import environment


def render_erasure_html(certificate: Mapping[str, Any]) -> str:
    """One self-contained page.

    Args:
        certificate: as `services.erasure.certificate_of` makes it.
    """
    made = environment()
    made.globals |= {
        "kinds": {"call": "通話", "case": "応対", "number": "電話番号"},
        "labels": {"calls": "通話", "cases": "応対", "numbers": "電話番号"},
        "copies": {"evidence": "証拠一式", "backup": "バックアップ", "handover": "引継ぎデータ"},
    }
    return made.get_template("erasure.html.j2").render(it=certificate)
