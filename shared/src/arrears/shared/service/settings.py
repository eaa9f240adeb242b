"""Settings of a service, from `ARREARS_...` variables alone.

| variable | meaning | default |
| --- | --- | --- |
| ARREARS_KAFKA | bootstrap servers (further `ARREARS_KAFKA_...`: see `kafka.settings`) | required |
| ARREARS_POSTGRES | the server, as postgresql://user@host:port/postgres?options | required |
| ARREARS_<SERVICE>_DATABASE | the service's database on it | arrears_<service> |
| ARREARS_KEYSTORE | address of the key store's own database | arrears_keys on the server |
| ARREARS_MASTER_KEY | base64 of 32 bytes; wraps every borrower's keys | required for stages |
| ARREARS_<SERVICE>_LISTEN | host:port of the API | 127.0.0.1:8101 to 8105 |
| ARREARS_CLOCK | live or feed; the first start fixes it for the database | live |
| ARREARS_ZONE | the bank's time zone (IANA) | Asia/Shanghai |
| ARREARS_COUNTRY | whose public holidays count (ISO 3166) | CN |
| ARREARS_TENANT | the bank | bank |
| ARREARS_POLICIES | folder of the bank's own policies: `<service>/*.yaml` | those that ship |
| ARREARS_SANDBOX_SEED | turns the sandbox borrower and court on, with this seed | off |
| ARREARS_API_TOKENS_FILE, ARREARS_API_DEVELOPMENT | who may call (`http.actors`) | nobody |
| ARREARS_LEASE_SECONDS | how long a worker that fell silent keeps its shards | 10 |
| ARREARS_WORKER | a worker's name; who starts again under it has its shards at once | host, pid |

The options of an address of PostgreSQL are those of libpq, such as `sslmode=verify-full` and
`sslrootcert=/etc/ssl/ca.pem`; every database on that server is reached under them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from arrears.shared.kernel.bad_setting import BadSetting, reading_what_it_names
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.host import host_and_port, is_host
from arrears.shared.kernel.ids import TenantId
from arrears.shared.kernel.zones import zone_named
from arrears.shared.runtime.stage import Clock

__all__ = ["PORTS", "BadSetting", "Ground", "Settings", "database_of", "database_url"]

PORTS: Final = {"intake": 8101, "contact": 8102, "mediation": 8103, "legal": 8104, "history": 8105}


_NUMBER: Final = re.compile(r"-?\d{1,9}(\.\d{1,9})?", re.ASCII)
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SSL_FILES: Final = {"sslrootcert", "sslcert", "sslkey", "sslcrl"}
_ADDRESS: Final = "give it as postgresql://user@host:port/postgres"
_DEFAULT_TENANT: Final = TenantId("bank")


@dataclass(frozen=True)
class Ground:
    """What the services of one installation agree on."""

    tenant: TenantId = _DEFAULT_TENANT
    calendar: BankCalendar = field(default_factory=lambda: BankCalendar("Asia/Shanghai"))
    country: str = "CN"
    clock: Clock = "live"
    sandbox_seed: int | None = None
    policies: Path | None = None


@dataclass(frozen=True)
class Settings:
    service: str
    ground: Ground
    server: str = field(repr=False)
    database: str
    keystore: str = field(repr=False)
    host: str
    port: int
    lease_seconds: float

    @property
    def dsn(self) -> str:
        return database_url(self.server, self.database)

    @classmethod
    def from_env(cls, service: str, env: Mapping[str, str]) -> Self:
        """Raises BadSetting with the variable's name and the rule broken."""
        server = _server(env)
        host, port = _listen(env, service)
        return cls(
            service=service,
            ground=_ground(env),
            server=server,
            database=_database(env, service),
            keystore=_keystore(env, server),
            host=host,
            port=port,
            lease_seconds=_number(env, "ARREARS_LEASE_SECONDS", 10.0, least=1.0),
        )


def database_url(server: str, name: str) -> str:
    """The server's address with this database instead of the one that it names, and its options.

    `urlunsplit` would take the two slashes away where no host is named.
    """
    parts = urlsplit(server)
    options = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{name}{options}"


def database_of(address: str) -> str:
    """The database that an address names; empty where it names none."""
    return unquote(urlsplit(address).path.removeprefix("/"))


def _ground(env: Mapping[str, str]) -> Ground:
    zone = env.get("ARREARS_ZONE", "Asia/Shanghai")
    if zone_named(zone) is None:
        raise BadSetting("ARREARS_ZONE", f"{zone!r} is not the name of a time zone")
    seed = env.get("ARREARS_SANDBOX_SEED", "")
    if seed and not (seed.isascii() and seed.isdigit() and len(seed) <= 18):
        raise BadSetting("ARREARS_SANDBOX_SEED", f"{seed!r} is not a whole number")
    tenant = env.get("ARREARS_TENANT", "bank")
    if not (tenant.isascii() and tenant.replace("-", "").isalnum() and len(tenant) <= 64):
        raise BadSetting("ARREARS_TENANT", f"{tenant!r} may have letters, digits and - only")
    return Ground(
        tenant=TenantId(tenant),
        calendar=BankCalendar(zone),
        country=_country(env),
        clock=cast("Clock", _choice(env, "ARREARS_CLOCK", ("live", "feed"), "live")),
        sandbox_seed=int(seed) if seed else None,
        policies=_policies(env),
    )


def _country(env: Mapping[str, str]) -> str:
    """Whether its holidays are known, the service that asks for them says."""
    country = env.get("ARREARS_COUNTRY", "CN")
    if not (country.isascii() and country.isalpha() and country.isupper() and len(country) == 2):
        raise BadSetting("ARREARS_COUNTRY", f"{country!r} is not a code of ISO 3166, such as CN")
    return country


def _policies(env: Mapping[str, str]) -> Path | None:
    """What the files say is read by the service that takes its decisions by them."""
    name, text = "ARREARS_POLICIES", env.get("ARREARS_POLICIES", "")
    if not text:
        return None
    with reading_what_it_names(name):
        folders = [found.name for found in Path(text).iterdir() if found.is_dir()]
    strangers = sorted(set(folders) - PORTS.keys())
    if strangers:
        known = ", ".join(PORTS)
        raise BadSetting(name, f"{strangers[0]!r} in it is none of {known}")
    return Path(text)


def _server(env: Mapping[str, str]) -> str:
    return _address(env.get("ARREARS_POSTGRES", ""), "ARREARS_POSTGRES")


def _keystore(env: Mapping[str, str], server: str) -> str:
    name = "ARREARS_KEYSTORE"
    given = env.get(name)
    if not given:
        return database_url(server, "arrears_keys")
    if not database_of(_address(given, name)):
        raise BadSetting(name, "it names no database: give it as postgresql://user@host:port/name")
    return given


def _address(text: str, name: str) -> str:
    """It may hold a password, so no message repeats it."""
    try:
        parts = urlsplit(text)
        text.encode()
    except ValueError:
        raise BadSetting(name, _ADDRESS) from None
    # None: a socket of this machine. Several: the driver takes the first that answers.
    hosts = parts.netloc.rpartition("@")[2]
    named = not hosts or all(host_and_port(one) or is_host(one) for one in hosts.split(","))
    if not (named and parts.scheme in {"postgresql", "postgres"}):
        raise BadSetting(name, _ADDRESS)
    _check_options(name, dict(parse_qsl(parts.query)))
    return text


def _check_options(name: str, options: Mapping[str, str]) -> None:
    """Those on which a connection would fail as if the server were away."""
    mode = options.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        raise BadSetting(name, f"sslmode must be one of {', '.join(_SSL_MODES)}")
    for option in _SSL_FILES & options.keys():
        try:
            Path(options[option]).open("rb").close()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no path"
            raise BadSetting(name, f"the file of {option} cannot be read: {reason}") from None


def _database(env: Mapping[str, str], service: str) -> str:
    name = f"ARREARS_{service.upper()}_DATABASE"
    database = env.get(name, f"arrears_{service}")
    if not (database.replace("_", "").isalnum() and database.isascii() and len(database) <= 63):
        raise BadSetting(name, f"{database!r} may have letters, digits and _ only")
    return database


def _listen(env: Mapping[str, str], service: str) -> tuple[str, int]:
    name = f"ARREARS_{service.upper()}_LISTEN"
    text = env.get(name, f"127.0.0.1:{PORTS[service]}")
    found = host_and_port(text)
    if found is None:
        raise BadSetting(name, f"{text!r} is not host:port")
    return found


def _choice(env: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise BadSetting(name, f"{value!r} is not one of {', '.join(allowed)}")
    return value


def _number(env: Mapping[str, str], name: str, default: float, *, least: float) -> float:
    text = env.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        raise BadSetting(name, f"{text!r} is not a number")
    if not least <= float(text) <= 3600:
        raise BadSetting(name, f"{text} is not between {least:g} and 3600")
    return float(text)
