"""Puts mediation together: `arrears-mediation api | worker | run | migrate | rebuild`."""

from pathlib import Path

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.adapters.sandbox import SandboxMediator
from arrears.mediation.api.routes import routes
from arrears.mediation.application.effects import (
    ENDS_EFFECT,
    Answer,
    effect_of,
    make_recheck,
    on_answer,
    unanswered,
)
from arrears.mediation.application.projections import case_list
from arrears.mediation.application.publish import WIRE_NAMES, subject_of
from arrears.mediation.application.react import HEARS, react
from arrears.mediation.domain.mediation.decisions import make_mediation_decider
from arrears.mediation.domain.mediation.rules import Rules
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.keyring.port import Keyring
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.opening import Service
from arrears.shared.service.process import main_of
from arrears.shared.service.settings import Ground


def make_stage(ground: Ground, _keyring: Keyring) -> Stage:
    """Raises BadPolicy where a policy file breaks a rule."""
    book = load_policies(ground.policies)
    decider = make_mediation_decider(book, ground.calendar)
    return Stage(
        name="mediation",
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
        ends_effect=ENDS_EFFECT,
        recheck=make_recheck(Rules(policies=book, calendar=ground.calendar)),
        unanswered=unanswered,
        policies=book.versions,
    )


def make_gateway(ground: Ground, _keyring: Keyring) -> Gateway | None:
    """The sandbox where it is configured on. None: invitations wait until a gateway is there."""
    return None if ground.sandbox_seed is None else SandboxMediator(ground.sandbox_seed)


service = Service(
    name="mediation",
    migrations=Path(__file__).resolve().parents[3] / "migrations",
    make_stage=make_stage,
    projections=[case_list],
    make_gateway=make_gateway,
    make_routes=lambda edge: [routes(edge)],
)
main = main_of(service)
