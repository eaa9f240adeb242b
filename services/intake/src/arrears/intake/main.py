"""Puts intake together and runs it: `arrears-intake api | worker | run | migrate | rebuild`."""

from pathlib import Path

from arrears.intake.adapters.feed import FactReader
from arrears.intake.adapters.policies import load_policies
from arrears.intake.api.routes import routes
from arrears.intake.application.projections import case_list
from arrears.intake.application.publish import WIRE_NAMES, subject_of
from arrears.intake.application.react import HEARS, react
from arrears.intake.domain.borrower import borrower_decider
from arrears.intake.domain.loan.decisions import make_loan_decider
from arrears.shared.keyring.port import Keyring
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.opening import Service
from arrears.shared.service.process import main_of
from arrears.shared.service.settings import Ground


def make_stage(ground: Ground, keyring: Keyring) -> Stage:
    """Raises BadPolicy where a policy file breaks a rule."""
    book = load_policies(ground.policies)
    loans = make_loan_decider(book, ground.calendar, ground.tenant)
    return Stage(
        name="intake",
        tenant=ground.tenant,
        calendar=ground.calendar,
        deciders={loans.category: loans, borrower_decider.category: borrower_decider},
        wire_names=WIRE_NAMES,
        subject_of=subject_of,
        hears=HEARS,
        react=react,
        feed=FactReader(keyring),
        policies=book.versions,
    )


service = Service(
    name="intake",
    migrations=Path(__file__).resolve().parents[3] / "migrations",
    make_stage=make_stage,
    projections=[case_list],
    make_routes=lambda edge: [routes(edge)],
)
main = main_of(service)
