from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from conftest import WAIT_SECONDS, serving


def post(url: str, texts: list[str]) -> dict[str, object]:
    request = urllib.request.Request(
        f"{url}/v1/analyze", json.dumps({"texts": texts}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
        read: dict[str, object] = json.load(answer)
        return read


def ready(url: str) -> None:
    for _ in range(10_000):
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=WAIT_SECONDS):
                return
        except urllib.error.HTTPError as error:
            assert error.code == 503
            error.close()
    raise AssertionError("never ready")


# Promise: the process says where it listens, answers there, and ends within seconds when told to, by itself or by the signal.
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_serves_and_ends(how: signal.Signals) -> None:
    with serving() as server:
        ready(server.url)
        assert post(server.url, ["great!"])["model"]
        server.process.send_signal(how)
        assert server.process.wait(WAIT_SECONDS) in (0, -how)


# Promise: what cannot work is said in a sentence at start, with exit code 1.
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SENTIMENT_BATCH": "many"}, "SENTIMENT_BATCH is 'many', want a whole number from 1 to 4096"),
        ({"SENTIMENT_QUEUE": "1"}, "SENTIMENT_QUEUE is '1', want a whole number from 256 to 1000000"),
        ({"SENTIMENT_MODEL": "/no/such/folder"}, "/no/such/folder, which does not exist"),
    ],
)
def test_says_what_is_wrong(environment: dict[str, str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "blabber_sentiment", "--port", "0"],
        env={"PYTHONPATH": str(Path(__file__).parents[1] / "src"), **environment},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert ended.returncode == 1
    assert said in ended.stderr


# Promise: everything that the service says of itself in its OpenAPI document is so, whatever it is sent.
def test_openapi_holds(tmp_path: Path) -> None:
    with serving() as server:
        ready(server.url)
        ran = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/openapi.json",
                "--checks", "all", "--mode", "all", "--max-examples", "150", "--seed", "1", "--no-color",
                "--generation-database", "none",
            ],
            cwd=tmp_path,  # it keeps notes where it runs
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert server.process.poll() is None
