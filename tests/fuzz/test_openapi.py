"""Requests made from each service's OpenAPI, in keeping with it and against it.

Every answer must be one that the OpenAPI names, in the shape that it names, and no failure of ours.
"""

import itertools
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from arrears.shared.testing.bad_requests import SECRET

CHECKED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES_MIN = 2
EXAMPLES = max(int(os.environ.get("REQUESTS") or 0) // 400, EXAMPLES_MIN)
"""For each operation and mode; what all stages have in common is tried with the first of them."""
NUMBERS = itertools.count(1)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_the_one_that_is_documented(
    services: list[Any], mode: GenerationMode, logged: list[Any]
) -> None:
    seen: list[tuple[str, str]] = []
    tried = services if EXAMPLES > EXAMPLES_MIN else [services[0], services[-1]]
    for behind in tried:
        schema = schemathesis.openapi.from_dict(behind.app.openapi())
        schema.app = behind.app
        for result in schema.get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]
            place = (operation.method, operation.path)
            own = place not in seen or operation.path.startswith("/cases")
            if own and not (mode is GenerationMode.NEGATIVE and _takes_anything(operation)):
                _try(operation.as_strategy(generation_mode=mode))
                seen.append(place)
    assert len(seen) > 8 * len(tried)
    assert SECRET not in str(logged)


def _takes_anything(operation: Any) -> bool:
    """It has no parameter and no body, so nothing about it can be wrong."""
    parts = (operation.path_parameters, operation.query, operation.headers, operation.body)
    return not any(len(part) for part in parts)


def _try(cases: Any) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def play(case: Case[Any]) -> None:
        headers = {"X-Staff-Id": "li.wei"}
        if case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE:
            headers["Idempotency-Key"] = f"openapi-{next(NUMBERS)}"
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKED)

    play()
