"""HTML to PDF by WeasyPrint, with the Japanese font that came with the installation: the same page on every machine."""

from __future__ import annotations

import functools
import logging
from importlib import resources
from pathlib import Path
from typing import IO

from core.errors import ToritsugiError

FAMILY = "Toritsugi Print"
_FONTS = (
    ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf", 400),
    ("noto_cjk_sans_jp_bold", "NotoSansCJKjp-Bold.otf", 700),
)


@functools.cache
def fonts() -> tuple[tuple[Path, int], ...]:
    """Font files and their weights.

    Raises:
        ToritsugiError: they are not installed.
    """
    found = []
    for package, name, weight in _FONTS:
        try:
            path = Path(str(resources.files(package) / name))
        except ModuleNotFoundError:
            path = Path()
        if not path.is_file():
            raise ToritsugiError(
                f"印刷用の日本語の書体がありません: {name}",
                where=f"Python のパッケージ {package}",
                cure="./toritsugi を一度動かして取り寄せる",
            )
        found.append((path, weight))
    return tuple(found)


def print_pdf(page: str, target: IO[bytes]) -> None:
    """Lay out a page and write it as PDF.

    Raises:
        ToritsugiError: Pango is not on this machine, or the font is missing.
    """
    faces = "".join(
        f"@font-face {{ font-family: '{FAMILY}'; font-weight: {weight}; src: url('{path.as_uri()}'); }}\n"
        for path, weight in fonts()
    )
    css = f"{faces}body, svg text, * {{ font-family: '{FAMILY}', sans-serif !important; }}"
    css += f"@page {{ @top-left {{ font-family: '{FAMILY}'; }} @top-right {{ font-family: '{FAMILY}'; }}"
    css += f" @bottom-left {{ font-family: '{FAMILY}'; }} @bottom-right {{ font-family: '{FAMILY}'; }} }}"
    try:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
    except OSError as problem:
        raise ToritsugiError(
            "PDF を組むための Pango がこの機械にありません",
            where="--format pdf",
            cure="libpango-1.0-0、libpangoft2-1.0-0、libharfbuzz-subset0 を入れるか、html か xlsx を使う",
        ) from problem
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)
    configuration = FontConfiguration()
    sheet = weasyprint.CSS(string=css, font_config=configuration)
    weasyprint.HTML(string=page).write_pdf(target, stylesheets=[sheet], font_config=configuration)
