"""A training starts without the libraries that it does not use, and hides them from nobody else."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import json, sys
from softalign.training.start_up import without_unused

with without_unused():
    from softalign.training.fit import fit
left_out = [name for name in ("matplotlib", "scipy") if name not in sys.modules]
import matplotlib.pyplot, scipy.signal
from lightning_utilities.core.imports import RequirementCache
print(json.dumps([left_out, bool(RequirementCache("scipy")), callable(fit)]))
"""


def test_lightning_comes_without_them_and_they_are_there_afterwards() -> None:
    printed = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout
    assert json.loads(printed) == [["matplotlib", "scipy"], True, True]
