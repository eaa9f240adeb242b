"""No line of a log in production holds what a borrower or the bank has said, whatever fails."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

import arrears.intake.main as intake
from arrears.shared.http.logs import configure_logs
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.runtime.stage import STAGES, FeedFact, topic_of
from arrears.shared.service.leaving import leaving_plainly
from arrears.shared.service.settings import Ground
from arrears.shared.testing.bad_requests import SECRET
from arrears.shared.testing.good_feed import DAY, PROFILE, Record
from arrears.shared.testing.world import World


@pytest.fixture
def lines(logged: object) -> Iterator[io.StringIO]:
    """The configuration of production, in place of what tests capture."""
    handlers = logging.getLogger().handlers[:]
    stream = io.StringIO()
    configure_logs("intake", stream)
    yield stream
    logging.getLogger().handlers = handlers


def profile() -> bytes:
    record: Record = {
        "specversion": "1.0",
        "id": "fact-1",
        "source": "/bank",
        "type": PROFILE,
        "time": "2026-03-02T10:00:00Z",
        "data": {
            "borrower_id": "person-1",
            "contact_points": [{"kind": "phone", "value": SECRET}],
        },
    }
    return json.dumps(record).encode()


async def test_poison_is_parked_and_its_words_stay_out_of_log_and_table(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own code fails with the telephone number in a local and in the text of the error."""
    stage = intake.make_stage(Ground(clock="feed"), MemoryKeyStore().keyring("intake"))

    def fail(fact: FeedFact, **_more: object) -> None:
        number = fact.body.fact.points[0].value  # type: ignore[attr-defined]
        raise RuntimeError(f"cannot seal {number}") from KeyError(number)

    monkeypatch.setattr(stage.feed, "issue", fail)
    world = World([stage], {})
    for name in STAGES:
        await world.bus.ensure_topic(topic_of(name), partitions=16, retention_ms=-1)
    await world.start()
    world.say(profile(), "person-1")
    world.close(DAY)
    await world.settle()
    (parked,) = world.stores["intake"].parked
    assert SECRET.encode() in parked.row.value
    assert SECRET not in parked.error
    assert "RuntimeError at fail" in parked.error
    (told,) = [json.loads(line) for line in lines.getvalue().splitlines() if "parked" in line]
    assert (told["event"], told["error"]) == ("borrower_parked", "RuntimeError")
    assert any("fail" in place for place in told["places"])
    assert SECRET not in lines.getvalue()


async def test_a_task_that_failed_unseen_is_told_without_its_words(lines: io.StringIO) -> None:
    async def fail() -> None:
        raise RuntimeError(f"no answer from {SECRET}")

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    asyncio.get_running_loop().call_exception_handler(
        {"message": f"lost {task!r}", "exception": task.exception(), "future": task}
    )
    (told,) = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (told["event"], told["logger"], told["error"]) == ("library", "asyncio", "RuntimeError")
    assert SECRET not in lines.getvalue()


def test_a_program_that_fails_unforeseen_ends_without_the_words(
    lines: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    number = SECRET
    with pytest.raises(SystemExit) as ending, leaving_plainly("intake", ()):
        raise LookupError(f"no key for {number}")
    assert ending.value.code == 1
    said = capsys.readouterr()
    assert "arrears-intake: failed: LookupError, a defect" in said.err
    assert SECRET not in said.err + said.out + lines.getvalue()
