"""Files that are whole or not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Written under another name until it is whole: half a file must not look like one.

    A link stays, and what it points to is replaced. What is no file, such as a pipe or `/dev/null`,
    is written to as it is: replaced, it would be gone for everybody. Raises OSError.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as out:
            yield out
        return
    whole = path.resolve()
    partial = whole.with_name(f"{whole.name}.partial")
    try:
        with partial.open("wb") as out:
            yield out
        partial.replace(whole)
    finally:
        partial.unlink(missing_ok=True)
