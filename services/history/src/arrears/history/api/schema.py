"""JSON Schemas of our answers, from the structs themselves, so that the OpenAPI cannot drift."""

from typing import Any

from msgspec.json import schema


def schema_of(answer: Any) -> dict[str, Any]:
    """Self-contained: an OpenAPI page has no place for our `$defs`."""
    whole = schema(answer)
    definitions = whole.pop("$defs", {})
    inlined: dict[str, Any] = _inline(whole, definitions)
    return inlined


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            return _inline(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
        return {name: _inline(inner, definitions) for name, inner in node.items()}
    if isinstance(node, list):
        return [_inline(inner, definitions) for inner in node]
    return node


def answers(model: Any, *, problems: tuple[int, ...] = ()) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: what it answers, and which problems it may answer instead."""
    found: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/json": {"schema": schema_of(model)}}}
    }
    for status in problems:
        found[status] = {
            "description": PROBLEMS[status],
            "content": {"application/problem+json": {}},
        }
    return found


PROBLEMS = {
    404: "case_not_found, loan_not_found",
    422: "invalid_request: names the field",
    504: "day_not_closed: names what each service has closed",
}
