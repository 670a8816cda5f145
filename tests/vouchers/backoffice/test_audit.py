"""Whoever changes the log, the books or a state behind our back is found out."""

import json
import zipfile

import pytest
from sqlalchemy import delete, insert, select, update

from tests.vouchers_at_hand import world
from vouchers.backoffice import audit, audit_verify
from vouchers.domain import checkpoint as notes
from vouchers.domain.log_check import Fault
from vouchers.domain.merkle import leaf_hash
from vouchers.errors import NotFound, Refused
from vouchers.pipeline import integrate
from vouchers.store.tables.awards import voucher
from vouchers.store.tables.money import account, transfer
from vouchers.store.tables.proof import (
    audit_checkpoint,
    audit_event,
    audit_leaf,
    audit_node,
)


@pytest.fixture
def house(ctx):
    """A log of 301 numbered, signed events and two more that wait."""
    made = world(ctx, count=100, gift_pence=1_000_000)
    integrate.seal(ctx)
    with ctx.begin() as uow:
        uow.record("scheme.paused", made.scheme)
        uow.record("scheme.opened", made.scheme)
    return made


def behind_our_back(ctx, *statements):
    """What the owner of the database can do once the guards are off."""
    with ctx.begin() as uow:
        if uow.conn.dialect.name == "postgresql":
            uow.conn.exec_driver_sql("set local session_replication_role = replica")
        else:
            names = uow.conn.exec_driver_sql(
                "select name from sqlite_master where type = 'trigger'"
            ).scalars()
            for name in list(names):
                uow.conn.exec_driver_sql(f"drop trigger {name}")
            uow.conn.exec_driver_sql("pragma defer_foreign_keys = on")
        for statement in statements:
            uow.conn.execute(statement)


def faults(ctx, **more):
    """What an auditor is told: (fault, number of the entry)."""
    report = audit.verify(ctx, **more)
    return [(problem.fault, problem.number) for problem in report.problems]


def event_at(ctx, number):
    """Id and body of the event with this number."""
    with ctx.reading() as conn:
        return conn.execute(
            select(audit_event.c.id, audit_event.c.body)
            .join(audit_leaf, audit_leaf.c.event_id == audit_event.c.id)
            .where(audit_leaf.c.seq == number)
        ).one()


def test_an_honest_log_has_nothing_to_hide(house):
    """Everything adds up: leaves, tree, signatures, books and states."""
    report = audit.verify(house.ctx)

    assert report.problems == ()
    assert report.ok
    assert (report.size, report.waiting) == (301, 2)
    assert (report.checkpoints, report.transfers, report.states) == (2, 101, 300)


def test_a_changed_event_is_named_by_its_number(house):
    """One digit in an event's text: its leaf no longer fits."""
    id_, body = event_at(house.ctx, 17)
    document = json.loads(body)
    document["actor"] = "somebody/else"
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))

    behind_our_back(
        house.ctx,
        update(audit_event).where(audit_event.c.id == id_).values(body=text),
    )

    assert faults(house.ctx) == [(Fault.CHANGED, 17)]


def test_a_changed_event_with_its_leaf_made_to_fit_is_found_by_the_tree(house):
    """Who also rewrites the leaf is caught by the stored tree and the signed root."""
    id_, body = event_at(house.ctx, 17)
    text = body.replace('"actor":"system"', '"actor":"nobody"')

    behind_our_back(
        house.ctx,
        update(audit_event).where(audit_event.c.id == id_).values(body=text),
        update(audit_leaf)
        .where(audit_leaf.c.seq == 17)
        .values(hash=leaf_hash(text.encode())),
    )

    found = faults(house.ctx)
    assert (Fault.REWRITTEN, 0) in found
    assert [fault for fault, _ in found].count(Fault.DISAGREES) == 2


def test_a_removed_event_is_named_by_its_number(house):
    """Its number stays empty."""
    id_, _ = event_at(house.ctx, 40)

    behind_our_back(house.ctx, delete(audit_event).where(audit_event.c.id == id_))

    assert (Fault.REMOVED, 40) in faults(house.ctx)


def test_a_removed_event_with_its_number_leaves_a_gap(house):
    """Taking the number away as well shows even more."""
    id_, _ = event_at(house.ctx, 40)

    behind_our_back(
        house.ctx,
        delete(audit_leaf).where(audit_leaf.c.seq == 40),
        delete(audit_event).where(audit_event.c.id == id_),
    )

    assert (Fault.NUMBER_MISSING, 40) in faults(house.ctx)


def test_an_event_slipped_in_has_no_number(house):
    """An event that came in by another door never waited to be numbered."""
    behind_our_back(
        house.ctx,
        insert(audit_event).values(
            id=9_999, kind="scheme.closed", entity_id=1, body="{}"
        ),
    )

    assert faults(house.ctx) == [(Fault.INSERTED, None)]


def test_an_event_slipped_in_with_a_number_is_found_by_the_books(house):
    """A forged event that is numbered and signed still has to move real money."""
    with house.ctx.begin() as uow:
        uow.record(
            "voucher.issued",
            house.vouchers[0],
            state="live",
            transfers=[["forged", 1, 2, 500]],
        )
    integrate.seal(house.ctx)

    found = faults(house.ctx)

    assert (Fault.TRANSFER_REMOVED, 303) in found


def test_reordered_events_are_found(house):
    """Two numbers that change places change the tree."""
    (one, _), (other, _) = event_at(house.ctx, 5), event_at(house.ctx, 6)
    with house.ctx.reading() as conn:
        hashes = dict(
            conn.execute(
                select(audit_leaf.c.seq, audit_leaf.c.hash).where(
                    audit_leaf.c.seq.in_((5, 6))
                )
            ).all()
        )

    def put(seq, event_id, value):
        return (
            update(audit_leaf)
            .where(audit_leaf.c.seq == seq)
            .values(event_id=event_id, hash=value)
        )

    behind_our_back(
        house.ctx,
        put(5, 9_999, hashes[6]),
        put(6, one, hashes[5]),
        put(5, other, hashes[6]),
    )

    found = faults(house.ctx)
    assert (Fault.REWRITTEN, 0) in found
    assert (Fault.DISAGREES, 0) in found


def test_an_event_s_label_cannot_be_changed(house):
    """Kind and entity beside the text are for searching; they must repeat it."""
    id_, _ = event_at(house.ctx, 12)

    behind_our_back(
        house.ctx,
        update(audit_event).where(audit_event.c.id == id_).values(entity_id=7),
    )

    assert (Fault.MISLABELLED, 12) in faults(house.ctx)


def test_a_changed_transfer_is_named_with_its_event(house):
    """Books that say otherwise than the event are wrong, and the balance shows it."""
    behind_our_back(
        house.ctx,
        update(transfer)
        .where(transfer.c.voucher_id == house.vouchers[0])
        .values(amount_pence=1),
    )

    assert faults(house.ctx) == [(Fault.TRANSFER_CHANGED, 3)]


def test_a_transfer_that_no_event_tells_of_is_found(house):
    """Money that moves by itself is somebody's hand."""
    with house.ctx.reading() as conn:
        row = conn.execute(select(transfer).limit(1)).one()._asdict()

    behind_our_back(
        house.ctx, insert(transfer).values({**row, "id": 77_777, "key": "mine"})
    )

    assert faults(house.ctx) == [(Fault.TRANSFER_INSERTED, None)]


def test_a_removed_transfer_is_found(house):
    """An event tells of money that the books have forgotten."""
    behind_our_back(
        house.ctx,
        delete(transfer).where(transfer.c.voucher_id == house.vouchers[9]),
    )

    assert [fault for fault, _ in faults(house.ctx)] == [Fault.TRANSFER_REMOVED]


def test_a_changed_balance_is_found(house):
    """A balance is what the events add up to and nothing else."""
    behind_our_back(
        house.ctx,
        update(account).where(account.c.place == 1).values(balance_pence=1_000_000),
    )

    assert faults(house.ctx) == [(Fault.BALANCE_CHANGED, None)]


def test_a_changed_state_is_found(house):
    """P6: no state without its event."""
    behind_our_back(
        house.ctx,
        update(voucher)
        .where(voucher.c.id == house.vouchers[3])
        .values(state="released"),
    )

    [problem] = audit.verify(house.ctx).problems
    assert problem.fault == Fault.STATE_CHANGED
    assert str(house.vouchers[3]) in problem.sentence


def test_a_log_cut_short_disagrees_with_a_kept_checkpoint(house, tmp_path):
    """The end of the log and all its traces removed: who kept a checkpoint knows."""
    kept = tmp_path / "kept.txt"
    kept.write_text(audit.checkpoint(house.ctx), encoding="utf-8")
    integrate.memory_path(house.ctx.keys).unlink()
    behind_our_back(
        house.ctx,
        delete(audit_checkpoint),
        delete(audit_leaf).where(audit_leaf.c.seq >= 301),
        delete(audit_event).where(audit_event.c.kind.like("scheme.%")),
    )

    assert faults(house.ctx) == []
    assert faults(house.ctx, checkpoint_file=kept) == [(Fault.SHORTENED, 301)]


def test_a_checkpoint_of_somebody_else_is_refused(house, tmp_path):
    """A note that our key has not signed proves nothing."""
    forged = tmp_path / "forged.txt"
    note = audit.checkpoint(house.ctx)
    forged.write_text(note.replace("\n303\n", "\n302\n"), encoding="utf-8")

    assert faults(house.ctx, checkpoint_file=forged) == [(Fault.FORGED, None)]


def test_every_event_of_a_voucher_can_be_proved(house):
    """A proof file, the event's text and the public key are enough."""
    key = notes.PublicKey.parse(str(integrate.public_key(house.ctx.keys)))

    [evidence] = audit.prove(house.ctx, entity=("voucher", house.vouchers[42]))

    proof = notes.Proof.parse(evidence.proof.encode())
    assert notes.verify_proof(proof, evidence.body.encode(), key).size == 303
    with pytest.raises(notes.BadNote):
        notes.verify_proof(proof, evidence.body.encode() + b" ", key)


def test_an_event_can_be_proved_by_its_number(house):
    """Also one that is below the stored part of the tree."""
    [evidence] = audit.prove(house.ctx, event=302)

    assert json.loads(evidence.body)["kind"] == "scheme.opened"
    with pytest.raises(NotFound):
        audit.prove(house.ctx, event=5_000)
    with pytest.raises(Refused):
        audit.prove(house.ctx)


def test_an_export_can_be_checked_without_the_database(house, tmp_path, capsys):
    """The stand-alone verifier agrees, also with a checkpoint kept from earlier."""
    kept = tmp_path / "kept.txt"
    kept.write_text(audit.checkpoint(house.ctx), encoding="utf-8")
    with house.ctx.begin() as uow:
        uow.record("scheme.closed", house.scheme)
    bundle = tmp_path / "log.zip"

    exported = audit.export(house.ctx, bundle)

    key = str(integrate.public_key(house.ctx.keys))
    arguments = [str(bundle), "--key", key, "--checkpoint", str(kept)]
    assert (exported.events, exported.checkpoints) == (304, 3)
    assert audit_verify.main(arguments) == 0
    assert "304 entries, 4 checkpoints compared" in capsys.readouterr().out


def test_an_export_with_one_changed_letter_is_refused(house, tmp_path):
    """The verifier says between which numbers the log is not what was signed."""
    bundle, bent = tmp_path / "log.zip", tmp_path / "bent.zip"
    audit.export(house.ctx, bundle)
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(bent, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == audit_verify.EVENTS:
                content = content.replace(b'"live"', b'"done"', 1)
            new.writestr(name, content)

    report = audit_verify.verify_bundle(bent)

    assert not report.ok
    assert {problem.fault for problem in report.problems} == {Fault.DISAGREES}
    assert audit_verify.main([str(bent)]) == 1


def test_after_a_restored_backup_the_loss_is_accepted_on_purpose(house):
    """Signing goes on only once a person has said why; the memory is put aside."""
    integrate.seal(house.ctx)
    behind_our_back(
        house.ctx,
        delete(audit_checkpoint).where(audit_checkpoint.c.size > 301),
        delete(audit_leaf).where(audit_leaf.c.seq >= 301),
        delete(audit_event).where(audit_event.c.kind.like("scheme.%")),
        delete(audit_node).where(audit_node.c.position > 0),
    )
    with pytest.raises(integrate.LogRewrittenError):
        integrate.sign(house.ctx)

    aside = audit.accept_loss(house.ctx, "olu/cli", "backup_restored")
    integrate.seal(house.ctx)

    assert aside.exists()
    assert faults(house.ctx) == []
    assert faults(house.ctx, checkpoint_file=aside) != []
