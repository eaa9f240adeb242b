"""Thirty faults on a Kafka and a PostgreSQL of their own, then the laws; `make chaos` does more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from arrears.cli.stack import checkout_root

FAULTS = 30
SEED = 4


@pytest.mark.live
@pytest.mark.timeout(900)
def test_thirty_faults_lose_nothing_and_double_nothing() -> None:
    program = Path(sys.executable).parent / "arrears"
    arguments = ["chaos", "--faults", str(FAULTS), "--seed", str(SEED), "--short", "--json"]
    done = subprocess.run(
        [program, *arguments], cwd=checkout_root(), capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert [verdict for verdict in found["verdicts"] if not verdict["holds"]] == []
    assert found["faults"] == FAULTS
    assert len(found["kinds"]) >= 10
    assert max(kind["recovered_worst"] for kind in found["kinds"]) < 60
