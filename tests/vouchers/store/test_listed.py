"""Rows by long lists of values are found alike on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool, create_engine, insert, select, text

from vouchers.pipeline.context import Context
from vouchers.store.listed import among, array_text
from vouchers.store.tables.money import funder
from vouchers.store.tables.work import key_fingerprint


class Number(IntEnum):
    """A number with a name."""

    ONE = 1


class Word(StrEnum):
    """A word with a name."""

    ONE = "f1"


def test_numbers_words_and_bytes_are_found_in_lists_of_any_length(ctx: Context) -> None:
    """Ten thousand values at once, none at all, and enums of either kind."""
    with ctx.begin(name="test") as uow:
        conn = uow.conn
        conn.execute(
            insert(funder), [{"slug": f"f{n}", "name": "A"} for n in range(1, 4)]
        )
        conn.execute(insert(key_fingerprint).values(name="x", fingerprint=b"x" * 16))

        def slugs(*values: int) -> list[str]:
            where = among(conn, funder.c.id, values)
            return sorted(conn.scalars(select(funder.c.slug).where(where)))

        assert slugs(1, 3) == ["f1", "f3"]
        assert slugs(*range(2, 10_000)) == ["f2", "f3"]
        assert slugs() == []
        assert slugs(Number.ONE) == ["f1"]
        named = among(conn, funder.c.slug, [Word.ONE, Word.ONE])
        assert list(conn.scalars(select(funder.c.id).where(named))) == [1]
        mark = among(conn, key_fingerprint.c.fingerprint, [b"x" * 16, b"y" * 16])
        assert list(conn.scalars(select(key_fingerprint.c.name).where(mark))) == ["x"]
        for column in (funder.c.slug, key_fingerprint.c.fingerprint):
            nobody = select(column).where(among(conn, column, []))
            assert list(conn.scalars(nobody)) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.none() | st.text(st.characters(exclude_characters="\0"))))
def test_any_words_survive_the_way_into_a_postgresql_array(
    postgres_url: str, words: list[str | None]
) -> None:
    """Quotes, backslashes, braces, line ends and NULL, as words and as what is none."""
    engine = create_engine(postgres_url, poolclass=NullPool)
    with engine.connect() as conn:
        sent = array_text(words)
        back = conn.scalar(text("select cast(:sent as text[])"), {"sent": sent})
        moments = [datetime(2026, 12, 7, 8, 30, tzinfo=UTC), None]
        when = conn.scalar(
            text("select cast(:sent as timestamptz[])"), {"sent": array_text(moments)}
        )
    assert back == words
    assert when == moments
