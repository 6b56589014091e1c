"""What CDS Hooks and CRD demand of any response, as Inferno's tests of a server hold it against them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CARD = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior",
    "overrideReasons", "links", "extension",
}  # fmt: skip


def check_response(answer: Json) -> None:
    """Fail for the first rule that a response breaks."""
    assert set(answer) <= {"cards", "systemActions", "extension"}
    assert isinstance(answer["cards"], list)
    for card in answer["cards"]:
        _check_card(card)
        _nothing_empty(card, "card")
    uuids = [card["uuid"] for card in answer["cards"]]
    assert len(uuids) == len(set(uuids))


def _check_card(card: Json) -> None:
    assert set(card) <= _CARD
    assert _UUID.fullmatch(card["uuid"])
    assert 0 < len(card["summary"]) < 140
    assert card["indicator"] in ("info", "warning", "critical")
    assert isinstance(card["detail"], str)
    assert card["source"]["label"]
    _check_coding(card["source"]["topic"])
    if "url" in card["source"]:
        _check_url(card["source"]["url"])
    for link in card.get("links", ()):
        assert set(link) <= {"label", "url", "type", "appContext", "autolaunchable"}
        assert link["label"]
        assert link["type"] in ("absolute", "smart")
        assert link["type"] == "smart" or "appContext" not in link
        _check_url(link["url"])
    for reason in card.get("overrideReasons", ()):
        _check_coding(reason)
        assert reason["display"]
    assert isinstance(card.get("extension", {}), dict)
    for reference in card.get("extension", {}).get("davinci-crd.associated-resource", ()):
        assert re.fullmatch(r"[A-Z]\w+/[A-Za-z0-9\-.]{1,64}", reference["reference"])
    assert ("suggestions" in card) == ("selectionBehavior" in card)


def _check_coding(coding: Json) -> None:
    assert set(coding) <= {"system", "code", "display"}
    assert coding["system"]
    assert coding["code"]


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    assert parts.scheme in ("http", "https")
    assert parts.netloc


def _nothing_empty(value: Any, at: str) -> None:
    assert value is not None, at
    assert value not in ("", [], {}), at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        _nothing_empty(below, f"{at}.{key}")
