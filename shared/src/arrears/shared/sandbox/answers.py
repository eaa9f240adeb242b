"""What the outside world answers in the sandbox: the one place that gateways import.

Pure and deterministic: the same question gets the same answer, however often it is asked. For a
loan of the synthetic feed with this seed the answers are what its feed then pays; for any other
loan they come by a hash of seed, case and attempt.
"""

from arrears.shared.sandbox.borrower import PROMISE_DAYS_MAX, contact_answer
from arrears.shared.sandbox.court import (
    court_answer,
    enforcement_answer,
    mediation_answer,
    signing_answer,
)
from arrears.shared.sandbox.people import contact_points
from arrears.shared.sandbox.spoken import (
    ContactAnswer,
    CourtAnswer,
    EnforcementAnswer,
    MediationAnswer,
    Said,
    SigningAnswer,
)

__all__ = [
    "PROMISE_DAYS_MAX",
    "ContactAnswer",
    "CourtAnswer",
    "EnforcementAnswer",
    "MediationAnswer",
    "Said",
    "SigningAnswer",
    "contact_answer",
    "contact_points",
    "court_answer",
    "enforcement_answer",
    "mediation_answer",
    "signing_answer",
]
