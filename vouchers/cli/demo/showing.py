"""What the demo prints: tables, a phone, one resident's story, the proofs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from vouchers.cli import look, tables
from vouchers.cli.money import gifts_table, standing_document

if TYPE_CHECKING:
    from vouchers.cli.demo.play import Stage
    from vouchers.pipeline.accept import Receipt
    from vouchers.pipeline.expire import Swept
    from vouchers.pipeline.inbox import Filed
    from vouchers.pipeline.redeem import FeedReceipt

#: Width of the phone in letters.
PHONE = 46


class Screen:
    """Where the demo is seen; with --json nothing of it is."""

    def __init__(self, out: Console, aside: Console, *, quiet: bool) -> None:
        self._out = out
        self._aside = aside
        self._quiet = quiet
        #: Texts that the provider accepted.
        self.texts = 0

    def _print(self, *parts: RenderableType) -> None:
        if not self._quiet:
            for part in parts:
                self._out.print(part)

    def _act(self, title: str) -> None:
        self._print("", Rule(title, align="left", style="dim"))

    def opening(self, residents: int) -> None:
        """What is about to happen."""
        self._print(
            Panel.fit(
                f"Five invented partners, about {residents} invented residents.\n"
                "Nothing leaves this machine: the provider is a stand-in, and every\n"
                "phone number is one that nobody can own.",
                title="fuel vouchers: a winter Monday",
                title_align="left",
                border_style="green",
            )
        )

    def rehearsed(self, receipts: dict[str, Receipt]) -> None:
        """The dry runs: what each live file would do."""
        self._act("1  dry runs: what would happen, nothing kept")
        rows: list[tuple[Any, ...]] = []
        for partner, receipt in receipts.items():
            found = receipt.preview
            if found is None:
                rows.append((partner, receipt.message, "", "", ""))
                continue
            top = ", ".join(list(found.faults)[:3])
            rows.append((partner, found.rows, found.granted, found.to_correct, top))
        heads = ("partner", "rows", "would get a voucher", "to correct", "because")
        self._print(tables.table(None, heads, rows, right=heads[1:4]))

    def received(self, filed: Sequence[Filed]) -> None:
        """What the watcher took from the drop folders."""
        self._act("2  files dropped into inbox/PARTNER/ are taken")
        for one in filed:
            notes = "; ".join(
                getattr(note, "text", getattr(note, "code", str(note)))
                for note in one.receipt.notices
            )
            words = f"{one.partner}: {one.name}, {one.receipt.rows} rows"
            if one.receipt.outcome == "refused":
                self._print(tables.warn(f"{words}: {one.receipt.message}"))
            else:
                self._print(tables.done(f"{words}{f' ({notes})' if notes else ''}"))

    def watch(
        self,
        on: Stage,
        until_idle: Callable[[Callable[[], None]], None],
        words: str,
    ) -> None:
        """Wait until all is idle; on a terminal a bar shows how far it is."""
        if self._quiet or not self._aside.is_terminal:
            until_idle(lambda: None)
            return
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (TextColumn("[dim]{task.description}"), BarColumn(), TextColumn(""))
        with Progress(*columns, console=self._aside, transient=True) as progress:
            total = len(on.sample.truths)
            task = progress.add_task(words, total=total)
            until_idle(lambda: progress.update(task, completed=_settled(on)))

    def rows(self, overview: dict[str, Any]) -> None:
        """What became of every row, partner by partner."""
        self._act("3  what became of every row")
        self._print(look.rows_table(overview["batches"], overview["rows"]))
        if not overview["unaccounted"] and not overview["held"]:
            self._print(tables.done("every row is accounted for; none is held"))

    def money(self, on: Stage) -> None:
        """Where the money is while some still wait."""
        self._act("4  the money, per gift; the general one has run short")
        self._print(self._gifts(on))

    def served(self, on: Stage) -> None:
        """Who the second gift helped: the neediest first."""
        from vouchers.backoffice import status

        rows = status.overview(on.app.context, by=on.owner)["rows"]
        self._act("5  a second gift of £1,200 arrives")
        self._print(
            tables.done(
                f"the neediest who waited are served; {rows['waiting']} wait on"
            ),
            self._gifts(on),
        )

    def _gifts(self, on: Stage) -> RenderableType:
        from vouchers.backoffice import fund

        return gifts_table(
            [standing_document(one) for one in fund.standings(on.app.context)]
        )

    def twins(self, on: Stage) -> None:
        """People whom two partners handed in, and what was made of it."""
        from vouchers.cli.demo.findings import twins

        found = twins(on)
        self._act("6  the same people, handed in by two partners")
        heads = ("what became of both rows", "people")
        self._print(
            tables.table(None, heads, found.outcomes.most_common(), right=["people"]),
            tables.done(
                f"{found.rows} people came twice; "
                f"{found.paid_twice} were paid twice; "
                f"{found.wrongly_joined} strangers were taken for one person"
            ),
        )

    def phone(self, on: Stage) -> None:
        """One text as the phone shows it, and how many there were."""
        from vouchers.messages.simulator.running import read_record

        record = read_record(on.simulator_url)
        self.texts = len(record)
        both = [text for text in record if "1 of 2" in text["body"]]
        text = next(iter(both or record), None)
        self._act(f"7  {len(record)} texts were accepted, once each; one of them")
        if text is not None:
            body = Text(_veiled(text["body"]))
            title = f"{text['from']} → …{text['to'][-3:]}"
            self._print(Panel(body, title=title, title_align="left", width=PHONE))

    def unchanged(
        self, filed: Sequence[Filed], before: dict[str, int], after: dict[str, int]
    ) -> None:
        """The same files again change nothing."""
        self._act("8  all files are dropped again")
        outcomes = Counter(one.receipt.outcome for one in filed)
        told = ", ".join(
            f"{n} {word.replace('_', ' ')}" for word, n in outcomes.items()
        )
        if before == after:
            self._print(tables.done(f"{told}: nothing changed"))
        else:
            self._print(tables.warn(f"{told}: rows moved from {before} to {after}"))

    def settled(self, feeds: Sequence[FeedReceipt], swept: Swept) -> None:
        """What the networks reported, and what ended."""
        self._act("9  three days later the networks report; weeks later codes end")
        lines = sum(feed.new for feed in feeds)
        self._print(
            tables.done(f"{lines} uses booked from {len(feeds)} networks' files"),
            tables.done(
                f"{swept.expired} codes ended unused, {swept.released} of them freed: "
                f"{tables.pounds(swept.released_pence)} back in its own gifts"
            ),
        )

    def story(self, on: Stage) -> None:
        """One resident's whole story, as `vouchers explain` tells it."""
        from vouchers.backoffice import explain
        from vouchers.cli.demo.findings import worth_telling

        found = worth_telling(on)
        if found is None:
            return
        reference, partner = found
        document = explain.explain(
            on.app.context,
            reference=reference,
            partner=partner,
            by=on.owner,
            door="cli",
        )
        self._act(f"10  vouchers explain {reference} --partner {partner}")
        self._print(Group(*look.story(document)))

    def proofs(self, on: Stage) -> dict[str, bool]:
        """Ledger, audit and the house's own promises, each checked anew."""
        from vouchers.backoffice import audit, books, doctor
        from vouchers.pipeline import integrate

        ctx = on.app.context
        self._act("11  proofs")
        integrate.seal(ctx)
        audit.checkpoint(ctx)
        money = books.verify(ctx)
        log = audit.verify(ctx)
        findings = doctor.examine(ctx)
        bad = [one for one in findings if one.level not in ("ok", "warn")]
        programs = ", ".join(str(one) for one in money.programs) or "our replay"
        found = {
            f"the books add up to the penny ({programs})": money.ok,
            f"{log.size:,} audit events are whole and in order": log.ok,
            f"{len(findings)} promises of the house were looked at": not bad,
        }
        for words, good in found.items():
            self._print(tables.done(words) if good else tables.warn(words))
        told = (*money.problems, *log.problems, *bad)
        for problem in () if all(found.values()) else told:
            self._print(f"  {getattr(problem, 'sentence', problem)}")
        return {"ledger": money.ok, "audit": log.ok, "doctor": not bad}

    def closing(self, document: dict[str, Any]) -> None:
        """How it went, and where to go on."""
        mark = "[green]all is well[/green]" if document["ok"] else "[red]not well[/red]"
        self._print(
            "",
            Rule(style="dim"),
            f"{mark} in {document['seconds']:.0f} s; everything lies in "
            f"{document['folder']}",
            "[dim]look around: VOUCHERS_VAR="
            f"{document['folder']} vouchers status[/dim]",
        )


def _settled(on: Stage) -> int:
    from sqlalchemy import func, select

    from vouchers.store.tables.intake import referral, row_error
    from vouchers.store.tables.messages import message

    done = ("checking", "waiting", "declined", "withdrawn", "held")
    with on.app.context.reading() as conn:
        counts = (
            select(func.count()).select_from(row_error),
            select(func.count())
            .select_from(referral)
            .where(referral.c.state.in_(done)),
            select(func.count())
            .select_from(message)
            .where(message.c.state == "delivered"),
        )
        return sum(conn.scalar(asked) or 0 for asked in counts)


def _veiled(body: str) -> str:
    """The text with most digits of its codes hidden: a demo's screen may be shared."""
    import re

    def hide(found: re.Match[str]) -> str:
        digits = found.group()
        shown = sum(letter.isdigit() for letter in digits) - 4
        seen = 0
        out = []
        for letter in digits:
            if letter.isdigit():
                seen += 1
                out.append("•" if seen <= shown else letter)
            else:
                out.append(letter)
        return "".join(out)

    return re.sub(r"\d(?:[ \d]{10,})\d", hide, body)
