"""The bodies of requests and answers, with their limits. The OpenAPI document is made of these."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from blabber_sentiment.scoring import Label
from blabber_sentiment.settings import CHARACTERS_MAX, TEXTS_MAX

Probability = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(max_length=CHARACTERS_MAX)]


class AnalyzeRequest(BaseModel):
    """Texts to be read, each by itself."""

    model_config = ConfigDict(extra="forbid", strict=True)

    texts: Annotated[list[Text], Field(min_length=1, max_length=TEXTS_MAX, examples=[["great job!", "see you at three"]])]


class Probabilities(BaseModel):
    """How probable each class is; together 1."""

    negative: Probability
    neutral: Probability
    positive: Probability


class Result(BaseModel):
    """The mood of one text."""

    label: Label
    score: Annotated[float, Field(ge=-1, le=1, description="The probability of positive less that of negative.")]
    probabilities: Probabilities


class AnalyzeResponse(BaseModel):
    """The moods, in the order of the texts."""

    model: Annotated[str, Field(description="Which model read the texts, as name@version.")]
    results: list[Result]


class Health(BaseModel):
    """How the service is."""

    status: str
    model: str | None = None


class InvalidField(BaseModel):
    """One thing that is wrong with a body."""

    where: Annotated[str, Field(description="Such as body.texts.3.")]
    what: str


class Problem(BaseModel):
    """Why there is no answer (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[InvalidField] | None = None
