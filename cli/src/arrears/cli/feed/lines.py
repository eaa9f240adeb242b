"""Reading a feed file: JSON lines, plain or gzip, whatever is in it.

A line may be anything up to megabytes of rubbish. Nothing here holds more of it than a record on
the topic may have; of a longer line its hash, its length and its beginning go on.
"""

import gzip
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

LINE_BYTES_MAX: Final = 900_000
HEAD_BYTES: Final = 4_096
LINE_TOO_LONG: Final = "arrears.importer.line_too_long.v1"
_GZIP: Final = b"\x1f\x8b"
_SPACE: Final = b" \t\r\n"


class BadFeedFile(Exception):
    """The file cannot be read to its end. The message names it and says why."""


class Line(Struct, frozen=True, kw_only=True):
    """`number` counts the lines of the file from 1; `value` is what goes on the topic."""

    number: int
    value: bytes
    too_long: bool = False


def read_feed(path: Path) -> Iterator[Line]:
    """The lines of a file that are not blank. Raises BadFeedFile where it breaks off."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(len(_GZIP)) == _GZIP
            plain.seek(0)
            if not packed:
                yield from read_lines(plain)
                return
            with gzip.open(plain) as unpacked:
                yield from read_lines(unpacked)
    except EOFError as error:
        raise BadFeedFile(f"{path}: the gzip file ends in the middle") from error
    except (OSError, zlib.error) as error:
        raise BadFeedFile(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def read_lines(stream: BinaryIO | gzip.GzipFile) -> Iterator[Line]:
    number = 0
    while text := stream.readline(LINE_BYTES_MAX + 2):
        number += 1
        if not text.endswith(b"\n") and len(text) > LINE_BYTES_MAX:
            yield Line(number=number, value=_stand_in(stream, text), too_long=True)
            continue
        value = text.strip(_SPACE)
        if len(value) > LINE_BYTES_MAX:
            yield Line(number=number, value=_stand_in(stream, text), too_long=True)
        elif value:
            yield Line(number=number, value=value)


def _stand_in(stream: BinaryIO | gzip.GzipFile, text: bytes) -> bytes:
    """Reads the rest of the line; what goes on instead is a CloudEvent that no service knows."""
    digest, length, head = sha256(), 0, text[:HEAD_BYTES]
    while text:
        part = text.rstrip(b"\r\n") if text.endswith(b"\n") else text
        digest.update(part)
        length += len(part)
        text = b"" if text.endswith(b"\n") else stream.readline(LINE_BYTES_MAX)
    # The encoder writes bytes as base64.
    name = digest.hexdigest()
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": name,
            "source": "/arrears/importer",
            "type": LINE_TOO_LONG,
            "datacontenttype": "application/json",
            "data": {"sha256": name, "length_bytes": length, "head_base64": head},
        }
    )
