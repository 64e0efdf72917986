from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from blabber_sentiment.batching import Batcher, Overloaded, Stopped
from blabber_sentiment.scoring import Mood
from conftest import WAIT_SECONDS, Gated


class Silent:
    def batch(self, texts: int, seconds: float) -> None: ...

    def waiting(self, texts: int) -> None: ...


def script(play: Callable[[Batcher, Gated], Awaitable[None]], batch: int = 8, queue: int = 100) -> Gated:
    """Runs a play with a batcher, which must end when the play does."""
    gated = Gated()

    async def main() -> None:
        batcher = Batcher(gated, Silent(), batch_texts_max=batch, queue_texts_max=queue)
        running = asyncio.create_task(batcher.run())
        await play(batcher, gated)
        batcher.stop()
        await running

    asyncio.run(asyncio.wait_for(main(), WAIT_SECONDS))
    return gated


async def busy(batcher: Batcher, gated: Gated) -> asyncio.Task[list[Mood]]:
    """A request that the model has begun with."""
    task = asyncio.create_task(batcher.moods(["busy"]))
    await asyncio.to_thread(gated.entered.acquire)
    return task


def ask(batcher: Batcher, *requests: list[str]) -> list[asyncio.Task[list[Mood]]]:
    return [asyncio.create_task(batcher.moods(request)) for request in requests]


# Promise: what arrives while the model is busy is read together, no more than a batch, and each gets its own answers.
def test_gathers_what_waits() -> None:
    async def play(batcher: Batcher, gated: Gated) -> None:
        first = await busy(batcher, gated)
        rest = ask(batcher, ["a", "0"], ["0"], ["b"] * 5, ["0", "c", "0"])
        await asyncio.sleep(0)
        gated.gate.release(3)
        await first
        answers = await asyncio.gather(*rest)
        assert [[mood.label for mood in moods] for moods in answers] == [
            ["positive", "neutral"],
            ["neutral"],
            ["positive"] * 5,
            ["neutral", "positive", "neutral"],
        ]

    assert [len(batch) for batch in script(play).batches] == [1, 8, 3]


# Promise: a request larger than a batch is read whole, by itself.
def test_large_request() -> None:
    async def play(batcher: Batcher, gated: Gated) -> None:
        gated.gate.release()
        assert len(await batcher.moods(["a"] * 20)) == 20

    assert [len(batch) for batch in script(play).batches] == [20]


# Promise: a caller who goes away is not read for, and spoils nothing for those beside it, before or while it is read.
def test_cancelled_callers() -> None:
    async def play(batcher: Batcher, gated: Gated) -> None:
        first = await busy(batcher, gated)
        gone, stays = ask(batcher, ["gone"], ["stays"])
        await asyncio.sleep(0)
        first.cancel()
        gone.cancel()
        await asyncio.wait([first, gone])
        gated.gate.release(2)
        assert [mood.label for mood in await stays] == ["positive"]

    assert script(play).batches == [["busy"], ["stays"]]


# Promise: a text that the model fails on costs its own request alone.
def test_one_bad_text() -> None:
    async def play(batcher: Batcher, gated: Gated) -> None:
        first = await busy(batcher, gated)
        before, bad, after = ask(batcher, ["a"], ["poison"], ["0"])
        await asyncio.sleep(0)
        gated.gate.release(5)
        await asyncio.gather(first, before, after)
        with pytest.raises(RuntimeError, match="poisoned"):
            await bad
        assert (await after)[0].label == "neutral"

    script(play)


# Promise: the queue has a bound, and room again once texts are taken from it.
def test_bound() -> None:
    async def play(batcher: Batcher, gated: Gated) -> None:
        first = await busy(batcher, gated)
        (waiting,) = ask(batcher, ["a"] * 10)
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await batcher.moods(["one too many"])
        gated.gate.release(3)
        await asyncio.gather(first, waiting)
        await batcher.moods(["a"])

    script(play, queue=10)


# Promise: what was asked before the stop is answered, what comes after it is refused.
def test_stop_answers_what_waits() -> None:
    async def play(batcher: Batcher, gated: Gated) -> None:
        first = await busy(batcher, gated)
        (waiting,) = ask(batcher, ["a"])
        await asyncio.sleep(0)
        batcher.stop()
        with pytest.raises(Stopped):
            await batcher.moods(["late"])
        gated.gate.release(2)
        await asyncio.gather(first, waiting)

    script(play)
