"""Named children: a name runs once, survives its starter, and is ended by name."""

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from arrears.cli.stack import StackError, Supervisor, record
from arrears.cli.stack.folder import Folder
from arrears.cli.stack.processes import Running

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    (tmp_path / ".local").mkdir()
    return Supervisor(tmp_path)


class TestStart:
    def test_a_name_runs_once(self, supervisor: Supervisor) -> None:
        first = supervisor.start("contact", SLEEPER)
        with pytest.raises(StackError, match="runs already"):
            supervisor.start("contact", SLEEPER)
        assert supervisor.find("contact") == first
        supervisor.stop_all()

    def test_another_command_finds_it_by_name(self, supervisor: Supervisor) -> None:
        process = supervisor.start("contact", SLEEPER)
        assert Supervisor(supervisor.folder.root).find("contact") == process
        assert Supervisor(supervisor.folder.root).stop_all() == ["contact"]
        assert not supervisor.alive("contact")

    def test_a_program_that_is_not_there_is_one_sentence(self, supervisor: Supervisor) -> None:
        with pytest.raises(StackError, match="cannot be started"):
            supervisor.start("contact", ["/nowhere/arrears-contact"])

    def test_the_environment_is_laid_over_the_callers(self, supervisor: Supervisor) -> None:
        show = "import os; print(os.environ['ARREARS_SHARDS'], 'PATH' in os.environ)"
        supervisor.start("contact", [sys.executable, "-c", show], env={"ARREARS_SHARDS": "16"})
        assert supervisor.wait("contact", 10.0)
        assert supervisor.why_it_ended("contact") == "16 True"


class TestKill:
    def test_it_can_be_started_again_at_once(self, supervisor: Supervisor) -> None:
        first = supervisor.start("contact", SLEEPER)
        assert supervisor.kill("contact")
        assert not supervisor.alive("contact")
        assert supervisor.start("contact", SLEEPER) != first
        supervisor.stop_all()

    def test_what_does_not_run_cannot_be_killed(self, supervisor: Supervisor) -> None:
        assert not supervisor.kill("legal")
        assert supervisor.stop("legal")


class TestRecord:
    def test_a_process_of_another_boot_is_not_ours(self, supervisor: Supervisor) -> None:
        with record.change(supervisor.folder) as held:
            held.processes["contact"] = Running(pid=1, birth="another boot:1")
        assert not supervisor.alive("contact")
        assert supervisor.stop_all() == []

    def test_a_crash_while_writing_leaves_the_old_record(self, supervisor: Supervisor) -> None:
        with record.change(supervisor.folder) as held:
            held.kafka_port = 9092
        with suppress(RuntimeError), record.change(supervisor.folder) as held:
            held.kafka_port = 1
            raise RuntimeError
        assert record.read(supervisor.folder).kafka_port == 9092

    def test_an_unreadable_record_is_one_sentence(self, tmp_path: Path) -> None:
        (tmp_path / ".local").mkdir()
        (tmp_path / ".local" / "stack.json").write_text("{")
        with pytest.raises(StackError, match="move it away"):
            record.read(Folder(tmp_path))
