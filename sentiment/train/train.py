"""Trains the model that comes with the code and writes src/blabber_sentiment/model/. The same input gives the same bytes.

Usage: python train/train.py [folder]
"""

from __future__ import annotations

import os

# Before numpy is loaded: one thread and the same instructions everywhere, so that sums are made in the same order.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_CORETYPE="Haswell")

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

import lexicon
import rated
from blabber_sentiment.features import BUCKETS, Extractor, Rows
from blabber_sentiment.scoring import LABELS, Weights, read_lexicon, softmax

NAME: Final = "blabber-mood"
VERSION: Final = "1"
MODEL: Final = Path(__file__).parents[1] / "src" / "blabber_sentiment" / "model"

# These were chosen by macro-F1 on the tweets of the validation split, which of all that is rated are most like chat.
WORDS: Final = 0.7
GRAMS: Final = 0.7
DENSE_PENALTY: Final = 0.1
# Most of what is said in a chat has no mood, fewer of the rated texts do: a neutral one counts for more.
CLASS_WEIGHTS: Final = (1.0, 1.3, 1.0)
TWEET_WEIGHT: Final = 2.5
STEPS_MAX: Final = 120

Doubles = npt.NDArray[np.float64]


def runs(indices: npt.NDArray[np.int32], starts: npt.NDArray[np.int64]) -> Any:
    """Runs of buckets as the rows of a sparse matrix, each value one by the root of the run's length (as in scoring)."""
    lengths = np.diff(starts)
    values = np.repeat(1 / np.sqrt(lengths), lengths)
    values[indices == 0] = 0.0  # so that bucket 0 weighs nothing
    matrix = sparse.csr_matrix((values, indices, starts), shape=(len(lengths), BUCKETS))
    matrix.sum_duplicates()
    return matrix


def fit(features: Any, targets: Doubles, penalty: Doubles) -> Doubles:
    """Multinomial logistic regression with a ridge: the weights, one column for each label."""
    classes = targets.shape[1]

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(-1, classes)
        logits = features @ weights
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        sums = powers.sum(axis=1, keepdims=True)
        value = -(targets * (logits - np.log(sums))).sum() + 0.5 * (penalty[:, None] * weights * weights).sum()
        gradient = features.T @ (powers / sums * targets.sum(axis=1, keepdims=True) - targets) + penalty[:, None] * weights
        return float(value), gradient.ravel()

    start = np.zeros(features.shape[1] * classes)
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS_MAX, "ftol": 1e-10})
    return np.asarray(found.x).reshape(-1, classes)


def train(texts: list[rated.Rated], words: dict[str, float]) -> dict[str, npt.NDArray[Any]]:
    """The weights of the linear model, as they are kept."""
    rows = Extractor(words).rows([text.text for text in texts])
    one = np.ones((len(texts), 1))
    features = sparse.hstack(
        [
            sparse.csr_matrix(np.hstack([one, rows.dense.astype(np.float64)])),
            WORDS * runs(rows.words, rows.word_starts),
            GRAMS * runs(rows.grams, rows.gram_starts),
        ]
    ).tocsr()
    dense = 1 + rows.dense.shape[1]
    penalty = np.concatenate([[1e-6], np.full(dense - 1, DENSE_PENALTY), np.ones(2 * BUCKETS)])
    targets = np.eye(len(LABELS))[[text.label for text in texts]]
    weights = np.where([text.domain == "tweets" for text in texts], TWEET_WEIGHT, 1.0)[:, None] * CLASS_WEIGHTS

    learn = np.array([text.side == "train" for text in texts])
    fitted = fit(features[learn], (targets * weights)[learn], penalty)
    kept = {
        "bias": fitted[0].astype(np.float32),
        "dense": fitted[1:dense].astype(np.float16),
        "words": (WORDS * fitted[dense : dense + BUCKETS]).astype(np.float16),
        "grams": (GRAMS * fitted[dense + BUCKETS :]).astype(np.float16),
    }
    choose = np.array([text.side == "validation" for text in texts])
    kept["temperature"] = np.float32(temperature(kept, rows, targets, choose))
    return kept


def temperature(kept: dict[str, npt.NDArray[Any]], rows: Rows, targets: Doubles, choose: npt.NDArray[np.bool_]) -> float:
    """What the logits must be divided by for the probabilities to be true on the validation split."""
    words, grams, dense, bias = (kept[name].astype(np.float32) for name in ("words", "grams", "dense", "bias"))
    logits = Weights(words, grams, dense, bias, 1.0).logits(rows)[choose]

    def surprise(logarithm: float) -> float:
        return -float((targets[choose] * np.log(softmax(logits / np.float32(np.exp(logarithm))) + 1e-9)).sum())

    found = optimize.minimize_scalar(surprise, bounds=(-2.0, 2.0), method="bounded", options={"xatol": 1e-4})
    return round(float(np.exp(found.x)), 3)


def write_arrays(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """An .npz without the time in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


def main(folder: Path) -> None:
    """Trains and writes."""
    folder.mkdir(parents=True, exist_ok=True)
    table = lexicon.table()
    (folder / "lexicon.tsv").write_text(table, "utf-8")
    write_arrays(folder / "weights.npz", train(list(rated.load()), read_lexicon(table)))
    (folder / "model.json").write_text(json.dumps({"name": NAME, "version": VERSION}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else MODEL)
