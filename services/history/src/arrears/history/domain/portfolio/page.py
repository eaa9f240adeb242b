"""The last page: what a head of collections reads, as numbers ready to print.

The figures of the feed carry the names under which the feed's maker states them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from arrears.history.domain.portfolio.cases import ENDINGS, STAGES, Case
from arrears.history.domain.portfolio.fold import Portfolio
from arrears.history.domain.portfolio.loans import CURED, NEW, Roll, month_of, month_text
from arrears.shared.kernel.money import MINOR_DIGITS, format_minor

Amount = str | Mapping[str, str]
"""A decimal string, or one for each currency where the portfolio has several."""
LISTED_MAX: Final = 20
_THRESHOLDS: Final = (1, 30, 60, 90, 120, 180)


class Feed(Struct, frozen=True, kw_only=True):
    """Days past due thresholds are >=."""

    loans_seen: int
    events: int
    overdue_facts: int
    repayment_facts: int
    cured_facts: int
    episodes_opened: int
    loans_with_2_plus_episodes: int
    loans_ever_cured: int
    loans_ending_cured: int
    loans_ending_overdue: int
    loans_ending_90_plus_dpd: int
    loans_reaching_1_plus_dpd: int
    loans_reaching_30_plus_dpd: int
    loans_reaching_60_plus_dpd: int
    loans_reaching_90_plus_dpd: int
    loans_reaching_120_plus_dpd: int
    loans_reaching_180_plus_dpd: int
    dpd_decreases_without_cure: int
    max_dpd: int
    total_repaid: Amount
    total_overdue_at_end: Amount


class StageRow(Struct, frozen=True, kw_only=True):
    """Open cases by the stage they were last referred to; `waiting` are between two steps."""

    stage: str
    cases: int
    in_work: int
    waiting: int
    overdue: Amount
    balance: Amount
    paid_in: Amount
    promises_kept: int | None = None
    promises_broken: int | None = None
    agreements_kept: int | None = None
    agreements_breached: int | None = None


class RollRate(
    Struct, frozen=True, kw_only=True, rename={"from_bucket": "from", "to_bucket": "to"}
):
    """Of the loans in one bucket at a month's end, how many stood in the other a month later."""

    from_bucket: str
    to_bucket: str
    loans: int
    share: float


class RollMatrix(Struct, frozen=True, kw_only=True):
    first_month: str | None
    last_month: str | None
    rates: Sequence[RollRate]


class Attempts(Struct, frozen=True, kw_only=True):
    requested: int
    made: int
    refused_by_rule: int
    refused_by: Mapping[str, int]
    outcomes: Mapping[str, int]
    without_outcome: int
    without_permit: int
    made_twice: int
    without_permit_ids: Sequence[str]
    made_twice_ids: Sequence[str]


class ToDo(Struct, frozen=True, kw_only=True):
    case_id: str
    loan_key: str
    since: date
    overdue: str


class ToDos(Struct, frozen=True, kw_only=True):
    """`count` is of all; `cases` lists the most recent ones first, at most 20."""

    count: int
    cases: Sequence[ToDo]


class Tomorrow(Struct, frozen=True, kw_only=True):
    """Open cases that nothing has followed on yet. Facts set aside are counted by intake."""

    broken_promises: ToDos
    returned_notices: ToDos
    facts_set_aside: int | None


class Ending(Struct, frozen=True, kw_only=True):
    ending: str
    count: int
    case_id: str | None


class Page(Struct, frozen=True, kw_only=True):
    as_of: date | None
    event_count: int
    case_count: int
    feed: Feed
    stages: Sequence[StageRow]
    counts: Mapping[str, int]
    awarded: Amount
    recovered: Amount
    roll_rates: RollMatrix
    roll_rates_last_month: RollMatrix
    attempts: Attempts
    tomorrow: Tomorrow
    endings: Sequence[Ending]


def page_of(portfolio: Portfolio, day: date | None, facts_set_aside: int | None = None) -> Page:
    """The page as of a day that is known, up to whose month loans roll; None where none is."""
    currencies = _currencies(portfolio)
    rolls = portfolio.loans.rolls(month_of(day)) if day is not None else Counter()
    last = max((month for month, _, _ in rolls), default=None)
    return Page(
        as_of=day,
        event_count=portfolio.event_count,
        case_count=len(portfolio.cases.cases),
        feed=feed_of(portfolio),
        stages=[_stage(portfolio, stage, currencies) for stage in (*STAGES, "no_case")],
        counts={name: portfolio.cases.counts[name] for name in _COUNTS},
        awarded=_amount(portfolio.cases.awarded, currencies),
        recovered=_amount(portfolio.cases.recovered, currencies),
        roll_rates=_matrix(rolls),
        roll_rates_last_month=_matrix({k: n for k, n in rolls.items() if k[0] == last}),
        attempts=_attempts(portfolio),
        tomorrow=Tomorrow(
            broken_promises=_to_dos(
                (case.waits_since(case.promise_broken_on), name, case)
                for name, case in portfolio.cases.cases.items()
            ),
            returned_notices=_to_dos(
                (case.waits_since(case.returned_on), name, case)
                for name, case in portfolio.cases.cases.items()
            ),
            facts_set_aside=facts_set_aside,
        ),
        endings=_endings(portfolio),
    )


def feed_of(portfolio: Portfolio) -> Feed:
    book = portfolio.loans
    loans = book.loans.values()
    overdue = [loan for loan in loans if loan.status == "overdue"]
    at_end: Counter[str] = Counter()
    for loan in overdue:
        at_end[loan.currency] += loan.overdue_minor
    reaching = {days: sum(loan.days_past_due_max >= days for loan in loans) for days in _THRESHOLDS}
    currencies = _currencies(portfolio)
    return Feed(
        loans_seen=len(loans),
        events=book.overdue_facts + book.repayment_facts + book.cured_facts,
        overdue_facts=book.overdue_facts,
        repayment_facts=book.repayment_facts,
        cured_facts=book.cured_facts,
        episodes_opened=book.episodes_opened,
        loans_with_2_plus_episodes=sum(loan.episode_count >= 2 for loan in loans),
        loans_ever_cured=sum(loan.ever_cured for loan in loans),
        loans_ending_cured=sum(loan.status == "cured" for loan in loans),
        loans_ending_overdue=len(overdue),
        loans_ending_90_plus_dpd=sum(loan.days_past_due >= 90 for loan in overdue),
        loans_reaching_1_plus_dpd=reaching[1],
        loans_reaching_30_plus_dpd=reaching[30],
        loans_reaching_60_plus_dpd=reaching[60],
        loans_reaching_90_plus_dpd=reaching[90],
        loans_reaching_120_plus_dpd=reaching[120],
        loans_reaching_180_plus_dpd=reaching[180],
        dpd_decreases_without_cure=book.decreases_without_cure,
        max_dpd=max((loan.days_past_due_max for loan in loans), default=0),
        total_repaid=_amount(book.repaid_minor, currencies),
        total_overdue_at_end=_amount(at_end, currencies),
    )


_COUNTS: Final = (
    "promises_made",
    "promises_kept",
    "promises_partly_kept",
    "promises_broken",
    "promises_lapsed",
    "hardships",
    "demands_delivered",
    "demands_returned",
    "agreements_signed",
    "agreements_fulfilled",
    "agreements_breached",
    "claims_filed",
    "judgments",
    "judgments_obeyed",
    "enforcements_closed",
)


def _currencies(portfolio: Portfolio) -> list[str]:
    seen = {loan.currency for loan in portfolio.loans.loans.values()}
    return sorted((seen | set(portfolio.loans.repaid_minor)) - {""})


def _amount(minor: Mapping[str, int], currencies: Sequence[str]) -> Amount:
    texts = {currency: _decimal(minor.get(currency, 0), currency) for currency in currencies}
    if len(texts) > 1:
        return texts
    return next(iter(texts.values()), "0")


def _decimal(amount_minor: int, currency: str) -> str:
    return format_minor(amount_minor, currency) if currency in MINOR_DIGITS else str(amount_minor)


def _stage(portfolio: Portfolio, stage: str, currencies: Sequence[str]) -> StageRow:
    book = portfolio.cases
    overdue: Counter[str] = Counter()
    balance: Counter[str] = Counter()
    held = [case for case in book.cases.values() if case.is_open and case.stage == stage]
    for case in held:
        overdue[case.currency] += case.overdue_minor
        balance[case.currency] += case.balance_minor
    paid = {currency: book.paid_in[(stage, currency)] for currency in currencies}
    in_work = sum(case.in_work for case in held)
    counts = book.counts
    of_contact, of_mediation = stage == "contact", stage == "mediation"
    return StageRow(
        stage=stage,
        cases=len(held),
        in_work=in_work,
        waiting=len(held) - in_work,
        overdue=_amount(overdue, currencies),
        balance=_amount(balance, currencies),
        paid_in=_amount(paid, currencies),
        promises_kept=counts["promises_kept"] if of_contact else None,
        promises_broken=counts["promises_broken"] if of_contact else None,
        agreements_kept=counts["agreements_fulfilled"] if of_mediation else None,
        agreements_breached=counts["agreements_breached"] if of_mediation else None,
    )


def _matrix(rolls: Mapping[Roll, int]) -> RollMatrix:
    moves: Counter[tuple[str, str]] = Counter()
    leaving: Counter[str] = Counter()
    for (_, before, after), count in rolls.items():
        moves[(before, after)] += count
        leaving[before] += count
    months = sorted({month for month, _, _ in rolls})
    return RollMatrix(
        first_month=month_text(months[0]) if months else None,
        last_month=month_text(months[-1]) if months else None,
        rates=[
            RollRate(
                from_bucket=before,
                to_bucket=after,
                loans=moves[(before, after)],
                share=round(moves[(before, after)] / leaving[before], 4),
            )
            for before, after in sorted(moves, key=lambda move: (_rank(move[0]), _rank(move[1])))
        ],
    )


def _rank(bucket: str) -> tuple[int, str]:
    return (0 if bucket == NEW else 1 if bucket == CURED else 2), bucket


def _attempts(portfolio: Portfolio) -> Attempts:
    book = portfolio.attempts
    twice = sorted(book.made_twice())
    return Attempts(
        requested=book.requested_count,
        made=book.made_count,
        refused_by_rule=book.denied_by_rule.total(),
        refused_by=dict(sorted(book.denied_by_rule.items())),
        outcomes=dict(sorted(book.outcomes.items())),
        without_outcome=book.unanswered_count,
        without_permit=len(book.without_permit),
        made_twice=len(twice),
        without_permit_ids=sorted(book.without_permit)[:LISTED_MAX],
        made_twice_ids=twice[:LISTED_MAX],
    )


def _to_dos(candidates: Iterable[tuple[date | None, str, Case]]) -> ToDos:
    found = [(day, name, case) for day, name, case in candidates if day]
    found.sort(key=lambda one: (-one[0].toordinal(), -one[2].overdue_minor, one[1]))
    return ToDos(
        count=len(found),
        cases=[
            ToDo(
                case_id=name,
                loan_key=case.loan_key,
                since=day,
                overdue=_decimal(case.overdue_minor, case.currency),
            )
            for day, name, case in found[:LISTED_MAX]
        ],
    )


def _endings(portfolio: Portfolio) -> Sequence[Ending]:
    """A case that was sued after a breach is listed there and under how the suit ended."""
    found: dict[str, list[str]] = {name: [] for name in ENDINGS}
    for name, case in portfolio.cases.cases.items():
        ending = case.ending()
        found.setdefault(ending, []).append(name)
        if case.was_sued_after_breach and ending != "agreement_breached_then_sued":
            found["agreement_breached_then_sued"].append(name)
    further = sorted(found.keys() - set(ENDINGS))
    return [
        Ending(ending=name, count=len(found[name]), case_id=min(found[name], default=None))
        for name in (*ENDINGS, *further)
    ]
