"""Puts contact together and runs it: `arrears-contact api | worker | run | migrate | rebuild`."""

from pathlib import Path

from arrears.contact.adapters.policies import load_policies
from arrears.contact.adapters.sandbox import SandboxGateway
from arrears.contact.adapters.unsealing import unseal_with
from arrears.contact.api.routes import routes
from arrears.contact.application.effects import (
    ENDS_EFFECT,
    Answer,
    effect_of,
    make_recheck,
    on_answer,
    unanswered,
)
from arrears.contact.application.projections import case_list
from arrears.contact.application.publish import WIRE_NAMES, subject_of
from arrears.contact.application.react import HEARS, react
from arrears.contact.domain.borrower.decisions import make_borrower_decider, make_objection
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.keyring.port import Keyring
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.opening import Service
from arrears.shared.service.process import main_of
from arrears.shared.service.settings import Ground
from arrears.shared.service.workdays import workdays_of


def make_stage(ground: Ground, _keyring: Keyring) -> Stage:
    """Raises BadPolicy where a policy file breaks a rule, BadSetting where a country is unknown."""
    policies, zone = load_policies(ground.policies), ground.calendar.zone.key
    decider = make_borrower_decider(
        policies,
        zone,
        is_workday=workdays_of(ground.country),
        sandbox_points=ground.sandbox_seed is not None,
    )
    return Stage(
        name="contact",
        tenant=ground.tenant,
        calendar=ground.calendar,
        deciders={decider.category: decider},
        wire_names=WIRE_NAMES,
        subject_of=subject_of,
        hears=HEARS,
        react=react,
        effect_of=effect_of,
        answer_type=Answer,
        on_answer=on_answer,
        unanswered=unanswered,
        ends_effect=ENDS_EFFECT,
        recheck=make_recheck(make_objection(policies, zone)),
        policies=policies,
    )


def make_gateway(ground: Ground, keyring: Keyring) -> Gateway | None:
    """The sandbox where it is configured on. None: attempts wait until a gateway is there."""
    if ground.sandbox_seed is None:
        return None
    return SandboxGateway(ground.sandbox_seed, unseal_with(keyring))


service = Service(
    name="contact",
    migrations=Path(__file__).resolve().parents[3] / "migrations",
    make_stage=make_stage,
    projections=[case_list],
    make_gateway=make_gateway,
    make_routes=lambda edge: [routes(edge)],
)
main = main_of(service)
