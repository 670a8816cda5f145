"""What the database says when it refuses a row."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import SQLAlchemyError

from vouchers.pipeline.context import Context
from vouchers.store.engine import open_engine
from vouchers.store.tables.money import funder
from vouchers.store.tables.parties import scheme

PERSON = "Ngozi Okafor"


def test_a_refused_row_is_not_in_the_exception(ctx: Context) -> None:
    """Neither a rule of the table nor a value of the wrong kind shows the values."""
    rows = [{"slug": "same", "name": PERSON}, {"slug": "same", "name": PERSON}]
    with pytest.raises(SQLAlchemyError) as refused, ctx.begin() as uow:
        uow.conn.execute(insert(funder), rows)
    assert PERSON not in str(refused.value)

    with pytest.raises(SQLAlchemyError) as unfit, ctx.begin() as uow:
        row = {"slug": "one", "name": PERSON, "version": object()}
        uow.conn.execute(insert(scheme).values(row))
    assert PERSON not in str(unfit.value)


def test_a_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Sealed or not, who else is on the machine has no business in it."""
    path = tmp_path / "var" / "vouchers.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    with engine.begin() as conn:
        conn.execute(text("create table anything (id integer)"))
    assert path.stat().st_mode & 0o777 == 0o600
    engine.dispose()
