"""From texts to probabilities: the model that comes with the code, and what every other model must offer.

Knows nothing of HTTP. Whatever the text is, there is an answer; a text without letters or signs is neutral.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt

from blabber_sentiment.features import Extractor, Rows

Label = Literal["negative", "neutral", "positive"]
LABELS: Final[tuple[Label, ...]] = ("negative", "neutral", "positive")

Floats = npt.NDArray[np.float32]

# Numpy keeps the interpreter to itself while it works: it gets so little at once that the event loop runs in between.
CHARACTERS_AT_ONCE: Final = 32_000

# What a text that says nothing gets.
SILENCE: Final = (0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Mood:
    """What a model makes of one text."""

    negative: float
    neutral: float
    positive: float

    @property
    def label(self) -> Label:
        """The most probable class; neutral where it is as probable as another."""
        if self.neutral >= self.negative and self.neutral >= self.positive:
            return "neutral"
        return "positive" if self.positive > self.negative else "negative"

    @property
    def score(self) -> float:
        """From -1 to 1: how much more probable positive is than negative."""
        return min(1.0, max(-1.0, self.positive - self.negative))


class Model(Protocol):
    """A sentiment classifier. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """Which model this is, as ``name@version``."""

    def moods(self, texts: Sequence[str]) -> list[Mood]:
        """The moods of the texts, in their order."""


def says_nothing(text: str) -> bool:
    """Whether there is nothing in the text that a person could read a mood from: no letter, digit or sign."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def to_moods(texts: Sequence[str], probabilities: npt.NDArray[np.floating]) -> list[Mood]:
    """Rows of (negative, neutral, positive) as moods, those of texts that say nothing set to neutral."""
    return [
        Mood(*SILENCE) if says_nothing(text) else Mood(*map(float, row))
        for text, row in zip(texts, probabilities.tolist(), strict=True)
    ]


def softmax(logits: Floats) -> Floats:
    """Rows of logits as rows of probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return cast("Floats", powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Weights:
    """A linear model over the features: one column for each label."""

    words: Floats
    grams: Floats
    dense: Floats
    bias: Floats
    temperature: float

    def logits(self, rows: Rows) -> Floats:
        """The uncalibrated answer to each text."""
        return cast(
            "Floats",
            self.bias
            + rows.dense @ self.dense
            + _mean_by_root(self.words, rows.words, rows.word_starts)
            + _mean_by_root(self.grams, rows.grams, rows.gram_starts),
        )


def _mean_by_root(weights: Floats, indices: npt.NDArray[np.int32], starts: npt.NDArray[np.int64]) -> Floats:
    """The sum of each run's weights, divided by the root of its length: long texts say more, but not in proportion."""
    first = starts[:-1]
    sums = np.add.reduceat(weights[indices], first, axis=0)
    return cast("Floats", sums / np.sqrt(starts[1:] - first, dtype=np.float32)[:, None])


class BuiltIn:
    """The model in the folder ``model/``, trained by ``train/`` (MODEL_CARD.md)."""

    def __init__(self, folder: Traversable | None = None) -> None:
        folder = folder or files("blabber_sentiment") / "model"
        self._about = json.loads((folder / "model.json").read_text("utf-8"))
        with (folder / "weights.npz").open("rb") as file:
            # Arrays of numbers only: loading them runs no code, whoever wrote the file.
            arrays = np.load(file, allow_pickle=False)
            words, grams, dense, bias = (arrays[name].astype(np.float32) for name in ("words", "grams", "dense", "bias"))
            self._weights = Weights(words, grams, dense, bias, float(arrays["temperature"]))
        self._extractor = Extractor(read_lexicon((folder / "lexicon.tsv").read_text("utf-8")))

    @property
    def name(self) -> str:
        """Which model this is, as ``name@version``."""
        return f"{self._about['name']}@{self._about['version']}"

    def moods(self, texts: Sequence[str]) -> list[Mood]:
        """The moods of the texts, in their order."""
        moods: list[Mood] = []
        for part in parts(texts):
            logits = self._weights.logits(self._extractor.rows(part))
            moods += to_moods(part, softmax(logits / np.float32(self._weights.temperature)))
        return moods


def parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in runs of no more than CHARACTERS_AT_ONCE, or of one text."""
    start = characters = 0
    for i, text in enumerate(texts):
        characters += len(text)
        if characters > CHARACTERS_AT_ONCE and i > start:
            yield texts[start:i]
            start, characters = i, len(text)
    if start < len(texts):
        yield texts[start:]


def read_lexicon(table: str) -> dict[str, float]:
    """Word, valence and source in columns; lines that begin with "# " are comments. Of a repeated word the first counts."""
    lexicon: dict[str, float] = {}
    for line in table.splitlines():
        if line and not line.startswith("# "):
            word, valence, *_ = line.split("\t")
            lexicon.setdefault(word, float(valence))
    return lexicon
