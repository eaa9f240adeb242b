"""Thirty faults on a Kafka and a PostgreSQL of their own, then the laws; `make chaos` does more."""

import json
from collections.abc import Callable

import pytest


@pytest.mark.live
@pytest.mark.timeout(900)
def test_thirty_faults_lose_nothing_and_double_nothing(
    chaos_result: Callable[[], tuple[bytes, bytes]],
) -> None:
    printed, said = chaos_result()
    assert printed, said[-3000:].decode(errors="replace")
    found = json.loads(printed)
    assert [verdict for verdict in found["verdicts"] if not verdict["holds"]] == []
    assert found["faults"] == 30
    assert len(found["kinds"]) >= 10
    assert max(kind["recovered_worst"] for kind in found["kinds"]) < 60
