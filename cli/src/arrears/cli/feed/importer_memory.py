"""How far a file was acknowledged: `.local/import/<hash of the file>.json`.

A file that stopped half-way goes on behind its last acknowledged line. What is remembered counts
only for the very topic it was sent to: a topic that was made anew has another first record.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final, Self

import msgspec
from msgspec import Struct

from arrears.cli.whole_file import written_whole
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.runtime.bus import Bus, OutOfRetention, TopicPartition

_BLOCK_BYTES: Final = 1 << 20


class Mark(Struct, frozen=True, kw_only=True):
    """The first record that this file left on the topic."""

    partition: int
    offset: int
    sha256: str


class Progress(Struct, frozen=True, kw_only=True):
    """`line` is the last line that was acknowledged; `done` when the closings after it were too."""

    line: int = 0
    done: bool = False
    mark: Mark | None = None


class Memory:
    """The progress of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, folder: Path, feed: Path) -> Self:
        return cls(folder / f"{file_hash(feed)}.json")

    def read(self) -> Progress:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Progress)
        except (FileNotFoundError, msgspec.DecodeError):
            # Sent again from the first line on: intake counts what it has as duplicates.
            return Progress()

    def write(self, progress: Progress) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(self.path) as out:
            out.write(msgspec.json.encode(progress))


def file_hash(feed: Path) -> str:
    digest = sha256()
    with feed.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


async def still_there(bus: Bus, mark: Mark) -> bool:
    """Whether the record that the file left first is on the topic still."""
    place = TopicPartition(FEED_TOPIC, mark.partition)
    try:
        found = await bus.read(place, offset=mark.offset, count=1)
    except OutOfRetention:
        # Deleted for its age: the topic is the same one, only older.
        return True
    return bool(found) and sha256(found[0].value).hexdigest() == mark.sha256
