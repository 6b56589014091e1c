"""Which database a setting names, and the key of its hashes."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest

from cds_service.store.keyed_hash import KeyedHash, keyed_hash
from cds_service.store.place import Place, StoreError, default_file, place_of


def sqlite(folder: Path) -> Place:
    place = place_of(f"sqlite:///{folder}/store.sqlite3")
    assert place is not None
    return place


def test_none_switches_the_store_off() -> None:
    assert place_of("none") is None


def test_the_default_is_a_file_in_the_state_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_file() == tmp_path / "coverage-hooks" / "store.sqlite3"
    place = place_of("")
    assert place is not None
    assert place.file == default_file()
    for unusable in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", unusable)
        monkeypatch.setenv("HOME", "/home/x")
        assert default_file() == Path("/home/x/.local/state/coverage-hooks/store.sqlite3")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_postgresql_is_called_by_one_driver(scheme: str) -> None:
    place = place_of(f"{scheme}://user:geheim@db.example:5433/x?sslmode=require")
    assert place is not None
    assert place.url.drivername == "postgresql+psycopg"
    assert place.url.query == {"sslmode": "require"}
    assert "geheim" not in str(place)


@pytest.mark.parametrize(
    "url", ["x", "mysql://u:geheim@h/x", "sqlite://", "sqlite:///:memory:", "sqlite:///a?mode=ro"]
)
def test_other_databases_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(StoreError, match="COVERAGE_HOOKS_DATABASE_URL") as caught:
        place_of(url)
    assert "geheim" not in str(caught.value)


def test_hashes_keep_kinds_values_and_keys_apart() -> None:
    one, two = KeyedHash(b"1" * 32), KeyedHash(b"2" * 32)
    found = {
        one.of("patient", "1"),
        one.of("order", "1"),
        one.of("patient", "2"),
        two.of("patient", "1"),
        one.of("a", "bc"),
        one.of("ab", "c"),
        one.of("a", "b", "c"),
        one.of("a", "\ud800"),
    }
    assert len(found) == 8
    assert all(len(text) == 64 for text in found)
    assert one.of("patient", "1") == one.of("patient", "1")
    assert UUID(one.uuid("decision", "x")).version == 8
    assert "1111" not in repr(one)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        hashes = set(pool.map(lambda _: keyed_hash("", sqlite(tmp_path)).of("patient", "1"), range(16)))
    assert len(hashes) == 1
    (key,) = tmp_path.iterdir()
    assert key.name == "store.sqlite3.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) >= 32


def test_a_key_that_is_set_goes_before_the_file(tmp_path: Path) -> None:
    assert keyed_hash("k" * 32, sqlite(tmp_path)).of("p", "1") == KeyedHash(b"k" * 32).of("p", "1")
    assert list(tmp_path.iterdir()) == []


def test_a_weak_or_missing_key_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="COVERAGE_HOOKS_HASH_KEY is too short") as caught:
        keyed_hash("geheim", sqlite(tmp_path))
    assert "geheim" not in str(caught.value)
    shared = place_of("postgresql://h/x")
    assert shared is not None
    with pytest.raises(StoreError, match="COVERAGE_HOOKS_HASH_KEY is needed"):
        keyed_hash("", shared)
    (tmp_path / "store.sqlite3.key").write_text("short")
    with pytest.raises(StoreError, match="too short"):
        keyed_hash("", sqlite(tmp_path))
