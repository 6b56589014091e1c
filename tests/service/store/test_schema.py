"""Migrations lead from an empty database to the tables; an old or newer schema is told."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from cds_service.app import create_app
from cds_service.settings import Settings, SettingsError
from cds_service.store import schema
from cds_service.store.connection import open_engine, reading, writing
from cds_service.store.place import Place, place_of
from cds_service.store.schema import HEAD, migrate, revision, upgrade
from cds_service.store.tables import metadata
from tests.service.fake_engine import FakeEngine
from tests.service.store.conftest import KEY, migrated, sqlite_url
from tests.service.store.postgres import Cluster


def place_at(url: str) -> Place:
    place = place_of(url)
    assert place is not None
    return place


@pytest.fixture
def engine_of(database_url: str) -> Engine:
    return open_engine(place_at(database_url))


def start(url: str, fake_engine: FakeEngine) -> None:
    create_app(Settings(database_url=url, hash_key=KEY), fake_engine)  # type: ignore[arg-type]


def test_the_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def described(engine: Engine) -> dict[str, list[str]]:
    """What a database says of its tables; in which order columns stand does not matter."""
    found = inspect(engine)
    return {
        table: [
            *sorted(str(sorted(column.items(), key=str)) for column in found.get_columns(table)),
            str(found.get_pk_constraint(table)),
            *sorted(map(str, found.get_foreign_keys(table))),
            *sorted(map(str, found.get_indexes(table))),
            *sorted(map(str, found.get_unique_constraints(table))),
        ]
        for table in found.get_table_names()
    }


def test_migrations_make_exactly_the_tables(engine_of: Engine) -> None:
    with writing(engine_of) as connection:
        upgrade(connection)
    assert revision(engine_of) == HEAD
    with reading(engine_of) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine_of.dispose()


def test_a_new_store_has_the_tables_that_migrations_make(engine_of: Engine) -> None:
    with writing(engine_of) as connection:
        upgrade(connection)
    by_migrations = described(engine_of)
    with writing(engine_of) as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    assert migrate(engine_of) == ("", HEAD)
    assert described(engine_of) == by_migrations
    engine_of.dispose()


def test_migrating_again_changes_nothing(engine_of: Engine) -> None:
    migrate(engine_of)
    with writing(engine_of) as connection:
        connection.execute(
            text(
                "INSERT INTO feedback (card_hash, service, outcome, outcome_at, suggestion_hash, reason_system, "
                "reason_code, has_comment, received_at) VALUES ('a', 's', 'accepted', '2026-01-01', '', '', '', "
                "false, '2026-01-01')"
            )
        )
    assert migrate(engine_of) == (HEAD, HEAD)
    with reading(engine_of) as connection:
        assert connection.execute(text("SELECT count(*) FROM feedback")).scalar_one() == 1
    engine_of.dispose()


def test_several_that_migrate_at_once_do_it_once(database_url: str) -> None:
    engines = [open_engine(place_at(database_url)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert {after for _, after in pool.map(migrate, engines)} == {HEAD}
    for engine in engines:
        engine.dispose()


def test_a_failed_migration_leaves_nothing_behind(engine_of: Engine) -> None:
    with writing(engine_of) as connection:
        connection.execute(text("CREATE TABLE issued_card (id integer)"))
    with pytest.raises(Exception, match="issued_card"):
        migrate(engine_of)
    with reading(engine_of) as connection:
        assert set(inspect(connection).get_table_names()) == {"issued_card"}
    engine_of.dispose()


def test_a_sqlite_store_is_made_at_the_start_for_its_owner_alone(
    tmp_path: Path, fake_engine: FakeEngine
) -> None:
    start(f"sqlite:///{tmp_path}/a/b/store.sqlite3", fake_engine)
    folder = tmp_path / "a" / "b"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "store.sqlite3").stat().st_mode) == 0o600


def test_a_shared_store_is_migrated_by_hand_only(postgres: Cluster, fake_engine: FakeEngine) -> None:
    url = postgres.new_database()
    with pytest.raises(SettingsError, match=r"is empty.*coverage-hooks store migrate"):
        start(url, fake_engine)
    start(migrated(url), fake_engine)
    engine = open_engine(place_at(url))
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(SettingsError, match=r"at migration 0000.*coverage-hooks store migrate"):
        start(url, fake_engine)
    engine.dispose()


def test_a_store_of_a_newer_version_is_not_touched(database_url: str, fake_engine: FakeEngine) -> None:
    engine = open_engine(place_at(migrated(database_url)))
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match=r"at migration 9999.*newer version"):
        start(database_url, fake_engine)
    with pytest.raises(SettingsError, match="newer version"):
        migrate(engine)
    engine.dispose()


def test_a_database_that_does_not_answer_is_told_without_its_password(fake_engine: FakeEngine) -> None:
    with pytest.raises(SettingsError, match="cannot be used") as caught:
        start("postgresql://user:geheim@127.0.0.1:1/x", fake_engine)
    assert "geheim" not in str(caught.value)


def test_a_file_that_is_no_database_is_told(tmp_path: Path, fake_engine: FakeEngine) -> None:
    (tmp_path / "store.sqlite3").write_text("not a database, but a text of some length" * 100)
    with pytest.raises(SettingsError, match="cannot be used: file is not a database"):
        start(sqlite_url(tmp_path), fake_engine)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, fake_engine: FakeEngine) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        start(f"sqlite:///{tmp_path}/file/store.sqlite3", fake_engine)


_TAKE_IT_ALONE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0.1)
print(connection.execute("PRAGMA journal_mode=DELETE").fetchone())
"""


def test_a_store_that_is_opened_again_keeps_the_locks_of_the_first(tmp_path: Path) -> None:
    place = place_at(migrated(sqlite_url(tmp_path)))
    engine = open_engine(place)
    with reading(engine):
        open_engine(place).dispose()
        other = subprocess.run(
            [sys.executable, "-c", _TAKE_IT_ALONE, str(place.file)], capture_output=True, text=True
        )
        assert "database is locked" in other.stderr
    engine.dispose()
