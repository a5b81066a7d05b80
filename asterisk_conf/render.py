"""Deterministic text from the model: every `*.conf`, and the dialplan by phase of the call.

Templates are Jinja2 with undefined names as errors; the dialplan fragments of `dialplans/` are used as they are,
because what differs from city to city reaches them as globals and rendered contexts.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asterisk_conf.model import Switch

_TEMPLATES = Path(__file__).parent / "templates"
_DIALPLANS = Path(__file__).parent.parent / "dialplans"

HEADER = "; Rendered by Toritsugi from the city's profile. Changes made here are lost.\n"


def render(switch: Switch) -> dict[str, str]:
    """File name → text of every configuration file."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - configuration text, not HTML; the model admits ASCII names only
    )
    files: dict[str, str] = {}
    for name in sorted(environment.list_templates(extensions=["j2"])):
        files[name.removesuffix(".j2")] = HEADER + environment.get_template(name).render(switch=switch)
    for path in sorted(_DIALPLANS.glob("*.conf")):
        files[f"dialplans/{path.name}"] = path.read_text(encoding="utf-8")
    return files


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write the files into `folder` so that a reader never sees half of one; files no longer rendered go away."""
    staging = folder.with_name(folder.name + ".new")
    shutil.rmtree(staging, ignore_errors=True)
    for name, text in files.items():
        path = staging / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)  # manager.conf and pjsip.conf hold secrets
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {Path(name) for name in files}
    for file in wanted:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        os.replace(staging / file, folder / file)
    for path in sorted(folder.rglob("*.conf")):
        if path.relative_to(folder) not in wanted:
            path.unlink()
    shutil.rmtree(staging, ignore_errors=True)
