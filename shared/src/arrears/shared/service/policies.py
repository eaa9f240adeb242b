"""The policies of a service: files that ship with it or are the bank's own, and what is kept of
them beside the decisions that they have led to.
"""

from collections.abc import Callable, Sequence
from datetime import date
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
from msgspec import Struct
from msgspec.json import decode, encode
from msgspec.structs import replace

from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.policy import BadPolicy, Version

Policy = TypeVar("Policy")

_STANDING: Final = """
    SELECT (SELECT value FROM settings WHERE name = 'policies') AS kept,
           (SELECT max(open_day) FROM shards) AS open_day
"""
_KEEP: Final = """
    INSERT INTO settings (name, value) VALUES ('policies', $1)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


def read_policies(
    service: str, parse: Callable[[str], Policy], own: Path | None = None
) -> list[Policy]:
    """All versions in the folder `service` of `own`, in order of file name.

    Where the bank has none of its own for the service, those that ship with it. Raises BadPolicy,
    which names the file, the field and the rule.
    """
    place: Traversable = files(f"arrears.{service}") / "policies"
    if own is not None and (own / service).is_dir():
        place = own / service
    found = []
    for file in sorted(place.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        try:
            found.append(parse(file.read_text(encoding="utf-8")))
        except BadPolicy as bad:
            raise BadPolicy(f"{service}/{file.name}: {bad.field}", bad.rule) from None
        except UnicodeDecodeError:
            raise BadPolicy(f"{service}/{file.name}", "is not a text in UTF-8") from None
        except OSError as error:
            raise BadPolicy(f"{service}/{file.name}", f"cannot be read: {error.strerror}") from None
    return found


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
    """What a database has decided by stays as it is; what is still to come may change.

    Raises BadPolicy where up to the day after the open one, at whose rules a timer may have looked,
    others hold than at the start before.
    """
    row = await pool.fetchrow(_STANDING)
    assert row is not None
    now = [_kept(one) for one in sorted(policies, key=lambda one: one.valid_from)]
    if row["kept"] is not None and row["open_day"] is not None:
        _check_past(decode(row["kept"], type=list[_Kept]), now, row["open_day"] + ONE_DAY)
    await pool.execute(_KEEP, encode(now).decode())


def _kept(policy: Version) -> _Kept:
    rules = encode(replace(policy, valid_until=None), order="sorted")
    content = sha256(rules).hexdigest()
    return _Kept(policy.id, policy.version, policy.valid_from, policy.valid_until, content)


def _check_past(kept: Sequence[_Kept], now: Sequence[_Kept], reached: date) -> None:
    before, after = _past(kept, reached), _past(now, reached)
    for one in after:
        if one.name not in {other.name for other in before}:
            rule = f"must begin after {reached}: this database has decided for the days up to then"
            raise BadPolicy(f"{one.name}: valid_from", rule)
    for one in before:
        if one not in after:
            rule = "has decided here and is another now, or gone: give a change its own version"
            raise BadPolicy(one.name, rule)


def _past(versions: Sequence[_Kept], reached: date) -> Sequence[_Kept]:
    """What has held up to that day; the first version holds for all days before it too."""
    return [
        one if one.valid_until and one.valid_until < reached else replace(one, valid_until=None)
        for number, one in enumerate(versions)
        if number == 0 or one.valid_from <= reached
    ]
