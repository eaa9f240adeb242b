"""Events as services publish them, made by hand: numbered, chained, and in the stored form.

For tests of readers that must not depend on any service's domain.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Final

from msgspec import UNSET
from msgspec.json import encode

from arrears.shared.eventstore.codec import NO_HASH, Envelope, hash_of
from arrears.shared.kernel.ids import SHARD_COUNT, BorrowerId, derived_id, shard_of

SERVICES: Final = ("intake", "contact", "mediation", "legal")


class Chronicle:
    """`tell` appends an event to its stream and its shard; `shelves` holds all bytes in order."""

    def __init__(self) -> None:
        self.shelves: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)
        self._streams: dict[str, tuple[int, str]] = {}

    def tell(  # noqa: PLR0913 - an event has that many attributes
        self,
        wire_name: str,
        data: Mapping[str, object],
        *,
        stream: str,
        on: date,
        borrower: str = "b-1",
        subject: str | None = None,
        at: datetime | None = None,
        cause: str = "",
        actor: str | None = None,
        shard: int | None = None,
        event_id: str | None = None,
    ) -> str:
        """`wire_name` without prefix and version, such as `contact.promise_made`; gives its id."""
        service = wire_name.split(".", maxsplit=1)[0]
        version, previous = self._streams.get(stream, (0, NO_HASH))
        event_id = event_id or derived_id("told", stream, str(version + 1))
        when = at or datetime.combine(on, time(8), UTC)
        value = encode(
            Envelope(
                id=event_id,
                source=f"/arrears/{service}",
                type=f"arrears.{wire_name}.v1",
                subject=subject or str(data.get("case_id") or borrower),
                time=when,
                partitionkey=borrower,
                tenant="bank",
                stream=stream,
                streamversion=version + 1,
                prevhash=previous,
                businessday=on,
                recordedtime=when,
                correlationid=derived_id("thread", borrower),
                causationid=cause,
                actor=UNSET if actor is None else actor,
                data=dict(data),
            )
        )
        self._streams[stream] = (version + 1, hash_of(value))
        place = shard_of(BorrowerId(borrower)) if shard is None else shard
        self.shelves[(service, place)].append(value)
        return event_id

    def close_day(self, day: date, *, services: tuple[str, ...] = SERVICES) -> None:
        """Every shard of these services closes the day."""
        for service in services:
            for shard in range(SHARD_COUNT):
                stream = f"{service}.shard-{shard:02d}"
                self.tell(
                    f"{service}.business_day_closed",
                    {"day": day},
                    stream=stream,
                    on=day,
                    borrower=stream,
                    shard=shard,
                )

    def numbered(self) -> Iterator[tuple[str, int, int, bytes]]:
        """Service, shard, seq and bytes: intake first, by shard, by number."""
        for service in SERVICES:
            for shard in range(SHARD_COUNT):
                for seq, value in enumerate(self.shelves.get((service, shard), ()), start=1):
                    yield service, shard, seq, value
