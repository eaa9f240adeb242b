"""Many seeds, each its own interleaving and its own faults: the laws hold and the outcome is one.

`make simulate SEEDS=n` plays as many, `make simulate SEED=n` plays one and tells its story. Of the
seeds most are the kernel's alone; the real stages take ten times as long.
"""

import os
from collections.abc import Callable
from datetime import date
from functools import partial

from arrears.shared.kernel.ids import Shard
from arrears.shared.testing.many_seeds import play_many, tell_one
from arrears.shared.testing.simulation import Cast
from arrears.shared.testing.toy_cast import toy_cast
from arrears.shared.testing.toy_live import live_cast

ONE = os.environ.get("SEED")
SEEDS = int(os.environ.get("SEEDS") or 0)
JOBS = int(os.environ.get("JOBS") or 0)
MakeReal = Callable[[list[Shard], int, date, int], Cast]


def play(make_cast: Callable[[], Cast], *, share: float, few: int) -> None:
    if ONE:
        told = tell_one(make_cast(), int(ONE))
        print(told)
        assert told.startswith(f"seed {ONE} holds")
        return
    played = play_many(make_cast, max(1, round(SEEDS * share)) if SEEDS else few, jobs=JOBS)
    failure = played.failure
    assert failure is None, f"make simulate SEED={failure and failure.seed}\n{failure}"
    print(f"  {played.seeds:,} seeds in {played.seconds:,.0f} s")


def test_the_kernel_under_the_clock_of_the_feed() -> None:
    """Toy stages: every road of the kernel, with poison, refusals and people's commands."""
    play(toy_cast, share=0.75, few=100)


def test_the_kernel_under_the_wall_clock() -> None:
    play(live_cast, share=0.1, few=12)


def test_the_kernel_with_a_gateway_that_does_not_know_keys() -> None:
    """What was sent and not answered is in doubt, and never sent again."""
    play(partial(live_cast, honours_key=False), share=0.1, few=12)


def test_the_real_stages(make_real_cast: MakeReal) -> None:
    """Four months of two shards: reminders, refusals, an agreement that is kept, a claim."""
    play(
        lambda: make_real_cast([Shard(8), Shard(13)], 60, date(2024, 4, 1), 125), share=0.05, few=3
    )
