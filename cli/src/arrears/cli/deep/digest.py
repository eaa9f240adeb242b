"""Law 9: the digest over all cases, computed here from the history's table (protocol 3.8)."""

import json
from collections.abc import Collection
from hashlib import sha256
from typing import Any, Final

from arrears.cli.deep.findings import Place, Report
from arrears.cli.deep.reading import (
    DAY_CLOSED,
    INPUT_PARKED,
    INPUT_RELEASED,
    INPUT_SKIPPED,
    Event,
)

_OUTSIDE: Final = frozenset({DAY_CLOSED, INPUT_PARKED, INPUT_RELEASED, INPUT_SKIPPED})
_SEALED: Final = "sealed"


class Digest:
    """Events come sorted by subject, service in the order of the day, stream and version."""

    def __init__(self, skipped: Collection[str]) -> None:
        self._skipped = frozenset(skipped)
        self._hash = sha256()
        self._stream: tuple[str, str] | None = None
        self._place = 0
        self.event_count = 0

    def event(self, service: str, event: Event) -> None:
        """Closings, parkings, people's commands and borrowers with a skipped input are outside."""
        if event.noun in _OUTSIDE or event.actor is not None:
            return
        if event.borrower_id in self._skipped:
            return
        if (event.subject, event.stream) != self._stream:
            self._stream, self._place = (event.subject, event.stream), 0
        self._place += 1
        self.event_count += 1
        line = {
            "subject": event.subject,
            "service": service,
            "stream": event.stream,
            "place": self._place,
            "id": event.id,
            "type": event.type,
            "time": event.time,
            "business_day": event.business_day,
            "causation_id": event.causation_id,
            "data": unsealed(event.data),
        }
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        self._hash.update(text.encode() + b"\n")

    def hex(self) -> str:
        return self._hash.hexdigest()


def unsealed(data: Any) -> Any:
    """The data with every encrypted text replaced by a constant: a key is made by chance."""
    if isinstance(data, dict):
        return {
            name: _SEALED if name == _SEALED and isinstance(value, str) else unsealed(value)
            for name, value in data.items()
        }
    return [unsealed(one) for one in data] if isinstance(data, list) else data


def judge(digest: Digest, up_to: str | None, expected: str | None, report: Report) -> None:
    """Compare with the digest of another run, where one was given."""
    report.count(9, "events", digest.event_count)
    found = digest.hex()
    report.remark(9, f"up to {up_to}: {found}")
    if expected is None:
        report.leaves_out(9, "nothing to compare with: give --expect-digest")
    elif found != expected.strip().lower():
        report.say(9, Place("history"), f"the digest is {found}, expected is {expected}")


def cannot_judge(up_to: str, closed: str | None, expected: str | None, report: Report) -> None:
    """Of a day that some service has not closed there is no digest yet, and nothing to compare."""
    says = f"{up_to} is not closed everywhere, the last day that is: {closed or 'none yet'}"
    if expected is None:
        report.misses(9, says)
    else:
        report.say(9, Place("history"), says)
