"""Learning from rows handed in: a proposal with its reasons, or why there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from tests.referrals import person, receive
from vouchers.backoffice import training
from vouchers.domain.matching import learned_file
from vouchers.domain.matching.model import parse_model
from vouchers.domain.matching.training import Learned
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, Refused
from vouchers.pipeline.context import Context
from vouchers.store import model_in_use
from vouchers.store.tables.proof import audit_event

AMY = Person(1, "amy", frozenset({Role.REVIEWER}))
WES = Person(2, "wes", frozenset({Role.PARTNER}), partner_id=1)


_GIVEN = [
    start + end
    for start in ("Ad", "Bel", "Cor", "Dan", "Ev", "Fen")
    for end in ("a", "wyn", "ric", "ota", "im", "eth", "old", "une", "is")
]
_FAMILY = [
    start + end
    for start in ("Ash", "Birch", "Cald", "Dray", "Elm", "Fern")
    for end in ("by", "ton", "wick", "ley", "more", "ford", "stead", "comb")
]


def town(rows: int, seed: int = 1) -> list[Any]:
    """Households of one to three; a third of the people are handed in twice."""
    rng = np.random.default_rng(seed)

    def phone() -> str:
        return f"+447700900{rng.integers(1000):03}"

    made: list[Any] = []
    while len(made) < rows:
        home = {
            "family_name": _FAMILY[rng.integers(len(_FAMILY))],
            "address_line_1": f"{rng.integers(1, 90)} Mill Lane",
            "postcode": f"LS{rng.integers(1, 20)} {rng.integers(1, 9)}A"
            + "BDEFG"[rng.integers(5)],
        }
        for _ in range(int(rng.integers(1, 4))):
            who = home | {
                "given_name": _GIVEN[rng.integers(len(_GIVEN))],
                "date_of_birth": date(
                    int(rng.integers(1930, 2004)), int(rng.integers(1, 13)),
                    int(rng.integers(1, 29)),
                ),
                "mobile": phone(),
            }  # fmt: skip
            made.append(person(reference=f"T{len(made)}", **who))
            if rng.random() < 0.34:
                # Half of the second rows have another phone.
                other = {"mobile": phone()} if rng.random() < 0.5 else {}
                made.append(person(reference=f"T{len(made)}", **who | other))
    return made


@pytest.fixture
def rows(ctx: Context) -> list[Any]:
    """A town's rows, handed in and not looked at yet."""
    made = town(2_200)
    receive(ctx, *made)
    return made


def test_a_town_teaches_a_new_file_and_leaves_the_old_one(
    ctx: Context, rows: list[Any], tmp_path: Path
) -> None:
    """The file reads as a model, what moved is marked, the log says it was made."""
    before = model_in_use.text()
    found = training.train(ctx, AMY, tmp_path)
    assert not found.faults
    assert found.file is not None
    text = found.file.read_text(encoding="utf-8")
    model = parse_model(text)
    assert model.version == found.version != found.model
    # Half of the second rows have another phone.
    mobile = dict(
        zip(("same", "close", "different"), model.levels["mobile"], strict=True)
    )
    assert 0.4 < np.exp(mobile["same"].person) < 0.6
    assert "[learned]" in text
    assert "; before [census]" in text
    for one in found.changes:
        assert (
            one.place[1:2] not in (("given",), ("born",)) or one.place[3] == "unrelated"
        )
    assert model_in_use.text() == before
    with ctx.reading() as conn:
        kind = audit_event.c.kind == "matching.trained"
        body = json.loads(conn.scalar(select(audit_event.c.body).where(kind)) or "{}")
    assert body["rows"] == len(rows)
    with pytest.raises(Refused, match="is there already"):
        training.train(ctx, AMY, found.file)


def test_the_file_holds_no_name(ctx: Context, rows: list[Any], tmp_path: Path) -> None:
    """Nothing of a person is in what was learned."""
    found = training.train(ctx, AMY, tmp_path)
    assert found.file is not None
    words = found.file.read_text(encoding="utf-8").casefold()
    for one in rows[:200]:
        assert one.family_name.casefold() not in words
        assert one.postcode.casefold() not in words


def test_too_few_rows_are_refused(ctx: Context, tmp_path: Path) -> None:
    """A handful of rows teaches nothing; the refusal says how many it takes."""
    receive(ctx, person())
    with pytest.raises(
        Refused, match="1 rows are too few to learn from; it takes 2,000"
    ):
        training.train(ctx, AMY, tmp_path)


def test_strangers_only_are_refused(ctx: Context, tmp_path: Path) -> None:
    """Where nobody has anything in common there is nothing to learn."""
    receive(
        ctx,
        *(
            person(
                reference=f"S{n}", given_name=f"N{n}", family_name="",
                date_of_birth=None, postcode="", mobile="", address_line_1="",
            )
            for n in range(2_000)
        ),
    )  # fmt: skip
    with pytest.raises(Refused, match="pairs of rows have anything in common"):
        training.train(ctx, AMY, tmp_path)


def test_what_must_not_be_used_is_told(rows: list[Any], ctx: Context) -> None:
    """Unsettled learning, hardly any people or households: each is said in words."""
    model = model_in_use.model()
    learned = Learned(model, False, 500, (), 20.0, 3.0)
    told = " ".join(learned_file.faults(learned))
    assert "did not settle in 500 rounds" in told
    assert "only about 20 pairs look like one person; 200 are needed" in told
    assert "only about 3 pairs look like one household; 100 are needed" in told
    homes = {lv.name: lv for lv in model.levels["home"]}
    homes["same"] = replace(homes["same"], household=homes["street"].household - 1)
    far = replace(model, levels=model.levels | {"home": tuple(homes.values())})
    told = learned_file.faults(Learned(far, True, 50, (), 900.0, 900.0))
    assert told == ["what looks like households does not share homes"]


def test_a_file_with_faults_is_not_written(ctx: Context, tmp_path: Path) -> None:
    """A town of single people teaches nothing about households, and so nothing."""
    seen: dict[tuple[str, str], str] = {}
    alone = [
        one.model_copy(update={"mobile": ""})
        for one in town(5_000)
        if seen.setdefault((one.address_line_1, one.postcode), one.given_name)
        == one.given_name
    ]
    receive(ctx, *alone)
    out = tmp_path / "out"
    out.mkdir()
    found = training.train(ctx, AMY, out)
    assert any("household" in fault for fault in found.faults)
    assert found.file is None
    assert list(out.iterdir()) == []


def test_a_partner_may_not(ctx: Context, tmp_path: Path) -> None:
    """It opens every row."""
    with pytest.raises(NotAllowed):
        training.train(ctx, WES, tmp_path)
