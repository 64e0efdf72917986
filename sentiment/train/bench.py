"""How many texts a second one core reads: our model and VADER, at several batch sizes, over the tweets of the rated texts.

Usage: python train/bench.py. Each figure is the middle one of five runs of a second of processor time, so that
what else the machine does counts little.
"""

from __future__ import annotations

import os

# One core: before numpy is loaded.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

import statistics
import time
from collections.abc import Callable
from typing import Final

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import rated
from blabber_sentiment.scoring import BuiltIn

SIZES: Final = (1, 32, 256)
RUNS: Final = 5
RUN_SECONDS: Final = 1.0


def rate(read: Callable[[list[str]], object], texts: list[str], size: int) -> float:
    """Texts a second in batches of this size."""
    done, at, began = 0, 0, time.process_time()
    while (spent := time.process_time() - began) < RUN_SECONDS:
        batch = texts[at : at + size]
        read(batch)
        done += len(batch)
        at = at + size if at + size < len(texts) else 0
    return done / spent


def main() -> None:
    """Prints a table."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    texts = [text.text for text in rated.load() if text.domain == "tweets"]
    model, vader = BuiltIn(), SentimentIntensityAnalyzer()
    readers: dict[str, Callable[[list[str]], object]] = {
        model.name: model.moods,
        "VADER": lambda batch: [vader.polarity_scores(text) for text in batch],
    }
    print(f"texts a second on one core, {len(texts):,} tweets of {statistics.mean(map(len, texts)):.0f} characters on average")
    for name, read in readers.items():
        read(texts)
        for size in SIZES:
            middle = statistics.median(rate(read, texts, size) for _ in range(RUNS))
            print(f"{name:16} batches of {size:3}: {middle:9,.0f}")


if __name__ == "__main__":
    main()
