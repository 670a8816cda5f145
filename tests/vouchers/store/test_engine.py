"""What the database says when it refuses a row."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from vouchers.pipeline.context import Context
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
