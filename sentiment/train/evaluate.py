"""Judges the built-in model beside VADER on the held-out texts, and writes the figures into MODEL_CARD.md and model.json.

Usage: python train/evaluate.py [--check]: with --check nothing is written, and figures that are not as written are an error.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import rated
from blabber_sentiment.scoring import LABELS, BuiltIn
from train import MODEL

CARD: Final = Path(__file__).parents[1] / "MODEL_CARD.md"
BEGIN: Final = "<!-- figures: written by train/evaluate.py -->"
END: Final = "<!-- end of figures -->"
BINS: Final = 10
VADER_BAND: Final = 0.05  # its authors' own: neutral is what lies between

Classes = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


def macro_f1(truth: Classes, said: Classes) -> float:
    """The mean of the three classes' F1."""
    scores = []
    for each in range(len(LABELS)):
        hits = int(((truth == each) & (said == each)).sum())
        scores.append(2 * hits / max(1, int((truth == each).sum() + (said == each).sum())))
    return float(np.mean(scores))


def quality(truth: Classes, said: Classes) -> dict[str, float]:
    """Accuracy and macro-F1, to four places."""
    return {"accuracy": round(float((truth == said).mean()), 4), "macro_f1": round(macro_f1(truth, said), 4)}


def confusion(truth: Classes, said: Classes) -> list[list[int]]:
    """Rows are what people said, columns what the model says."""
    return [[int(((truth == row) & (said == column)).sum()) for column in range(3)] for row in range(3)]


def calibration(truth: Classes, probabilities: Doubles) -> dict[str, Any]:
    """How often the most probable class is right, by how probable it was said to be."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [
        {
            "from": each / BINS,
            "texts": int((place == each).sum()),
            "said": round(float(sure[place == each].mean()), 4),
            "right": round(float(right[place == each].mean()), 4),
        }
        for each in range(BINS)
        if (place == each).any()
    ]
    error = sum(each["texts"] * abs(each["said"] - each["right"]) for each in bins) / len(truth)
    return {"ece": round(error, 4), "bins": bins}


def by_band(compound: Doubles, low: float, high: float) -> Classes:
    """VADER's compound score as a class."""
    return np.where(compound >= high, 2, np.where(compound <= low, 0, 1)).astype(np.int64)


def best_band(truth: Classes, compound: Doubles) -> tuple[float, float]:
    """The thresholds with the best macro-F1 on these texts."""
    steps = np.round(np.arange(0.0, 0.9, 0.05), 2)
    found = max((macro_f1(truth, by_band(compound, -low, high)), -low, high) for low in steps for high in steps)
    return float(found[1]), float(found[2])


def judge(texts: Sequence[rated.Rated]) -> dict[str, Any]:
    """All figures."""
    held = [text for text in texts if text.side == "held out"]
    learned = [text for text in texts if text.side == "train"]
    truth, learned_truth = (np.array([text.label for text in some], np.int64) for some in (held, learned))
    domain = np.array([text.domain for text in held])

    moods = BuiltIn().moods([text.text for text in held])
    said = np.array([LABELS.index(mood.label) for mood in moods], np.int64)
    probabilities = np.array([(mood.negative, mood.neutral, mood.positive) for mood in moods])

    score: Callable[[str], float] = lambda text: SENTIMENT.polarity_scores(text)["compound"]  # noqa: E731
    compound, learned_compound = (np.array([score(text.text) for text in some]) for some in (held, learned))
    low, high = best_band(learned_truth, learned_compound)
    answers = {
        "model": said,
        "vader": by_band(compound, -VADER_BAND, VADER_BAND),
        "vader_tuned": by_band(compound, low, high),
    }
    return {
        "held_out_texts": len(held),
        "held_out_sha256": hashlib.sha256("\n".join(sorted(text.text for text in held)).encode()).hexdigest(),
        "vader_tuned_band": [low, high],
        **{name: quality(truth, answer) for name, answer in answers.items()},
        "domains": {
            each: {
                "texts": int((domain == each).sum()),
                **{name: quality(truth[domain == each], answer[domain == each]) for name, answer in answers.items()},
            }
            for each in rated.DOMAINS
        },
        "confusion": confusion(truth, said),
        "vader_confusion": confusion(truth, answers["vader"]),
        "calibration": calibration(truth, probabilities),
    }


SENTIMENT: Final = SentimentIntensityAnalyzer()


def page(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    low, high = figures["vader_tuned_band"]
    columns = {"model": "our model", "vader": "VADER (±0.05)", "vader_tuned": f"VADER ({low:g}/{high:g})"}
    lines = [
        f"Held out: {figures['held_out_texts']:,} texts. VADER read the same, with its authors' thresholds and those that",
        "give it the best macro-F1 on the texts that our model learned from.",
        "",
        "| | texts | " + " | ".join(f"{name}: accuracy | macro-F1" for name in columns.values()) + " |",
        "| --- | ---: |" + " ---: |" * (2 * len(columns)),
    ]
    rows = {"**all**": {"texts": figures["held_out_texts"], **figures}, **figures["domains"]}
    for name, row in rows.items():
        cells = " | ".join(f"{row[each]['accuracy']:.3f} | {row[each]['macro_f1']:.3f}" for each in columns)
        lines.append(f"| {name} | {row['texts']:,} | {cells} |")
    for title, matrix in (("our model", figures["confusion"]), ("VADER (±0.05)", figures["vader_confusion"])):
        lines += ["", f"| people say ↓, {title} says → | " + " | ".join(LABELS) + " |", "| --- |" + " ---: |" * 3]
        lines += [f"| {label} | " + " | ".join(map(str, row)) + " |" for label, row in zip(LABELS, matrix, strict=True)]
    lines += [
        "",
        f"Calibration: the expected error of the most probable class's probability is {figures['calibration']['ece']:.3f}.",
        "",
        "| said to be | texts | on average | right |",
        "| --- | ---: | ---: | ---: |",
    ]
    for each in figures["calibration"]["bins"]:
        span = f"{each['from']:.1f} to {each['from'] + 1 / BINS:.1f}"
        lines.append(f"| {span} | {each['texts']:,} | {each['said']:.3f} | {each['right']:.3f} |")
    return "\n".join(lines)


def alike(one: Any, other: Any) -> bool:
    """Whether figures are the same but for what another processor's rounding may do to a text or two."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= (2 if isinstance(one, int) else 0.005)
    return bool(one == other)


def main() -> int:
    """Writes or checks the figures; the exit code."""
    figures = judge(rated.load())
    about = json.loads((MODEL / "model.json").read_text("utf-8"))
    card = CARD.read_text("utf-8")
    before, after = card.split(BEGIN)[0], card.split(END)[1]
    if "--check" in sys.argv:
        written = about.get("figures")
        if alike(written, figures) and card == f"{before}{BEGIN}\n\n{page(written)}\n\n{END}{after}":
            return 0
        print("the figures in MODEL_CARD.md or model.json are not those of the model", file=sys.stderr)
        return 1
    fresh = f"{before}{BEGIN}\n\n{page(figures)}\n\n{END}{after}"
    about["figures"] = figures
    (MODEL / "model.json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")
    CARD.write_text(fresh, "utf-8")
    print(page(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
