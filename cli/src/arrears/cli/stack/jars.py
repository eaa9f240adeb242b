"""The broker's jars.

Resolved from a Maven repository by `jgo`, checked, and kept in `.local/kafka/jars`.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import Folder

COORDINATES = "org.apache.kafka:kafka_2.13:4.1.1+org.slf4j:slf4j-simple:1.7.36"
MIRROR = "ARREARS_MAVEN"
ATTEMPTS_MAX = 3
TIMEOUT_SECONDS = 60


def ensure_jars(folder: Folder, say: Callable[[str], None]) -> Path:
    """Half a download is no download.

    Only a folder with the marker counts, anything else is redone.
    """
    jars = folder.kafka / "jars"
    done = folder.kafka / "jars.done"
    if done.exists() and jars.is_dir():
        return jars
    say("Kafka: fetching the broker's 46 jars (43 MB, once)")
    work = folder.kafka / "jars.partial"
    shutil.rmtree(jars, ignore_errors=True)
    environment = _resolve(work, say)
    jars.mkdir()
    for jar in [*environment.glob("jars/*.jar"), *environment.glob("modules/*.jar")]:
        shutil.copyfile(jar, jars / jar.name)
    check(jars)
    done.touch()
    shutil.rmtree(work, ignore_errors=True)
    return jars


def _resolve(work: Path, say: Callable[[str], None]) -> Path:
    # Slow to import, and needed once in a checkout's life.
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.env import EnvironmentBuilder, LinkStrategy  # noqa: PLC0415
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    repositories = {"central": os.environ.get(MIRROR, MAVEN_CENTRAL_URL).rstrip("/")}
    if MIRROR not in os.environ:
        repositories |= GlobalSettings.load().repositories
    trouble: Exception | None = None
    for _ in range(ATTEMPTS_MAX):
        # A file cut short by the last attempt would be taken for a whole one.
        shutil.rmtree(work, ignore_errors=True)
        context = MavenContext(
            resolver=PythonResolver(progress_callback=_progress(say)),
            repo_cache=work / "repository",
            local_repos=[],
            remote_repos=repositories,
            timeout=TIMEOUT_SECONDS,
        )
        builder = EnvironmentBuilder(
            context, cache_dir=work / "jgo", link_strategy=LinkStrategy.COPY
        )
        try:
            return Path(builder.from_endpoint(COORDINATES).path)
        except Exception as error:  # the network raises whatever it likes
            trouble = error
    raise StackError(
        f"Kafka's jars cannot be fetched ({_first_line(trouble)}): set HTTPS_PROXY to a "
        f"proxy, {MIRROR} to the address of a Maven mirror, or ARREARS_KAFKA to a broker that runs"
    ) from trouble


def _progress(say: Callable[[str], None]) -> Callable[..., object]:
    """One line for each five megabytes: enough to see that it moves."""
    seen = {"bytes": 0, "said": 0}

    @contextmanager
    def follow(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        def add(count: int) -> None:
            seen["bytes"] += count
            if seen["bytes"] - seen["said"] >= 5_000_000:
                seen["said"] = seen["bytes"]
                say(f"Kafka: {seen['bytes'] / 1e6:.0f} MB fetched")

        yield add

    return follow


def check(jars: Path) -> None:
    """The sums are in the checkout: a mirror or proxy that hands out something else is noticed."""
    listed = resources.files("arrears.cli.stack").joinpath("jars.sha256").read_text()
    expected = {line.split()[1]: line.split()[0] for line in listed.splitlines() if line.strip()}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in jars.glob("*.jar")
    }
    wrong = sorted(
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    )
    if wrong:
        raise StackError(
            f"Kafka's jars are not the expected ones ({', '.join(wrong[:3])}): try again"
        )


def _first_line(trouble: Exception | None) -> str:
    return (str(trouble).strip().splitlines() or [type(trouble).__name__])[0][:200]
