"""Many seeds of one cast, each compared with the undisturbed run; a failing one is made short."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from arrears.shared.testing import laws
from arrears.shared.testing.simulation import Cast, Simulation, Spinning, Story
from arrears.shared.testing.simulation_faults import faults_of

QUIET_EVERY: Final = 10
TROUBLED_SECONDS: Final = 60.0
"""A story of faults may take so much longer than five calm ones; then it is stuck."""


@dataclass(frozen=True)
class Failure:
    """A seed that broke something, told by the faults that struck and the turns that followed."""

    seed: int
    error: str
    story: Story
    days: int
    trace: Sequence[str]

    def __str__(self) -> str:
        told = "\n  ".join([f"{self.days} days, {self.story}", *self.trace])
        return f"seed {self.seed}: {self.error}\n  {told}"


class Simulator:
    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        calm = Simulation(cast, Story(), 0)
        calm.run()
        self.digest = cast.digest(calm)
        self.seconds = calm.loop.time()

    def story(self, seed: int) -> Story:
        """The story of a seed: the same for ever."""
        chance = Random(f"story {seed}")
        return Story(
            feed_partitions=chance.randint(1, 4),
            workers=chance.choice((1, 1, 2)),
            shuffled=chance.random() < 0.5,
            repeated=chance.random() < 0.5,
            commands=chance.choice((0, 0, 12)),
            faults=faults_of(seed, self.seconds),
        )

    def play(self, seed: int, story: Story) -> Failure | None:
        run = Simulation(self.cast, story, seed, seconds_max=5 * self.seconds + TROUBLED_SECONDS)
        try:
            run.run()
            found = self.cast.digest(run)
            if found != self.digest:
                raise laws.Broken(f"digest {found} is not {self.digest}")
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            return Failure(seed, said, story, len(self.cast.days), run.trace)
        return None

    def seed(self, seed: int) -> Failure | None:
        """Play one seed, every tenth also by one worker and without its faults.

        A failure comes reduced.

        Spinning is measured by a real clock, so a machine that stood still looks like it: what
        spins, spins again.
        """
        story = self.story(seed)
        failure = self.play(seed, story)
        if failure is None and seed % QUIET_EVERY == 0:
            failure = self.play(seed, replace(story, faults=(), workers=1))
        if failure is not None and failure.error.startswith(Spinning.__name__):
            failure = self.play(seed, failure.story)
        return None if failure is None else self.reduced(failure)

    def reduced(self, failure: Failure) -> Failure:
        """The fewest days, faults and disturbances that still break something.

        A shorter story may break in another way; it is short, and that is what counts.
        """
        whole = len(self.cast.days)
        for count in sorted({1, whole // 8, whole // 4, whole // 2, 3 * whole // 4} - {0, whole}):
            shorter = self._of_days(count)
            found = shorter and shorter.play(failure.seed, failure.story)
            if shorter and found:
                return shorter._simplest(found)
        return self._simplest(failure)

    def _of_days(self, count: int) -> "Simulator | None":
        """The same bank silent after so many days; None where nothing happens in them."""
        try:
            return Simulator(replace(self.cast, days=self.cast.days[:count]))
        except Exception:
            return None

    def _simplest(self, failure: Failure) -> Failure:
        found: Failure | None = failure
        while found is not None:
            failure = found
            found = next(
                filter(None, map(self._replay(failure.seed), _simpler(failure.story))), None
            )
        return failure

    def _replay(self, seed: int) -> Callable[[Story], Failure | None]:
        return lambda story: self.play(seed, story)


def _simpler(story: Story) -> Iterator[Story]:
    """Stories with one thing less, the largest first."""
    faults = list(story.faults)
    for size in (len(faults) // 2, 1):
        for start in range(0, len(faults), size) if size else ():
            yield replace(story, faults=faults[:start] + faults[start + size :])
    for plainer in (
        replace(story, commands=0),
        replace(story, repeated=False),
        replace(story, shuffled=False),
        replace(story, workers=1),
        replace(story, feed_partitions=1),
    ):
        if plainer != story:
            yield plainer
