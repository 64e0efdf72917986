"""What lives as long as the application: the model, loaded once, and the batcher in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from blabber_sentiment.batching import Batcher
from blabber_sentiment.metrics import Metrics
from blabber_sentiment.scoring import Model
from blabber_sentiment.settings import Settings

log = logging.getLogger("blabber_sentiment")


class Service:
    """Loads the model in the background, so that probes are answered meanwhile."""

    def __init__(self, settings: Settings, load: Callable[[], Model], give_up: Callable[[], None]) -> None:
        self.metrics = Metrics()
        self.batcher: Batcher | None = None
        self._settings = settings
        self._load = load
        self._give_up = give_up

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Reads texts within the block. What was asked before its end is answered."""
        work = asyncio.create_task(self._work(), name="model")
        try:
            yield
        finally:
            if self.batcher is None:
                work.cancel()
            else:
                self.batcher.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            self.batcher = None
            self.metrics.ready(False)

    async def _work(self) -> None:
        try:
            model = await asyncio.to_thread(self._load)
        except Exception:
            # Without a model there is nothing to serve: better a process that says why and ends than one that never gets ready.
            log.exception("load the model %s", self._settings.model or "that comes with the code")
            self._give_up()
            return
        self.batcher = Batcher(
            model,
            self.metrics,
            batch_texts_max=self._settings.batch_texts_max,
            queue_texts_max=self._settings.queue_texts_max,
        )
        self.metrics.ready(True)
        log.info("model %s is loaded", model.name)
        await self.batcher.run()
