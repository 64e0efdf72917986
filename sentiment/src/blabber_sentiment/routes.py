"""Every route."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from blabber_sentiment.batching import Overloaded, Stopped
from blabber_sentiment.problems import documented
from blabber_sentiment.schemas import AnalyzeRequest, AnalyzeResponse, Health, Probabilities, Result
from blabber_sentiment.scoring import Mood
from blabber_sentiment.service import Service

router = APIRouter()


def _service(request: Request) -> Service:
    return cast("Service", request.app.state.service)


Served = Annotated[Service, Depends(_service)]


@router.post("/v1/analyze", responses=documented(400, 413, 422, 503), summary="The moods of texts")
async def analyze(body: AnalyzeRequest, service: Served) -> AnalyzeResponse:
    """Reads 1 to 256 texts of at most 4,000 characters each; the answers are in the order of the texts."""
    batcher = service.batcher
    if batcher is None:
        raise HTTPException(503, "The model is not loaded yet.", {"Retry-After": "1"})
    try:
        moods = await batcher.moods(body.texts)
    except Overloaded:
        raise HTTPException(503, "Too many texts wait already.", {"Retry-After": "1"}) from None
    except Stopped:
        raise HTTPException(503, "The service is stopping.", {"Retry-After": "5"}) from None
    return AnalyzeResponse(model=batcher.model.name, results=[_result(mood) for mood in moods])


@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> Health:
    """Answers while the event loop does."""
    return Health(status="ok")


@router.get("/readyz", responses=documented(503), summary="Whether texts can be read")
async def readyz(service: Served) -> Health:
    """503 until the model is loaded, and again while the service stops."""
    if service.batcher is None:
        raise HTTPException(503, "The model is not loaded.", {"Retry-After": "1"})
    return Health(status="ok", model=service.batcher.model.name)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Counts for Prometheus",
)
async def metrics(service: Served) -> Response:
    """The text format of Prometheus."""
    return Response(service.metrics.page(), media_type=CONTENT_TYPE_LATEST)


def _result(mood: Mood) -> Result:
    return Result(
        label=mood.label,
        score=mood.score,
        probabilities=Probabilities(negative=mood.negative, neutral=mood.neutral, positive=mood.positive),
    )
