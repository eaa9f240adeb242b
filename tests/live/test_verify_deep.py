"""`arrears verify --deep` on a real Kafka and PostgreSQL: all ten laws hold after a feed with
repetitions and refusals; then every kind of damage is planted at once, and each is named."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from arrears.cli.chaos.feeding import Feeder, make_days
from arrears.cli.client.ground import Ground
from arrears.cli.client.installation import SERVICES, STAGES
from arrears.cli.stack import checkout_root
from arrears.cli.stack.folder import Folder
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.runtime.bus import Outgoing, TopicPartition

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

SEED, LOANS, DAYS, DAYS_MAX = 7, 400, 40, 80
PATIENCE_SECONDS = 240.0
LOOK_SECONDS = 0.2
NONSENSE = b'{"specversion":"1.0","type":"corebanking.loan.overdue.v1"}'
_AT_REST = """
    SELECT (SELECT min(open_day) FROM shards) > $1
       AND (SELECT sum(last_seq) FROM shards) = (SELECT sum(published_seq) FROM cursors)
       AND NOT EXISTS (
           SELECT FROM projection_cursors JOIN shards USING (shard) WHERE seq <> last_seq)
"""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Servers of its own: what is damaged here is nobody else's."""
    root = tmp_path_factory.mktemp("deep")
    folder = Folder(root)
    folder.prepare()
    lent = Folder(checkout_root()).kafka
    if (lent / "jars.done").exists():
        (folder.kafka / "jars").symlink_to(lent / "jars")
        (folder.kafka / "jars.done").write_text((lent / "jars.done").read_text())
    made = Ground(root, "deep", lambda _line: None)
    try:
        made.prepare("feed", SEED)
        yield made
    finally:
        made.down()


def test_all_laws_hold_and_every_damage_is_named(ground: Ground) -> None:
    digest = asyncio.run(_play(ground))
    healthy = _verify(ground, digest)
    assert healthy["holds"], _texts(healthy)
    assert {law["verdict"] for law in healthy["laws"]} == {"holds"}
    counted = {law["law"]: law["counted"] for law in healthy["laws"]}
    assert counted[1]["duplicate"] > 0
    assert counted[1]["refused"] == 2
    assert counted[5]["requests"] > 0
    assert counted[6]["timers"] > 0
    assert counted[8]["repayments"] > 0
    assert counted[10]["permits"] > 0
    planted = asyncio.run(_damage(ground))
    damaged = _verify(ground, "0" * 64)
    assert not damaged["holds"]
    missed = [name for name, (law, place) in planted.items() if not _names(damaged, law, place)]
    assert not missed, _texts(damaged)


def _verify(ground: Ground, digest: str) -> dict[str, Any]:
    program = Path(sys.executable).parent / "arrears"
    done = subprocess.run(
        [program, "verify", "--deep", "--json", "--expect-digest", digest],
        env=ground.env,
        cwd=checkout_root(),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if report["holds"] else 1)
    return report


def _names(report: dict[str, Any], number: int, place: dict[str, Any]) -> bool:
    """Whether a finding of the law has this place; `text` is a part of what it says."""
    wanted = dict(place)
    text = wanted.pop("text", "")
    (law,) = [law for law in report["laws"] if law["law"] == number]
    return any(
        text in finding["text"] and wanted.items() <= finding["place"].items()
        for finding in law["findings"]
    )


def _texts(report: dict[str, Any]) -> str:
    return "\n".join(
        f"{law['law']}: {_short(finding['place'])}: {finding['text']}"
        for law in report["laws"]
        for finding in law["findings"]
    )


def _short(place: dict[str, Any]) -> str:
    return " ".join(f"{name} {value}" for name, value in place.items() if value is not None)


# --- A feed through the five services


async def _play(ground: Ground) -> str:
    """The digest when everything has come to rest and the services have ended."""
    days = make_days(SEED, LOANS, DAYS_MAX)
    bus = ground.bus()
    feeder = Feeder(bus, days, SEED)
    for service in SERVICES:
        ground.start(service, "run", f"{service}-1")
    try:
        for _ in range(DAYS - 1):
            await feeder.release()
        await feeder.repeat(25)
        await _spoil(bus)
        last = await feeder.release()
        while not await _at_rest_with_a_timer(ground, last):
            assert not feeder.is_done, "nobody waits for anything"
            last = await feeder.release()
        return await _digest(ground, last.isoformat())
    finally:
        await feeder.close()
        await bus.close()
        ground.stop()


async def _spoil(bus: KafkaBus) -> None:
    """Two records that are no facts."""
    publisher = bus.publisher()
    bad = [Outgoing(key=b"bad", value=value) for value in (NONSENSE, b"\xff\x00")]
    await publisher.publish({TopicPartition(FEED_TOPIC, 1): bad})
    await publisher.close()


async def _at_rest_with_a_timer(ground: Ground, last: date) -> bool:
    """Wait until all is handled; whether a stage then waits for a time, which can be forgotten."""
    for service in STAGES:
        await _until_at_rest(ground, service, last)
    return await _who_waits(ground) is not None


async def _who_waits(ground: Ground) -> str | None:
    """A stage with a timer, other than the one whose events are damaged."""
    for service in ("contact", "legal", "intake"):
        pool = await ground.pool(service)
        count = await pool.fetchval("SELECT count(*) FROM timers")
        await pool.close()
        if count:
            return service
    return None


async def _until_at_rest(ground: Ground, service: str, last: date) -> None:
    pool = await ground.pool(service)
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        while not await pool.fetchval(_AT_REST, last):
            assert time.monotonic() < until, f"{service} does not come to rest"
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await pool.close()


async def _digest(ground: Ground, last: str) -> str:
    base = ground.installation.url("history")
    until = time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(timeout=30.0, trust_env=False) as client:
        while True:
            days = (await client.get(f"{base}/days")).json()
            if (days["closed_everywhere"] or "") >= last:
                break
            assert time.monotonic() < until, "the history does not come to rest"
            await asyncio.sleep(LOOK_SECONDS)
        found = (await client.get(f"{base}/digest", params={"as_of": last})).json()
    return str(found["sha256"])


# --- Damage


async def _damage(ground: Ground) -> dict[str, tuple[int, dict[str, Any]]]:
    """Law and place that must be named, by what was planted."""
    sleeper = await _who_waits(ground)
    assert sleeper is not None
    bus = ground.bus()
    try:
        return {
            **await _in_intake(await ground.pool("intake")),
            **await _in_contact(await ground.pool("contact")),
            **await _in_mediation(await ground.pool("mediation")),
            **await _in_history(await ground.pool("history")),
            **await _forgotten(await ground.pool(sleeper), sleeper),
            **await _on_a_topic(bus),
            "another digest": (9, {"text": "0" * 64}),
        }
    finally:
        await bus.close()


async def _on_a_topic(bus: KafkaBus) -> dict[str, tuple[int, dict[str, Any]]]:
    """A number once more, with other bytes; from such a topic nothing can be rebuilt."""
    place = TopicPartition("arrears.legal.v1", 3)
    offset = (await bus.bounds(place.topic))[place][1]
    first = (await bus.read(place, offset=0, count=1))[0].value
    forged = first.replace(b'"tenant":"bank"', b'"tenant":"other"')
    publisher = bus.publisher()
    await publisher.publish({place: [Outgoing(key=b"k", value=forged, seq=1)]})
    await publisher.close()
    at = {"service": "legal", "where": "topic", "shard": 3, "seq": 1, "offset": offset}
    return {
        "a number repeated with other bytes": (2, at),
        "a topic that cannot rebuild its service": (7, {"service": "legal"}),
    }


async def _forgotten(pool: asyncpg.Pool, service: str) -> dict[str, tuple[int, dict[str, Any]]]:
    stream = await pool.fetchval(
        "DELETE FROM timers WHERE stream = (SELECT min(stream) FROM timers) RETURNING stream"
    )
    await pool.close()
    return {"a forgotten timer": (6, {"service": service, "text": f"timer of {stream}: None"})}


async def _in_intake(pool: asyncpg.Pool) -> dict[str, tuple[int, dict[str, Any]]]:
    """An offset that nothing accounts for, and money that does not add up."""
    origin = await pool.fetchval("DELETE FROM refused WHERE number = 1 RETURNING origin")
    _, partition, offset = origin.split("/")
    paid = await pool.fetchrow(
        "SELECT shard, seq, stream, version, value FROM events"
        " WHERE type = 'arrears.intake.repayment_recorded.v1' ORDER BY shard, seq LIMIT 1"
    )
    assert paid is not None
    said = json.loads(paid["value"])
    said["data"]["in_suspense_minor"] += 1
    value = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    await _set_value(pool, paid["shard"], paid["seq"], value)
    await pool.execute(
        "UPDATE positions SET position = 10000000000 WHERE topic = $1 AND partition = 0", FEED_TOPIC
    )
    await pool.close()
    at = {"shard": paid["shard"], "seq": paid["seq"], "stream": paid["stream"]}
    return {
        "a skipped offset": (1, {"partition": int(partition), "offset": int(offset)}),
        "a position beyond its topic": (1, {"partition": 0, "text": "it was replaced"}),
        "money": (8, {**at, "version": paid["version"]}),
        "a changed byte": (4, {**at, "where": "store", "offset": paid["seq"] - 1}),
    }


async def _in_contact(pool: asyncpg.Pool) -> dict[str, tuple[int, dict[str, Any]]]:
    """An effect that was answered and would go out again."""
    asked = await pool.fetchrow(
        "SELECT shard, seq, stream, event_id FROM events"
        " WHERE type = 'arrears.contact.attempt_permitted.v1' ORDER BY shard, seq LIMIT 1"
    )
    assert asked is not None
    await pool.execute(
        "INSERT INTO effects (event_id, shard, stream, borrower_id, kind, at)"
        " SELECT event_id, shard, stream, borrower_id, 'sms', now() FROM events"
        " WHERE shard = $1 AND seq = $2",
        asked["shard"],
        asked["seq"],
    )
    await pool.execute(
        "INSERT INTO effects (event_id, shard, stream, borrower_id, kind, at)"
        " VALUES ('of no shard', 77, 's', 'b', 'sms', now())"
    )
    await pool.execute("UPDATE cursors SET published_seq = published_seq + 9 WHERE shard = 1")
    await pool.close()
    cursor = {"service": "contact", "shard": 1, "text": "by the relay's cursor, the shard has"}
    return {
        "a doubled effect": (5, {"shard": asked["shard"], "seq": asked["seq"]}),
        "an effect of no shard": (5, {"service": "contact", "where": "effects", "shard": 77}),
        "a relay's cursor beyond the store": (4, cursor),
    }


async def _in_mediation(pool: asyncpg.Pool) -> dict[str, tuple[int, dict[str, Any]]]:
    """An event dropped; two that changed places; and one shard as a backup of some time ago had
    it, under the topic of today."""
    last = await pool.fetchval(
        "UPDATE shards SET last_seq = last_seq - 5 WHERE shard = 2 RETURNING last_seq"
    )
    await pool.execute("DELETE FROM events WHERE shard = 2 AND seq > $1", last)
    await pool.execute("UPDATE cursors SET published_seq = $1 WHERE shard = 2", last)
    await pool.execute("DELETE FROM events WHERE shard = 5 AND seq = 7")
    rows = await pool.fetch(
        "SELECT seq, value FROM events WHERE shard = 6 AND seq IN (8, 9) ORDER BY seq"
    )
    await _set_value(pool, 6, 8, rows[1]["value"])
    await _set_value(pool, 6, 9, rows[0]["value"])
    said = await pool.fetchval("SELECT value FROM events WHERE shard = 7 AND seq = 4")
    await _set_value(pool, 7, 4, json.dumps({**json.loads(said), "data": None}).encode())
    await pool.close()
    shard = {"service": "mediation", "where": "store"}
    older = {"service": "mediation", "where": "topic", "shard": 2, "seq": last + 1}
    return {
        "an older database": (2, {**older, "text": "an older database under a newer topic"}),
        "a dropped event": (2, {**shard, "shard": 5, "seq": 8}),
        "a dropped event, by its own place": (4, {**shard, "where": "topic", "shard": 5, "seq": 7}),
        "an event without data": (3, {**shard, "shard": 7, "seq": 4, "text": "no event"}),
        "two swapped events": (3, {**shard, "shard": 6, "seq": 8}),
        "two swapped events, by their bytes": (4, {**shard, "shard": 6, "seq": 9}),
    }


async def _in_history(pool: asyncpg.Pool) -> dict[str, tuple[int, dict[str, Any]]]:
    """A shelf that has lost all it had heard, a borrower, and a case that nobody finds."""
    await pool.execute("DELETE FROM history_events WHERE service = 3 AND shard = 9")
    loan = await pool.fetchval(
        "UPDATE loans SET borrower_id = 'nobody' WHERE loan_key = (SELECT min(loan_key) FROM loans)"
        " RETURNING loan_key"
    )
    case = await pool.fetchval(
        "UPDATE case_list SET loan_key = 'none'"
        " WHERE case_id = (SELECT min(case_id) FROM case_list) RETURNING case_id"
    )
    subject = await pool.fetchrow(
        "UPDATE history_events SET subject = 'nobody' WHERE service = 0 AND shard = 4 AND seq = 2"
        " RETURNING stream, version"
    )
    assert subject is not None
    await pool.close()
    at = {"service": "intake", "where": "history", "shard": 4, "seq": 2, **subject}
    return {
        "a history that has lost its end": (
            4,
            {"service": "legal", "where": "history", "shard": 9},
        ),
        "a loan of nobody": (6, {"service": "history", "text": f"borrower of loan {loan}"}),
        "a case that is not found": (6, {"service": "history", "text": f"row of case {case}"}),
        "a subject of nobody": (4, at),
    }


async def _set_value(pool: asyncpg.Pool, shard: int, seq: int, value: bytes) -> None:
    await pool.execute(
        "UPDATE events SET value = $3 WHERE shard = $1 AND seq = $2", shard, seq, value
    )
