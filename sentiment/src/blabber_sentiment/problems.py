"""Refusals as application/problem+json. They never repeat what was sent: it may be long, private, or no valid text."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from blabber_sentiment.schemas import InvalidField, Problem

ERRORS_MAX: Final = 20
MEDIA_TYPE: Final = "application/problem+json"


def answer(
    status: int, detail: str | None = None, headers: Mapping[str, str] | None = None, errors: list[InvalidField] | None = None
) -> Response:
    """A refusal."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    return Response(problem.model_dump_json(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: that a route may refuse so."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Makes the application refuse so, whatever is refused."""

    # Routes name the schema by hand, since FastAPI knows models of application/json only.
    document = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _, definitions = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
            document()["components"]["schemas"].update(definitions["$defs"])
        return document()

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return answer(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        found = [
            InvalidField(where=".".join(str(part)[:40] for part in each["loc"]), what=each["msg"])
            for each in error.errors()[:ERRORS_MAX]
        ]
        return answer(422, "The body is not what /openapi.json says.", errors=found)

    @app.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> Response:
        return answer(500, "The model could not read this; the log says why.")
