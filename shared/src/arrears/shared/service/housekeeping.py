"""Forgetting what may not be kept: expired bytes of refused input, answers nobody asks for again.

A worker comes here once an hour. A step deletes a bounded batch and says whether there is more, so
that no transaction is long; two workers do not wait for each other.
"""

from datetime import timedelta
from typing import Final

import asyncpg

from arrears.shared.http.idempotency import PostgresAnswers

EVERY_SECONDS: Final = 3600.0
AGAIN_SECONDS: Final = 5.0
"""After a full batch."""
BATCH: Final = 1000
ANSWERS_KEPT_FOR: Final = timedelta(days=7)
"""How long a client may repeat a command and be given the same answer."""
_FORGET_BYTES: Final = """
    UPDATE refused SET value = NULL WHERE number IN (
        SELECT number FROM refused WHERE bytes_expire_at < now() AND value IS NOT NULL
        ORDER BY bytes_expire_at LIMIT $1 FOR UPDATE SKIP LOCKED)
"""


class Housekeeping:
    """Reason, field and origin of a refused input stay; only its bytes go."""

    def __init__(self, pool: asyncpg.Pool, *, batch: int = BATCH) -> None:
        self._pool = pool
        self._answers = PostgresAnswers(pool)
        self._batch = batch

    async def step(self) -> bool:
        """True where a batch was full, so that there may be more."""
        done = await self._pool.execute(_FORGET_BYTES, self._batch)
        bytes_count = int(done.rpartition(" ")[2])
        answers_count = await self._answers.forget(ANSWERS_KEPT_FOR, limit=self._batch)
        return max(bytes_count, answers_count) >= self._batch
