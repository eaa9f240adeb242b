"""Every way in which a command can fail, as one sentence and an exit code.

2 is wrong use: a setting, an argument, a file that is not there. 1 is everything that went wrong
with right use, a broken proof among it. The deep proof alone has 3: not all could be looked at.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
import typer

from arrears.cli.feed.generate import BadFeedSetting
from arrears.cli.feed.lines import BadFeedFile
from arrears.cli.stack.errors import StackError
from arrears.shared.kafka.failures import Unfit
from arrears.shared.kernel.bad_setting import BadSetting
from arrears.shared.runtime.bus import OutOfRetention


class Trouble(Exception):
    """Right use, and it went wrong. The text is the whole message."""

    code = 1


class WrongUse(Trouble):
    """`field` is the argument or setting, `rule` what it must be."""

    code = 2

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")


_WRONG_USE: Final = (BadFeedSetting, BadSetting, BadFeedFile)
_WENT_WRONG: Final = (
    StackError,
    OutOfRetention,
    Unfit,
    ConnectionError,
    PermissionError,
    LookupError,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)


@contextmanager
def told() -> Iterator[None]:
    """Errors that a person can do something about become one line; a defect keeps its trace."""
    try:
        yield
    except Trouble as error:
        raise _end(str(error), error.code) from error
    except _WRONG_USE as error:
        raise _end(str(error), 2) from error
    except UnicodeEncodeError as error:
        # Half of a character, or bytes that are none: nothing can be asked for by such a name.
        raise _end("an argument or a setting is not a text in UTF-8", 2) from error
    except _WENT_WRONG as error:
        raise _end(str(error) or type(error).__name__, 1) from error
    except KeyboardInterrupt as error:
        raise _end("stopped", 130) from error


def printable(text: str) -> str:
    """What somebody has sent must not move the cursor, change colours or turn the writing round."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _end(text: str, code: int) -> typer.Exit:
    typer.echo(f"error: {printable(' '.join(text.split()))}", err=True)
    return typer.Exit(code)
