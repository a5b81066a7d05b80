"""`recording_done.py FOLDER BASE`: MixMonitor's post command. Drops the empty marker `BASE.done` in FOLDER.

Asterisk tells nobody when a recording's files are whole; the marker does. Nothing but the standard library, and
nothing of ours: this runs once a call, while calls are coming in.
"""

import os
import re
import sys

BASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


def main(arguments: list[str]) -> int:
    """The process's exit code: 0 done, 1 the marker cannot be written, 2 wrong arguments."""
    if len(arguments) != 2 or not BASE.fullmatch(arguments[1]) or not os.path.isabs(arguments[0]):
        print("recording_done: FOLDER (absolute) and BASE (letters, digits, . _ -) needed", file=sys.stderr)
        return 2
    folder, base = arguments
    try:
        handle = os.open(
            os.path.join(folder, f"{base}.done"), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o640
        )
    except OSError as exc:
        print(f"recording_done: {folder}: {exc.strerror}", file=sys.stderr)
        return 1
    os.close(handle)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
