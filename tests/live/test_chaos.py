"""Thirty faults on a Kafka and a PostgreSQL of their own, then the laws; `make chaos` does more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from arrears.cli.stack import checkout_root

SHORT = ("chaos", "--faults", "30", "--seed", "4", "--short", "--json")
ENDS_SECONDS = 60


@pytest.mark.live
@pytest.mark.timeout(900)
def test_thirty_faults_lose_nothing_and_double_nothing() -> None:
    printed, said = _chaos()
    assert printed, said[-3000:].decode(errors="replace")
    found = json.loads(printed)
    assert [verdict for verdict in found["verdicts"] if not verdict["holds"]] == []
    assert found["faults"] == 30
    assert len(found["kinds"]) >= 10
    assert max(kind["recovered_worst"] for kind in found["kinds"]) < 60


def _chaos() -> tuple[bytes, bytes]:
    """What it printed, and what it said on the error stream; told to end, it stops its servers."""
    program = Path(sys.executable).parent / "arrears"
    with subprocess.Popen(
        [program, *SHORT], cwd=checkout_root(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as chaos:
        try:
            return chaos.communicate()
        finally:
            if chaos.poll() is None:
                chaos.terminate()
                chaos.wait(ENDS_SECONDS)
