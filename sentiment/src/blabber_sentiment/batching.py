"""Batches out of requests: what arrives while the model is busy is read together when it is free.

No request waits for a batch to fill. The model has a thread of its own, so the event loop never waits for it. The queue has
a limit; a request beyond it is refused at once. A request whose caller has gone is left out.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from blabber_sentiment.scoring import Model, Mood


class Overloaded(Exception):
    """As many texts wait as may."""


class Stopped(Exception):
    """The batcher takes no more."""


class Watcher(Protocol):
    """Is told what the batcher does."""

    def batch(self, texts: int, seconds: float) -> None:
        """A batch of so many texts was read in so many seconds."""

    def waiting(self, texts: int) -> None:
        """So many texts wait now."""


@dataclass(slots=True)
class _Job:
    texts: Sequence[str]
    answer: asyncio.Future[list[Mood]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    """Reads texts of many callers with one model. Made, run and called within one event loop."""

    def __init__(self, model: Model, watcher: Watcher, *, batch_texts_max: int, queue_texts_max: int) -> None:
        self.model = model
        self._watcher = watcher
        self._batch_texts_max = batch_texts_max
        self._queue_texts_max = queue_texts_max
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._stopping = False

    async def moods(self, texts: Sequence[str]) -> list[Mood]:
        """The moods of the texts, in their order."""
        if self._stopping:
            raise Stopped
        if self._waiting + len(texts) > self._queue_texts_max:
            raise Overloaded
        job = _Job(texts)
        self._jobs.append(job)
        self._count(len(texts))
        self._wake.set()
        return await job.answer

    def stop(self) -> None:
        """Takes no more; run returns when all that waits is answered."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Reads what is asked until stopped."""
        with ThreadPoolExecutor(1, thread_name_prefix="model") as thread:
            while self._jobs or not self._stopping:
                if batch := self._take():
                    await self._read(batch, thread)
                    continue
                self._wake.clear()
                if not self._jobs and not self._stopping:
                    await self._wake.wait()

    def _take(self) -> list[_Job]:
        """The next batch: at least one job, more while they fit."""
        batch: list[_Job] = []
        texts = 0
        while self._jobs and (not batch or texts + len(self._jobs[0].texts) <= self._batch_texts_max):
            job = self._jobs.popleft()
            self._count(-len(job.texts))
            if not job.answer.done():  # else its caller has gone
                batch.append(job)
                texts += len(job.texts)
        return batch

    async def _read(self, batch: list[_Job], thread: ThreadPoolExecutor) -> None:
        texts = [text for job in batch for text in job.texts]
        began = time.perf_counter()
        try:
            moods = await asyncio.get_running_loop().run_in_executor(thread, self.model.moods, texts)
            if len(moods) != len(texts):
                raise RuntimeError(f"the model {self.model.name} gave {len(moods)} answers to {len(texts)} texts")
        except Exception as error:
            if len(batch) > 1:  # one of them may be to blame: the others shall have their answers
                for job in batch:
                    await self._read([job], thread)
            elif not batch[0].answer.done():
                batch[0].answer.set_exception(error)
            return
        self._watcher.batch(len(texts), time.perf_counter() - began)
        at = 0
        for job in batch:
            if not job.answer.done():
                job.answer.set_result(moods[at : at + len(job.texts)])
            at += len(job.texts)

    def _count(self, texts: int) -> None:
        self._waiting += texts
        self._watcher.waiting(self._waiting)
