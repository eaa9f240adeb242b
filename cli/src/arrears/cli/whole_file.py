"""Files that are whole or not there."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Written under another name until it is whole: half a file must not look like one.

    A new one is for its owner alone: it may say who owes what. One that replaces another is for
    whom that was.

    A link stays, and what it points to is replaced. What is no file, such as a pipe or `/dev/null`,
    is written to as it is: replaced, it would be gone for everybody. Raises OSError.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as out:
            yield out
        return
    whole = path.resolve()
    partial = whole.with_name(f"{whole.name}.partial")
    mode = stat.S_IMODE(whole.stat().st_mode) if whole.exists() else 0o600
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            os.fchmod(descriptor, mode)
            yield out
        partial.replace(whole)
    finally:
        partial.unlink(missing_ok=True)
