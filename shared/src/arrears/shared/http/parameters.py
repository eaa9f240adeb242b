"""A parameter that nobody reads is a mistake, and is not answered as if it were not there."""

from collections import Counter
from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from arrears.shared.http.problem import invalid


async def known_parameters(request: Request) -> None:
    """A dependency of every route of a service.

    Raises RequestValidationError for a parameter of the query that the route does not know, and for
    one that is given more than once.
    """
    if not request.query_params:
        return
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    known = set(_names(route.dependant))
    given = Counter(name for name, _ in request.query_params.multi_items())
    rules = {
        name: "given more than once" if name in known else "there is no such parameter here"
        for name, times in given.items()
        if name not in known or times > 1
    }
    if rules:
        raise invalid("query", rules)


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for needed in dependant.dependencies:
        yield from _names(needed)
