"""The doctor's look at work under way: is anybody carrying, and what waits for whom."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from vouchers.backoffice.finding import Finding
from vouchers.domain.lifecycle import MessageState
from vouchers.domain.matching.bounds import (
    CANDIDATES_MAX,
    PERSONAL,
    kind_of,
    kind_words,
)
from vouchers.domain.matching.keys import STOP_WORD
from vouchers.store import discrepancies, gates, queues, registry, reviews
from vouchers.store.tables import db_now
from vouchers.store.tables.messages import message

#: A ready job that nobody took for so long means that too few carry, or none.
OLDEST_S = 600.0
#: A worker that was not heard of for so long is gone, and ready work is late.
SILENT_S = 60.0
#: Clocks of hosts and database may differ by so much.
CLOCKS_S = 30.0
#: Stopped files that are named; `vouchers batches list` shows the others.
_STOPPED_SHOWN = 20


def examine(conn: Connection) -> list[Finding]:
    """Queues, workers, texts, networks' files and clocks; nothing is changed."""
    levels = queues.levels(conn)
    return [
        _carried(conn, levels),
        _stuck(levels),
        _stopped(conn),
        _reviews(conn),
        _paused(levels),
        _texts(conn),
        _differences(conn),
        _crowded(conn),
        _clocks(conn),
    ]


def _carried(conn: Connection, levels: list[queues.QueueLevel]) -> Finding:
    found = queues.workers(conn)
    alive = [w for w in found if (w.now - w.beat_at).total_seconds() < SILENT_S]
    open_ = [level for level in levels if level.paused_at is None]
    ready = sum(level.ready for level in open_)
    oldest_s = max(level.oldest_s for level in open_) if open_ else 0.0
    if ready and not alive and oldest_s > SILENT_S:
        return Finding(
            "workers",
            "warn",
            f"{ready:,} jobs are ready and no worker runs",
            ("start `vouchers work` and `vouchers dispatch`, or `vouchers run`",),
        )
    slow = [level for level in open_ if level.oldest_s > OLDEST_S]
    if slow:
        told = ", ".join(f"{one.name} {one.oldest_s / 60:,.0f} min" for one in slow)
        hint = "see `vouchers queues`; start more `vouchers work`"
        return Finding("workers", "warn", f"work waits long: {told}", (hint,))
    sentence = f"{len(alive)} workers run, {ready:,} jobs are ready"
    return Finding("workers", "ok", sentence)


def _stuck(levels: list[queues.QueueLevel]) -> Finding:
    held = sum(level.held for level in levels)
    dead = sum(level.dead for level in levels)
    if held or dead:
        hint = "see `vouchers held list` and `vouchers dead list`"
        return Finding("stuck", "warn", f"{held:,} jobs held, {dead:,} dead", (hint,))
    return Finding("stuck", "ok", "nothing is held or dead")


def _stopped(conn: Connection) -> Finding:
    waiting = gates.listing(conn, limit=_STOPPED_SHOWN)
    if not waiting:
        return Finding("files", "ok", "no file waits for a person")
    hints = tuple(
        f"batch {row.id} of {row.partner}: see `vouchers batches show {row.id}`, then "
        f'`vouchers batches release {row.id} --reason "..."`'
        for row in waiting
    )
    count = f"{len(waiting)}{'+' if len(waiting) == _STOPPED_SHOWN else ''}"
    sentence = f"{count} files look wrong as a whole and wait for a person"
    if len(waiting) == 1:
        sentence = "1 file looks wrong as a whole and waits for a person"
    return Finding("files", "warn", sentence, hints)


def _reviews(conn: Connection) -> Finding:
    waiting, late = reviews.waiting_counts(conn, protected=True)
    if late:
        sentence = f"{waiting:,} reviews wait for a ruling, {late:,} of them too long"
        return Finding("reviews", "warn", sentence, ("see `vouchers reviews list`",))
    sentence = f"{waiting:,} reviews wait for a ruling, none too long"
    return Finding("reviews", "ok", sentence)


def _paused(levels: list[queues.QueueLevel]) -> Finding:
    paused = [level for level in levels if level.paused_at is not None]
    if not paused:
        return Finding("paused", "ok", "no queue is paused")
    hints = tuple(
        f"{level.name}, by {level.paused_by}: {level.paused_reason}" for level in paused
    )
    return Finding("paused", "warn", f"{len(paused)} queues are paused", hints)


def _texts(conn: Connection) -> Finding:
    unsure = conn.scalar(
        select(func.count()).where(message.c.state == MessageState.UNKNOWN)
    )
    if not unsure:
        return Finding("texts", "ok", "the provider's answer to each text is known")
    return Finding(
        "texts",
        "warn",
        f"{unsure:,} texts whose answer from the provider was lost",
        (
            "they settle by themselves, by callback or the provider's log, within a "
            "quarter of an hour of its return",
            "if the number grows: is the provider up, and can this host reach it?",
        ),
    )


def _differences(conn: Connection) -> Finding:
    lines, pence = discrepancies.open_sum(conn)
    if not lines:
        return Finding("discrepancies", "ok", "networks' files fit our vouchers")
    pounds = f"£{pence // 100:,}.{pence % 100:02d}"
    hint = "see `vouchers redemptions discrepancies`"
    sentence = f"{lines:,} discrepancies with networks' files wait, over {pounds}"
    return Finding("discrepancies", "warn", sentence, (hint,))


def _crowded(conn: Connection) -> Finding:
    """Keys that so many residents share that nobody is looked up by them."""
    kinds, cut = registry.bounds_met(conn)
    told = [
        f"{kind_words(kind)}: {rows:,} rows met {keys:,} such keys"
        for kind, (keys, rows) in sorted(kinds.items())
    ]
    if cut:
        told.append(
            f"{cut:,} rows had more than {CANDIDATES_MAX} candidates; those that share "
            "most keys were compared"
        )
    keys = sum(keys for keys, _ in kinds.values())
    sentence = f"{keys:,} match keys are shared by more than {STOP_WORD} residents"
    if not any(kind_of(kind) in PERSONAL for kind in kinds):
        return Finding("matching", "ok", sentence, tuple(told))
    told.append(
        "so many people cannot have one mobile, email, meter or home: which partner "
        "hands in its own? List it: see `vouchers partners list-worker-phone --help`"
    )
    return Finding("matching", "warn", sentence, tuple(told))


def _clocks(conn: Connection) -> Finding:
    theirs: datetime = conn.execute(select(db_now())).scalar_one()
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    if apart > CLOCKS_S:
        sentence = f"this host's clock and the database's are {apart:,.0f} s apart"
        return Finding("clocks", "warn", sentence, ("set the clocks by NTP",))
    return Finding("clocks", "ok", "this host's clock agrees with the database's")
