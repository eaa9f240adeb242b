"""The broker's jars: fetched from a Maven repository by `jgo`, checked, and kept.

Which jars, and their sums, is locked in `jars.lock`: a mirror or proxy that hands out something
else is noticed, and the half minute that resolving takes is saved.
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import Folder

MIRROR = "ARREARS_MAVEN"
ATTEMPTS_MAX = 3
AT_ONCE = 6
TIMEOUT_SECONDS = 60
SAY_EVERY = 10_000_000


class Jar(msgspec.Struct, frozen=True):
    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def ensure_jars(folder: Folder, say: Callable[[str], None]) -> Path:
    """Half a download is no download: only the marker counts, and only checked jars are kept."""
    jars = folder.kafka / "jars"
    done = folder.kafka / "jars.done"
    listed = resources.files("arrears.cli.stack").joinpath("jars.lock").read_text()
    if done.exists() and done.read_text() == listed:
        return jars
    jars.mkdir(exist_ok=True)
    wanted = locked(listed)
    for stranger in {path.name for path in jars.iterdir()} - {jar.name for jar in wanted}:
        (jars / stranger).unlink()
    missing = [jar for jar in wanted if not is_right(jars / jar.name, jar)]
    say(f"Kafka: fetching {len(missing)} jars (43 MB in all, once)")
    work = folder.kafka / "jars.partial"
    try:
        _fetch(missing, jars, work, say)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    done.write_text(listed)
    return jars


def locked(listed: str) -> list[Jar]:
    rows = [line.split() for line in listed.splitlines() if line and not line.startswith("#")]
    return [Jar(sha256, *coordinate.split(":")) for sha256, coordinate in rows]


def is_right(path: Path, jar: Jar) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256
    except OSError:
        return False


def _fetch(missing: list[Jar], jars: Path, work: Path, say: Callable[[str], None]) -> None:
    repositories = _repositories()
    shutil.rmtree(work, ignore_errors=True)
    fetched = 0
    lock = threading.Lock()

    def fetch(jar: Jar) -> None:
        nonlocal fetched
        path = _download(jar, repositories, work)
        with lock:
            before, fetched = fetched, fetched + path.stat().st_size
            os.replace(path, jars / jar.name)
            if before // SAY_EVERY != fetched // SAY_EVERY:
                say(f"Kafka: {fetched / 1e6:.0f} MB")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            list(pool.map(fetch, missing))
        except Exception as error:
            pool.shutdown(wait=True, cancel_futures=True)
            raise StackError(
                f"Kafka's jars cannot be fetched ({_first_line(error)}): set HTTPS_PROXY to a "
                f"proxy, {MIRROR} to the address of a Maven mirror, or ARREARS_KAFKA to a "
                "broker that runs"
            ) from error


def _repositories() -> dict[str, str]:
    """A mirror named by our variable, else what jgo's own settings say, else the usual one."""
    from jgo.config import GlobalSettings  # noqa: PLC0415  slow to import, and seldom needed
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415

    mirror = os.environ.get(MIRROR)
    if mirror:
        return {"central": mirror.rstrip("/")}
    configured: dict[str, str] = GlobalSettings.load().repositories
    return {**configured, "central": configured.get("central", MAVEN_CENTRAL_URL)}


def _download(jar: Jar, repositories: dict[str, str], work: Path) -> Path:
    from jgo.maven import MavenContext  # noqa: PLC0415  slow to import, and seldom needed

    trouble: Exception | None = None
    for attempt in range(ATTEMPTS_MAX):
        # A repository of its own for each attempt: jgo takes a file cut short for a whole one.
        context: Any = MavenContext(
            repo_cache=work / f"{jar.artifact}-{attempt}",
            local_repos=[],
            remote_repos=repositories,
            timeout=TIMEOUT_SECONDS,
        )
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        try:
            path = Path(component.artifact().resolve())
        except Exception as error:  # the network raises whatever it likes
            trouble = error
            continue
        if is_right(path, jar):
            return path
        trouble = StackError(f"{jar.name} is not the expected file")
    assert trouble is not None
    raise trouble


def _first_line(trouble: Exception) -> str:
    return (str(trouble).strip().splitlines() or [type(trouble).__name__])[0][:200]
