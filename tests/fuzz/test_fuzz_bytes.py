"""Bytes that were a good request once: flipped, cut, doubled, swapped, packed badly."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable

import pytest

from tests.fuzz import BYTES, OPENAPI, REQUESTS, RESOURCES
from tests.fuzz.good import GOOD
from tests.fuzz.target import Target

TOKENS = [b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\\u", b"\\ud800", b"null", b"1e999", b"-", b"\x00", b"\xff", b"\xef\xbb\xbf", b"NaN", b"[" * 200, b'{"a":' * 200, b"9" * 400, b"true"]  # fmt: skip
PACKED, HEADERS, SEEDS = 700, 200, 3
CHANGED = (BYTES - PACKED - HEADERS) // SEEDS

Change = Callable[[random.Random, bytes], bytes]


BODIES = [(path, json.dumps(body).encode()) for path, body in GOOD]
PATHS = sorted({path for path, _ in GOOD})


def flip(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(chance: random.Random, body: bytes) -> bytes:
    return body[: chance.randrange(len(body))]


def lose(chance: random.Random, body: bytes) -> bytes:
    start = chance.randrange(len(body))
    return body[:start] + body[start + chance.randint(1, 200) :]


def double(chance: random.Random, body: bytes) -> bytes:
    start = chance.randrange(len(body))
    return body[: start + chance.randint(1, 400)] + body[start:]


def insert(chance: random.Random, body: bytes) -> bytes:
    start = chance.randrange(len(body))
    return body[:start] + chance.choice(TOKENS) + body[start:]


def swap_words(chance: random.Random, body: bytes) -> bytes:
    """A string in place of another one: the form often stays right, and the sense does not."""
    words = body.split(b'"')
    if len(words) > 2:
        first, second = chance.randrange(1, len(words), 2), chance.randrange(1, len(words), 2)
        words[first], words[second] = words[second], words[first]
    return b'"'.join(words)


def noise(chance: random.Random, _: bytes) -> bytes:
    return chance.randbytes(chance.randrange(300))


def soup(chance: random.Random, _: bytes) -> bytes:
    return b"".join(chance.choices(TOKENS, k=chance.randrange(30)))


CHANGES: list[Change] = [flip, cut, lose, double, insert, swap_words, noise, soup]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_changed_bytes_are_answered(seed: int, target: Target) -> None:
    chance = random.Random(seed)
    for _ in range(CHANGED):
        path, body = chance.choice(BODIES)
        body = chance.choice(CHANGES)(chance, body)
        if chance.random() < 0.2:
            body = chance.choice(CHANGES)(chance, body or b" ")
        if chance.random() < 0.1:
            path = chance.choice(PATHS)
        target.post(path, body)
    target.finish(CHANGED)


def test_changed_gzip_is_answered(target: Target) -> None:
    chance = random.Random(7)
    for _ in range(PACKED):
        path, body = chance.choice(BODIES)
        packed = gzip.compress(body, 1)
        target.post(path, chance.choice(CHANGES[:5])(chance, packed), Content_Encoding="gzip")
    target.finish(PACKED)


def test_odd_headers_are_answered(target: Target) -> None:
    chance = random.Random(8)
    letters = "".join(map(chr, range(0x21, 0x7F))) + "é "
    for _ in range(HEADERS):
        odd = "".join(chance.choices(letters, k=chance.randrange(40))).strip()
        name = chance.choice(
            ["Content_Type", "Content_Encoding", "Accept", "Origin", "Authorization", "X_Odd"]
        )
        path, body = chance.choice(BODIES)
        target.post(path, body, **{name: odd})
    target.finish(HEADERS)


def test_all_files_together_send_enough() -> None:
    assert CHANGED * SEEDS + PACKED + HEADERS + REQUESTS + RESOURCES + OPENAPI >= 20_000
