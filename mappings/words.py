"""Names and phrases compared as words: without capitals, punctuation and trade marks."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MARKS = re.compile(r"[™®©]|\((tm|r)\)", re.IGNORECASE)


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """Lower-case words with one space between: "t:slim X2™" is "t slim x2"; "&" is "and"."""
    plain = unicodedata.normalize("NFKD", _MARKS.sub(" ", text).replace("&", " and "))
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().split())


def has_words(text: str, phrase: str) -> bool:
    """Whether the words of `phrase` stand in `text` one after the other, as whole words."""
    wanted = folded(phrase)
    return bool(wanted) and f" {wanted} " in f" {folded(text)} "
