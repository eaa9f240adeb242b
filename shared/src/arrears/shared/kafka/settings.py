"""How to reach Kafka: addresses, TLS, SASL, and the promises asked of its topics.

Everything comes from `ARREARS_KAFKA…` variables handed in as a mapping; no other variable is read.
A variable that is not known here is an error, so that a typing mistake cannot switch TLS off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Any, Final, Self

from arrears.shared.kernel.bad_setting import BadSetting, reading_what_it_names
from arrears.shared.kernel.host import host_and_port

__all__ = ["PREFIX", "BadSetting", "KafkaSettings"]

PREFIX: Final = "ARREARS_KAFKA"
DIGITS_MAX: Final = 9
_SECURITY: Final = {
    "plaintext": "PLAINTEXT",
    "tls": "SSL",
    "sasl_plaintext": "SASL_PLAINTEXT",
    "sasl_tls": "SASL_SSL",
}
_MECHANISMS: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")
_COMPRESSIONS: Final = ("none", "lz4", "zstd", "snappy", "gzip")
_NAMES: Final = frozenset(
    {
        PREFIX,
        *(
            f"{PREFIX}_{name}"
            for name in (
                "SECURITY",
                "CA_FILE",
                "CERT_FILE",
                "KEY_FILE",
                "KEY_PASSWORD",
                "SASL_MECHANISM",
                "USER",
                "PASSWORD",
                "PASSWORD_FILE",
                "REPLICATION",
                "MIN_INSYNC",
                "COMPRESSION",
                "FEED_PARTITIONS",
                "FEED_RETENTION_DAYS",
            )
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """`replication` and `min_insync` are 1 on one broker; production has 3 and 2.

    A connection that was not used for `idle_seconds` is made anew. It may be lost in silence, and
    services that wait for one another would find that out one after the other, `request_seconds`
    each.
    """

    servers: str
    security: str = "plaintext"
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: str | None = field(default=None, repr=False)
    sasl_mechanism: str = "SCRAM-SHA-512"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    replication: int = 1
    min_insync: int = 1
    compression: str = "none"
    feed_partitions: int = 4
    feed_retention_days: int = 30
    fetch_wait_ms: int = 250
    fetch_min_bytes: int = 1
    stall_seconds: float = 10.0
    request_seconds: float = 10.0
    idle_seconds: float = 5.0
    publish_seconds: float = 30.0
    commit_seconds: float = 1.0

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Reads the mapping; raises BadSetting with the variable's name and the rule broken."""
        for name in sorted(env):
            if name.startswith(f"{PREFIX}_") and name not in _NAMES:
                raise BadSetting(name, "is not a known setting")
        servers = env.get(PREFIX, "").strip()
        _check_servers(servers)
        security = _one_of(env, "SECURITY", tuple(_SECURITY), "plaintext")
        user, password = env.get(f"{PREFIX}_USER"), _password(env)
        if security.startswith("sasl"):
            for name, value in (("USER", user), ("PASSWORD", password)):
                if not value:
                    raise BadSetting(f"{PREFIX}_{name}", f"is needed with security {security}")
        cert_file, key_file = env.get(f"{PREFIX}_CERT_FILE"), env.get(f"{PREFIX}_KEY_FILE")
        if key_file and not cert_file:
            raise BadSetting(f"{PREFIX}_CERT_FILE", "is needed beside the key file")
        replication = _count(env, "REPLICATION", 1, 1, 9)
        return cls(
            servers=servers,
            security=security,
            ca_file=env.get(f"{PREFIX}_CA_FILE"),
            cert_file=cert_file,
            key_file=key_file,
            key_password=env.get(f"{PREFIX}_KEY_PASSWORD"),
            sasl_mechanism=_one_of(env, "SASL_MECHANISM", _MECHANISMS, "SCRAM-SHA-512"),
            user=user,
            password=password,
            replication=replication,
            min_insync=_count(env, "MIN_INSYNC", 2 if replication > 2 else 1, 1, replication),
            compression=_one_of(env, "COMPRESSION", _COMPRESSIONS, "none"),
            feed_partitions=_count(env, "FEED_PARTITIONS", 4, 1, 512),
            feed_retention_days=_count(env, "FEED_RETENTION_DAYS", 30, 1, 3650),
        )

    def connection(self) -> dict[str, Any]:
        """Keyword arguments that every aiokafka client takes."""
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.servers,
            "security_protocol": _SECURITY[self.security],
            "request_timeout_ms": int(self.request_seconds * 1000),
            "connections_max_idle_ms": int(self.idle_seconds * 1000),
        }
        if self.security in {"tls", "sasl_tls"}:
            arguments["ssl_context"] = self._tls()
        if self.security.startswith("sasl"):
            arguments["sasl_mechanism"] = self.sasl_mechanism
            arguments["sasl_plain_username"] = self.user
            arguments["sasl_plain_password"] = self.password
        return arguments

    def _tls(self) -> SSLContext:
        try:
            context = create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise BadSetting(
                f"{PREFIX}_CA_FILE", f"cannot be read as certificates: {error}"
            ) from None
        if self.cert_file:
            try:
                context.load_cert_chain(self.cert_file, self.key_file, self.key_password)
            except OSError as error:
                raise BadSetting(f"{PREFIX}_CERT_FILE", f"cannot be used: {error}") from None
        return context


def _check_servers(servers: str) -> None:
    if not servers:
        raise BadSetting(PREFIX, "is missing: give host:port, several separated by commas")
    for server in servers.split(","):
        if host_and_port(server.strip()) is None:
            raise BadSetting(PREFIX, f"{server.strip()!r} is not host:port")


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = env.get(f"{PREFIX}_{name}", default)
    if value not in allowed:
        raise BadSetting(f"{PREFIX}_{name}", f"must be one of {', '.join(allowed)}")
    return value


def _count(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(f"{PREFIX}_{name}", str(default))
    digits = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    if not (digits and least <= int(text) <= most):
        raise BadSetting(f"{PREFIX}_{name}", f"must be a whole number from {least} to {most}")
    return int(text)


def _password(env: Mapping[str, str]) -> str | None:
    path = env.get(f"{PREFIX}_PASSWORD_FILE")
    if path is None:
        return env.get(f"{PREFIX}_PASSWORD")
    with reading_what_it_names(f"{PREFIX}_PASSWORD_FILE"):
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
