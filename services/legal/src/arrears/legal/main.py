"""Puts legal together and runs it: `arrears-legal api | worker | run | migrate | rebuild`."""

from pathlib import Path

from arrears.legal.adapters.policies import load_policies
from arrears.legal.adapters.sandbox import SandboxCourt
from arrears.legal.api.routes import routes
from arrears.legal.application.effects import (
    ENDS_EFFECT,
    Answer,
    effect_of,
    gives_way,
    make_recheck,
    on_answer,
    unanswered,
)
from arrears.legal.application.projections import case_list
from arrears.legal.application.publish import WIRE_NAMES, subject_of
from arrears.legal.application.react import HEARS, react
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.rules import Rules
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.keyring.port import Keyring
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.opening import Service
from arrears.shared.service.process import main_of
from arrears.shared.service.settings import Ground
from arrears.shared.service.workdays import announced_until, workdays_of


def make_stage(ground: Ground, _keyring: Keyring) -> Stage:
    """Raises BadPolicy where a policy file breaks a rule."""
    book = load_policies(ground.policies)
    country = ground.country
    rules = Rules(book, ground.calendar, workdays_of(country), announced_until(country))
    decider = make_claim_decider(
        rules.policies, rules.calendar, rules.is_workday, rules.announced_until
    )
    return Stage(
        name="legal",
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
        recheck=make_recheck(rules),
        gives_way=gives_way,
        ends_effect=ENDS_EFFECT,
        policies=book.versions,
    )


def make_gateway(ground: Ground, _keyring: Keyring) -> Gateway | None:
    """The sandbox where it is configured on. None: filings wait until a gateway is there."""
    return None if ground.sandbox_seed is None else SandboxCourt(ground.sandbox_seed)


service = Service(
    name="legal",
    migrations=Path(__file__).resolve().parents[3] / "migrations",
    make_stage=make_stage,
    projections=[case_list],
    make_gateway=make_gateway,
    make_routes=lambda edge: [routes(edge)],
)
main = main_of(service)
