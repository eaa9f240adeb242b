"""Who is calling. A bearer token names a member of staff; in development a header may.

Tokens are given in a file that holds only their SHA-256, one line each: `hash staff role,role`. It
is read again when it changes, so whoever is struck out is refused from the next request on.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

import structlog
from fastapi import Request
from msgspec import Struct

from arrears.shared.http.problem import ProblemRaised
from arrears.shared.kernel.bad_setting import BadSetting, reading_what_it_names
from arrears.shared.kernel.ids import StaffId

log = structlog.get_logger(__name__)

ROLES: Final = frozenset({"collector", "mediator", "lawyer", "ops", "auditor", "service"})
STAFF_HEADER: Final = "X-Staff-Id"
TOKENS_VARIABLE: Final = "ARREARS_API_TOKENS_FILE"
DEVELOPMENT_VARIABLE: Final = "ARREARS_API_DEVELOPMENT"
_STAFF_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NOBODY: Final = StaffId("development")


class Actor(Struct, frozen=True):
    staff_id: StaffId
    roles: frozenset[str]


class Actors(Protocol):
    def reader(self, request: Request) -> Actor:
        """Who reads. Raises a 401 problem."""

    def writer(self, request: Request) -> Actor:
        """Who gives a command. Raises a 401 problem."""

    def is_known(self, staff_id: StaffId, role: str) -> bool:
        """Whether somebody of that name has the role."""


class DevelopmentActors:
    """Believes the header `X-Staff-Id`; reads need none. Only where it is switched on by name."""

    def reader(self, request: Request) -> Actor:
        return self.writer(request) if STAFF_HEADER in request.headers else Actor(_NOBODY, ROLES)

    def writer(self, request: Request) -> Actor:
        staff_id = request.headers.get(STAFF_HEADER, "")
        if not _STAFF_ID.fullmatch(staff_id):
            raise _unknown(f"Name the member of staff in the header {STAFF_HEADER}.")
        return Actor(StaffId(staff_id), ROLES)

    def is_known(self, staff_id: StaffId, role: str) -> bool:
        return True


class TokenActors:
    def __init__(self, actors_by_hash: Mapping[str, Actor]) -> None:
        self._actors = dict(actors_by_hash)

    @classmethod
    def from_text(cls, text: str) -> "TokenActors":
        actors = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = line.split()
            roles = frozenset(parts[2].split(",")) if len(parts) == 3 else frozenset()
            if not (roles and _SHA256.fullmatch(parts[0]) and _STAFF_ID.fullmatch(parts[1])):
                raise BadSetting(TOKENS_VARIABLE, f"line {number} is not `sha256 staff roles`")
            if unknown := roles - ROLES:
                rule = f"line {number}: unknown role {min(unknown)}"
                raise BadSetting(TOKENS_VARIABLE, rule)
            if parts[0] in actors:
                # Whoever bears it would go by the name of the last line, whosever it is.
                raise BadSetting(TOKENS_VARIABLE, f"line {number}: the token of an earlier line")
            actors[parts[0]] = Actor(StaffId(parts[1]), roles)
        return cls(actors)

    def reader(self, request: Request) -> Actor:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            digest = sha256(token.strip().encode("utf-8", "surrogateescape")).hexdigest()
            if (actor := self._actors.get(digest)) is not None:
                return actor
        raise _unknown("Give a bearer token in the header Authorization.")

    def writer(self, request: Request) -> Actor:
        return self.reader(request)

    def is_known(self, staff_id: StaffId, role: str) -> bool:
        return any(
            actor.staff_id == staff_id and role in actor.roles for actor in self._actors.values()
        )


class TokensFile:
    """The tokens of a file. One that has gone or is wrong changes nothing, and the log says so."""

    def __init__(self, path: Path) -> None:
        """Raises BadSetting where it cannot be read or is wrong."""
        self._path = path
        self._seen = self._look()
        self._tokens = self._read()

    def reader(self, request: Request) -> Actor:
        return self._newest().reader(request)

    def writer(self, request: Request) -> Actor:
        return self._newest().writer(request)

    def is_known(self, staff_id: StaffId, role: str) -> bool:
        return self._newest().is_known(staff_id, role)

    def _newest(self) -> TokenActors:
        # Looked at before it is read: what is written meanwhile is read with the next request.
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._tokens = self._read()
            except BadSetting as error:
                log.error("tokens_not_read", rule=str(error))
            else:
                log.info("tokens_read_again")
        return self._tokens

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except (OSError, ValueError):
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> TokenActors:
        with reading_what_it_names(TOKENS_VARIABLE):
            return TokenActors.from_text(self._path.read_text(encoding="utf-8"))


def must_have(actor: Actor, *roles: str) -> Actor:
    """The caller. Raises a 403 problem where it has none of the roles."""
    if actor.roles.isdisjoint(roles):
        detail = f"This needs the role {' or '.join(roles)}."
        raise ProblemRaised(403, "role_missing", detail)
    return actor


def actors_from_env(env: Mapping[str, str]) -> Actors:
    """Raises BadSetting with the variable to set. Without one of the two nobody is believed."""
    if path := env.get(TOKENS_VARIABLE):
        return TokensFile(Path(path))
    wanted = env.get(DEVELOPMENT_VARIABLE, "no")
    if wanted not in {"yes", "no"}:
        raise BadSetting(DEVELOPMENT_VARIABLE, "must be yes or no")
    return DevelopmentActors() if wanted == "yes" else TokenActors({})


def _unknown(detail: str) -> ProblemRaised:
    return ProblemRaised(401, "who_are_you", detail, headers={"WWW-Authenticate": "Bearer"})
