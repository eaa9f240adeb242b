"""Hostile requests to all five services: each a problem with a reason, and nothing is changed."""

import json
import time
from collections import Counter
from random import Random
from typing import Any

import pytest

from arrears.shared.testing.asgi import Answer, ask
from arrears.shared.testing.bad_requests import SECRET, BadRequest, Target, spoilt


async def test_bad_requests_are_refused_and_change_nothing(
    services: list[Any],
    requests: int,
    first_seed: int,
    logged: list[Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In turn to each service, also one that has just carried out the good one."""
    ways: Counter[str] = Counter()
    began = time.monotonic()
    for number in range(requests):
        seed = first_seed * 1_000_000 + number
        chance = Random(seed)
        behind = services[number % len(services)]
        bad = spoilt(chance, behind.target, number)
        before = behind.count()
        answer = await ask(behind.app, bad.method, bad.target, bad.headers, bad.body)
        said = f"SEED={first_seed}, request {number} to {behind.name}: {bad} -> {answer}"
        assert behind.count() == before, said
        _judge(bad, answer, said)
        assert SECRET not in str(logged), said
        logged.clear()
        ways[bad.way] += 1
    with capsys.disabled():
        spent = time.monotonic() - began
        print(f"\n{ways.total()} bad requests in {len(ways)} ways, {spent:.0f} s", end=" ")


def _judge(bad: BadRequest, answer: Answer, said: str) -> None:
    assert answer.status in bad.statuses, said
    assert SECRET.encode() not in answer.body, said
    assert SECRET.encode() not in b"".join(answer.headers.values()), said
    assert answer.headers[b"content-type"] == b"application/problem+json", said
    problem = json.loads(answer.body)
    assert problem["status"] == answer.status, said
    assert problem["reason"].isascii(), said
    assert problem["reason"], said
    assert problem["detail"], said
    if problem["reason"] == "invalid_request":
        assert problem["field"], said
        if bad.field is not None:
            assert problem["field"].partition(".")[0] == bad.field, said


async def test_the_good_requests_that_bad_ones_are_made_of_are_good(services: list[Any]) -> None:
    """Else the bad ones might be refused for another reason than theirs."""
    carried_out = 0
    for behind in services:
        target: Target = behind.target
        for number, (path, body) in enumerate(target.posts.items()):
            key = f"good-{number}".encode()
            headers = (
                (b"x-staff-id", b"li.wei"),
                (b"content-type", b"application/json"),
                (b"idempotency-key", key),
            )
            content = b"" if body is None else json.dumps(body).encode()
            answer = await ask(behind.app, "POST", path.encode(), headers, content)
            assert answer.status in {200, 409}, (path, answer)
            carried_out += answer.status == 200
        for path in target.questions:
            answer = await ask(behind.app, "GET", path.encode())
            assert answer.status == 200, (path, answer)
    assert carried_out >= 12


FOUND = [
    ("GET", "/refused/9223372036854775808", 422),
    ("GET", "/refused?after=9223372036854775808", 422),
    ("GET", "/refused/", 404),
    ("GET", "/refused/7", 404),
    ("POST", "/parked/a%00b/retry", 422),
    ("POST", "/parked/loan-1%40%2Fcore%2Fbank/retry", 409),
    ("GET", "/report?facts_set_aside=9223372036854775808", 422),
    ("GET", "/portfolio?as_of=9999-12-31", 422),
]
"""What was found by chance once, and stays mended."""


@pytest.mark.parametrize(("method", "target", "status"), FOUND)
async def test_what_was_found_before(
    services: list[Any], method: str, target: str, status: int
) -> None:
    behind = services[-1 if target.startswith(("/report", "/portfolio")) else 0]
    headers = ((b"x-staff-id", b"li.wei"), (b"idempotency-key", b"k"))
    answer = await ask(behind.app, method, target.encode(), headers)
    assert answer.status == status
    reason = json.loads(answer.body)["reason"]
    assert reason.isidentifier(), reason
    if status == 409:
        # Its name has a slash in it, and is looked for all the same.
        assert reason == "nothing_is_parked"
