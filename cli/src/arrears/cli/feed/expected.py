"""What a correct consumer of a feed must end with: a reading that shares no code with intake.

It reads lines as plain dictionaries and amounts as `decimal`, keeps one small record a loan, and
returns the figures by the names that `arrears portfolio --json` uses. Lines must be in order of
time. Facts that contradict themselves or their loan are counted and otherwise passed over.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

THRESHOLDS: Final = (1, 30, 60, 90, 120, 180)
Figures = dict[str, int | str | dict[str, str]]

_DECIMALS: Final = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}
_BANK_DAY: Final = timedelta(hours=8)


class Contradiction(Exception):
    """A fact that no consumer may apply."""


@dataclass(slots=True)
class _LoanState:
    currency: str
    currency_is_fixed: bool = False
    in_episode: bool = False
    episodes: int = 0
    cures: int = 0
    dpd: int = 0
    dpd_max: int = 0
    total: Decimal = Decimal(0)


@dataclass(slots=True)
class _Reading:
    loans: dict[tuple[str, str], _LoanState] = field(default_factory=dict)
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    repayments: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    repaid: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def expected(lines: Iterable[bytes]) -> Figures:
    """Read a whole feed, in the order of its lines; blank lines are passed over."""
    reading = _Reading()
    for text in lines:
        if text.strip():
            _read(reading, json.loads(text))
    return _figures(reading)


def _read(reading: _Reading, event: dict[str, Any]) -> None:
    data = event["data"]
    kind = event["type"].removeprefix("corebanking.")
    if kind == "borrower.profile.v1":
        reading.counts["profile_facts"] += 1
        return
    if kind == "business_day.closed.v1":
        return
    loan = (event["source"], data["loan_id"])
    identity = (*loan, event["id"])
    if identity in reading.seen:
        reading.counts["duplicates"] += 1
        return
    try:
        match kind:
            case "loan.overdue.v1":
                _overdue(reading, loan, event, data)
            case "loan.repayment_received.v1":
                _repayment(reading, loan, event, data)
            case "loan.cured.v1":
                _cured(reading, loan, event, data)
            case _:
                raise Contradiction("unknown type")
    except Contradiction:
        reading.counts["dirty_facts_to_park"] += 1
        return
    reading.seen.add(identity)


def _overdue(
    reading: _Reading, loan: tuple[str, str], event: dict[str, Any], data: dict[str, Any]
) -> None:
    dpd = data["days_past_due"]
    as_of_on = _as_of(event, data)
    total = _amount(data["overdue"]["total"], data["currency"])
    for part in ("principal", "interest", "fees"):
        if data["overdue"].get(part) is not None:
            _amount(data["overdue"][part], data["currency"])
    _require(dpd >= 0 and (as_of_on - date.fromisoformat(data["due_date"])).days == dpd)
    _require(dpd == 0 or total > 0)
    state = _state(reading, loan, data["currency"], fixes=True)
    reading.counts["overdue_facts"] += 1
    if not state.in_episode:
        state.in_episode = True
        state.episodes += 1
    elif dpd < state.dpd:
        reading.counts["dpd_decreases_without_cure"] += 1
    state.dpd = dpd
    state.dpd_max = max(state.dpd_max, dpd)
    state.total = total


def _repayment(
    reading: _Reading, loan: tuple[str, str], event: dict[str, Any], data: dict[str, Any]
) -> None:
    _told_by_then(event, data["value_date"])
    amount = _amount(data["amount"], data["currency"])
    key = (*loan, data["repayment_id"])
    _require(reading.repayments.get(key, amount) == amount)
    _state(reading, loan, data["currency"])
    if key in reading.repayments:
        reading.counts["duplicates"] += 1
        return
    reading.repayments[key] = amount
    reading.counts["repayment_facts"] += 1
    reading.repaid[data["currency"]] += amount


def _cured(
    reading: _Reading, loan: tuple[str, str], event: dict[str, Any], data: dict[str, Any]
) -> None:
    _as_of(event, data)
    _require(data["days_past_due"] == 0)
    state = _state(reading, loan, data["currency"])
    reading.counts["cured_facts"] += 1
    if state.in_episode:
        state.in_episode = False
        state.cures += 1
        state.dpd = 0
        state.total = Decimal(0)


def _state(
    reading: _Reading, loan: tuple[str, str], currency: str, *, fixes: bool = False
) -> _LoanState:
    """The loan's record; a first fact makes it, the first overdue fact fixes the currency."""
    state = reading.loans.get(loan)
    if state is None:
        state = reading.loans[loan] = _LoanState(currency=currency)
    if fixes and not state.currency_is_fixed:
        state.currency, state.currency_is_fixed = currency, True
    _require(state.currency == currency or not state.currency_is_fixed)
    return state


def _as_of(event: dict[str, Any], data: dict[str, Any]) -> date:
    return _told_by_then(event, data["as_of_date"])


def _told_by_then(event: dict[str, Any], text: str) -> date:
    """A day in a fact lies at most a day after the day on which the bank told it."""
    day = date.fromisoformat(text)
    stated_on = (datetime.fromisoformat(event["time"]) + _BANK_DAY).date()
    _require((day - stated_on).days <= 1)
    return day


def _amount(text: str, currency: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise Contradiction("not a number") from error
    _require(amount.is_finite() and amount >= 0)
    _require(amount == round(amount, _DECIMALS.get(currency, 2)))
    return amount


def _require(holds: bool) -> None:
    if not holds:
        raise Contradiction


def _figures(reading: _Reading) -> Figures:
    loans = reading.loans.values()
    ending = [state for state in loans if state.in_episode]
    counts = reading.counts
    facts = ("overdue_facts", "repayment_facts", "cured_facts")
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for state in ending:
        owed[state.currency] += state.total
    figures: Figures = {
        "loans_seen": len(loans),
        "events": sum(counts[name] for name in facts),
        **{name: counts[name] for name in facts},
        "episodes_opened": sum(state.episodes for state in loans),
        "loans_with_2_plus_episodes": sum(state.episodes >= 2 for state in loans),
        "loans_ever_cured": sum(state.cures >= 1 for state in loans),
        "loans_ending_cured": sum(state.cures >= 1 and not state.in_episode for state in loans),
        "loans_ending_overdue": len(ending),
        "loans_ending_90_plus_dpd": sum(state.dpd >= 90 for state in ending),
    }
    for days in THRESHOLDS:
        figures[f"loans_reaching_{days}_plus_dpd"] = sum(s.dpd_max >= days for s in loans)
    figures["dpd_decreases_without_cure"] = counts["dpd_decreases_without_cure"]
    figures["max_dpd"] = max((state.dpd_max for state in loans), default=0)
    currencies = {state.currency for state in loans}
    figures["total_repaid"] = _money(reading.repaid, currencies)
    figures["total_overdue_at_end"] = _money(owed, currencies)
    for name in ("dirty_facts_to_park", "duplicates", "profile_facts"):
        figures[name] = counts[name]
    return figures


def _money(sums: dict[str, Decimal], currencies: set[str]) -> str | dict[str, str]:
    """A plain amount where the feed has one currency, else an amount for each."""
    texts = {
        name: f"{sums.get(name, Decimal(0)):.{_DECIMALS.get(name, 2)}f}"
        for name in sorted(currencies)
    }
    if len(texts) == 1:
        return next(iter(texts.values()))
    return texts or "0.00"
