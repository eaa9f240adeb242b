"""The toy stages in a world, with words for what tests ask of it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Any

from msgspec.json import Decoder

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.port import CommandTurn, StoredEvent
from arrears.shared.kernel.ids import BorrowerId, Shard, StaffId, shard_of
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.transact import transact
from arrears.shared.runtime.workbench import Cause
from arrears.shared.testing import laws
from arrears.shared.testing.feed_lines import closing
from arrears.shared.testing.memory_bus import MemoryBus
from arrears.shared.testing.toy import ToyGateway, toy_stages
from arrears.shared.testing.toy_intake import CALENDAR, Hold, line
from arrears.shared.testing.world import FEED_PARTITIONS, World

DAY_ONE = date(2024, 3, 1)
_JSON = Decoder(dict[str, Any])


def day(number: int) -> date:
    """Days count from 1."""
    return DAY_ONE + timedelta(days=number - 1)


async def drain(step: Callable[[], Awaitable[bool]]) -> None:
    """Repeat one step until it has nothing to do."""
    while await step():
        pass


class ToyWorld(World):
    """Say facts by borrower, close days by number, look at what was decided by noun."""

    def __init__(self, *, gateway: ToyGateway | None = None, bus: MemoryBus | None = None) -> None:
        self.gateway = gateway or ToyGateway()
        super().__init__(toy_stages(), {"contact": self.gateway}, bus=bus)

    @property
    def intake(self) -> Owner:
        return self.owners["intake"]

    @property
    def contact(self) -> Owner:
        return self.owners["contact"]

    def fact(self, number: int | str, borrower: str, on: int, **more: Any) -> None:
        """A line of the feed, on the partition of its borrower."""
        self.say(line(number, borrower, day(on), **more), borrower)

    def put(self, partition: int, value: bytes) -> None:
        self.bus.append(TopicPartition(FEED_TOPIC, partition), Outgoing(key=b"", value=value))

    def close_partition(self, partition: int, number: int, *, first: int = 1) -> None:
        self.put(partition, closing(day(number), day(first), FEED_PARTITIONS))

    async def run_days(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            self.close(day(number))
            await self.settle()

    async def lose_the_answer_to(self, borrower: str) -> None:
        """A notice leaves on the second day; the worker dies before its receipt and comes back."""
        self.gateway.trouble.append(ConnectionError())
        self.fact(1, borrower, 1)
        await self.run_days(1, 1)
        self.close(day(2))
        try:
            await self.settle()
        except ConnectionError:
            await self.restart("contact")
        else:
            raise AssertionError("nothing was asked of the gateway")
        await self.settle()

    def stored(self, service: str, borrower: str = "") -> Sequence[StoredEvent]:
        """Events in order of shard and seq, without closings of days and staff's own streams."""
        return [
            event
            for events in self.stores[service].events.values()
            for event in events
            if not any(own in event.stream for own in (".parking-", ".doubt-", ".privacy-"))
            and (
                event.borrower_id == borrower
                or (not borrower and "business_day_closed" not in event.type)
            )
        ]

    def nouns(self, service: str, borrower: str = "") -> list[str]:
        return [event.type.split(".")[2] for event in self.stored(service, borrower)]

    def read(self, service: str, noun: str, borrower: str = "") -> list[dict[str, Any]]:
        """The envelopes of the events of that noun."""
        return [
            _JSON.decode(event.value)
            for event in self.stored(service, borrower)
            if event.type.split(".")[2] == noun
        ]

    def shard(self, borrower: str) -> Shard:
        return shard_of(BorrowerId(borrower))

    async def hold(self, borrower: str, on: int, name: str = "hold") -> int:
        """A person's command between batches; how many events it made."""
        events = await transact(
            self.stages["intake"],
            self.stores["intake"],
            Issue("intake.loan", f"loan-of-{borrower}", Hold(reason=name)),
            BorrowerId(borrower),
            cause=Cause(id=name, actor="staff"),
            at=CALENDAR.start_of(day(on)),
            recorded_at=self.now(),
        )
        return len(events)

    def turn(self, service: str, key: str = "", actor: str = "ops-1") -> CommandTurn:
        """Somebody's turn under this key, or under one of its own."""
        at_work = self.stores[service].at_work
        place = (key or f"key-{len(at_work)}", StaffId(actor))
        at_work[place] = f"turn of {place[0]}"
        return CommandTurn(*place, at_work[place])

    def check_laws(self) -> None:
        laws.check_all(
            self.stores,
            self.bus,
            feed_partitions=FEED_PARTITIONS,
            asked={"contact": self.gateway.asked},
        )
