"""Triggers that refuse to change what may only ever be added to.

They stop mistakes and the application's own role. Whoever owns the database can drop
them: that is what the signed checkpoints are for.
"""

from __future__ import annotations

from sqlalchemy import Connection

#: Tables whose rows are written once and then stay as they are.
APPEND_ONLY = (
    "audit_event",
    "audit_leaf",
    "audit_node",
    "audit_checkpoint",
    "transfer",
)

_FUNCTION = """
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception using message = tg_table_name || ' is append-only: ' || tg_op,
    errcode = 'restrict_violation';
end $$
"""


def install(conn: Connection) -> None:
    """Put the triggers in place; harmless when they are there already."""
    for statement in statements(conn.dialect.name):
        conn.exec_driver_sql(statement)


def statements(dialect: str) -> list[str]:
    """The DDL that guards the append-only tables on this database."""
    if dialect == "postgresql":
        return [_FUNCTION, *(ddl for name in APPEND_ONLY for ddl in _postgresql(name))]
    return [_sqlite(name, action) for name in APPEND_ONLY for action in _ACTIONS]


_ACTIONS = ("update", "delete")


def _postgresql(table: str) -> list[str]:
    rows = f"guard_{table}"
    whole = f"guard_{table}_truncate"
    return [
        f'drop trigger if exists {rows} on "{table}"',
        f'create trigger {rows} before update or delete on "{table}" '
        "for each row execute function refuse_change()",
        f'drop trigger if exists {whole} on "{table}"',
        f'create trigger {whole} before truncate on "{table}" '
        "for each statement execute function refuse_change()",
    ]


def _sqlite(table: str, action: str) -> str:
    return (
        f"create trigger if not exists guard_{table}_{action} "
        f'before {action} on "{table}" begin '
        f"select raise(abort, '{table} is append-only: {action} refused'); end"
    )
