"""Looks the whole house over and says, in sentences, what needs a person."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect, select

from vouchers.backoffice import doctor_asks, doctor_work
from vouchers.backoffice.finding import Finding
from vouchers.domain import checkpoint as notes
from vouchers.domain.checkpoint import BadNote
from vouchers.errors import KeysMismatch, VoucherError
from vouchers.pipeline import integrate
from vouchers.pipeline.context import Context
from vouchers.store import audit_tree, invariants
from vouchers.store.tables import metadata
from vouchers.store.tables.work import key_fingerprint

#: Free space below which files and database soon cannot grow.
FREE_BYTES_MIN = 1 << 30


def examine(ctx: Context, redis: Callable[[], object] | None = None) -> list[Finding]:
    """Look at tables, keys, the signer's memory, every promise, work, disk and Redis.

    `redis` raises when Redis cannot be reached; without it none is in use. Nothing is
    changed.
    """
    with ctx.reading() as conn:
        findings = [_tables(conn)]
        if findings[0].level != "ok":
            return findings
        findings.append(_keys(conn, ctx))
        findings.append(_memory(conn, ctx))
        findings += _promises(conn, ctx)
        findings += doctor_work.examine(conn)
        findings += doctor_asks.examine(conn, ctx.clock())
    findings += [_folder(ctx.inbox), _folder(ctx.outbox), _space(ctx.outbox)]
    if redis is not None:
        findings.append(_redis(redis))
    return findings


def _tables(conn: Connection) -> Finding:
    there = set(inspect(conn).get_table_names())
    missing = sorted(set(metadata.tables) - there)
    if missing:
        return Finding(
            "tables",
            "bad",
            f"the database lacks {len(missing)} tables",
            ("run `vouchers migrate`", *missing[:5]),
        )
    return Finding("tables", "ok", "the database has all its tables")


def _keys(conn: Connection, ctx: Context) -> Finding:
    known = {row.name: row.fingerprint for row in conn.execute(select(key_fingerprint))}
    ours = ctx.keys.fingerprints()
    wrong = sorted(name for name in ours if known.get(name) != ours[name])
    if wrong:
        return Finding(
            "keys",
            "bad",
            "the key file does not belong to this database",
            (str(KeysMismatch()), *wrong),
        )
    if ctx.keys.path.stat().st_mode & 0o077:
        name = ctx.keys.path.name
        hint = f"run chmod 600 on {name}"
        return Finding("keys", "bad", "others can read the key file", (hint,))
    return Finding("keys", "ok", "the key file belongs to this database")


def _memory(conn: Connection, ctx: Context) -> Finding:
    """Compare the last signed checkpoint with the log, as the next signing will."""
    hint = "run `vouchers audit verify`"
    try:
        known = integrate.remembered(ctx.keys)
        last = audit_tree.latest_checkpoint(conn)
        signed = [known] if known else []
        if last is not None:
            key = integrate.public_key(ctx.keys)
            signed.append(notes.verify(last.note.encode(), key))
    except BadNote as error:
        return Finding("signer", "bad", f"a checkpoint is not ours: {error}", (hint,))
    size = audit_tree.size(conn)
    for checkpoint in signed:
        if (
            checkpoint.size > size
            or audit_tree.root_at(conn, checkpoint.size) != checkpoint.root
        ):
            sentence = "the audit log is not a continuation of what was signed"
            return Finding("signer", "bad", sentence, (hint,))
    return Finding("signer", "ok", f"the log goes on from what was signed ({size:,})")


def _promises(conn: Connection, ctx: Context) -> list[Finding]:
    broken = {found.check: found for found in invariants.run(conn, ctx.clock())}
    findings = []
    for check in invariants.CHECKS:
        found = broken.get(check.id)
        if found is None:
            sentence = f"{check.promise}: {check.sentence}"
            findings.append(Finding(check.id, "ok", sentence))
        else:
            hints = (f"found {found.count}: {', '.join(found.examples)}",)
            findings.append(Finding(check.id, "bad", str(found), hints))
    return findings


def _folder(path: Path) -> Finding:
    if path.is_dir():
        return Finding(f"folder:{path.name}", "ok", f"the {path.name} folder is there")
    hint = f"make the folder {path}"
    return Finding(
        f"folder:{path.name}", "bad", f"the {path.name} folder is missing", (hint,)
    )


def _space(path: Path) -> Finding:
    free = shutil.disk_usage(path if path.is_dir() else path.parent).free
    sentence = f"{free / (1 << 30):,.1f} GiB are free on the disk"
    return Finding("disk", "ok" if free >= FREE_BYTES_MIN else "warn", sentence)


def _redis(ping: Callable[[], object]) -> Finding:
    try:
        ping()
    except (VoucherError, OSError) as error:
        kind = type(error).__name__
    except Exception as error:
        # Whatever the client raises: the house goes on without, only slower.
        kind = type(error).__name__
    else:
        return Finding("redis", "ok", "Redis answers")
    return Finding(
        "redis",
        "warn",
        f"Redis does not answer ({kind})",
        ("work goes on, woken by the clock twice a second instead of at once",),
    )
