"""Our own service processes by name.

Started, stopped, killed, and known again by a later command.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from arrears.cli.stack import processes, record
from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import Folder
from arrears.cli.stack.processes import Running

PATIENCE = 20.0


class Supervisor:
    """Named children of one checkout.

    A name runs once; its output is in `.local/log/<name>.log`.
    """

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Running:
        """`env` is laid over the caller's environment.

        Already running under this name is an error.
        """
        self.folder.logs.mkdir(parents=True, exist_ok=True)
        with record.change(self.folder) as held:
            if processes.is_alive(held.processes.get(name)):
                raise StackError(
                    f"{name} runs already (pid {held.processes[name].pid}): stop it first"
                )
            try:
                process = processes.spawn(
                    list(arguments),
                    self.log(name),
                    cwd=cwd or self.folder.root,
                    env={**os.environ, **(env or {})},
                )
            except OSError as error:
                raise StackError(
                    f"{name} cannot be started: {arguments[0]}: {error.strerror}"
                ) from error
            held.processes[name] = process
        return process

    def stop(self, name: str, patience: float = PATIENCE) -> bool:
        """SIGTERM, wait, SIGKILL. True where it ended by itself; also where it did not run."""
        process = self.find(name)
        ended = True if process is None else processes.end(process, patience)
        self._forget(name)
        return ended

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> bool:
        """Without a warning, as a crash would. False where it did not run."""
        process = self.find(name)
        if process is None or not processes.send(process, number):
            return False
        if number is signal.SIGKILL:
            processes.wait_gone(process, PATIENCE)
            self._forget(name)
        return True

    def stop_all(self, patience: float = PATIENCE) -> list[str]:
        """All are asked at once and then waited for.

        Five services do not take five times as long.
        """
        names = [name for name, process in self.held().items() if processes.is_alive(process)]
        for name in names:
            processes.send(self.held()[name], signal.SIGTERM)
        for name in names:
            self.stop(name, patience)
        return names

    def find(self, name: str) -> Running | None:
        process = self.held().get(name)
        return process if processes.is_alive(process) else None

    def alive(self, name: str) -> bool:
        return self.find(name) is not None

    def wait(self, name: str, patience: float) -> bool:
        """True where it has ended within the time."""
        process = self.find(name)
        return process is None or processes.wait_gone(process, patience)

    def held(self) -> dict[str, Running]:
        return record.read(self.folder).processes

    def log(self, name: str) -> Path:
        return self.folder.logs / f"{name}.log"

    def why_it_ended(self, name: str) -> str:
        return processes.last_words(self.log(name))

    def _forget(self, name: str) -> None:
        with record.change(self.folder) as held:
            if not processes.is_alive(held.processes.get(name)):
                held.processes.pop(name, None)
