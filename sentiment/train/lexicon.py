"""Writes model/lexicon.tsv: our own ratings, then VADER's word list."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import rated

OURS: Final = Path(__file__).with_name("lexicon_ours.tsv")


def table() -> str:
    """The whole lexicon: word, valence from -4 to 4, source."""
    rows: dict[str, tuple[str, str]] = {}
    for line in OURS.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            word, valence = line.split("\t")
            rows.setdefault(word, (valence, "ours"))
    for line in rated.member("vaderSentiment/vader_lexicon.txt").decode().splitlines():
        word, valence = line.split("\t")[:2]
        rows.setdefault(word, (valence, "vader"))
    header = "# word\tvalence\tsource (vader: MIT licence, copyright 2016 C.J. Hutto; see NOTICE)\n"
    return header + "".join(f"{word}\t{valence}\t{source}\n" for word, (valence, source) in rows.items())
