"""What the commands of history print for people."""

from arrears.history.application.rebuilding import Comparison
from arrears.history.application.verifying import Verification
from arrears.history.domain.proof import Break


def proof_lines(found: Verification) -> list[str]:
    lines = []
    for place in found.places:
        behind = f", {place.behind:,} behind" if place.behind else ""
        lines.append(f"{place.service:<10} {place.place:<28} {place.events:>10,} events{behind}")
    if found.holds:
        lines.append(
            f"the proof holds: {found.event_count:,} events of {found.stream_count:,} streams, "
            "none missing, none twice, none changed"
        )
        return lines
    lines.append(f"THE PROOF IS BROKEN in {found.break_count:,} places:")
    return lines + [_break(broken) for broken in found.breaks]


def rebuild_lines(found: Comparison, kept: str | None) -> list[str]:
    verdict = "equal" if found.equal else "DIFFERENT"
    lines = [f"{verdict}: {found.event_count:,} events, {found.case_count:,} cases"]
    lines += [_break(broken) for broken in found.breaks]
    for different in found.events:
        only = "differs" if different.only_in is None else f"only in the {different.only_in} one"
        lines.append(f"  {different.service} shard {different.shard} seq {different.seq}: {only}")
    lines += [f"  case {name}: its row differs" for name in found.cases]
    lines += [f"  loan {name}: its borrower differs" for name in found.loans]
    if kept is not None:
        lines.append(f"kept as database {kept}")
    return lines


def _break(broken: Break) -> str:
    return (
        f"  {broken.place}: {broken.service} shard {broken.shard} seq {broken.seq} stream "
        f"{broken.stream} version {broken.version}: {broken.says} [{broken.kind}]"
    )
