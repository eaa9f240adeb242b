"""The lines of the table, and the little arithmetic behind them."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from statistics import median

from msgspec import Struct
from msgspec.json import decode, encode, format


class Row(Struct, frozen=True):
    """One line of the table. `ratio` is this value to the one of `beside`, where there is one.

    `value` is None where the row was left out; `beside` says why.
    """

    name: str
    value: float | None
    unit: str
    ratio: float | None = None
    beside: str | None = None
    must: str | None = None


def left_out(name: str, reason: str) -> Row:
    return Row(name, None, "", beside=f"left out: {reason}")


class Pair(Struct, frozen=True):
    """One round: a measure, and what ran beside it right after."""

    ours: float
    theirs: float


def beside(
    name: str, unit: str, rounds: Sequence[Pair], what: str, must: str, also: str = ""
) -> Row:
    """The medians of several rounds. The ratio is the median of the ratios, not of the medians:
    both halves of a round saw the same machine."""
    theirs = median(one.theirs for one in rounds)
    ratios = [one.ours / one.theirs for one in rounds]
    told = f"{what} {theirs:,.0f} {unit}, ratios {', '.join(f'{ratio:.2f}' for ratio in ratios)}"
    ours = median(one.ours for one in rounds)
    return Row(name, ours, unit, median(ratios), f"{told}{also}", must)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def merged(kept: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Rows measured now take the place of those of the same name; the others stay."""
    by_name = {row.name: row for row in kept} | {row.name: row for row in new}
    return list(by_name.values())


def keep(path: Path, new: Sequence[Row]) -> None:
    kept = decode(path.read_bytes(), type=list[Row]) if path.exists() else []
    path.write_bytes(format(encode(merged(kept, new))) + b"\n")
