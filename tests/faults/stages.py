"""Work that leads to crash points, and what people do when they saw a process die."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date

from tests.end_to_end.installation import OWNER
from tests.faults.broken import OLGA, PARTNERS, UNTIL_IDLE, WORK, Broken
from vouchers.backoffice import batches, keys, queues
from vouchers.pipeline import redeem
from vouchers.pipeline.carry import carry_all
from vouchers.store.jobs import JobSpec
from vouchers.store.tables import db_now
from vouchers.store.tables.awards import voucher
from vouchers.store.tables.intake import batch, referral
from vouchers.store.tables.money import code
from vouchers.store.tables.work import job

Words = tuple[str, ...]
#: Makes new work and gives the command that comes to the scene's points.
Stage = Callable[[Broken], Words]

NETWORK = "paypoint"
#: A kind of job that no version of today knows.
OF_TOMORROW = "step.of_tomorrow"
#: Longer ago than any network takes to report.
LONG_AGO = date(2026, 11, 1)


# ------------------------------------------------------------------ the door


def a_file_at_the_door(broken: Broken) -> Words:
    """A partner hands in a file by command."""
    path = broken.file()
    return "submit", "--partner", path.parent.name, str(path)


def a_dry_run(broken: Broken) -> Words:
    """A partner tries a file."""
    return *a_file_at_the_door(broken), "--dry-run"


def a_file_that_is_refused(broken: Broken) -> Words:
    """A file that is no table of ours."""
    path = broken.file()
    path.write_text(f"fruit,colour\napple {path.stem},red\n", encoding="utf-8")
    return "submit", "--partner", path.parent.name, str(path)


def a_dropped_file(broken: Broken) -> Words:
    """A file lies in a partner's drop folder."""
    path = broken.file()
    folder = broken.stack.folder / "var" / "inbox" / path.parent.name
    folder.mkdir(parents=True, exist_ok=True)
    path.rename(folder / path.name)
    return "watch", "--once"


def files_are_handed_in_again(broken: Broken) -> None:
    """Whoever saw a submit die gives the same command again: nothing comes twice."""
    for partner in PARTNERS:
        for path in (broken.stack.folder / "files" / partner).glob("*.csv"):
            # 1: refused once more.
            told = broken.run("submit", "--partner", partner, str(path))
            assert told in (0, 1), broken.last_words()
            path.unlink()


def the_folder_is_looked_at_again(broken: Broken) -> None:
    """The next watcher takes up what was claimed."""
    assert broken.run("watch", "--once") == 0, broken.last_words()
    inbox = broken.stack.folder / "var" / "inbox"
    left = [*inbox.glob("*/*.csv"), *inbox.glob("*/processing/*.csv")]
    assert left == []
    for path in inbox.glob("*/done/*.csv"):
        told = broken.stack.folder / "var" / "outbox" / path.parts[-3]
        assert (told / f"{path.name}.receipt.txt").exists()


# ------------------------------------------------------------------ the way of a row


def new_rows(broken: Broken) -> Words:
    """A file was received; a worker comes."""
    broken.be_rich()
    broken.hand_in()
    return UNTIL_IDLE


def a_stopped_file(broken: Broken) -> int:
    """A file was read and matched, and then stopped for a person; its batch."""
    broken.be_rich()
    batch_id = broken.hand_in()
    with broken.house() as ctx:
        carry_all(ctx, ["accept", "deduplicate"])
    broken.change(batch, batch.c.id == batch_id, state="stopped")
    return batch_id


def a_file_that_goes_on(broken: Broken) -> Words:
    """A person lets a stopped file go on."""
    batch_id = a_stopped_file(broken)
    with broken.house() as ctx:
        batches.release(ctx, OLGA, batch_id, reason="seen", door="cli")
    return UNTIL_IDLE


def a_file_that_ends(broken: Broken) -> Words:
    """A person ends a stopped file."""
    batch_id = a_stopped_file(broken)
    with broken.house() as ctx:
        batches.reject(ctx, OLGA, batch_id, reason="a wrong file", door="cli")
    return UNTIL_IDLE


def new_rows_an_hour_later(broken: Broken) -> Words:
    """The same when the day's outcomes are due, which come once an hour."""
    broken.forward(minutes=70)
    return new_rows(broken)


def a_text_that_may_be_out(broken: Broken) -> Words:
    """A worker died on its way to the provider: nobody knows, the provider is asked."""
    new_rows(broken)
    broken.kill_at("send.before_call", *WORK)
    return UNTIL_IDLE


def money_for_some(broken: Broken) -> Words:
    """Rows wait, and a gift comes that is not enough for all of them."""
    broken.hand_in()
    broken.finish()
    broken.give(60_00)
    broken.clock_again("waitlist")
    return UNTIL_IDLE


def a_damaged_place_on_the_waitlist(broken: Broken) -> Words:
    """Money comes, and our code fails on a row that waits for it."""
    words = money_for_some(broken)
    waits = referral.c.state == "waiting"
    [kept, *_] = broken.all(referral.c.id, referral.c.household_id, where=waits)
    here = referral.c.id == kept.id
    broken.change(referral, here, household_id=None)
    broken.mends.append(
        lambda: broken.change(referral, here, household_id=kept.household_id)
    )
    return words


def a_damaged_row(broken: Broken) -> Words:
    """A step fails on a row that nobody can open."""
    broken.be_rich()
    batch_id = broken.hand_in()
    with broken.house() as ctx:
        carry_all(ctx, ["accept"])
    # Not one that its partner sent before: nobody would open it again.
    unread = (referral.c.batch_id == batch_id) & (referral.c.state == "received")
    [kept, *_] = broken.all(referral.c.id, referral.c.row_sealed, where=unread)
    here = referral.c.id == kept.id
    broken.change(referral, here, row_sealed=kept.row_sealed[:-1] + b"?")
    broken.mends.append(
        lambda: broken.change(referral, here, row_sealed=kept.row_sealed)
    )
    return WORK


def a_person_mends_it(broken: Broken) -> None:
    """What our code failed on is put right, and what was held is given back."""
    broken.finish()
    while broken.mends:
        broken.mends.pop()()
    with broken.house() as ctx:
        queues.requeue(ctx, "held", queues.Which(), actor=OWNER, reason="mended")


def a_job_of_tomorrow(broken: Broken) -> Words:
    """A newer version has promised what this one cannot carry."""
    spec = JobSpec("clockwork", OF_TOMORROW, need=0)
    with broken.house() as ctx, ctx.begin() as uow:
        uow.enqueue(spec)
    return WORK


def a_newer_worker_came(broken: Broken) -> None:
    """The job of tomorrow is carried by who can."""
    broken.change(job, job.c.kind == OF_TOMORROW, state="done", finished_at=db_now())


def the_provider_reports(broken: Broken) -> Words:
    """Texts go out, and what hears of them dies: the reports stay unheard or not."""
    with suppress(KeyError):
        broken.stack.kill("web")
    broken.be_rich()
    broken.hand_in()
    broken.start(*UNTIL_IDLE)
    return ("web",)


def somebody_listens_again(broken: Broken) -> None:
    """The web process is started again, as a supervisor would."""
    broken.join()
    broken.stack.start_web()


# ------------------------------------------------------------------ money


def sent_code(broken: Broken) -> tuple[int, str]:
    """A voucher of paypoint that was texted and not used: its number and its code."""
    usable = (
        (voucher.c.network == NETWORK)
        & (voucher.c.state == "live")
        & (voucher.c.expires_on > LONG_AGO)
        & voucher.c.id.not_in(broken.used)
        & (code.c.id == voucher.c.code_id)
    )
    while True:
        found = broken.all(voucher.c.id, code.c.id, code.c.sealed, where=usable)
        if found:
            break
        new_rows(broken)
        broken.finish()
    number, code_id, sealed = found[0]
    broken.used.add(number)
    with broken.house() as ctx:
        return number, ctx.keys.open("code.sealed", code_id, sealed).decode()


def a_networks_file(broken: Broken) -> Words:
    """A network tells what was used."""
    number, used = sent_code(broken)
    path = broken.stack.folder / f"feed-{number}.csv"
    path.write_text(
        "code,transaction id,type,amount,date\n"
        f"{used},T{number},redeem,28.00,2026-12-07\n",
        encoding="utf-8",
    )
    return "redemptions", "import", "--network", NETWORK, str(path)


def a_file_that_was_read(broken: Broken) -> Words:
    """A network's file is in; its lines wait to be booked."""
    assert broken.run(*a_networks_file(broken)) == 0, broken.last_words()
    return WORK


def the_networks_files_come_again(broken: Broken) -> None:
    """Whoever saw an import die gives the same command again."""
    for path in broken.stack.folder.glob("feed-*.csv"):
        again = ("redemptions", "import", "--network", NETWORK, str(path))
        assert broken.run(*again) == 0, broken.last_words()
        path.unlink()


def expired_vouchers(broken: Broken) -> Words:
    """Vouchers whose last day, and their network's time to report, are long over."""
    number, _ = sent_code(broken)
    broken.change(voucher, voucher.c.id == number, expires_on=LONG_AGO)
    broken.clock_again("expire")
    return WORK


def a_missing_day(broken: Broken) -> Words:
    """A network's files pass over a day."""
    path = broken.stack.folder / "quiet.csv"
    path.write_text("code,transaction id,type,amount,date\n", encoding="utf-8")
    with broken.house() as ctx:
        for day in (date(2026, 12, 1), date(2026, 12, 3)):
            redeem.import_feed(ctx, NETWORK, path, OWNER, covers=(day, day))
    broken.clock_again("expire")
    return WORK


# ------------------------------------------------------------------ the house itself


def a_review_that_waits(broken: Broken) -> Words:
    """Somebody else at the same door: a person must look, and a day goes by."""
    broken.be_rich()
    [first, second] = broken.rows(2)[:2]
    home = {name: first[name] for name in ("address_line_1", "postcode")}
    broken.hand_in([first])
    broken.hand_in([second | home])
    broken.finish()
    # At the same hour: texts wait for the morning.
    broken.forward(days=2)
    broken.clock_again("reviews")
    return WORK


def a_new_key(broken: Broken) -> Words:
    """Everything that is sealed is to be sealed anew."""
    new_rows(broken)
    broken.finish()
    with broken.house() as ctx:
        keys.rotate(ctx, OWNER)
    return WORK


def the_minute_of(*sweeps: str) -> Stage:
    """Nothing new but the time of these sweeps."""

    def stage(broken: Broken) -> Words:
        broken.clock_again(*sweeps)
        return WORK

    return stage


def a_dead_worker(broken: Broken) -> Words:
    """A worker died that had given signs of life."""
    new_rows(broken)
    broken.kill_at("carry.before_step", *WORK)
    return WORK
