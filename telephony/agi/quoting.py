"""The only place where text becomes an AGI command line.

Asterisk splits a command at blanks outside quotes; a backslash takes the next sign literally. The buffer is
8192 bytes (22.6 and later); the table of 128 arguments is not checked for overflow (asterisk issue 2069).
"""

from __future__ import annotations

import re

from telephony.agi.errors import AgiBadValue

MAX_BYTES = 8000
_FORBIDDEN = re.compile(r"[\r\n\x00]")


def quote(text: str) -> str:
    """`text` as one AGI argument.

    Raises:
        AgiBadValue: a line break or NUL, which no quoting can carry, or a lone surrogate.
    """
    if _FORBIDDEN.search(text):
        raise AgiBadValue("AGI の引数に改行か NUL が含まれています", cure="値を符号化して渡す")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def command_line(verb: str, *arguments: str) -> bytes:
    """One command as bytes, with its newline. `verb` is ours and taken as it is.

    Raises:
        AgiBadValue: an argument cannot be carried, or the line is too long.
    """
    line = " ".join((verb, *(quote(argument) for argument in arguments)))
    try:
        data = line.encode() + b"\n"
    except UnicodeEncodeError as exc:
        raise AgiBadValue("AGI の引数が文字として正しくありません", where=verb) from exc
    if len(data) > MAX_BYTES:
        raise AgiBadValue(f"AGI の命令が長すぎます ({len(data)} バイト)", where=verb)
    return data
