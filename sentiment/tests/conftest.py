from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from blabber_sentiment.main import create_app
from blabber_sentiment.scoring import BuiltIn, Model, Mood
from blabber_sentiment.settings import Settings

ROOT = Path(__file__).parents[1]

WAIT_SECONDS = 20


class Gated:
    """A model that waits to be let go, and keeps what it was given."""

    name = "gated@1"

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def moods(self, texts: Sequence[str]) -> list[Mood]:
        self.batches.append(list(texts))
        self.entered.release()
        assert self.gate.acquire(timeout=WAIT_SECONDS)
        if "poison" in texts:
            raise RuntimeError("poisoned")
        return [Mood(0, 1, 0) if "0" in text else Mood(0, 0, 1) for text in texts]


class Server:
    """The service as a process of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url


@contextlib.contextmanager
def serving(environment: Mapping[str, str] | None = None, *arguments: str) -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, "-m", "blabber_sentiment", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **(environment or {})},
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("listening on http://"), process.stderr.read() if process.stderr else ""
        yield Server(process, line.split()[-1])
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.communicate(timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


@pytest.fixture(scope="session")
def model() -> BuiltIn:
    return BuiltIn()


@pytest.fixture
def client(model: BuiltIn) -> Iterator[TestClient]:
    with client_of(lambda: model) as client:
        yield client


@contextlib.contextmanager
def client_of(load: Callable[[], Model], settings: Settings | None = None) -> Iterator[TestClient]:
    """A client of an application whose model is loaded."""
    app = create_app(settings or Settings(), lambda: None, load)
    with TestClient(app, raise_server_exceptions=False) as client:
        for _ in range(10_000):  # the load goes on in a thread, each request lets the loop run
            if client.get("/readyz").status_code == 200:
                break
        yield client
