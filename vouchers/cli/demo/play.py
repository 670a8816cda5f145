"""Builds the demo's installation and plays a winter Monday on it, step by step."""

from __future__ import annotations

import csv
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from config.settings import Settings
from vouchers import bootstrap
from vouchers.backoffice import activations, fund, partners, people, scheme
from vouchers.bootstrap import App
from vouchers.cli.demo.files import Sample, write_partners
from vouchers.cli.frame import TOKEN_FILE, keep_token
from vouchers.domain.calendar import local_date
from vouchers.domain.roles import Person, Role
from vouchers.errors import Refused
from vouchers.pipeline import accept, expire, inbox, redeem
from vouchers.pipeline.expire import Swept
from vouchers.pipeline.redeem import FeedReceipt

#: Noon on a winter Monday: shops are open and texts may be sent.
NOON = datetime(2026, 12, 7, 12, 0, tzinfo=UTC)
#: Lies in every demo folder; a folder without it is never emptied.
MARK = ".vouchers-demo"
DOOR = "cli"
#: Seconds until the provider's stand-in must listen, and until all must be idle.
START_S = 20.0
IDLE_S = 240.0

#: What the funders of the demo give, in pence: too little for everybody at first.
GENERAL_PENCE = 3_480_000
WEST_PENCE = 900_000
MORE_PENCE = 120_000


class Noon:
    """A business clock that starts at noon; seconds pass, days pass when told to."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._skipped = timedelta()

    def __call__(self) -> datetime:
        """The present moment of the demo."""
        passed = timedelta(seconds=time.monotonic() - self._started)
        return NOON + self._skipped + passed

    def forward(self, *, days: int) -> None:
        """Let days pass."""
        self._skipped += timedelta(days=days)


@dataclass
class Stage:
    """The demo's installation while it plays."""

    app: App
    clock: Noon
    folder: Path
    simulator_url: str
    sample: Sample
    owner: Person
    finance: Person
    safeguarding: Person
    feeds: list[Path] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The local day of the demo's clock."""
        return local_date(self.clock())


@contextmanager
def stage(folder: Path, *, seed: int, residents: int) -> Iterator[Stage]:
    """An empty installation with rules, people, partners and files, ready to play."""
    _empty(folder)
    with ExitStack() as stack:
        url = stack.enter_context(_simulator(folder))
        port = _free_port()
        settings = Settings(
            var=folder,
            twilio_api_url=url,
            public_url=f"http://127.0.0.1:{port}",
            web_port=port,
            log_format="json",
        )
        clock = Noon()
        app = bootstrap.build(settings, clock=clock)
        stack.callback(app.context.engine.dispose)
        owner, finance, safeguarding = _people(app)
        sample = write_partners(
            folder / "files", seed=seed, residents=residents, today=NOON.date()
        )
        made = Stage(app, clock, folder, url, sample, owner, finance, safeguarding)
        _rules(made)
        _partners(made)
        yield made


def _empty(folder: Path) -> None:
    if folder.exists():
        if any(folder.iterdir()) and not (folder / MARK).exists():
            raise Refused(f"{folder} holds something that is no demo: name another one")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("safe to delete\n", encoding="ascii")


@contextmanager
def _simulator(folder: Path) -> Iterator[str]:
    """The provider's stand-in as a process of its own; gives its address."""
    said = folder / "simulator.port"
    command = [
        *(sys.executable, "-m", "vouchers.messages.simulator"),
        *("--port-file", str(said)),
        *("--record", str(folder / "phones.jsonl")),
    ]
    process = subprocess.Popen(command)
    try:
        ends = time.monotonic() + START_S
        while not said.exists():
            if process.poll() is not None or time.monotonic() > ends:
                raise Refused("the provider's stand-in did not start")
            time.sleep(0.02)
        yield f"http://127.0.0.1:{said.read_text(encoding='ascii').strip()}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def _people(app: App) -> tuple[Person, Person, Person]:
    ctx = app.context
    token = people.first_owner(ctx)
    if token is not None:
        # For looking around afterwards.
        keep_token(app.settings.var / TOKEN_FILE, token)
    with ctx.reading() as conn:
        owner = people.identify(conn, token)
    tokens = [
        people.add(ctx, handle=handle, roles=[role], by=owner, door=DOOR)
        for handle, role in (
            ("finance", Role.FINANCE),
            ("safeguarding", Role.SAFEGUARDING),
        )
    ]
    with ctx.reading() as conn:
        finance, safeguarding = (people.identify(conn, each) for each in tokens)
    return owner, finance, safeguarding


def _rules(on: Stage) -> None:
    """The scheme as it is shipped, but with texts faster than one sender may be."""
    shipped = on.app.settings.scheme_file.read_text(encoding="utf-8")
    quick = shipped.replace("segments_per_second = 10.0", "segments_per_second = 500.0")
    ctx = on.app.context
    version = scheme.load(ctx, quick, on.owner.actor(DOOR))
    scheme.approve(ctx, version.slug, on.finance.actor(DOOR), version.number)
    actor = on.finance.actor(DOOR)
    ends_on = NOON.date() + timedelta(days=120)
    fund.add_pool(ctx, actor, scheme=version.slug, slug="winter", name="Winter 2026")
    for slug, name in (
        ("energy-redress", "Energy Redress Fund"),
        ("west-county", "West County Council"),
    ):
        fund.add_funder(ctx, actor, slug=slug, name=name)
    for slug, funder, pence, only in (
        ("redress-2026", "energy-redress", GENERAL_PENCE, {}),
        ("west-2026", "west-county", WEST_PENCE, {"regions": ["west"]}),
        ("redress-more", "energy-redress", MORE_PENCE, {}),
    ):
        fund.give(
            ctx,
            actor,
            slug=slug,
            funder_slug=funder,
            pool_slug="winter",
            pence=pence,
            restrictions=only,
            ends_on=ends_on,
        )
    for slug, pence in (("redress-2026", GENERAL_PENCE), ("west-2026", WEST_PENCE)):
        fund.receive(ctx, actor, slug, pence=pence, bank_line=f"bank-{slug}")


def _partners(on: Stage) -> None:
    for partner in on.sample.partners:
        partners.add(
            on.app.context,
            slug=partner.slug,
            name=partner.name,
            known_as=partner.known_as,
            contact=partner.contact,
            homes=partner.homes,
            region=partner.region,
            refuge=partner.refuge,
            agreement_on=NOON.date() - timedelta(days=30),
            by=on.owner,
            door=DOOR,
        )


def rehearse(on: Stage) -> dict[str, accept.Receipt]:
    """Each partner's dry run, without which no live file of it is taken."""
    return {
        path.parent.name: accept.submit(
            on.app.context,
            partner=path.parent.name,
            path=path,
            via=DOOR,
            actor=on.owner.actor(DOOR),
            dry_run=True,
        )
        for path in on.sample.files
    }


def drop_files(on: Stage) -> list[inbox.Filed]:
    """Put every partner's file into its inbox and have the watcher take it."""
    for path in on.sample.files:
        target = on.app.context.inbox / path.parent.name
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / path.name)
    return inbox.Inbox(on.app.context, quiet_s=0).look(time.monotonic())


@contextmanager
def at_work(on: Stage) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Web, dispatcher, clock and workers of this process; gives `until_idle(look)`."""
    from vouchers.web.app import create_app
    from workers import run
    from workers.floor import Floor

    floor = Floor(on.app)

    def until_idle(look: Callable[[], None]) -> None:
        ends = time.monotonic() + IDLE_S
        quiet = 0
        while quiet < 3:
            if time.monotonic() > ends:
                raise Refused("the demo did not come to rest; see `vouchers doctor`")
            look()
            time.sleep(0.15)
            if run.is_busy(on.app) or _texts_open(on):
                quiet = 0
            else:
                quiet += 1
                _sweep(on)

    with run.web(on.app, create_app(on.app)):
        floor.start()
        try:
            yield until_idle
        finally:
            floor.stop()
            _sweep(on)


def _sweep(on: Stage) -> None:
    from vouchers.pipeline import steps
    from workers.clock import sweep_now
    from workers.run import LAST_SWEEPS

    sweep_now(on.app.context, [steps.SWEEP_BY_NAME[name] for name in LAST_SWEEPS])


def _texts_open(on: Stage) -> bool:
    """Whether a text is still on its way between provider and phone."""
    from sqlalchemy import select

    from vouchers.store.tables.messages import message

    moving = ("queued", "sending", "unknown", "accepted", "sent")
    with on.app.context.reading() as conn:
        asked = select(message.c.id).where(message.c.state.in_(moving)).limit(1)
        return conn.execute(asked).first() is not None


def more_money(on: Stage) -> None:
    """A second gift of the same funder arrives: the neediest who wait are served."""
    fund.receive(
        on.app.context,
        on.finance.actor(DOOR),
        "redress-more",
        pence=MORE_PENCE,
        bank_line="bank-redress-more",
    )


def redeem_most(on: Stage) -> list[FeedReceipt]:
    """Three days later: the networks' files say which codes were used."""
    ctx, actor = on.app.context, on.finance.actor(DOOR)
    on.clock.forward(days=3)
    receipts = []
    for network in ("paypoint", "post_office"):
        announced = activations.export(
            ctx, actor, network=network, out=on.folder / "networks"
        )
        if announced.path is None:
            continue
        feed = _feed(on, announced.path, network)
        receipts.append(redeem.import_feed(ctx, network, feed, actor))
        on.feeds.append(feed)
    return receipts


def _feed(on: Stage, announced: Path, network: str) -> Path:
    """What a network would report: four codes in five were used, the next day."""
    feed = on.folder / "networks" / f"{network}-used.csv"
    with announced.open(encoding="utf-8", newline="") as stream:
        codes = list(csv.reader(stream))[1:]
    used_on = on.clock() - timedelta(days=1)
    with feed.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["transaction id", "date", "type", "code", "amount"])
        for n, (code, pounds, *_rest) in enumerate(codes):
            if n % 5 < 4:
                at = used_on + timedelta(seconds=n)
                writer.writerow(
                    [f"{network}-{n:06d}", at.isoformat(), "redeem", code, pounds]
                )
    feed.chmod(0o600)
    return feed


def expire_the_rest(on: Stage) -> Swept:
    """Weeks later: codes that nobody used end, and their money is free again."""
    on.clock.forward(days=45)
    return expire.sweep(on.app.context)
