"""FastStream, message by message: a pydantic model, an ORM row, a commit, and on to a topic.

Its one argument is JSON: `kafka`, `source`, `target`, `dsn` (for asyncpg by SQLAlchemy), `count`.
It prints JSON: messages a second, from the first one to the last commit.
"""

import asyncio
import json
import sys
import time
from datetime import datetime
from typing import Any

from faststream.kafka import KafkaBroker
from pydantic import BaseModel
from sqlalchemy import DateTime, LargeBinary, String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Fact(BaseModel):
    """A CloudEvent of the feed."""

    id: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]


class Base(DeclarativeBase):
    pass


class Event(Base):
    __tablename__ = "faststream_events"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    type: Mapped[str] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String)
    time: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    value: Mapped[bytes] = mapped_column(LargeBinary)


async def measured(wanted: dict[str, Any]) -> float:
    engine = create_async_engine(wanted["dsn"])
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    session_of = async_sessionmaker(engine)
    # It would write two lines of log for each message, which is no work that we compare.
    broker = KafkaBroker(wanted["kafka"], logger=None)
    times: list[float] = []
    done = asyncio.Event()

    async def decoded(message: Any) -> Any:
        return json.loads(message.body)

    @broker.publisher(wanted["target"])  # type: ignore[untyped-decorator] # it is not installed
    @broker.subscriber(  # type: ignore[untyped-decorator] # where this is checked
        wanted["source"], group_id="bench-peer", auto_offset_reset="earliest", decoder=decoded
    )
    async def handle(fact: Fact) -> dict[str, Any]:
        times.append(time.perf_counter())
        told = fact.model_dump(mode="json")
        async with session_of() as session:
            session.add(
                Event(
                    id=fact.id,
                    type=fact.type,
                    subject=fact.subject,
                    time=fact.time,
                    value=json.dumps(told).encode(),
                )
            )
            await session.commit()
        if len(times) == wanted["count"]:
            times.append(time.perf_counter())
            done.set()
        return told

    await broker.start()
    try:
        await asyncio.wait_for(done.wait(), wanted["patience"])
    finally:
        await broker.stop()
        await engine.dispose()
    return float(wanted["count"] / (times[wanted["count"]] - times[0]))


if __name__ == "__main__":
    print(json.dumps({"messages": asyncio.run(measured(json.load(sys.stdin)))}))
