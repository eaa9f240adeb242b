"""A bank's rules as data: dated, versioned, checked when they are loaded.

A decision takes the version that is in force on its bank day and stores id and version.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Final, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from arrears.shared.kernel.business_day import ONE_DAY

Source = Annotated[str, Meta(min_length=1, max_length=500)]


class BadPolicy(ValueError):
    """`field` is a path into the file; `rule` says what must hold there."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class Checked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a policy. A misspelt key is an error, not a setting that is silently ignored."""


class Version(Checked, frozen=True, kw_only=True):
    """What every policy says of itself. `valid_until` is its last day; None: it has none, or the
    next version begins."""

    id: Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,63}$")]
    version: Annotated[int, Meta(ge=1)]
    valid_from: date
    valid_until: date | None = None
    sources: Annotated[tuple[Source, ...], Meta(min_length=1)]


OneVersion = TypeVar("OneVersion", bound=Version)


def decode_policy(text: str, kind: type[OneVersion]) -> OneVersion:
    """One version out of YAML. Raises BadPolicy with the field and the rule."""
    try:
        policy = msgspec.yaml.decode(text, type=kind)
    except msgspec.ValidationError as error:
        rule, _, place = str(error).partition(" - at `$.")
        raise BadPolicy(place.rstrip("`") or "$", rule) from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # The reader of YAML lets days that no month has, and numbers without end, escape.
        raise BadPolicy("$", f"must be YAML: {error}") from None
    if policy.valid_until is not None and policy.valid_until < policy.valid_from:
        raise BadPolicy("valid_until", "must not lie before valid_from")
    return policy


class PolicyBook(Generic[OneVersion]):
    """All versions of one policy, at most one in force on a day.

    A feed may tell of years before the first version: those days are judged by the first. A day
    that lies in a gap, or after the last version has ended, has no policy.
    """

    __slots__ = ("_starts", "versions")

    def __init__(self, policies: Sequence[OneVersion]) -> None:
        """Raises BadPolicy where the versions do not follow each other."""
        if not policies:
            raise BadPolicy("$", "no version found")
        ordered = sorted(policies, key=lambda policy: policy.valid_from)
        for earlier, later in pairwise(ordered):
            _check_succession(earlier, later)
        self.versions: Final = tuple(ordered)
        self._starts: Final = [policy.valid_from for policy in ordered]

    def on(self, day: date) -> OneVersion | None:
        policy = self._begun(day)
        over = policy.valid_until is not None and policy.valid_until < day
        return None if over else policy

    def last(self) -> OneVersion:
        return self.versions[-1]

    def next_start(self, day: date) -> date | None:
        """When a policy comes into force again, on a day without one."""
        return next((start for start in self._starts if start > day), None)

    def _begun(self, day: date) -> OneVersion:
        if len(self.versions) == 1:
            return self.versions[0]
        return self.versions[max(bisect_right(self._starts, day) - 1, 0)]


class EndlessBook(PolicyBook[OneVersion]):
    """A book that has a policy for every day."""

    __slots__ = ()

    def __init__(self, policies: Sequence[OneVersion]) -> None:
        """Raises BadPolicy also where a day would lie in a gap, or after the last version."""
        super().__init__(policies)
        for earlier, later in pairwise(self.versions):
            if earlier.valid_until not in (None, later.valid_from - ONE_DAY):
                raise BadPolicy("valid_until", f"leaves a gap before version {later.version}")
        if self.last().valid_until is not None:
            raise BadPolicy("valid_until", "must be missing in the last version")

    def on(self, day: date) -> OneVersion:
        return self._begun(day)


def _check_succession(earlier: Version, later: Version) -> None:
    if earlier.id != later.id:
        raise BadPolicy("id", f"{earlier.id} and {later.id} lie in the same book")
    if earlier.valid_from == later.valid_from:
        raise BadPolicy("valid_from", f"two versions begin on {later.valid_from}")
    if earlier.version >= later.version:
        raise BadPolicy(
            "version", f"{later.version} begins after {earlier.version}, which is not lower"
        )
    if earlier.valid_until is not None and earlier.valid_until >= later.valid_from:
        raise BadPolicy("valid_until", f"overlaps version {later.version}")
