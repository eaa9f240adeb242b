"""`.local/stack.json`.

What was started from this checkout, so that a later command finds it and no other.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import Folder
from arrears.cli.stack.processes import Running
from arrears.cli.whole_file import written_whole


class Record(msgspec.Struct):
    """Ports outlive the processes, so that an address noted down by someone stays right."""

    kafka: Running | None = None
    kafka_port: int | None = None
    kafka_controller_port: int | None = None
    kafka_front: tuple[int, int] | None = None
    """A second listener, and the port that it tells clients instead: something stands between."""
    postgres: Running | None = None
    postgres_port: int | None = None
    compose_project: str | None = None
    """Whose containers and volumes are there; `compose_runs`: and were not stopped."""
    compose_runs: bool = False
    processes: dict[str, Running] = msgspec.field(default_factory=dict)


def read(folder: Folder) -> Record:
    try:
        return msgspec.json.decode(folder.record.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record()
    except msgspec.DecodeError as error:
        raise StackError(
            f"{folder.record} cannot be read ({error}): move it away; what it named may still run"
        ) from error


@contextmanager
def change(folder: Folder) -> Iterator[Record]:
    """Read, change and write under a lock; the rename makes a crash leave the old record whole."""
    with folder.only_one("record"):
        record = read(folder)
        yield record
        with written_whole(folder.record) as out:
            out.write(msgspec.json.format(msgspec.json.encode(record)))
