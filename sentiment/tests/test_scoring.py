from __future__ import annotations

import random

import numpy as np
import pytest

from blabber_sentiment.features import Extractor
from blabber_sentiment.scoring import CHARACTERS_AT_ONCE, BuiltIn, Mood, parts, read_lexicon

HOSTILE = [
    "", " ", "\n\t", "\0", "\u200b", "\ufeff", "\ud800", "a\udfffb", "\U0010ffff", "é" * 4_000, "😀" * 4_000, "!" * 4_000,
    "a" * 4_000, "not " * 1_000, "ㅋ" * 4_000, "가" * 4_000, "שלום", "\u202eevil", "Z̵̛͔a̷͎l̴g̶o̵", ":)" * 2_000, "@" * 4_000,
    "http://" * 500, "'" * 4_000, "no no no n't ’’’ but but", "1" * 4_000, "<script>alert(1)</script>", "％＄", "\x1b[31m",
]  # fmt: skip


# Promise: whatever the text, there is an answer, and it is one.
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_any_text_has_an_answer(model: BuiltIn, text: str) -> None:
    (mood,) = model.moods([text])
    assert mood.negative + mood.neutral + mood.positive == pytest.approx(1, abs=1e-5)
    assert all(0 <= p <= 1 for p in (mood.negative, mood.neutral, mood.positive))
    assert -1 <= mood.score <= 1


# Promise: a text that says nothing is neutral.
@pytest.mark.parametrize("text", ["", " ", "\n\t\r", "\0", "\u200b\ufeff", "\ud800"], ids=ascii)
def test_silence_is_neutral(model: BuiltIn, text: str) -> None:
    assert model.moods([text]) == [Mood(0, 1, 0)]


# Promise: a text has one answer, whatever stands beside it in a batch and whoever asked before.
def test_neighbours_change_nothing(model: BuiltIn) -> None:
    texts = [*HOSTILE, "I love this", "I hate this", "meeting at 3", "좋아요 ㅋㅋ", "not bad"]
    alone = [model.moods([text])[0] for text in texts]
    shuffled = list(range(len(texts))) * 4
    random.Random(1).shuffle(shuffled)
    together = BuiltIn().moods([texts[i] for i in shuffled])
    for place, i in enumerate(shuffled):
        assert vars_of(together[place]) == pytest.approx(vars_of(alone[i]), abs=1e-5)


def vars_of(mood: Mood) -> tuple[float, float, float]:
    return mood.negative, mood.neutral, mood.positive


# Promise: however long texts are, each is read once and in its place, in runs that leave the event loop room.
def test_long_texts_are_read_in_parts() -> None:
    texts = [letter * (CHARACTERS_AT_ONCE // 3) for letter in "abcdefgh"] + ["i" * 2 * CHARACTERS_AT_ONCE, "j"]
    found = list(parts(texts))
    assert [text for part in found for text in part] == texts
    assert [len(part) for part in found] == [3, 3, 2, 1, 1]
    assert list(parts([])) == []


# Promise: no texts, no answers.
def test_nothing_asked(model: BuiltIn) -> None:
    assert model.moods([]) == []


# Promise: of equally probable classes neutral is said.
def test_ties_are_neutral() -> None:
    assert Mood(0.4, 0.4, 0.2).label == "neutral"
    assert Mood(0.5, 0.0, 0.5).label == "negative"
    assert Mood(0.3, 0.3, 0.4).label == "positive"


# Promise: negation turns a word around, before it in English and Korean, behind it in Korean, and stops at a full stop.
@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("good", 1),
        ("not good", -1),
        ("isn't very good", -1),
        ("isn’t good", -1),
        ("no. good", 1),
        ("bad", -1),
        ("not bad", 1),
        ("좋다", 1),
        ("안 좋다", -1),
        ("안좋다", -1),
        ("좋지 않다", -1),
        ("좋지않다", -1),
        ("나쁘지 않아", 1),
        ("재미없어", -1),
    ],
)
def test_negation(text: str, sign: int) -> None:
    lexicon = read_lexicon("good\t2\nbad\t-2\n좋\t2\n나쁘\t-2\n재미\t1.5\n")
    compound = Extractor(lexicon).rows([text]).dense[0, 0]
    assert np.sign(compound) == sign
