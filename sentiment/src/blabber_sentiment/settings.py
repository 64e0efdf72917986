"""What the environment decides, checked at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# The contract with callers (schemas.py): changing these changes the API.
TEXTS_MAX: Final = 256
CHARACTERS_MAX: Final = 4_000

# Above what a largest request takes when each character is escaped as two \\uXXXX: anything longer cannot be valid.
BODY_BYTES_MAX: Final = TEXTS_MAX * CHARACTERS_MAX * 12 + 64 * 1024


class SettingsError(ValueError):
    """A variable of the environment that cannot be used, as a sentence."""


@dataclass(frozen=True)
class Settings:
    """How the service runs."""

    model: str = ""
    """A folder or hub name of a sequence classifier (SENTIMENT_MODEL); empty for the built-in model."""

    batch_texts_max: int = 256
    """Texts that are read by the model at once, from however many requests (SENTIMENT_BATCH)."""

    queue_texts_max: int = 4_096
    """Texts that may wait; a request that would make them more is refused with 503 (SENTIMENT_QUEUE)."""

    threads: int = 1
    """Threads of a model of others; the built-in one has one (SENTIMENT_THREADS)."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads the variables named above."""
        return cls(
            model=environment.get("SENTIMENT_MODEL", "").strip(),
            batch_texts_max=_count(environment, "SENTIMENT_BATCH", cls.batch_texts_max, 1, 4_096),
            queue_texts_max=_count(environment, "SENTIMENT_QUEUE", cls.queue_texts_max, TEXTS_MAX, 1_000_000),
            threads=_count(environment, "SENTIMENT_THREADS", cls.threads, 1, 256),
        )


def _count(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = environment.get(name, "").strip() or str(default)
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise SettingsError(f"{name} is {value!r}, want a whole number from {least} to {most}")
    return int(value)
