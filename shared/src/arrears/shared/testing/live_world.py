"""The toy stages under the wall clock."""

from datetime import UTC, datetime, time, timedelta

from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.runtime.doubts import Finding, settle_doubt
from arrears.shared.testing.toy import ToyGateway
from arrears.shared.testing.toy_intake import CALENDAR
from arrears.shared.testing.toy_world import ToyWorld, day


class Wall:
    """A clock that is set by hand and moves by `tick` at every look."""

    def __init__(self) -> None:
        self.at = self.on(1, 9)
        self.tick = timedelta(seconds=1)

    def on(self, number: int, hour: int) -> datetime:
        return datetime.combine(day(number), time(hour), CALENDAR.zone).astimezone(UTC)

    def __call__(self) -> datetime:
        self.at += self.tick
        return self.at


class LiveWorld(ToyWorld):
    """The toy stages awake; the gateway does not honour keys."""

    clock = "live"

    def __init__(self) -> None:
        super().__init__(gateway=ToyGateway(honours_key=False))
        self.now = self.wall = Wall()

    async def until(self, number: int, hour: int) -> None:
        """The wall clock moves to an hour of a day, and everybody does what there is to do."""
        self.wall.at = self.wall.on(number, hour)
        await self.settle()

    async def settle_as(self, *, carried_out: bool, at: datetime | None = None) -> None:
        """Staff say so of contact's one effect in doubt, `at` a business time: now, or another."""

        async def now(_borrower_id: BorrowerId) -> datetime:
            return at or self.wall.at

        [effect] = self.stores["contact"].effect_rows.values()
        await settle_doubt(
            self.stages["contact"],
            self.stores["contact"],
            Finding(event_id=effect.event_id, carried_out=carried_out, note="the printer's log"),
            turn=self.turn("contact"),
            now=now,
            recorded_at=self.wall.at,
        )
