"""The drop folder: only finished files are taken, each once, and all are filed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.partner_files import csv_file, csv_text, open_house, referrals, row
from vouchers.pipeline import inbox
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.pipeline.inbox import Inbox, is_final_name


def drop(ctx: Context, name: str = "jan.csv", n: int = 1) -> Path:
    """A partner's file in its folder."""
    return csv_file(ctx.inbox / "elm-homes" / name, [row(n)])


def test_a_file_is_taken_once_it_has_stayed_the_same(ctx: Context) -> None:
    """A growing file waits; five quiet seconds later it is submitted and filed."""
    open_house(ctx)
    path = drop(ctx)
    folder = Inbox(ctx, quiet_s=5)
    assert folder.look(100.0) == []
    path.write_text(csv_text([row(1), row(2)]))
    assert folder.look(106.0) == []
    assert folder.look(110.0) == []
    (filed,) = folder.look(111.1)
    assert (filed.receipt.outcome, filed.receipt.rows) == ("accepted", 2)
    assert filed.path == ctx.inbox / "elm-homes" / "done" / "jan.csv"
    assert not path.exists()


def test_a_marker_says_that_a_file_is_finished(ctx: Context) -> None:
    """name.csv.done has the file taken at once; the marker goes with it."""
    open_house(ctx)
    path = drop(ctx)
    marker = path.with_name("jan.csv.done")
    marker.touch()
    (filed,) = Inbox(ctx, quiet_s=1_000).look(0.0)
    assert filed.receipt.outcome == "accepted"
    assert not marker.exists()


def test_a_folder_below_the_partners_names_the_scheme(ctx: Context) -> None:
    """inbox/partner/scheme/ submits to that scheme; an unknown one is refused."""
    open_house(ctx)
    csv_file(ctx.inbox / "elm-homes" / "winter_fund" / "a.csv", [row(1)])
    csv_file(ctx.inbox / "elm-homes" / "no_such" / "b.csv", [row(2)])
    filed = Inbox(ctx, quiet_s=0).look(0.0)
    assert {each.name: each.receipt.outcome for each in filed} == {
        "a.csv": "accepted",
        "b.csv": "refused",
    }


def test_a_refused_file_says_why_in_a_text_beside_it(ctx: Context) -> None:
    """Rejected files keep their name and get a .why.txt in the field's words."""
    open_house(ctx)
    path = ctx.inbox / "elm-homes" / "x.csv"
    path.parent.mkdir(parents=True)
    path.write_text("reference,first name\nT1,Ann\n")
    (filed,) = Inbox(ctx, quiet_s=0).look(0.0)
    assert filed.path == ctx.inbox / "elm-homes" / "rejected" / "x.csv"
    why = filed.path.with_name("x.csv.why.txt").read_text()
    assert why.startswith("missing_column: Columns are missing: family_name")


def test_an_unknown_partners_file_is_refused(ctx: Context) -> None:
    """A folder that no partner owns gets its file back, not an accident."""
    open_house(ctx)
    csv_file(ctx.inbox / "nobody" / "a.csv", [row(1)])
    (filed,) = Inbox(ctx, quiet_s=0).look(0.0)
    assert (filed.receipt.outcome, filed.receipt.code) == ("refused", "not_found")


def receipt(ctx: Context, name: str) -> str:
    """What a partner reads of a file it dropped."""
    path = ctx.outbox / "elm-homes" / f"{name}.receipt.txt"
    return path.read_text(encoding="utf-8-sig")


def test_each_dropped_file_leaves_a_receipt_with_the_results(ctx: Context) -> None:
    """Taken, refused, there before or read unusually: the sender reads it."""
    open_house(ctx)
    box = ctx.inbox / "elm-homes"
    text = csv_text([row(1, family_name="Müller")]).replace(",", ";")
    drop(ctx, "jan.csv").write_bytes(text.encode("cp1252"))
    drop(ctx, "empty.csv").write_text("")
    folder = Inbox(ctx, quiet_s=0)
    folder.look(0.0)
    assert "1 row was received as batch" in receipt(ctx, "jan.csv")
    assert "read as Windows-1252" in receipt(ctx, "jan.csv")
    assert "separated by semicolons" in receipt(ctx, "jan.csv")
    assert "was not taken. The file is empty." in receipt(ctx, "empty.csv")
    (box / "again.csv").write_bytes(text.encode("cp1252"))
    folder.look(1.0)
    assert "already received on 07/12/2026" in receipt(ctx, "again.csv")


def test_nobodys_folder_makes_no_outbox(ctx: Context) -> None:
    """A slip in a folder's name must not grow a second outbox."""
    open_house(ctx)
    csv_file(ctx.inbox / "elm-hmes" / "a.csv", [row(1)])
    Inbox(ctx, quiet_s=0).look(0.0)
    assert not (ctx.outbox / "elm-hmes").exists()


@pytest.mark.parametrize("name", ["a.xls", "a.pdf", "a.txt", "A.XLSM", "a.ods"])
def test_a_file_of_another_kind_is_handed_back_with_a_word(
    ctx: Context, name: str
) -> None:
    """A file that lay there unread for ever would be residents without help."""
    open_house(ctx)
    path = drop(ctx, name)
    folder = Inbox(ctx, quiet_s=5)
    assert folder.look(100.0) == []
    (filed,) = folder.look(105.0)
    assert (filed.receipt.outcome, filed.receipt.code) == (
        "refused",
        "wrong_kind_of_file",
    )
    assert not path.exists()
    assert "end in .csv or .xlsx" in receipt(ctx, name)
    assert folder.look(200.0) == []


def test_a_file_in_no_folder_is_left_and_taken_for_nobodys(ctx: Context) -> None:
    """Whose residents they are cannot be guessed."""
    open_house(ctx)
    stray = csv_file(ctx.inbox / "jan.csv", [row(1)])
    assert Inbox(ctx, quiet_s=0).look(0.0) == []
    assert stray.exists()


def test_links_are_never_followed(ctx: Context, tmp_path: Path) -> None:
    """A link in a partner's folder could name any file of this machine."""
    open_house(ctx)
    secret = csv_file(tmp_path / "secret.csv", [row(1)])
    link = ctx.inbox / "elm-homes" / "a.csv"
    link.parent.mkdir(parents=True)
    link.symlink_to(secret)
    (filed,) = Inbox(ctx, quiet_s=0).look(0.0)
    assert filed.receipt.code == "not_a_plain_file"
    assert referrals(ctx) == []
    assert secret.exists()


def test_what_was_claimed_when_a_process_died_is_submitted(ctx: Context) -> None:
    """A file in processing/ is taken up again, whether or not it had been submitted."""
    open_house(ctx)
    text = drop(ctx).read_bytes()
    Inbox(ctx, quiet_s=0).look(0.0)
    claimed = ctx.inbox / "elm-homes" / "processing" / "jan.csv"
    claimed.write_bytes(text)
    drop(ctx, "feb.csv", 2).rename(claimed.with_name("feb.csv"))
    again = Inbox(ctx).resume()
    assert {each.name: each.receipt.outcome for each in again} == {
        "jan.csv": "already_received",
        "feb.csv": "accepted",
    }
    carry_all(ctx, ["accept"])
    assert len(referrals(ctx)) == 2
    assert not any(claimed.parent.iterdir())


def test_a_second_file_of_one_name_does_not_replace_the_first(ctx: Context) -> None:
    """done/ keeps both originals."""
    open_house(ctx)
    folder = Inbox(ctx, quiet_s=0)
    drop(ctx, n=1)
    folder.look(0.0)
    drop(ctx, n=2)
    (filed,) = folder.look(1.0)
    assert filed.receipt.revision_of is not None
    names = sorted(each.name for each in (ctx.inbox / "elm-homes" / "done").iterdir())
    assert names == ["jan.csv", "jan~2.csv"]


@pytest.mark.parametrize(
    "name",
    ["a.csv.part", "a.tmp", "~$a.xlsx", ".a.csv", "a.csv.filepart", "a.doc", "a.pdf"],
)
def test_names_of_unfinished_and_foreign_files_are_left(name: str) -> None:
    """Uploads in progress, Excel's lock files and other documents stay."""
    assert not is_final_name(name)


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "März 1.xlsx"])
def test_final_names_are_taken(name: str) -> None:
    """Case and letters of other languages do not matter."""
    assert is_final_name(name)


def test_the_watch_takes_a_file_and_ends_when_told(ctx: Context) -> None:
    """The watcher runs in a thread, takes what is dropped, and stops at once."""
    open_house(ctx)
    stop = threading.Event()
    watcher = threading.Thread(
        target=inbox.watch, args=(ctx, stop), kwargs={"quiet_s": 0, "every_s": 0.1}
    )
    watcher.start()
    drop(ctx)
    done = ctx.inbox / "elm-homes" / "done" / "jan.csv"
    for _ in range(200):
        if done.exists():
            break
        stop.wait(0.05)
    stop.set()
    watcher.join(timeout=10)
    assert done.exists()
    assert not watcher.is_alive()
