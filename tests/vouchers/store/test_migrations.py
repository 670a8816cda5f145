"""The numbered steps make exactly the tables that the code speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from vouchers.store import migrations
from vouchers.store.engine import open_engine
from vouchers.store.tables import metadata


def test_migrating_an_empty_database_gives_the_tables(database_url: str) -> None:
    """Alembic finds no difference between the steps and the tables."""
    engine = open_engine(database_url)
    assert migrations.migrate(engine)

    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": False})
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert differences == []


def test_a_second_run_changes_nothing(database_url: str) -> None:
    """A database at the newest step is left alone."""
    engine = open_engine(database_url)
    migrations.migrate(engine)
    assert not migrations.migrate(engine)
    assert migrations.current(engine) == migrations.HEAD
    engine.dispose()


def test_the_newest_step_is_the_one_the_code_expects() -> None:
    """A step added without raising HEAD would never run."""
    folder = Path(migrations.__file__).parent / "versions"
    newest = max(path.name[:4] for path in folder.glob("[0-9]*.py"))
    assert newest == migrations.HEAD


def test_every_constraint_has_a_name(database_url: str) -> None:
    """A later step can speak of each constraint."""
    engine = open_engine(database_url)
    migrations.migrate(engine)
    with engine.connect() as conn:
        inspector = inspect(conn)
        for table in inspector.get_table_names():
            for check in inspector.get_check_constraints(table):
                assert check["name"], table
            for unique in inspector.get_unique_constraints(table):
                assert unique["name"], table
    engine.dispose()


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_migrated_log_cannot_be_changed(database_url: str, verb: str) -> None:
    """The guards on append-only tables come with the steps."""
    engine = open_engine(database_url)
    migrations.migrate(engine)
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "insert into audit_event (id, kind, entity_id, body) "
            "values (1, 'x.y', 1, '{}')"
        )
    change = {
        "update": "update audit_event set body = 'forged'",
        "delete": "delete from audit_event",
    }[verb]
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as conn:
        conn.exec_driver_sql(change)
    engine.dispose()
