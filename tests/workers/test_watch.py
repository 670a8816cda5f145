"""One look into the drop folders, as `vouchers watch --once` takes it."""

from __future__ import annotations

from tests.partner_files import csv_file, open_house, row
from vouchers.bootstrap import App
from workers import watch


def test_one_look_takes_what_lies_there(app: App) -> None:
    """Each file is named with what became of it, in plain values."""
    ctx = app.context
    open_house(ctx)
    csv_file(ctx.inbox / "elm-homes" / "a.csv", [row(1), row(2)])
    (taken,) = watch.look(app)
    assert taken["outcome"] == "accepted"
    assert (taken["partner"], taken["file"], taken["rows"]) == ("elm-homes", "a.csv", 2)
    assert watch.look(app) == []
