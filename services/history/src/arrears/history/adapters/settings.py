"""The settings of history, from `ARREARS_…` variables; no other variable is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from arrears.history.adapters.database import database_url

POSTGRES: Final = "ARREARS_POSTGRES"
DATABASE: Final = "ARREARS_HISTORY_DATABASE"
LISTEN: Final = "ARREARS_HISTORY_LISTEN"
ZONE: Final = "ARREARS_ZONE"


class BadSetting(ValueError):
    """A setting is missing or wrong; the text names the variable and the rule."""


_DATABASE: Final = "arrears_history"
_LISTEN: Final = "127.0.0.1:8105"
_ZONE: Final = "Asia/Shanghai"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """`server` is any database of the PostgreSQL server; `database` is ours on it."""

    server: str
    database: str
    host: str
    port: int
    zone: str

    @property
    def dsn(self) -> str:
        return database_url(self.server, self.database)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raises BadSetting with the variable's name and the rule broken."""
        server = env.get(POSTGRES, "")
        if urlsplit(server).scheme not in {"postgresql", "postgres"}:
            raise BadSetting(f"{POSTGRES}: give the server as postgresql://user@host:port/postgres")
        database = env.get(DATABASE, _DATABASE)
        if not (database.replace("_", "").isalnum() and database.isascii()):
            raise BadSetting(f"{DATABASE}: {database!r} may have letters, digits and _ only")
        host, colon, port = env.get(LISTEN, _LISTEN).rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
            raise BadSetting(f"{LISTEN}: {env.get(LISTEN)!r} is not host:port")
        zone = env.get(ZONE, _ZONE)
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise BadSetting(f"{ZONE}: {zone!r} is not the name of a time zone") from None
        return cls(server=server, database=database, host=host, port=int(port), zone=zone)
