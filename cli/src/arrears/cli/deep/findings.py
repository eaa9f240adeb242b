"""What the checker says: findings by law, each with its place, and what was looked at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

NAMED_MAX: Final = 100
"""Findings of one law in one service that are named; the others are counted."""
LAWS: Final = {
    1: "every feed record is accounted for exactly once",
    2: "numbers have no hole and no repetition",
    3: "versions and hash chains of all streams are right",
    4: "store, topic and history hold the same bytes",
    5: "every effect is asked for once, and answered or in doubt",
    6: "timers and projections equal their rebuild from the store",
    7: "every service rebuilt from Kafka equals itself",
    8: "paid in = allocated + in suspense",
    9: "the digest is the expected one",
    10: "every contact had a permit that was good, and no permit breaks the law",
}
NOT_LOOKED_AT: Final = 3
Verdict = Literal["holds", "broken", "not checked"]
Say = Callable[[int, "Place", str], None]
"""How a check reports: the law, the place, what is wrong there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is. `where` is `store`, `topic`, `history`, or the name of a table or of the
    feed's topic, whose partitions are no shards."""

    service: str
    where: str = ""
    shard: int | None = None
    seq: int | None = None
    stream: str | None = None
    version: int | None = None
    offset: int | None = None
    partition: int | None = None

    def __str__(self) -> str:
        parts = [self.service, self.where]
        for name in ("shard", "partition", "seq", "offset", "stream"):
            value = getattr(self, name)
            if value is not None:
                parts.append(f"{name} {value}")
        if self.version is not None:
            parts.append(f"v{self.version}")
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the law that it breaks, whose, where, and what."""

    law: int
    service: str
    place: Place
    text: str


@dataclass(slots=True)
class Law:
    """One law's line in the report: what was counted, and the first findings."""

    number: int
    counts: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    finding_count: int = 0
    checked: bool = True
    missed: bool = False
    """It was asked for, and could not be looked at in full."""

    @property
    def title(self) -> str:
        return LAWS[self.number]

    @property
    def verdict(self) -> Verdict:
        if self.finding_count:
            return "broken"
        return "holds" if self.checked else "not checked"

    def counted(self) -> str:
        """What was looked at, in words."""
        said = [f"{count:,} {name}" for name, count in self.counts.items()]
        return ", ".join([*said, *self.remarks])


class Report:
    """All laws, while they are being checked. Findings beyond the named ones are counted."""

    def __init__(self) -> None:
        self.laws = {number: Law(number) for number in LAWS}
        self._named: dict[tuple[int, str], list[Finding]] = {}

    def say(self, law: int, place: Place, text: str, times: int = 1) -> None:
        """`times`: how many things are wrong there, of which nothing more can be said."""
        found = self.laws[law]
        found.finding_count += times
        named = self._named.setdefault((law, place.service), [])
        if len(named) < NAMED_MAX:
            finding = Finding(law, place.service, place, text)
            named.append(finding)
            found.findings.append(finding)

    def count(self, law: int, name: str, number: int = 1) -> None:
        counts = self.laws[law].counts
        counts[name] = counts.get(name, 0) + number

    def remark(self, law: int, text: str) -> None:
        self.laws[law].remarks.append(text)

    def leaves_out(self, law: int, why: str) -> None:
        """This law is not checked, because nobody asked for it; the report must say so."""
        self.laws[law].checked = False
        self.remark(law, why)

    def misses(self, law: int, why: str) -> None:
        """This law is not checked, although it was asked for."""
        self.laws[law].missed = True
        self.leaves_out(law, why)

    @property
    def not_checked(self) -> list[int]:
        return [law.number for law in self.laws.values() if law.verdict == "not checked"]

    @property
    def holds(self) -> bool:
        return not any(law.finding_count for law in self.laws.values())

    @property
    def exit_code(self) -> int:
        """0 where nothing is broken, 1 where a law is, `NOT_LOOKED_AT` where none is among those
        that could be looked at."""
        if not self.holds:
            return 1
        return NOT_LOOKED_AT if any(law.missed for law in self.laws.values()) else 0
