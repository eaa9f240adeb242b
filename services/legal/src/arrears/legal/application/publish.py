"""The wire name of each of our facts: all are published, whole. A name is never changed."""

from typing import Final

from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    AgreementNoted,
    BorrowerHeld,
    BorrowerReleased,
    ClaimClosed,
    ClaimEnded,
    ClaimEvent,
    ClaimPaused,
    ClaimResumed,
    ClaimReturned,
    ClaimTaken,
    ClaimWithdrawn,
    DemandNoted,
    FilingApproved,
    FilingRefused,
    LimitationAlarmRaised,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.suit_events import (
    AssetsSearched,
    ClaimFiled,
    ClaimRegistered,
    CourtSilenceNoted,
    EnforcementAlarmRaised,
    EnforcementApplied,
    EnforcementClosed,
    EnforcementLapsed,
    JudgmentEntered,
    JudgmentNotEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    MoneyRecovered,
    PaymentNoted,
)

WIRE_NAMES: Final[dict[type, str]] = {
    DemandNoted: "arrears.legal.demand_noted.v1",
    LimitationInterrupted: "arrears.legal.limitation_interrupted.v1",
    AgreementNoted: "arrears.legal.agreement_noted.v1",
    AgreementEndNoted: "arrears.legal.agreement_end_noted.v1",
    ClaimTaken: "arrears.legal.claim_taken.v1",
    ClaimPaused: "arrears.legal.claim_paused.v1",
    ClaimResumed: "arrears.legal.claim_resumed.v1",
    BorrowerHeld: "arrears.legal.borrower_held.v1",
    BorrowerReleased: "arrears.legal.borrower_released.v1",
    ClaimReturned: "arrears.legal.claim_returned.v1",
    FilingApproved: "arrears.legal.filing_approved.v1",
    FilingRefused: "arrears.legal.filing_refused.v1",
    LimitationAlarmRaised: "arrears.legal.limitation_alarm_raised.v1",
    ClaimFiled: "arrears.legal.claim_filed.v1",
    ClaimRegistered: "arrears.legal.claim_registered.v1",
    CourtSilenceNoted: "arrears.legal.court_silence_noted.v1",
    PaymentNoted: "arrears.legal.payment_noted.v1",
    JudgmentEntered: "arrears.legal.judgment_entered.v1",
    JudgmentNotEntered: "arrears.legal.judgment_not_entered.v1",
    JudgmentObeyed: "arrears.legal.judgment_obeyed.v1",
    JudgmentNotObeyed: "arrears.legal.judgment_not_obeyed.v1",
    EnforcementAlarmRaised: "arrears.legal.enforcement_alarm_raised.v1",
    EnforcementLapsed: "arrears.legal.enforcement_lapsed.v1",
    EnforcementApplied: "arrears.legal.enforcement_applied.v1",
    AssetsSearched: "arrears.legal.assets_searched.v1",
    MoneyRecovered: "arrears.legal.money_recovered.v1",
    EnforcementClosed: "arrears.legal.enforcement_closed.v1",
    ClaimWithdrawn: "arrears.legal.claim_withdrawn.v1",
    ClaimEnded: "arrears.legal.claim_ended.v1",
    ClaimClosed: "arrears.legal.claim_closed.v1",
}


def subject_of(event: ClaimEvent) -> str | None:
    return event.case_id
