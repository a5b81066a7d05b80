"""What every paper's page is checked for."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).parent


def check_golden(name: str, text: str) -> None:
    """`TORITSUGI_UPDATE_GOLDEN=1` writes the expected file anew; read the difference before committing it."""
    path = HERE / name
    if os.environ.get("TORITSUGI_UPDATE_GOLDEN"):
        path.write_bytes(text.encode())
    assert text == path.read_bytes().decode()


class Page(HTMLParser):
    """What a reader with a screen reader, or with a printer, depends on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.headings: list[int] = []
        self.headers_without_scope = 0
        self.links: list[str] = []
        self.ids: list[str] = []
        self.labelled: list[str] = []
        self.language = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag == "html":
            self.language = values.get("lang") or ""
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "th" and values.get("scope") not in {"col", "row"}:
            self.headers_without_scope += 1
        self.links += [value for name, value in attrs if name in {"src", "href"} and value]
        self.ids += [found] if (found := values.get("id")) else []
        self.labelled += (values.get("aria-labelledby") or "").split()


def check_page(text: str) -> None:
    """Whole in one file, in order, labelled."""
    page = Page(text)
    assert page.language == "ja"
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(page.headings))
    assert page.headers_without_scope == 0
    assert {each.removeprefix("#") for each in page.links} <= set(page.ids)
    assert "script" not in page.tags
    assert "http" not in text
    assert len(page.ids) == len(set(page.ids))
    assert set(page.labelled) <= set(page.ids)
    assert page.tags.count("table") == page.tags.count("caption")
