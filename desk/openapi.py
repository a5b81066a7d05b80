"""The OpenAPI document of the API, made from its routes and their models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from desk.routes import Door, Route

VERSION = "1.0.0"
BASE = "/api/v1"
_REF = "#/components/schemas/{model}"
_PLACE = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})*))?\}")


def document(routes: Sequence[Route], origin: str) -> dict[str, Any]:
    """OpenAPI 3.1 of the routes that programs may use."""
    api = [route for route in routes if route.api]
    bodies = [route.body for route in api if route.body is not None]
    _, defined = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(bodies)], ref_template=_REF
    )
    schemas: dict[str, Any] = dict(defined.get("$defs", {}))
    paths: dict[str, dict[str, Any]] = {}
    for route in api:
        path = _PLACE.sub(lambda found: "{" + found[1] + "}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    schemas["Problem"] = _PROBLEM
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "取次 API",
            "version": VERSION,
            "description": "画面と同じことを、同じ権限で行います。トークンは「自分の設定」で作ります。",
        },
        "servers": [{"url": origin}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_PROBLEM = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "where", "cure"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "where": {"type": "string"},
                "cure": {"type": "string"},
            },
        }
    },
}


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    place = _PLACE.sub("", route.path).strip("/").replace("/", "_")
    names = sorted(permission.value for permission in route.permissions)
    keys = "_".join(name for name, _ in _PLACE.findall(route.path))
    told: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{place}_{keys}".rstrip("_"),
        "summary": route.name_ja,
        "responses": {"200": _answer(route, schemas)},
    }
    if names:
        told["description"] = f"権限: {' または '.join(names)}"
        told["x-permissions"] = names
    told["security"] = [] if route.door is Door.OPEN else [{"token": []}]
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", **({"pattern": f"^{pattern}$"} if pattern else {})},
        }
        for name, pattern in _PLACE.findall(route.path)
    ]
    if route.query is not None:
        parameters += _parameters(route.query, schemas)
    if parameters:
        told["parameters"] = parameters
    if route.body is not None:
        reference = {"$ref": _REF.format(model=route.body.__name__)}
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    if route.door is not Door.OPEN:
        told["responses"] |= {str(status): _problem(words) for status, words in _REFUSALS.items()}
    return told


_REFUSALS = {
    401: "サインインしていない、トークンが使えない",
    403: "その操作の権限がない",
    404: "ない、または見られない",
    422: "送られたものが読めない",
}


def _problem(words: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model="Problem")}
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _answer(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    if route.answer is None:
        return {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}
    if route.answer is bytes:
        return {
            "description": "ファイル",
            "content": {
                kind: {"schema": {"type": "string"}} for kind in ("text/html", "text/csv", "application/pdf")
            },
        }
    schema = TypeAdapter(route.answer).json_schema(mode="serialization", ref_template=_REF)
    schemas |= schema.pop("$defs", {})
    if isinstance(route.answer, type) and issubclass(route.answer, BaseModel):
        schemas[route.answer.__name__] = schema
        schema = {"$ref": _REF.format(model=route.answer.__name__)}
    return {"description": "OK", "content": {"application/json": {"schema": schema}}}


def _parameters(model: type[BaseModel], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=_REF)
    schemas |= schema.get("$defs", {})
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema["properties"].items()
    ]
