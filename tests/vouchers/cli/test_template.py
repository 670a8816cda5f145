"""The template: what a newcomer writes first is a file that passes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from schemas.scheme import Scheme
from tests.partner_files import RULES
from vouchers.cli.frame import Frame
from vouchers.cli.template import template
from vouchers.domain.intake import Field, Intake, Understood
from vouchers.errors import Refused
from vouchers.pipeline.reading import open_table


def test_its_examples_pass_under_the_shipped_rules(tmp_path: Path) -> None:
    """Every column is known, and neither row has to be corrected."""
    file = tmp_path / "residents.csv"
    template(Frame(), file, examples=True)
    partner = SimpleNamespace(
        refuge=False, safe_contact="sms_ok", agreement_on=date(2026, 1, 1), excluded=[]
    )
    rules = Scheme.parse(RULES.read_text(encoding="utf-8"))
    with open_table(file) as table:
        assert set(table.layout.index) == set(Field)
        assert table.notices == []
        intake = Intake(table.layout, rules, partner, date(2026, 12, 7))
        rows = list(table.rows())
        assert len(rows) == 2
        for row in rows:
            assert isinstance(intake.understand(row.cells), Understood)


def test_it_never_overwrites_a_file(tmp_path: Path) -> None:
    """The name may be that of last week's residents."""
    file = tmp_path / "residents.csv"
    file.write_text("mine")
    with pytest.raises(Refused):
        template(Frame(), file)
    assert file.read_text() == "mine"
