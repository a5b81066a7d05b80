"""The launcher's slow path: `python3 -m runtime.install.bootstrap ROOT TOOLS [COMMAND…]` on a bare python3.

Makes `TOOLS/venv` from `ROOT/requirements.lock`, every file checked against its hash, and meanwhile brings
what the command will need. The stamp is written last: an interrupted run is taken up again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.install.ensure import COMMAND_TOOLS, ensure_all
from runtime.install.environment import Environment
from runtime.install.errors import InstallError
from runtime.install.machine import make_folder, require_space, this_machine

NEEDED_BYTES = 3_000_000_000


def main(arguments: Sequence[str]) -> int:
    """Make the environment; returns the exit status."""
    root, tools, command = Path(arguments[0]), Path(arguments[1]), list(arguments[2:])
    try:
        this_machine()
        make_folder(tools)
        require_space(tools, NEEDED_BYTES)
        environment = Environment(root=root, tools=tools)
        wanted = COMMAND_TOOLS.get(command[0], frozenset()) if command else frozenset()
        ensure_all(wanted, tools, extra=[environment.task()])
    except InstallError as error:
        print(f"\n  {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\n中断しました。もう一度実行すると続きから始まります / interrupted; run again to resume",
            file=sys.stderr,
        )
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
