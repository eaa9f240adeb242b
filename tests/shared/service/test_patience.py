"""A server that is away at the start is awaited; what is wrong in another way is told at once."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
from structlog.testing import capture_logs

from arrears.shared.service import patience
from arrears.shared.service.patience import once_there

AWAY: Sequence[Exception] = (
    ConnectionRefusedError(),
    TimeoutError(),
    asyncpg.CannotConnectNowError(),
    asyncpg.ReadOnlySQLTransactionError(),
    OSError("no route"),
)


class Server:
    """Answers after these troubles."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)
        self.left = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        if self.troubles:
            raise self.troubles.pop(0)
        try:
            yield "there"
        finally:
            self.left += 1


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_SECONDS", 0)
    monkeypatch.setattr(patience, "_LONGEST_SECONDS", 0)


async def test_it_goes_on_when_the_server_is_there() -> None:
    server = Server(*AWAY)
    with capture_logs() as logs:
        async with once_there(server.opened) as found:
            assert (found, server.left) == ("there", 0)
    assert server.left == 1
    assert [log["error"] for log in logs] == [type(error).__name__ for error in AWAY]


async def test_what_is_wrong_otherwise_is_not_tried_again() -> None:
    server = Server(asyncpg.InvalidPasswordError(), ConnectionRefusedError())
    with pytest.raises(asyncpg.InvalidPasswordError):
        async with once_there(server.opened):
            pass
    assert len(server.troubles) == 1


async def test_it_gives_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "START_SECONDS", 0)
    with pytest.raises(ConnectionRefusedError):
        async with once_there(Server(ConnectionRefusedError()).opened):
            pass


async def test_what_happens_later_is_no_reason_to_open_again() -> None:
    server = Server()
    with pytest.raises(ConnectionResetError):
        async with once_there(server.opened):
            raise ConnectionResetError
    assert server.left == 1
