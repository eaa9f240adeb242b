"""An event loop in which nothing happens by itself: one seeded chance decides who goes on next.

Time is a number that jumps to the next timer when nobody has anything to do, so hours of waiting
cost nothing. What asyncio schedules belongs to the actor (a simulated process) that it runs for;
an actor can be killed, after which nothing of it runs any more, or frozen and woken again.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any, Final, TypeVarTuple, Unpack

CLOSINGS_MAX: Final = 20
_TASKS_SWEPT: Final = 64
_Ts = TypeVarTuple("_Ts")
_ACTOR: ContextVar["Actor"] = ContextVar("actor")


class Actor:
    """One simulated process. `doing` says in words what it asked for last."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.doing = "at its start"
        self.is_frozen = False
        self.is_dead = False
        self.ready: deque[asyncio.Handle] = deque()
        self.context = copy_context()
        self.context.run(_ACTOR.set, self)
        self._tasks: list[asyncio.Task[Any]] = []

    def adopt(self, task: "asyncio.Task[Any]") -> None:
        """A dead actor's tasks are kept, so that no garbage collector runs their last words."""
        if len(self._tasks) >= _TASKS_SWEPT:
            self._tasks = [one for one in self._tasks if not one.done()]
        self._tasks.append(task)

    def bury(self) -> None:
        """When all is over: let every task that never ended end without running anything."""
        self.is_dead = True
        self.ready.clear()
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine = task.get_coro()
            for _ in range(CLOSINGS_MAX):
                try:
                    self.context.run(coroutine.close)
                except (RuntimeError, asyncio.CancelledError):
                    continue  # It waited for something in a `finally`.
                break
        self._tasks.clear()


def current_actor() -> Actor:
    return _ACTOR.get()


class SimulatedLoop(asyncio.AbstractEventLoop):
    """As much of an event loop as asyncio's own tasks, locks, events and time-outs need."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Actor]] = []
        self._timer_count = 0
        self._actors: list[Actor] = []
        self.steps = 0
        self.troubles: list[BaseException] = []

    # --- Actors

    def start(
        self,
        actor: Actor,
        main: Callable[[], Coroutine[Any, Any, None]],
        on_end: Callable[[BaseException | None], None] | None = None,
    ) -> None:
        """Run `main` as the actor; `on_end` hears how it ended, if it was not killed before."""
        self._actors.append(actor)

        async def whole() -> None:
            error: BaseException | None = None
            try:
                await main()
            except (Exception, asyncio.CancelledError) as raised:
                error = raised
            if actor.is_dead:
                return
            if on_end is not None:
                on_end(error)
            elif error is not None:
                self.troubles.append(error)

        actor.context.run(self.create_task, whole())

    def end(self, actor: Actor) -> None:
        """At whatever point it stands: nothing of it runs any more."""
        actor.is_dead = True
        actor.ready.clear()
        self._actors.remove(actor)

    # --- What happens next

    def step(self) -> bool:
        """Run one thing of one actor. False: nobody will ever do anything again."""
        self.steps += 1
        while True:
            ready = [one for one in self._actors if one.ready and not one.is_frozen]
            if ready:
                actor = ready[0] if len(ready) == 1 else self._chance.choice(ready)
                handle = actor.ready.popleft()
                if not handle.cancelled():
                    handle._run()
                    return True
            elif not self._advance():
                return False

    def _advance(self) -> bool:
        if not self._timers:
            return False
        self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            _, _, handle, actor = heapq.heappop(self._timers)
            if not actor.is_dead and not handle.cancelled():
                actor.ready.append(handle)
        return True

    # --- What asyncio asks of a loop

    def time(self) -> float:
        return self._now

    def call_soon(
        self,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        context = context or copy_context()
        handle = asyncio.Handle(callback, args, self, context)
        actor = context[_ACTOR]
        if not actor.is_dead:
            actor.ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        context = context or copy_context()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timer_count += 1
        heapq.heappush(self._timers, (when, self._timer_count, handle, context[_ACTOR]))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[Any]":
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        (context or copy_context())[_ACTOR].adopt(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            self.troubles.append(error)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False
