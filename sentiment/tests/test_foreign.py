from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from blabber_sentiment.foreign import Foreign, ModelError, mapping
from blabber_sentiment.main import load_model
from blabber_sentiment.settings import Settings
from conftest import client_of

WORDS = ["[PAD]", "[UNK]", "good", "bad", "day"]


def tiny(folder: Path, labels: Sequence[str], below: str = "", *, seed: int = 7) -> Path:
    """A classifier in Hugging Face's layout with random weights: the masked mean of the words' vectors, one layer."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, npt.NDArray[Any]] = {
        "embedding": rng.normal(size=(len(WORDS), 8)).astype(np.float32),
        "layer": rng.normal(size=(8, len(labels))).astype(np.float32),
        "axis": np.array([1], np.int64),
        "last": np.array([2], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["vectors"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["vectors", "mask3"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "axis"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask3", "axis"], ["count"], keepdims=0),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("MatMul", ["mean", "layer"], ["logits"]),
    ]
    shape = ["batch", "tokens"]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(labels)])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    (folder / below).mkdir(parents=True, exist_ok=True)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, str(folder / below / "model.onnx"))

    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / below / "tokenizer.json"))
    config = {"id2label": dict(enumerate(labels)), "max_position_embeddings": 16, "pad_token_id": 0, "model_type": "tiny"}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def by_hand(folder: Path, text: str) -> npt.NDArray[Any]:
    """The tiny model's probabilities, computed without ONNX Runtime."""
    graph = onnx.load(str(next(folder.rglob("model.onnx")))).graph
    arrays = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    ids = [WORDS.index(word) if word in WORDS else 1 for word in text.split()][:16]
    logits = arrays["embedding"][ids].mean(axis=0) @ arrays["layer"]
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


# Promise: a folder's classifier is read by its own labels, whatever stands beside a text and however long it is.
@pytest.mark.parametrize("below", ["", "onnx"])
def test_reads_a_folder(tmp_path: Path, below: str) -> None:
    folder = tiny(tmp_path / "tiny", ["Positive", "Neutral", "Negative"], below)
    model = load_model(Settings(model=str(folder)))
    texts = ["good", "good day " * 50, "bad", "bad good day", "day"] * 15
    for text, mood in zip(texts, model.moods(texts), strict=True):
        positive, neutral, negative = by_hand(folder, text)
        assert (mood.negative, mood.neutral, mood.positive) == pytest.approx((negative, neutral, positive), abs=1e-5)
    assert model.name.startswith("tiny@")
    assert model.name != Foreign(str(tiny(tmp_path / "other" / "tiny", ["pos", "neu", "neg"], seed=8)), 1).name


# Promise: any text has an answer from any model, and one that says nothing is neutral.
def test_hostile_texts(tmp_path: Path) -> None:
    model = Foreign(str(tiny(tmp_path, ["NEGATIVE", "POSITIVE"])), 1)
    moods = model.moods(["", "\0", "\ud800", "😀" * 4_000, "good " * 800, "가나다"])
    assert [mood.label for mood in moods[:3]] == ["neutral"] * 3
    for mood in moods:
        assert mood.negative + mood.neutral + mood.positive == pytest.approx(1, abs=1e-5)


# Promise: the service serves such a model as it does its own.
def test_served(tmp_path: Path) -> None:
    folder = tiny(tmp_path / "tiny", ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"])
    with client_of(lambda: Foreign(str(folder), 1)) as client:
        answer = client.post("/v1/analyze", json={"texts": ["good day", "bad"]}).json()
    assert answer["model"].startswith("tiny@")
    said = by_hand(folder, "good day")
    assert answer["results"][0]["probabilities"]["negative"] == pytest.approx(said[0] + said[1], abs=1e-5)
    assert answer["results"][0]["probabilities"]["positive"] == pytest.approx(said[3] + said[4], abs=1e-5)


# Promise: labels in use become ours.
@pytest.mark.parametrize(
    ("labels", "said", "want"),
    [
        (["NEGATIVE", "POSITIVE"], [0.0, 1.0], [0, 0, 1]),
        (["POSITIVE", "NEGATIVE"], [0.0, 1.0], [1, 0, 0]),
        (["LABEL_0", "LABEL_1"], [0.5, 0.5], [0, 1, 0]),
        (["LABEL_0", "LABEL_1"], [0.1, 0.9], [0.064, 0.36, 0.576]),
        (["LABEL_0", "LABEL_1", "LABEL_2"], [0.2, 0.3, 0.5], [0.2, 0.3, 0.5]),
        (["negative", "neutral", "positive"], [0.2, 0.3, 0.5], [0.2, 0.3, 0.5]),
        (["pos", "neu", "neg"], [0.2, 0.3, 0.5], [0.5, 0.3, 0.2]),
        (["Very Negative", "Negative", "Neutral", "Positive", "Very Positive"], [0.1, 0.2, 0.3, 0.1, 0.3], [0.3, 0.3, 0.4]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [0.1, 0.2, 0.3, 0.1, 0.3], [0.3, 0.3, 0.4]),
    ],
)
def test_labels(labels: list[str], said: list[float], want: list[float]) -> None:
    read = mapping(dict(enumerate(labels)))(np.array([said], np.float32))
    assert read[0] == pytest.approx(want, abs=1e-6)


# Promise: what cannot be read as a mood is refused at start, with the labels that were found.
@pytest.mark.parametrize(
    "labels", [["joy", "anger"], ["POSITIVE"], ["negative", "neutral"], [], ["toxic", "negative", "positive"]]
)
def test_refuses_other_labels(labels: list[str]) -> None:
    with pytest.raises(ModelError, match=", ".join(labels) or "none"):
        mapping(dict(enumerate(labels)))


# Promise: a folder that lacks something says what.
@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json"])
def test_says_what_is_missing(tmp_path: Path, name: str) -> None:
    (tiny(tmp_path, ["neg", "pos"]) / name).unlink()
    with pytest.raises(ModelError, match=f"has no {name}"):
        Foreign(str(tmp_path), 1)
