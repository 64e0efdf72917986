"""What the built-in model sees of a text: hashed word and character n-grams, and a few dense features of a lexicon.

Pure functions of the text and the lexicon. Training and serving both go through here: a change here needs a new model.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

BUCKET_BITS: Final = 17
BUCKETS: Final = 1 << BUCKET_BITS

# How many tokens' n-grams are kept: people repeat their words. A token takes about 400 bytes.
TOKENS_KEPT: Final = 1 << 15
# A token longer than this is seen by its beginning: nobody writes such a word, and its n-grams would be many.
TOKEN_CHARACTERS_MAX: Final = 40
# A text whose lexicon words add up to less, in (-1, 1), is neutral to VADER.
BAND: Final = 0.05
# Words after a negation that it turns around, at most.
NEGATION_REACH: Final = 4
# Words before a lexicon word that make it stronger or weaker.
BOOST_REACH: Final = 2

# The order matters: the first that matches wins.
_TOKEN: Final = re.compile(
    r"(?P<url>https?://\S+|www\.\S+)"
    r"|(?P<name>@\w+)"
    r"|(?P<face>[<>]?[:;=xX8][\-o*']?[\)\](\[dDpP/\\}{|@*3]+(?!\w)|<3+|</3|\^[_.\-]?\^|[Tt][_.][Tt]|[oO][_.][oO]|\(:|\):|:'\(|[-=>]_+[-=<])"
    r"|(?P<jamo>[\u3131-\u318e]+)"
    r"|(?P<hangul>[\uac00-\ud7a3]+)"
    r"|(?P<word>[^\W\d_\u3131-\u318e\uac00-\ud7a3]+(?:['’][^\W\d_]+)*)"
    r"|(?P<number>\d+(?:[.,:]\d+)*)"
    r"|(?P<stop>[!?.,;:…~]+)"
    r"|(?P<sign>[^\w\s])[\ufe0f\u200d\U0001f3fb-\U0001f3ff]*"
)
_LONG: Final = re.compile(r"(\w)\1{2,}")

_NEGATIONS: Final = frozenset(
    "not no never none nobody nothing neither nor nowhere without hardly barely scarcely rarely seldom cannot cant wont dont "
    "doesnt didnt isnt arent wasnt werent hasnt havent hadnt couldnt shouldnt wouldnt aint lacks lacking lacked nope despite "
    "안 못 아니 아냐 아니다 아닌 없이".split()
)
# Korean puts the negation behind the word: 좋지 않다, 재미 없다, 마음에 안 들다 is the exception that stands before.
_NEGATIONS_BEHIND: Final = ("않", "없", "못하", "못해", "못했", "아니", "아닌", "안돼", "말자")
_BOOSTERS: Final = {
    **dict.fromkeys(
        "absolutely amazingly awfully completely considerably deeply effing enormously entirely especially exceptionally "
        "extremely fabulously fucking freaking frickin friggin fully greatly hella highly hugely incredibly insanely intensely "
        "majorly more most particularly purely quite really remarkably so substantially super thoroughly totally tremendously "
        "uber unbelievably unusually utterly very too damn sooo way "
        "너무 진짜 정말 매우 아주 완전 엄청 겁나 개 존나 되게 무척 가장 제일".split(),
        0.293,
    ),
    **dict.fromkeys(
        "almost barely hardly kinda kindof less little marginally occasionally partly scarcely slightly somewhat sorta "
        "sort kind 좀 조금 약간 그다지 별로".split(),
        -0.293,
    ),
}

_NEGATED_SALT: Final = 0x85EBCA6B
_MASK: Final = BUCKETS - 1


@dataclass(frozen=True, slots=True)
class Token:
    """One token, as it is looked up again and again."""

    kind: str
    word: int
    negated: int
    grams: npt.NDArray[np.int32]
    valence: float
    negates: bool
    negates_behind: bool
    boost: float
    shouted: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """The features of a batch of texts.

    Text i has the hashed words ``words[word_starts[i]:word_starts[i + 1]]``, its n-grams likewise, and a dense row. No run
    is empty: each begins with bucket 0, which weighs nothing.
    """

    words: npt.NDArray[np.int32]
    word_starts: npt.NDArray[np.int64]
    grams: npt.NDArray[np.int32]
    gram_starts: npt.NDArray[np.int64]
    dense: npt.NDArray[np.float32]


DENSE: Final = (
    "compound", "above band", "below band", "beyond band", "positive", "negative",
    "strongest positive", "strongest negative", "positive words", "negative words",
    "first", "last", "before but", "after but", "negations", "turned around", "boosters", "exclamation marks",
    "question marks", "dots", "shouted words", "all shouted", "drawn out", "length", "links", "numbers", "signs",
)  # fmt: skip

_WITHOUT_MOOD: Final = frozenset(("url", "name", "number"))
_NOTHING: Final = np.zeros(1, np.int32)


class Extractor:
    """Turns texts into features. Holds a lexicon, from word to valence in [-4, 4], and a cache of tokens.

    For one thread at a time.
    """

    def __init__(self, lexicon: Mapping[str, float]) -> None:
        self._lexicon = lexicon
        # Korean endings vary: a Hangul word is looked up by its beginnings, the longest first.
        self._hangul_longest = max((len(word) for word in lexicon if _is_hangul(word)), default=0)
        self._token = lru_cache(TOKENS_KEPT)(self._make_token)

    def rows(self, texts: Sequence[str]) -> Rows:
        """The features of the texts, in their order."""
        words: list[int] = []
        word_starts: list[int] = []
        grams: list[npt.NDArray[np.int32]] = []
        gram_starts: list[int] = []
        gram_count = 0
        dense = np.zeros((len(texts), len(DENSE)), np.float32)

        for i, text in enumerate(texts):
            tokens = [self._token(m.lastgroup or "", m.group()[:TOKEN_CHARACTERS_MAX]) for m in _TOKEN.finditer(text)]
            word_starts.append(len(words))
            gram_starts.append(gram_count)
            words.append(0)
            grams.append(_NOTHING)
            gram_count += 1
            of_text = len(grams)
            dense[i] = _read(tokens, words, grams)
            gram_count += sum(map(len, grams[of_text:]))
            dense[i, _DRAWN_OUT] = 1.0 if _LONG.search(text) else 0.0

        word_starts.append(len(words))
        gram_starts.append(gram_count)
        return Rows(
            np.array(words, np.int32),
            np.array(word_starts, np.int64),
            np.concatenate(grams) if grams else _NOTHING,
            np.array(gram_starts, np.int64),
            dense,
        )

    def _make_token(self, kind: str, text: str) -> Token:
        text = _LONG.sub(r"\1\1", text)
        lower = text.lower().replace("’", "'")
        if kind in _WITHOUT_MOOD:
            lower = kind  # which one it is says nothing about a mood
        if kind == "stop":
            lower = lower[:2]
        if kind == "sign":
            lower = lower[0]  # without its colour of skin, its variation, its joiner
        word = zlib.crc32(lower.encode("utf-8", "surrogatepass"))
        bare = lower.replace("'", "")
        return Token(
            kind=kind,
            word=word,
            negated=word ^ _NEGATED_SALT,
            grams=_grams(lower) if kind in ("word", "hangul") else _NO_GRAMS,
            valence=self._valence(kind, lower),
            negates=bare in _NEGATIONS or lower.endswith("n't"),
            negates_behind=kind == "hangul" and lower.startswith(_NEGATIONS_BEHIND),
            boost=_BOOSTERS.get(lower, 0.0),
            shouted=kind == "word" and len(text) > 1 and text.isupper(),
        )

    def _valence(self, kind: str, lower: str) -> float:
        if kind in _WITHOUT_MOOD:
            return 0.0
        if kind != "hangul":
            found = self._lexicon.get(lower)
            if found is None and lower.endswith("'s"):
                found = self._lexicon.get(lower[:-2])
            if found is None and len(lower) > 3:  # soo, goood: drawn out words that the lexicon knows with one letter
                found = self._lexicon.get(_DOUBLE.sub(r"\1", lower))
            return found or 0.0

        turned = 1.0
        if lower not in self._lexicon and len(lower) > 2 and lower[0] in "안못":
            lower, turned = lower[1:], -1.0
        for length in range(min(len(lower), self._hangul_longest), 0, -1):
            found = self._lexicon.get(lower[:length])
            if found is not None:
                behind = lower[length:]
                if any(negation in behind for negation in _NEGATIONS_BEHIND):
                    turned = -turned
                return found * turned
        return 0.0


def _is_hangul(word: str) -> bool:
    return "\uac00" <= word[0] <= "\ud7a3"


def _grams(word: str) -> npt.NDArray[np.int32]:
    """The hashed runs of characters of a word with its edges, in any script: 2 to 4 of Hangul, 3 to 5 of others."""
    shortest, longest = (2, 4) if _is_hangul(word) else (3, 5)
    edged = f"<{word}>"
    return np.array(
        [
            zlib.crc32(edged[i : i + n].encode("utf-8", "surrogatepass"), n) & _MASK
            for n in range(shortest, longest + 1)
            for i in range(len(edged) - n + 1)
        ],
        np.int32,
    )


def _squash(valence: float) -> float:
    """A sum of valences in (-1, 1), as VADER does it."""
    return valence / math.sqrt(valence * valence + 15.0)


def _read(tokens: Sequence[Token], words: list[int], grams: list[npt.NDArray[np.int32]]) -> tuple[float, ...]:
    """Appends the hashed words, pairs of words and n-grams, and returns the dense features."""
    counts = {"exclamation": 0, "question": 0, "dots": 0, "url": 0, "number": 0, "sign": 0}
    valences: list[float] = []  # of lexicon words, in their order, turned around where they are negated
    but = -1  # how many of them stand before the last "but"
    negations = turned = shouted = plain = 0
    boosters = 0.0
    reach = 0
    boost, boost_reach = 0.0, 0
    previous = _EDGE
    any_plain = any(t.kind == "word" and not t.shouted for t in tokens)

    for i, token in enumerate(tokens):
        kind = token.kind
        if kind == "name":  # who is spoken to says nothing, though in the rated texts it would: tweets have names
            continue
        if reach > 0 and kind != "stop":  # a negated word is another word; its letters would say the opposite of it
            words.append(token.negated & _MASK)
        else:
            words.append(token.word & _MASK)
            grams.append(token.grams)
        words.append((previous * _PAIR_FACTOR + token.word) >> 3 & _MASK)
        previous = token.word

        if kind == "stop":
            reach = boost_reach = 0
            counts["exclamation"] += token.word == _EXCLAMATION or token.word == _EXCLAMATIONS
            counts["question"] += token.word in _QUESTIONS
            counts["dots"] += token.word == _DOTS or token.word == _DOT
            continue
        if kind in counts:
            counts[kind] += 1
        if token.word in _BUTS:
            but, reach = len(valences), 0
        if kind == "word":
            plain += 1
            shouted += token.shouted

        if token.valence:
            valence = token.valence
            louder = boost if boost_reach > 0 else 0.0
            if token.shouted and any_plain:
                louder += 0.733
            valence += louder if valence > 0 else -louder
            behind = kind == "hangul" and any(t.negates_behind for t in tokens[i + 1 : i + 3])
            if (reach > 0 and kind in ("word", "hangul")) != behind:
                valence *= -0.74
                turned += 1
            valences.append(valence)
        if token.boost:
            boost, boost_reach = token.boost, BOOST_REACH + 1
            boosters += token.boost
        if token.negates:
            negations += 1
            reach = NEGATION_REACH + 1
        reach -= 1
        boost_reach -= 1

    up = [v for v in valences if v > 0]
    down = [v for v in valences if v < 0]
    before, after = (valences[:but], valences[but:]) if but >= 0 else ((), ())
    weighed = sum(valences) if but < 0 else 0.5 * sum(before) + 1.5 * sum(after)
    loud = min(counts["exclamation"], 4) * 0.292
    weighed += loud if weighed > 0 else -loud if weighed < 0 else 0.0
    compound = _squash(weighed)
    return (
        compound,
        # VADER's own decision: with it a linear model can say neutral between two moods.
        1.0 if compound >= BAND else 0.0,
        1.0 if compound <= -BAND else 0.0,
        abs(compound),
        _squash(sum(up)),
        _squash(sum(down)),
        max(up, default=0.0) / 4,
        min(down, default=0.0) / 4,
        min(len(up), 5) / 5,
        min(len(down), 5) / 5,
        valences[0] / 4 if valences else 0.0,
        valences[-1] / 4 if valences else 0.0,
        _squash(sum(before)),
        _squash(sum(after)),
        min(negations, 3) / 3,
        min(turned, 3) / 3,
        min(max(boosters, -1.0), 1.0),
        min(counts["exclamation"], 3) / 3,
        min(counts["question"], 3) / 3,
        min(counts["dots"], 3) / 3,
        shouted / plain if plain else 0.0,
        1.0 if shouted and not any_plain else 0.0,
        0.0,  # drawn out, seen in the text itself
        math.log1p(len(tokens)) / 4,
        min(counts["url"], 2) / 2,
        min(counts["number"], 3) / 3,
        min(counts["sign"], 3) / 3,
    )


def _hash(word: str) -> int:
    return zlib.crc32(word.encode())


_NO_GRAMS: Final = np.zeros(0, np.int32)
_DOUBLE: Final = re.compile(r"(\w)\1+")
_DRAWN_OUT: Final = DENSE.index("drawn out")
_EDGE: Final = _hash("edge")
_PAIR_FACTOR: Final = 0x9E3779B1
_EXCLAMATION: Final = _hash("!")
_EXCLAMATIONS: Final = _hash("!!")
_QUESTIONS: Final = frozenset(map(_hash, ("?", "??", "!?", "?!")))
_DOT: Final = _hash("…")
_DOTS: Final = _hash("..")
_BUTS: Final = frozenset(map(_hash, ("but", "however", "though", "although", "하지만", "그런데", "근데", "그래도")))
