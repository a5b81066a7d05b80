"""Makes the sample switch of the unit ring importable."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "asterisk_conf"))
