"""JSON Schemas of our structs for the OpenAPI, made from the structs so that they cannot drift."""

import inspect
from typing import Any

from msgspec.json import schema


def described(body: Any) -> dict[str, Any]:
    """The schema, its texts without the indentation that docstrings have before Python 3.13."""
    whole = schema(body)
    for definition in whole.get("$defs", {}).values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    return whole


def schema_of(answer: Any) -> dict[str, Any]:
    """Self-contained: an OpenAPI page has no place for `$defs`."""
    whole = described(answer)
    definitions = whole.pop("$defs", {})
    inlined: dict[str, Any] = _inline(whole, definitions)
    return inlined


def answer_of(answer: Any, description: str) -> dict[str, Any]:
    """The entry of a route's `responses` for a success."""
    return {
        "description": description,
        "content": {"application/json": {"schema": schema_of(answer)}},
    }


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            return _inline(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
        return {name: _inline(inner, definitions) for name, inner in node.items()}
    if isinstance(node, list):
        return [_inline(inner, definitions) for inner in node]
    return node
