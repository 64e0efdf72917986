"""Models of others: any sequence classifier in Hugging Face's layout that has been exported to ONNX.

A folder, or a name on the hub, with ``model.onnx`` and ``tokenizer.json`` (both may lie below ``onnx/``) and
``config.json``. Its labels become ours: three classes, two with a neutral band between them, or stars.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from blabber_sentiment.scoring import LABELS, Floats, Mood, softmax, to_moods

TOKENS_MAX: Final = 512
# Texts are read in groups of similar length: each is padded to the longest of its group.
GROUP_TEXTS_MAX: Final = 32

# These count positions from behind their padding token.
_OFFSET_POSITIONS: Final = frozenset({"roberta", "xlm-roberta", "camembert"})
_WANTED: Final = ["config.json", "tokenizer.json", "model.onnx", "onnx/model.onnx", "onnx/tokenizer.json"]


class ModelError(ValueError):
    """Why a model cannot be used, as a sentence."""


class Foreign:
    """A sequence classifier by ONNX Runtime. For one thread at a time."""

    def __init__(self, name: str, threads: int) -> None:
        folder = _folder(name)
        onnx = _find(folder, "model.onnx")
        config = json.loads(_find(folder, "config.json").read_text("utf-8"))
        self._name = f"{Path(name).name if Path(name).exists() else name}@{_digest(onnx)}"
        self._mapping = mapping({int(number): label for number, label in config.get("id2label", {}).items()})
        self._tokenizer = _tokenizer(_find(folder, "tokenizer.json"), config)
        self._session = _session(onnx, threads)
        self._inputs = [each.name for each in self._session.get_inputs()]

    @property
    def name(self) -> str:
        """The folder's or the hub's name, and the beginning of the weights' hash."""
        return self._name

    def moods(self, texts: Sequence[str]) -> list[Mood]:
        """The moods of the texts, in their order."""
        probabilities = np.zeros((len(texts), len(LABELS)), np.float32)
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(by_length), GROUP_TEXTS_MAX):
            group = by_length[start : start + GROUP_TEXTS_MAX]
            probabilities[group] = self._mapping(softmax(self._logits([texts[i] for i in group])))
        return to_moods(texts, probabilities)

    def _logits(self, texts: list[str]) -> Floats:
        # What is no valid Unicode cannot be tokenized; the mark in its place says as little about a mood.
        encoded = self._tokenizer.encode_batch([text.encode("utf-8", "replace").decode() for text in texts])
        columns = {
            "input_ids": [each.ids for each in encoded],
            "attention_mask": [each.attention_mask for each in encoded],
            "token_type_ids": [each.type_ids for each in encoded],
        }
        fed = {name: np.array(columns[name], np.int64) for name in self._inputs}
        return np.asarray(self._session.run(None, fed)[0], np.float32)


class Reading:
    """Rows of a classifier's probabilities as rows of (negative, neutral, positive)."""

    def __init__(self, places: Sequence[Sequence[int]]) -> None:
        self._places = places

    def __call__(self, probabilities: Floats) -> Floats:
        """The sums of the columns that mean the same; where none means neutral, a band between the other two."""
        negative, neutral, positive = (probabilities[:, list(place)].sum(axis=1) for place in self._places)
        if not self._places[1]:
            # Such a model has to choose. Where it is torn, 4pq is 1, where it is sure, 0: that much we take for neutral.
            # The score becomes (p - q)³; a text is neutral up to p = 0.86.
            neutral = 4 * negative * positive
            negative, positive = negative * (1 - neutral), positive * (1 - neutral)
        return np.stack([negative, neutral, positive], axis=1)


def mapping(labels: Mapping[int, str]) -> Reading:
    """How to read a classifier with these labels."""
    meaning: dict[int, int] = {}
    for number, label in labels.items():
        lower = label.lower()
        if stars := re.fullmatch(r"([1-5]) stars?", lower):
            meaning[number] = 0 if int(stars[1]) < 3 else 1 if int(stars[1]) == 3 else 2
        elif plain := re.fullmatch(r"label_(\d)", lower):
            # Unnamed classes of published models go from bad to good.
            meaning[number] = int(plain[1]) if len(labels) == 3 else 2 * int(plain[1])
        else:
            found = [i for i, ours in enumerate(LABELS) if ours[:3] in lower]
            meaning[number] = found[0] if len(found) == 1 else -1
    places = [[number for number, is_class in sorted(meaning.items()) if is_class == each] for each in range(3)]
    if sum(map(len, places)) != len(labels) or not places[0] or not places[2]:
        raise ModelError(f"cannot read the labels {', '.join(labels.values()) or 'none'} of the model: want negative, "
                         "positive and perhaps neutral, or 1 to 5 stars, in id2label of config.json")  # fmt: skip
    return Reading(places)


def _folder(name: str) -> Path:
    if Path(name).is_dir():
        return Path(name)
    if name.startswith((".", "/", "~")):
        raise ModelError(f"SENTIMENT_MODEL names the folder {name}, which does not exist")
    hub = _import("huggingface_hub")
    try:
        return Path(hub.snapshot_download(name, allow_patterns=_WANTED))
    except Exception as error:
        raise ModelError(f"SENTIMENT_MODEL is {name!r}: no such folder, and fetching it from the hub: {error}") from error


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / "onnx" / name):
        if path.is_file():
            return path
    raise ModelError(f"{folder} has no {name}: export the model to ONNX (sentiment/README.md)")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _import(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        raise ModelError(f"SENTIMENT_MODEL needs {error.name}: install the extra 'onnx' (sentiment/README.md)") from error


def _tokenizer(path: Path, config: Mapping[str, Any]) -> Any:
    tokenizer = _import("tokenizers").Tokenizer.from_file(str(path))
    positions = int(config.get("max_position_embeddings", TOKENS_MAX))
    if config.get("model_type") in _OFFSET_POSITIONS:
        positions -= 2
    pad = int(config.get("pad_token_id") or 0)
    tokenizer.enable_truncation(min(positions, TOKENS_MAX))
    tokenizer.enable_padding(pad_id=pad, pad_token=tokenizer.id_to_token(pad) or "[PAD]")
    return tokenizer


def _session(path: Path, threads: int) -> Any:
    runtime = _import("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
