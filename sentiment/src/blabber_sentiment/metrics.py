"""What Prometheus is told. One registry for each service, so that tests do not share counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector


class Metrics:
    """The counts of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = Counter("sentiment_requests", "Requests answered.", ["route", "status"], registry=self._registry)
        self._texts = Counter("sentiment_texts", "Texts read by the model.", registry=self._registry)
        self._batch = Histogram(
            "sentiment_batch_texts",
            "Texts read at once.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
            registry=self._registry,
        )
        self._inference = Histogram(
            "sentiment_inference_seconds",
            "Time that the model took for a batch.",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self._registry,
        )
        self._queue = Gauge("sentiment_queue_texts", "Texts that wait for the model.", registry=self._registry)
        self._ready = Gauge("sentiment_ready", "1 once the model is loaded.", registry=self._registry)

    def request(self, route: str, status: int) -> None:
        """A request was answered."""
        self._requests.labels(route, str(status)).inc()

    def batch(self, texts: int, seconds: float) -> None:
        """A batch was read."""
        self._texts.inc(texts)
        self._batch.observe(texts)
        self._inference.observe(seconds)

    def waiting(self, texts: int) -> None:
        """So many texts wait now."""
        self._queue.set(texts)

    def ready(self, ready: bool) -> None:
        """Whether the model is loaded."""
        self._ready.set(ready)

    def page(self) -> bytes:
        """All of it, in the text format 0.0.4."""
        return generate_latest(self._registry)
