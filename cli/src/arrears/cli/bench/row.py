"""The lines of the table, and the little arithmetic behind them."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from pathlib import Path
from statistics import median

from msgspec import Struct
from msgspec.json import decode, encode, format
from msgspec.structs import replace

from arrears.cli.whole_file import written_whole


class Row(Struct, frozen=True):
    """One line of the table. `ratio` is this value to the one of `beside`, where there is one.

    `value` is None where the row was left out or failed; `beside` says why. `of` is the measure
    that it belongs to, `measured_at` when that ended, in UTC; None in lines of an older file.
    """

    name: str
    value: float | None
    unit: str
    ratio: float | None = None
    beside: str | None = None
    must: str | None = None
    of: str | None = None
    measured_at: datetime | None = None


def left_out(name: str, reason: str) -> Row:
    return Row(name, None, "", beside=f"left out: {reason}")


def failed(name: str, error: Exception) -> Row:
    return Row(name, None, "", beside=f"failed: {type(error).__name__}: {error}")


def signed(rows: Sequence[Row], of: str, at: datetime) -> list[Row]:
    return [replace(row, of=of, measured_at=at) for row in rows]


class Pair(Struct, frozen=True):
    """One round: a measure, and what ran beside it right after."""

    ours: float
    theirs: float


def beside(
    name: str, unit: str, rounds: Sequence[Pair], what: str, must: str | None, also: str = ""
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
    """In the place of all that the same measures said before, also of lines that are not among the
    new ones: an old figure must not look like one of this run. Other measures' lines stay."""
    measures = {row.of for row in new if row.of is not None}
    gone = measures | {row.name for row in new}
    old = [row.name in gone or row.of in measures for row in kept]
    place = old.index(True) if True in old else len(kept)
    stay = [row for row, is_old in zip(kept, old, strict=True) if not is_old]
    return [*stay[:place], *new, *stay[place:]]


def keep(path: Path, new: Sequence[Row]) -> None:
    kept = decode(path.read_bytes(), type=list[Row]) if path.exists() else []
    with written_whole(path) as out:
        out.write(format(encode(merged(kept, new))) + b"\n")
