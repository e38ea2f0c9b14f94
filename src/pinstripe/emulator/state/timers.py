"""What happens by itself when time passes: timers, and the test clocks that run them. https://docs.stripe.com/billing/testing/test-clocks"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TypeAlias

from pinstripe.emulator.state.account import NOBODY, Object, Timer, World

Happen: TypeAlias = Callable[[World, Object], None]

TIMERS: dict[str, Happen] = {}


def timer(name: str) -> Callable[[Happen], Happen]:
    """Say what happens when a timer of this name rings. It may ring when nothing is left to do."""

    def keep(function: Happen) -> Happen:
        TIMERS[name] = function
        return function

    return keep


def run(world: World, clock: str, until: int) -> None:
    """Let everything happen that is due on a clock, in order, each at its own time."""
    queue = world.timers.get(clock, [])
    if not queue or queue[0].at > until:
        return
    before = world.clock, world.moment, world.request
    world.clock, world.request = clock, NOBODY
    while queue and queue[0].at <= until:
        timer = heapq.heappop(queue)
        world.touched.add((clock, timer))
        world.undos.append(lambda timer=timer: heapq.heappush(queue, timer))  # type: ignore[misc]  # a default binds it now
        world.moment = timer.at
        found = world.objects.get(timer.identifier)
        if found is not None and not found.get("deleted"):
            TIMERS[timer.name](world, found)
    world.clock, world.moment, world.request = before


def forget(world: World, clock: str) -> None:
    """Let nothing more happen on a clock."""
    gone: list[Timer] = world.timers.pop(clock, [])
    world.touched.update((clock, timer) for timer in gone)
    world.undos.append(lambda: world.timers.update({clock: gone}))
