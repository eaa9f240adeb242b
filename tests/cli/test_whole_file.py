"""A file is whole or not there; what is no file stays what it is."""

import os
import stat
import threading
from pathlib import Path

import pytest

from arrears.cli.whole_file import written_whole


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "feed.jsonl"
    file.write_bytes(b"old")
    with written_whole(file) as out:
        out.write(b"new")
        out.flush()
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_nothing_is_left_of_half_a_file(tmp_path: Path) -> None:
    def half() -> None:
        with written_whole(tmp_path / "feed.jsonl") as out:
            out.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert not list(tmp_path.iterdir())


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    file, link = tmp_path / "feed.jsonl", tmp_path / "newest"
    file.write_bytes(b"old")
    link.symlink_to(file)
    with written_whole(link) as out:
        out.write(b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_it_is_its_owners_alone_unless_the_file_before_it_was_not(tmp_path: Path) -> None:
    """An export says who owes what."""
    file = tmp_path / "cases.jsonl"
    for mode in (0o600, 0o640):
        with written_whole(file) as out:
            out.write(b"who owes what")
        assert stat.S_IMODE(file.stat().st_mode) == mode
        file.chmod(0o640)


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    """As `/dev/null` does, which would be gone for the whole machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    with written_whole(pipe) as out:
        out.write(b"all of it")
    reader.join(10)
    assert read == [b"all of it"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]
