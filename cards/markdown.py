"""Text from a request, made safe for a card: GitHub-flavoured Markdown that clients render with
raw HTML passed through. Policy texts are ours; everything else goes through `escape`.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_MAX = 200


def escape(text: str) -> str:
    """Request text on one line, without HTML or Markdown meaning, at most 200 characters."""
    line = " ".join(text.split())
    if len(line) > _MAX:
        line = line[: _MAX - 1] + "…"
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", line)


def clip(text: str, length: int) -> str:
    """`text`, cut at a word to at most `length` characters with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    return cut[: cut.rfind(" ")].rstrip(" ,;:") + "…" if " " in cut else cut + "…"
