"""Laws 6 and 7: what each service's own `rebuild` says when it compares itself with its events.

Timers and projections are functions of the domain, which this checker does not know; so the
service's program computes them anew into an empty database, and here its answer is read.
"""

import json
from collections.abc import Callable
from typing import Any, Final, Literal

from arrears.cli.deep.findings import Place, Report

Source = Literal["store", "kafka"]
LAW_OF: Final[dict[Source, int]] = {"store": 6, "kafka": 7}
Rebuild = Callable[[str, Source], tuple[int, str, str]]
"""Runs a service's rebuild: exit code, what it printed, what it said on the error stream."""
_COUNTS: Final = {
    "events": "events",
    "event_count": "events",
    "timers": "timers",
    "rows": "rows of projections",
    "case_count": "rows of projections",
    "unpublished": "events not published yet",
    "not_compared": "projections that lag and were not compared",
}
_NOT_COMPARED: Final = {
    "unpublished": "events not published yet, so its timers were not compared",
    "not_compared": "shards of projections not compared: they lag",
}
"""What lags is no damage, and the law is not checked where something was not compared."""


def judge(service: str, source: Source, answer: tuple[int, str, str], report: Report) -> None:
    """Read one rebuild's answer."""
    law = LAW_OF[source]
    code, printed, said = answer
    place = Place(service, f"rebuilt from {source}")
    try:
        found = json.loads(printed)
    except ValueError:
        words = said.strip().splitlines()[-1:] or ["it said nothing"]
        report.say(law, place, f"it could not be rebuilt (exit {code}): {words[0]}")
        return
    report.count(law, "services")
    for field, name in _COUNTS.items():
        count = found.get(field)
        if isinstance(count, int) and count:
            report.count(law, name, count)
    for field, text in _NOT_COMPARED.items():
        if found.get(field):
            report.misses(law, f"{service}: {found[field]} {text}")
    named = _differences(service, source, found)
    for where, text in named:
        report.say(law, where, text)
    more = int(found.get("differences", 0)) - len(named)
    if more > 0:
        report.say(law, place, f"and {more} more, which the rebuild does not name", more)
    if code and not named:
        report.say(law, place, f"the rebuild ends with {code} and names nothing")


def _differences(service: str, source: Source, found: dict[str, Any]) -> list[tuple[Place, str]]:
    """A stage names places in words, the history lists what differs by sort."""
    where = f"rebuilt from {source}"
    named = [(Place(service, where), f"differs: {text}") for text in found.get("places", ())]
    for one in found.get("breaks", ()):
        place = Place(
            service, one["place"], one["shard"], one["seq"], one["stream"], one["version"]
        )
        named.append((place, one["says"]))
    for one in found.get("events", ()) if isinstance(found.get("events"), list) else ():
        place = Place(service, where, one["shard"], one["seq"])
        held = one["only_in"]
        says = "the bytes differ" if held is None else f"only {held} has it"
        named.append((place, f"{one['service']}: {says}"))
    cases = found.get("cases", ())
    named += [(Place(service, where), f"differs: row of case {case}") for case in cases]
    loans = found.get("loans", ())
    named += [(Place(service, where), f"differs: borrower of loan {loan}") for loan in loans]
    return named
