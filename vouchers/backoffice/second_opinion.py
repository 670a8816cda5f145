"""Asks Splink, which knows nothing of our model, which rows it would join.

Everything stays in this process's memory: DuckDB gets no file, no temporary folder and
no network. Its messages are not passed on, for they may quote what they were given.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from vouchers.domain.matching.features import Features
from vouchers.errors import Refused

#: Chance from which Splink's word is "the same", and below which it is "not the same".
JOIN = 0.95
PART = 0.5
#: A number or address that more rows share is nobody's own; it pairs up nobody.
_SHARED_MAX = 50
#: Rows among which Splink learns its weights; of more it takes a share.
_LEARN_ROWS = 50_000
#: Fewer rows than this are too few to learn from.
ROWS_MIN = 50
_TEXTS = (
    "given", "surname", "born", "postcode", "flat", "number", "rest", "mobile",
    "email", "meter",
)  # fmt: skip
_OWN = ("mobile", "email", "meter")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows as (resident, place among the resident's rows), and Splink's word."""

    left: tuple[int, int]
    right: tuple[int, int]
    chance: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """Where Splink's word is not what stands in the register."""

    compared: int
    #: Pairs of two residents that it would join: all of them, and the likeliest.
    would_join: int
    joins: Sequence[Pair]
    #: Pairs of one resident's rows that it would not join.
    would_part: int
    parts: Sequence[Pair]


class SecondOpinion:
    """Rows in memory, and what Splink makes of them."""

    def __init__(self, *, memory: str) -> None:
        try:
            import duckdb
            import splink  # noqa: F401  (to know at once whether it is there)
        except ImportError:
            raise Refused(
                "the second opinion needs Splink: pip install 'fuel-vouchers[audit]'"
            ) from None
        if not version("splink").startswith("5."):
            raise Refused("the second opinion is written for Splink 5")
        logging.getLogger("splink").setLevel(logging.CRITICAL + 1)
        if not re.fullmatch(r"[1-9][0-9]{0,5} ?[MG]B", memory):
            raise Refused(f"{memory} is no amount of memory: say 2GB")
        self._conn = duckdb.connect(":memory:")
        self._conn.execute(f"SET memory_limit = '{memory}'")
        for setting in (
            "temp_directory = ''", "enable_external_access = false",
            "autoinstall_known_extensions = false", "enable_progress_bar = false",
        ):  # fmt: skip
            self._conn.execute(f"SET {setting}")
        columns = ", ".join(f"{name} varchar" for name in _TEXTS)
        self._conn.execute(
            f"CREATE TABLE faces (face bigint, resident bigint, form int, {columns})"
        )
        self.rows = 0

    def close(self) -> None:
        """Forget everything."""
        with suppress(Exception):
            self._conn.close()

    def add(self, people: Sequence[tuple[int, Sequence[Features]]]) -> None:
        """Take rows in: each resident with all forms in which they are known."""
        import numpy as np

        flat = [(rid, at, f) for rid, faces in people for at, f in enumerate(faces)]
        if not flat:
            return
        columns: dict[str, Any] = {
            "face": np.arange(self.rows, self.rows + len(flat)),
            "resident": np.array([rid for rid, _, _ in flat], dtype=np.int64),
            "form": np.array([at for _, at, _ in flat], dtype=np.int32),
        }
        for name in _TEXTS:
            texts = [str(getattr(f, name) or "") for _, _, f in flat]
            columns[name] = np.array(texts, dtype=object)
        names = ", ".join(f"nullif({name}, '')" for name in _TEXTS)
        self._conn.register("chunk", columns)
        self._run(f"INSERT INTO faces SELECT face, resident, form, {names} FROM chunk")
        self._conn.unregister("chunk")
        self.rows += len(flat)

    def ask(self, *, limit: int) -> Opinion:
        """Train on the rows themselves, score all likely pairs, compare."""
        if self.rows < ROWS_MIN:
            raise Refused(
                f"{self.rows:,} rows are too few for Splink to learn from; it needs "
                f"{ROWS_MIN:,} or more"
            )
        for name in _OWN:
            self._run(
                f"UPDATE faces SET {name} = NULL WHERE {name} IN (SELECT {name} FROM "
                f"faces GROUP BY 1 HAVING count(*) > {_SHARED_MAX})"
            )
        try:
            table = self._predict()
        except Exception as error:
            # Its text may quote a cell.
            raise self._refused(error) from None
        one, two = "resident_l = resident_r", "resident_l <> resident_r"
        joins = f"{two} AND match_probability >= {JOIN}"
        parts = f"{one} AND match_probability < {PART}"
        return Opinion(
            compared=self._count(f"SELECT count(*) FROM {table}"),
            would_join=self._count(self._residents(table, joins)),
            joins=self._pairs(table, joins, "DESC", limit),
            would_part=self._count(self._residents(table, parts)),
            parts=self._pairs(table, parts, "ASC", limit),
        )

    def _predict(self) -> str:
        """The name of the table of scored pairs."""
        import splink.comparison_library as cl
        from splink import DuckDBAPI, Linker, SettingsCreator, block_on

        api = DuckDBAPI(self._conn)
        settings = SettingsCreator(
            link_type="dedupe_only",
            unique_id_column_name="face",
            comparisons=[
                cl.JaroWinklerAtThresholds("given", [0.92, 0.8]),
                cl.JaroWinklerAtThresholds("surname", [0.92, 0.8]),
                cl.LevenshteinAtThresholds("born", [1, 2]),
                cl.ExactMatch("postcode"),
                cl.ExactMatch("number"),
                cl.ExactMatch("mobile"),
                cl.ExactMatch("email"),
                cl.ExactMatch("meter"),
            ],
            blocking_rules_to_generate_predictions=[
                block_on("resident"),
                block_on("born", "surname"),
                block_on("born", "given"),
                block_on("surname", "postcode"),
                block_on("surname", "given", "number"),
                *(block_on(name) for name in _OWN),
            ],
            retain_matching_columns=False,
            additional_columns_to_retain=["resident", "form"],
        )
        linker = Linker(api.register("faces"), settings, log_level=None)
        learning = linker.training
        share = min(1.0, _LEARN_ROWS / self.rows)
        learning.estimate_probability_two_random_records_match(
            [block_on("given", "surname", "born")], recall=0.8
        )
        learning.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
        for rule in (block_on("born"), block_on("surname", "postcode")):
            learning.estimate_parameters_using_expectation_maximisation(
                rule, record_sample_proportion=share
            )
        return str(linker.inference.predict().physical_name)

    @staticmethod
    def _residents(table: str, where: str) -> str:
        """How many pairs of residents, or residents, such pairs of rows belong to."""
        return (
            "SELECT count(*) FROM (SELECT DISTINCT least(resident_l, resident_r), "
            f"greatest(resident_l, resident_r) FROM {table} WHERE {where})"
        )

    def _pairs(self, table: str, where: str, order: str, limit: int) -> list[Pair]:
        rows = self._run(
            "SELECT resident_l, form_l, resident_r, form_r, match_probability FROM ("
            "SELECT *, row_number() OVER (PARTITION BY least(resident_l, resident_r), "
            "greatest(resident_l, resident_r) ORDER BY match_probability "
            f"{order}, face_l, face_r) AS place FROM {table} WHERE {where}) "
            f"WHERE place = 1 ORDER BY match_probability {order}, face_l, face_r "
            f"LIMIT {int(limit)}"
        )
        return [Pair((a, i), (b, j), float(p)) for a, i, b, j, p in rows]

    def _count(self, query: str) -> int:
        return int(self._run(query)[0][0])

    def _run(self, query: str) -> list[Any]:
        try:
            return list(self._conn.execute(query).fetchall())
        except Exception as error:
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> Refused:
        kind, cause = type(error).__name__, error.__cause__ or error.__context__
        if "Out of Memory" in f"{error} {cause}":
            return Refused(
                f"{self.rows:,} rows do not fit into this memory: give more with "
                "--memory"
            )
        return Refused(f"Splink could not work with these rows ({kind})")
