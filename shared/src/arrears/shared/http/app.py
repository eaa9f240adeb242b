"""An HTTP application of a service: its routes, health and metrics, every error a problem."""

from collections.abc import Iterable

from fastapi import APIRouter, Depends, FastAPI
from fastapi_offline import FastAPIOffline
from prometheus_client import REGISTRY, CollectorRegistry

from arrears.shared.http.guard import BODY_BYTES_MAX, Guard
from arrears.shared.http.health import HealthSource, health_routes
from arrears.shared.http.parameters import known_parameters
from arrears.shared.http.problem import add_problems


def make_app(
    title: str,
    routers: Iterable[APIRouter],
    *,
    health: HealthSource,
    version: str = "1",
    body_bytes_max: int = BODY_BYTES_MAX,
    registry: CollectorRegistry = REGISTRY,
) -> FastAPI:
    """The OpenAPI stands at `/docs`, with the reasons of every error, and loads nothing from
    elsewhere: a page that can give commands runs no foreign code."""
    app = FastAPIOffline(
        redoc_url=None,
        title=title,
        version=version,
        separate_input_output_schemas=False,
        # A redirect would be made of the caller's Host header: a wrong path is simply not found.
        redirect_slashes=False,
    )
    for router in routers:
        app.include_router(router, dependencies=[Depends(known_parameters)])
    app.include_router(health_routes(health, registry))
    add_problems(app)
    app.add_middleware(Guard, body_bytes_max=body_bytes_max, registry=registry)
    return app
