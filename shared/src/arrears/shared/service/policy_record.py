"""What a database remembers of the policies that it has decided by.

Timers are functions of the state and the policies: other rules for days that were decided would
leave a rebuild unlike its service (decision 0017).
"""

import os
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Final

import asyncpg
from msgspec import Struct
from msgspec.json import decode, encode
from msgspec.structs import replace

from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.policy import BadPolicy, Version
from arrears.shared.service.opening import Service, opened
from arrears.shared.service.settings import Settings

_STANDING: Final = """
    SELECT (SELECT value FROM settings WHERE name = 'policies') AS kept,
           (SELECT max(open_day) FROM shards) AS open_day
"""
_KEEP: Final = """
    INSERT INTO settings (name, value) VALUES ('policies', $1)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


class _Kept(Struct, frozen=True):
    """A version as a database remembers it. `content`: the SHA-256 of its rules."""

    id: str
    version: int
    valid_from: date
    valid_until: date | None
    content: str

    @property
    def name(self) -> str:
        return f"{self.id} version {self.version}"


async def keep_policies(pool: asyncpg.Pool, policies: Sequence[Version]) -> None:
    """A start under these policies. Raises as `check_policies`."""
    await check_policies(pool, policies)
    await pool.execute(_KEEP, encode([_kept(one) for one in policies]).decode())


async def check_policies(pool: asyncpg.Pool, policies: Sequence[Version]) -> None:
    """What a database has decided by stays as it is; what is still to come may change.

    Raises BadPolicy where up to the day after the open one, at whose rules a timer may have looked,
    others hold than at the start before.
    """
    row = await pool.fetchrow(_STANDING)
    assert row is not None
    if row["kept"] is None or row["open_day"] is None:
        return
    reached = row["open_day"] + ONE_DAY
    before = _past(decode(row["kept"], type=list[_Kept]), reached)
    after = _past([_kept(one) for one in policies], reached)
    for one in after:
        if one.name not in {other.name for other in before}:
            rule = f"must begin after {reached}: this database has decided for the days up to then"
            raise BadPolicy(f"{one.name}: valid_from", rule)
    for one in before:
        if one not in after:
            rule = "has decided here and is another now, or gone: give a change its own version"
            raise BadPolicy(one.name, rule)


def _kept(policy: Version) -> _Kept:
    rules = encode(replace(policy, valid_until=None), order="sorted")
    content = sha256(rules).hexdigest()
    return _Kept(policy.id, policy.version, policy.valid_from, policy.valid_until, content)


def _past(versions: Sequence[_Kept], reached: date) -> Sequence[_Kept]:
    """What has held up to that day; the first version holds for all days before it too."""
    return [
        one if one.valid_until and one.valid_until < reached else replace(one, valid_until=None)
        for number, one in enumerate(sorted(versions, key=lambda one: one.valid_from))
        if number == 0 or one.valid_from <= reached
    ]


async def tell_policies(service: Service, *, as_json: bool) -> None:
    """Print the versions, where a start would take them. Raises as `check_policies`."""
    settings = Settings.from_env(service.name, os.environ)
    async with opened(service, settings) as running:
        found = running.stage.policies
        await check_policies(running.pool, found)
    if as_json:
        print(encode(found).decode())
        return
    for one in found:
        until = f" to {one.valid_until}" if one.valid_until else ""
        print(f"{one.id} version {one.version}: from {one.valid_from}{until}")
