"""From an overdue fact to its opened case on the topic, one fact a millisecond.

Facts are sent when their time has come, whether or not earlier ones are back: a service that falls
behind shows it. What runs beside it sends the same bytes to a plain topic and reads them there.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from msgspec import Struct
from msgspec.json import Decoder

from arrears.cli.bench.ground import LOOK_SECONDS, PATIENCE_SECONDS, BenchGround, watch
from arrears.cli.bench.lines import FEED_PARTITIONS, loan_id, new_loan, new_loans
from arrears.cli.bench.pipeline import INTAKE_TOPIC
from arrears.cli.bench.row import Row, percentile
from arrears.cli.feed.importing import partition_of
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kafka.topics import FOR_EVER
from arrears.shared.service.clock import wall_clock

PER_SECOND: Final = 1000
SECONDS: Final = 20
WARM_UP: Final = 2000
PLAIN_TOPIC: Final = "arrears.bench-plain.v1"
_OPENED: Final = b'"arrears.intake.case_opened.v1"'


class _Loan(Struct):
    loan_key: str


class _Opened(Struct):
    data: _Loan


class _Fact(Struct):
    subject: str


_OPENED_OF: Final = Decoder(_Opened).decode
_FACT_OF: Final = Decoder(_Fact).decode
NameOf = Callable[[bytes], str | None]


def opened_loan(value: bytes) -> str | None:
    """The loan whose case was opened; None for every other event."""
    return _OPENED_OF(value).data.loan_key.partition("@")[0] if _OPENED in value else None


def told_loan(value: bytes) -> str | None:
    return _FACT_OF(value).subject


async def latency(ground: BenchGround) -> list[Row]:
    """Overdue facts of new loans, 1,000 a second for 20 seconds, each to its case on the topic."""
    count = PER_SECOND * ground.sized(SECONDS, 2)
    await asyncio.to_thread(ground.prepare, "live")
    bus, pool = ground.bus(), await ground.pool("intake")
    try:
        await bus.ensure_topic(PLAIN_TOPIC, partitions=FEED_PARTITIONS, retention_ms=FOR_EVER)
        warm = ground.sized(WARM_UP, 100)
        await ground.fill_feed(new_loans(range(warm), wall_clock()))
        ground.start("intake", "worker", "intake-1")
        await watch(pool, records=warm)
        ground.say(f"latency: {count} facts through intake, {PER_SECOND} a second")
        ours = await _measured(ground, bus, range(warm, warm + count), INTAKE_TOPIC, opened_loan)
        await asyncio.to_thread(ground.stop)
        ground.say("latency: the same through Kafka alone")
        plain = await _measured(ground, bus, range(count), PLAIN_TOPIC, told_loan)
    finally:
        await pool.close()
        await bus.close()
        await asyncio.to_thread(ground.stop)
    return [
        _row("latency_p50", ours, plain, 0.5, "< 20"),
        _row("latency_p99", ours, plain, 0.99, "< 250"),
    ]


def _row(name: str, ours: list[float], plain: list[float], share: float, must: str) -> Row:
    found, beside = percentile(ours, share) * 1000, percentile(plain, share) * 1000
    return Row(name, found, "ms", beside=f"Kafka alone {beside:.1f} ms", must=must)


async def _measured(
    ground: BenchGround, bus: KafkaBus, numbers: range, seen_on: str, name_of: NameOf
) -> list[float]:
    """Seconds from sending to seeing, of every fact."""
    sent: dict[str, float] = {}
    took: list[float] = []
    listener = bus.listener("bench.latency")
    await listener.assign({place: end for place, (_, end) in (await bus.bounds(seen_on)).items()})
    # The first look opens the connection.
    await listener.poll(records_max=1, wait_seconds=LOOK_SECONDS)
    target = PLAIN_TOPIC if seen_on == PLAIN_TOPIC else FEED_TOPIC
    sending = asyncio.create_task(_send(ground.kafka, target, numbers, sent))
    patience = time.monotonic() + PATIENCE_SECONDS
    try:
        while len(took) < len(numbers):
            polled = await listener.poll(records_max=5000, wait_seconds=LOOK_SECONDS)
            now = time.perf_counter()
            for records in polled.values():
                for record in records:
                    name = name_of(record.value)
                    if name in sent:
                        took.append(now - sent.pop(name))
            if sending.done():
                sending.result()
            if time.monotonic() > patience:
                raise TimeoutError(f"{len(numbers) - len(took)} facts were never seen")
        await sending
    finally:
        sending.cancel()
        await listener.close()
    return took


async def _send(
    kafka: Mapping[str, str], topic: str, numbers: range, sent: dict[str, float]
) -> None:
    now = wall_clock()
    facts = [(loan_id(number), new_loan(number, now)) for number in numbers]
    connection = KafkaSettings.from_env(kafka).connection()
    producer: Any = AIOKafkaProducer(acks="all", enable_idempotence=True, linger_ms=0, **connection)
    await producer.start()
    try:
        acknowledged = []
        begun = time.perf_counter()
        for index, (name, value) in enumerate(facts):
            wait = begun + index / PER_SECOND - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            key = name.encode()
            sent[name] = time.perf_counter()
            partition = partition_of(key, FEED_PARTITIONS)
            acknowledged.append(await producer.send(topic, value, key=key, partition=partition))
        await asyncio.gather(*acknowledged)
    finally:
        await producer.stop()
