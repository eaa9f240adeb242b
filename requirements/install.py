"""Set up `.local/venv` from the locked requirements, and the packages of this checkout on top.

Only the standard library is used, since nothing else is there yet. Nothing outside the checkout is
written: the caches stand in `.local/cache`. A stamp with the digest of all that was asked for makes
a second run free.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
VENV = LOCAL / "venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".arrears-setup"
LOCKS = [ROOT / "requirements" / f"{name}.txt" for name in ("run", "local", "build", "dev", "uv")]
SERVICES = ("intake", "contact", "mediation", "legal", "history")
MEMBERS = [ROOT / "shared", ROOT / "cli", *(ROOT / "services" / name for name in SERVICES)]
ROOM_NEEDED = 1_500_000_000
REGISTRY_HINT = (
    "The packages come from the registry of your pip settings: set PIP_INDEX_URL to a "
    "mirror, or HTTPS_PROXY to a proxy, and PIP_CERT where that needs a certificate of its own."
)


class SetupFailed(Exception):
    """One sentence for the person at the terminal."""


def main() -> int:
    try:
        digest = _digest()
        if _is_done(digest):
            return 0
        _check_room()
        _make_venv()
        _install()
        STAMP.write_text(digest)
    except SetupFailed as failed:
        print(f"setup: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: interrupted; run it again, it goes on from here", file=sys.stderr)
        return 130
    print("setup: done")
    return 0


def _digest() -> str:
    """The place counts too: a checkout that was moved has a dead environment."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in [Path(__file__), *LOCKS, *(member / "pyproject.toml" for member in MEMBERS)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_done(digest: str) -> bool:
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == digest


def _check_room() -> None:
    try:
        LOCAL.mkdir(exist_ok=True)
        (LOCAL / ".writable").touch()
        (LOCAL / ".writable").unlink()
    except OSError as error:
        raise SetupFailed(
            f"cannot write to {LOCAL} ({error.strerror}): own the checkout, or copy it"
        ) from error
    free = shutil.disk_usage(LOCAL).free
    if not VENV.exists() and free < ROOM_NEEDED:
        raise SetupFailed(
            f"no room for {LOCAL}: {ROOM_NEEDED / 1e9:.1f} GB needed, {free / 1e9:.2f} GB free"
        )


def _make_venv() -> None:
    if STAMP.exists():
        STAMP.unlink()
    if PYTHON.exists() and _answers(PYTHON):
        return
    print(
        f"setup: virtual environment in .local/venv (Python {sys.version.split()[0]})", flush=True
    )
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise SetupFailed(
            "this Python cannot make a virtual environment (Debian, Ubuntu: install python3-venv). "
            + " ".join((made.stdout + made.stderr).split())[:300]
        )


def _answers(python: Path) -> bool:
    """A base interpreter that was removed leaves links behind that lead nowhere."""
    try:
        return (
            subprocess.run(
                [python, "-c", "import pip"], capture_output=True, check=False
            ).returncode
            == 0
        )
    except OSError:
        return False


def _install() -> None:
    environment = _environment()
    print("setup: installer (uv), checked by hash", flush=True)
    fetched = _run(_pip("-r", str(ROOT / "requirements" / "uv.txt")), environment)
    locks = [argument for lock in LOCKS for argument in ("-r", str(lock))]
    print("setup: packages, checked by hash (250 MB the first time, a minute or two)", flush=True)
    if not (fetched and _run(_uv("sync", *map(str, LOCKS)), environment)):
        print("setup: uv could not; once more with pip", flush=True)
        if not _run(_pip(*locks), environment):
            raise SetupFailed("the packages could not be fetched (see above). " + REGISTRY_HINT)
    editable = [argument for member in MEMBERS for argument in ("-e", str(member))]
    print("setup: the packages of this checkout", flush=True)
    if not _run([*_pip_base(), "--no-deps", "--no-build-isolation", *editable], environment):
        raise SetupFailed("the packages of this checkout could not be installed (see above)")


def _pip_base() -> list[str]:
    return [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _pip(*arguments: str) -> list[str]:
    return [*_pip_base(), "--require-hashes", "--only-binary", ":all:", *arguments]


def _uv(verb: str, *arguments: str) -> list[str]:
    uv = str(VENV / "bin" / "uv")
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    common = ["--python", str(PYTHON), "--require-hashes", "--no-build"]
    return [uv, *quiet, "pip", verb, *common, *arguments]


def _environment() -> dict[str, str]:
    """uv has settings of its own.

    It is told what pip was told, so that one mirror setting is enough.
    """
    environment = dict(os.environ)
    environment["PIP_CACHE_DIR"] = str(LOCAL / "cache" / "pip")
    environment["UV_CACHE_DIR"] = str(LOCAL / "cache" / "uv")
    environment["UV_NO_CONFIG"] = "1"
    pip_says = _pip_settings(environment)
    for pip_name, uv_name in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("cert", "SSL_CERT_FILE"),
        ("trusted-host", "UV_INSECURE_HOST"),
    ):
        value = environment.get("PIP_" + pip_name.upper().replace("-", "_")) or pip_says.get(
            pip_name
        )
        if value:
            environment.setdefault(uv_name, value)
    return environment


def _pip_settings(environment: dict[str, str]) -> dict[str, str]:
    listed = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.partition(".")
        if section in ("global", "install"):
            found[key] = value.strip().strip("'\"")
    return found


def _run(command: list[str], environment: dict[str, str]) -> bool:
    try:
        return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode == 0
    except OSError as error:
        print(f"setup: {command[0]}: {error.strerror}", file=sys.stderr)
        return False


if __name__ == "__main__":
    sys.exit(main())
