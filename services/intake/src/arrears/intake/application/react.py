"""What the stages say, as reports to the loan's stream. Pure; nothing is decided here."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, assert_never, get_args

from msgspec import Struct

from arrears.intake.domain.loan import decisions
from arrears.intake.domain.loan.commands import ReportStage
from arrears.shared.contracts.contact import (
    ContactContract,
    DemandDelivered,
    DemandReturned,
    HardshipReported,
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromiseMade,
    PromisePartlyKept,
    RefusalReported,
    TreatmentCompleted,
    UnreachableReported,
)
from arrears.shared.contracts.legal import (
    ClaimEnded,
    ClaimFiled,
    EnforcementClosed,
    FilingRefused,
    JudgmentEntered,
    JudgmentObeyed,
    LegalContract,
)
from arrears.shared.contracts.mediation import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementSigned,
    MediationClosed,
    MediationContract,
    MediationFailed,
)
from arrears.shared.kernel.reaction import Heard, Issue

StageContract = ContactContract | MediationContract | LegalContract

HEARS: Final[frozenset[str]] = frozenset(
    contract.WIRE_NAME
    for union in (ContactContract, MediationContract, LegalContract)
    for contract in get_args(union)
)


class Report(Struct, frozen=True, kw_only=True):
    """What of a contract the strategy and the case's history ask about."""

    stage: str
    report: str
    result: str | None = None
    treatment: str | None = None
    referral: int | None = None
    promise_id: str | None = None
    amount_minor: int | None = None
    until_on: date | None = None
    detail: str | None = None


def react(said: Struct, heard: Heard, at: datetime) -> Sequence[Issue]:
    """Every contract of a stage is a report, but for the echo of what we said ourselves."""
    if not isinstance(said, StageContract):
        return ()
    if isinstance(said, MediationClosed) and said.reason != "nothing_owed":
        return ()
    report = report_of(said)
    return (
        Issue(
            decisions.CATEGORY,
            said.loan_key,
            ReportStage(
                case_id=said.case_id,
                stage=report.stage,
                report=report.report,
                report_id=heard.id,
                now=at,
                result=report.result,
                treatment=report.treatment,
                referral=report.referral,
                promise_id=report.promise_id,
                amount_minor=report.amount_minor,
                until_on=report.until_on,
                detail=report.detail,
            ),
        ),
    )


def report_of(said: StageContract) -> Report:
    if isinstance(said, ContactContract):
        return _of_contact(said)
    if isinstance(said, MediationContract):
        return _of_mediation(said)
    return _of_legal(said)


def _of_contact(  # noqa: C901, PLR0911 - one case for each contract
    said: ContactContract,
) -> Report:
    match said:
        case TreatmentCompleted():
            return Report(
                stage="contact",
                report="treatment_completed",
                result=said.result,
                treatment=said.treatment,
                referral=said.referral,
                detail=said.reason,
            )
        case DemandDelivered():
            total = said.total_minor
            return Report(stage="contact", report="demand_delivered", amount_minor=total)
        case DemandReturned():
            return Report(stage="contact", report="demand_returned")
        case PromiseMade():
            return Report(
                stage="contact",
                report="promise_made",
                promise_id=said.promise_id,
                amount_minor=said.amount_minor,
                until_on=said.due_on,
            )
        case PromiseKept():
            return _promise_ended("promise_kept", said.promise_id, said.paid_minor)
        case PromisePartlyKept():
            return _promise_ended("promise_partly_kept", said.promise_id, said.paid_minor)
        case PromiseBroken():
            return _promise_ended("promise_broken", said.promise_id, None)
        case PromiseLapsed():
            return _promise_ended("promise_lapsed", said.promise_id, None, said.reason)
        case RefusalReported():
            return Report(stage="contact", report="refusal_reported")
        case HardshipReported():
            return Report(stage="contact", report="hardship_reported", until_on=said.review_on)
        case UnreachableReported():
            return Report(stage="contact", report="unreachable_reported")
        case _:
            assert_never(said)


def _promise_ended(
    report: str, promise_id: str, paid_minor: int | None, detail: str | None = None
) -> Report:
    return Report(
        stage="contact",
        report=report,
        promise_id=promise_id,
        amount_minor=paid_minor,
        detail=detail,
    )


def _of_mediation(said: MediationContract) -> Report:
    match said:
        case AgreementSigned():
            total = sum(instalment.amount_minor for instalment in said.instalments)
            last_on = max((instalment.due_on for instalment in said.instalments), default=None)
            return Report(
                stage="mediation", report="agreement_signed", amount_minor=total, until_on=last_on
            )
        case AgreementFulfilled():
            return _mediation_ended("agreement_fulfilled", "fulfilled", paid_minor=said.paid_minor)
        case AgreementBreached():
            return _mediation_ended("agreement_breached", "breached", paid_minor=said.paid_minor)
        case MediationFailed():
            return _talks_ended("mediation_failed", "failed", said)
        case MediationClosed():
            return _talks_ended("mediation_closed", "stopped", said)
        case _:
            assert_never(said)


def _talks_ended(report: str, result: str, said: MediationFailed | MediationClosed) -> Report:
    return Report(
        stage="mediation",
        report=report,
        result=result,
        treatment="mediate",
        referral=said.referral,
        detail=said.reason,
    )


def _mediation_ended(report: str, result: str, *, paid_minor: int) -> Report:
    return Report(
        stage="mediation",
        report=report,
        result=result,
        treatment="mediate",
        amount_minor=paid_minor,
    )


def _of_legal(said: LegalContract) -> Report:
    match said:
        case FilingRefused():
            # Legal keeps the case and files by itself once nothing is missing.
            return Report(stage="legal", report="filing_refused", detail=", ".join(said.missing))
        case ClaimFiled():
            return Report(stage="legal", report="claim_filed", amount_minor=said.claim_minor)
        case JudgmentEntered():
            return Report(
                stage="legal",
                report="judgment_entered",
                amount_minor=said.awarded_minor,
                until_on=said.obey_by_on,
            )
        case JudgmentObeyed():
            return _legal_ended("judgment_obeyed", "obeyed", paid_minor=said.paid_minor)
        case EnforcementClosed():
            recovered = said.recovered_minor
            return _legal_ended("enforcement_closed", said.result, paid_minor=recovered)
        case ClaimEnded():
            return _legal_ended("claim_ended", said.result)
        case _:
            assert_never(said)


def _legal_ended(report: str, result: str, *, paid_minor: int | None = None) -> Report:
    return Report(
        stage="legal", report=report, result=result, treatment="sue", amount_minor=paid_minor
    )
