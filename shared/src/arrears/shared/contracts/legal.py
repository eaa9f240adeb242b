"""What legal tells the others. Topic `arrears.legal.v1`, key = borrower id."""

from datetime import date
from typing import ClassVar, TypeAlias

from msgspec import Struct

from arrears.shared.kernel.ids import CaseId, LoanKey


class FilingRefused(Struct, frozen=True, kw_only=True):
    """The gate before filing is shut; `missing` names every item (demand_delivered, ...)."""

    WIRE_NAME: ClassVar[str] = "arrears.legal.filing_refused.v1"
    case_id: CaseId
    loan_key: LoanKey
    missing: tuple[str, ...]


class ClaimFiled(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.legal.claim_filed.v1"
    case_id: CaseId
    loan_key: LoanKey
    claim_minor: int
    currency: str


class JudgmentEntered(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.legal.judgment_entered.v1"
    case_id: CaseId
    loan_key: LoanKey
    awarded_minor: int
    currency: str
    obey_by_on: date


class JudgmentObeyed(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.legal.judgment_obeyed.v1"
    case_id: CaseId
    loan_key: LoanKey
    paid_minor: int


class EnforcementClosed(Struct, frozen=True, kw_only=True):
    """`result`: recovered_in_full, recovered_in_part, no_assets."""

    WIRE_NAME: ClassVar[str] = "arrears.legal.enforcement_closed.v1"
    case_id: CaseId
    loan_key: LoanKey
    result: str
    recovered_minor: int


class ClaimEnded(Struct, frozen=True, kw_only=True):
    """Legal asks for nothing more. `result`: settled (an agreement was fulfilled), not_accepted and
    dismissed (by the court), withdrawn. A later referral of a claim that was over is answered by it
    too, with how it had ended: also recovered_in_part, no_assets, or why the case was closed."""

    WIRE_NAME: ClassVar[str] = "arrears.legal.claim_ended.v1"
    case_id: CaseId
    loan_key: LoanKey
    result: str


LegalContract: TypeAlias = (
    FilingRefused | ClaimFiled | JudgmentEntered | JudgmentObeyed | EnforcementClosed | ClaimEnded
)
