from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from blabber_sentiment.main import create_app
from blabber_sentiment.scoring import BuiltIn, Model
from blabber_sentiment.settings import BODY_BYTES_MAX, CHARACTERS_MAX, TEXTS_MAX, Settings
from conftest import Gated, client_of

JSON = {"content-type": "application/json"}


def body(*texts: str) -> dict[str, Any]:
    return {"texts": list(texts)}


# Promise: each text has its answer, in the order asked, and its figures agree with each other.
def test_answers_in_order(client: TestClient) -> None:
    answer = client.post("/v1/analyze", json=body("I love this, great job!", "this is terrible, I hate it", "meeting at 3"))
    assert answer.status_code == 200
    assert answer.json()["model"] == BuiltIn().name
    results = answer.json()["results"]
    assert [result["label"] for result in results] == ["positive", "negative", "neutral"]
    for result in results:
        assert sum(result["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert result["score"] == pytest.approx(result["probabilities"]["positive"] - result["probabilities"]["negative"])


# Promise: limits are exact, and what is beyond them is refused with 422.
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (body(*["a"] * TEXTS_MAX), 200),
        (body(*["a"] * (TEXTS_MAX + 1)), 422),
        (body("😀" * CHARACTERS_MAX), 200),
        (body("a" * (CHARACTERS_MAX + 1)), 422),
        (body(), 422),
        (body(""), 200),
        (body("\0", " ", "\u200b", "\ufeff"), 200),
        ({}, 422),
        ([], 422),
        ("texts", 422),
        ({"texts": "a"}, 422),
        ({"texts": [1]}, 422),
        ({"texts": [None]}, 422),
        ({"texts": [["a"]]}, 422),
        ({"texts": ["a"], "model": "other"}, 422),
    ],
)
def test_limits(client: TestClient, sent: object, status: int) -> None:
    answer = client.post("/v1/analyze", content=json.dumps(sent), headers=JSON)
    assert answer.status_code == status
    if status == 422:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 422
        assert len(answer.content) < 4_000


# Promise: bytes that are no request are refused, never a 500 and never an answer.
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b'{"texts": ["\xff"]}',
        b'{"texts": ["\\ud800"]}',
        b'{"texts": ["\\udc00 and \\ud800"]}',
        b'{"texts": [NaN]}',
        b"[" * 100_000,
        b'{"texts": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"a":' * 100_000,
        b"1" * 100_000,
    ],
    ids=lambda sent: repr(sent[:24]),
)
def test_refuses_what_is_no_request(client: TestClient, sent: bytes) -> None:
    assert client.post("/v1/analyze", content=sent, headers=JSON).status_code in (400, 422)


# Promise: what is not said to be JSON is not read as JSON.
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "nonsense"]
)
def test_refuses_other_types(client: TestClient, kind: str) -> None:
    answer = client.post("/v1/analyze", content=json.dumps(body("a")), headers={"content-type": kind})
    assert answer.status_code == 422


# Promise: a body beyond the limit is refused without being kept, whether it says its length or not.
def test_refuses_huge_bodies(client: TestClient) -> None:
    sent = 0

    def chunks() -> Any:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * (BODY_BYTES_MAX // 10)

    assert client.post("/v1/analyze", content=b" " * (BODY_BYTES_MAX + 1), headers=JSON).status_code == 413
    assert client.post("/v1/analyze", content=chunks(), headers=JSON).status_code == 413
    assert client.post("/v1/analyze", content=b" " * BODY_BYTES_MAX, headers=JSON).status_code == 422


# Promise: a refusal does not repeat what was sent.
def test_refusals_keep_texts_to_themselves(client: TestClient) -> None:
    for sent in (body("secret" * 1_000), {"texts": [{"secret": 1}]}, {"texts": [], "secret" * 10: 1}):
        answer = client.post("/v1/analyze", json=sent)
        assert answer.status_code == 422
        assert "secret" not in answer.text.replace("secret" * 6 + "secr", "")


# Promise: until the model is loaded the service lives but is not ready, and says when to come back.
def test_not_ready_until_loaded(model: BuiltIn) -> None:
    may_load = threading.Event()

    def load() -> Model:
        assert may_load.wait(20)
        return model

    with TestClient(create_app(Settings(), lambda: None, load)) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        refused = client.post("/v1/analyze", json=body("a"))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        may_load.set()
        while client.get("/readyz").status_code == 503:
            pass
        assert client.post("/v1/analyze", json=body("a")).status_code == 200


# Promise: a model that cannot be loaded ends the service.
def test_gives_up_without_a_model() -> None:
    gave_up = threading.Event()

    def load() -> Model:
        raise OSError("no such file")

    with TestClient(create_app(Settings(), gave_up.set, load)) as client:
        assert gave_up.wait(20)
        assert client.get("/readyz").status_code == 503


# Promise: while the model is busy probes are answered, requests queue up to the bound, and one beyond it is told when to
# come back.
def test_full_queue_is_refused() -> None:
    gated = Gated()
    settings = Settings(batch_texts_max=TEXTS_MAX, queue_texts_max=TEXTS_MAX)
    with client_of(lambda: gated, settings) as client:
        answers: list[int] = []

        def ask(texts: int) -> None:
            answers.append(client.post("/v1/analyze", json=body(*["a"] * texts)).status_code)

        threads = [threading.Thread(target=ask, args=(texts,)) for texts in (1, TEXTS_MAX)]
        threads[0].start()
        assert gated.entered.acquire(timeout=20)
        threads[1].start()
        while f"sentiment_queue_texts {TEXTS_MAX}.0" not in client.get("/metrics").text:
            pass
        refused = client.post("/v1/analyze", json=body("a"))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert client.get("/readyz").status_code == 200

        gated.gate.release(2)
        for thread in threads:
            thread.join(20)
        assert answers == [200, 200]


# Promise: a model that fails is a 500 that says nothing of the text, for this request alone.
def test_failing_model() -> None:
    gated = Gated()
    gated.gate.release(2)
    with client_of(lambda: gated) as client:
        broken = client.post("/v1/analyze", json=body("poison"))
        assert broken.status_code == 500
        assert "poison" not in broken.text
        assert client.post("/v1/analyze", json=body("a")).status_code == 200


# Promise: every answer is counted, by routes that callers cannot make up, and texts and batches are.
def test_metrics(client: TestClient) -> None:
    client.post("/v1/analyze", json=body("a", "b"))
    client.post("/v1/analyze", json=body())
    client.get("/made/up/1")
    page = client.get("/metrics").text
    for line in (
        'sentiment_requests_total{route="/v1/analyze",status="200"} 1.0',
        'sentiment_requests_total{route="/v1/analyze",status="422"} 1.0',
        'sentiment_requests_total{route="none",status="404"} 1.0',
        "sentiment_texts_total 2.0",
        "sentiment_batch_texts_count 1.0",
        "sentiment_inference_seconds_count 1.0",
        "sentiment_queue_texts 0.0",
        "sentiment_ready 1.0",
    ):
        assert line in page.splitlines()
    assert "made" not in page
