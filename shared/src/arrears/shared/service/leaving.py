"""How a program of ours ends when it cannot go on: one line, and an exit code.

2 is a wrong setting or policy; 1 is everything else. What we did not foresee goes to the log by its
kind and its way alone: its text may hold what a borrower or the bank has sent.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
import structlog

from arrears.shared.http.logs import configure_logs, told
from arrears.shared.kafka.failures import NoTopic, Unfit
from arrears.shared.kernel.bad_setting import BadSetting
from arrears.shared.kernel.policy import BadPolicy
from arrears.shared.keyring.master import WrongMasterKey
from arrears.shared.service.drafts import NoDraft
from arrears.shared.service.filling import TopicBroken

NOT_MIGRATED: Final = (asyncpg.InvalidCatalogNameError, asyncpg.UndefinedTableError)
AWAY: Final = (
    OSError,
    Unfit,
    NoTopic,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""What cannot be reached, or does not let us in; the text is the server's, about the connection."""


@contextmanager
def leaving_plainly(service: str, stops: tuple[type[Exception], ...]) -> Iterator[None]:
    """Around a whole command line. `stops` are raised where going on would hide a loss."""
    configure_logs(service)
    try:
        yield
    except (BadSetting, WrongMasterKey) as bad:
        _leave(service, str(bad), 2)
    except BadPolicy as bad:
        _leave(service, f"policy: {bad}", 2)
    except stops as error:
        _leave(service, f"stopped: {error}", 1)
    except (NoDraft, TopicBroken) as error:
        _leave(service, f"not rebuilt: {error}", 1)
    except NOT_MIGRATED as error:
        _leave(service, f"{error}: run `arrears-{service} migrate` first", 1)
    except AWAY as error:
        _leave(service, f"stopped: {str(error) or type(error).__name__}", 1)
    except Exception as error:
        structlog.get_logger(__name__).error("failed", **told(error))
        _leave(service, f"failed: {type(error).__name__}, a defect; the log names its place", 1)


def _leave(service: str, said: str, code: int) -> None:
    print(f"arrears-{service}: {' '.join(said.split())}", file=sys.stderr)
    sys.exit(code)
