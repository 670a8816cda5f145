"""The house rules that no linter knows: sizes, names, sentences, mirrors, secrets."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("vouchers", "workers", "schemas", "config")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "manager"}
#: Only these folders may be seen at the top.
TOP_FOLDERS = {*ROOMS, "tests"}
#: Modules with nothing to test by themselves, each with the reason.
WITHOUT_MIRROR = {
    "vouchers/bootstrap.py": "every test that has an app runs it",
    "vouchers/cli/__init__.py": "three lines around commands.py",
    "vouchers/cli/demo/names.py": "lists of invented names",
    "vouchers/cli/demo/findings.py": "tests/end_to_end/test_demo.py plays it",
    "vouchers/cli/demo/play.py": "tests/end_to_end/test_demo.py plays it",
    "vouchers/cli/demo/showing.py": "tests/end_to_end/test_demo.py plays it",
    "vouchers/messages/simulator/__main__.py": "the demo starts it as a process",
    "vouchers/pipeline/reading/workbook_child.py": "every test of a workbook runs it",
    "vouchers/store/guards.py": "tests of migrations and of the log run it",
    "vouchers/store/migrations/env.py": "Alembic runs it in tests of migrations",
    "vouchers/web/serve.py": "every run of the whole installation listens through it",
    "workers/alive.py": "containers run it; tests/test_deployment.py names it",
    "vouchers/crashpoints.py": "the fault suite kills processes through it",
    "vouchers/errors.py": "a tree of names",
}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git would keep, whether committed yet or not."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    return tuple(path for name in listed if name and (path := ROOT / name).is_file())


@cache
def sources(*, tests: bool) -> tuple[Path, ...]:
    """Python files of the four rooms, and of the tests where asked."""
    rooms = {*ROOMS, "tests"} if tests else set(ROOMS)
    return tuple(
        path
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in rooms
    )


@cache
def tree(path: Path) -> ast.Module:
    """The parsed source of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def short(path: Path) -> str:
    """A path as it is named in this house."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, methods and nested ones too."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]


def test_no_file_is_longer_than_a_thought() -> None:
    """Every source file has at most 400 lines."""
    too_long = {
        short(path): lines
        for path in sources(tests=True)
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        > FILE_LINES_MAX
    }

    assert too_long == {}


def test_no_function_is_longer_than_a_page() -> None:
    """Every function has at most 70 lines."""
    too_long = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in sources(tests=True)
        for node in functions(path)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]

    assert too_long == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    """No file or folder is called utils, common, helpers, misc or manager."""
    named = [
        short(path)
        for path in tracked()
        if BANNED_NAMES.intersection(path.relative_to(ROOT).with_suffix("").parts)
    ]

    assert named == []


def test_only_the_rooms_of_the_house_stand_at_the_top() -> None:
    """The repository shows its five folders and no other."""
    folders = {
        path.relative_to(ROOT).parts[0]
        for path in tracked()
        if len(path.relative_to(ROOT).parts) > 1
    }

    assert {name for name in folders if not name.startswith(".")} == TOP_FOLDERS


def test_every_module_opens_with_one_sentence() -> None:
    """Each module's docstring starts with a single line that ends with a full stop."""
    without = [
        short(path)
        for path in sources(tests=True)
        if not _is_sentence((ast.get_docstring(tree(path)) or "").split("\n\n")[0])
    ]

    assert without == []


def _is_sentence(text: str) -> bool:
    return bool(text) and text[0] == text[0].upper() and text.rstrip().endswith(".")


def test_every_public_thing_is_documented() -> None:
    """Public functions, classes and methods of the rooms have a docstring."""
    without = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in sources(tests=False)
        for node in _public_things(tree(path))
        if not ast.get_docstring(node)
    ]

    assert without == []


def _public_things(
    within: ast.Module | ast.ClassDef,
) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    found: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
    for node in within.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += [node, *_public_things(node)]
        elif isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef
        ) and not node.name.startswith("_"):
            found.append(node)
    return found


def test_every_test_says_what_it_proves() -> None:
    """Each test function has a one-sentence docstring."""
    without = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path in sources(tests=True)
        if path.name.startswith("test_")
        for node in functions(path)
        if node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").strip().endswith(".")
    ]

    assert without == []


def test_every_source_file_is_in_reach_of_a_test() -> None:
    """Each module has its mirror, a test that imports it, or a user that has one."""
    everything = sources(tests=True)
    tests = {short(path) for path in everything}
    named = set().union(
        *(_imports(path) for path in everything if short(path).startswith("tests/"))
    )
    tested = [
        path
        for path in sources(tests=False)
        if _mirror(path) in tests or _dotted(path) in named
    ]
    used = set().union(*(_imports(path) for path in tested))
    missing = [
        short(path)
        for path in sources(tests=False)
        if path not in tested
        and _dotted(path) not in used
        and short(path) not in WITHOUT_MIRROR
        and "/migrations/versions/" not in short(path)
        and not _is_only_a_sentence(path)
    ]

    assert missing == []


def _mirror(path: Path) -> str:
    inside = path.relative_to(ROOT)
    if inside.stem == "__init__":
        inside = inside.parent
    return f"tests/{inside.parent.as_posix()}/test_{inside.stem}.py"


def _dotted(path: Path) -> str:
    inside = path.relative_to(ROOT).with_suffix("")
    return ".".join(inside.parts).removesuffix(".__init__")


def _imports(path: Path) -> set[str]:
    """Modules that a file imports, also those it takes out of a package."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def _is_only_a_sentence(path: Path) -> bool:
    """Whether a module holds nothing but its docstring and imports."""
    return all(
        isinstance(node, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign)
        and not (isinstance(node, ast.Assign) and path.name != "__init__.py")
        for node in tree(path).body
    )


def test_every_queue_is_worked_by_somebody() -> None:
    """Each queue of config/queues.py has an actor and a worker in docker-compose."""
    from config.queues import QUEUES

    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    worked = set(re.findall(r"--queues[= ]+([a-z,]+)", compose.replace('", "', " ")))
    names = {name for group in worked for name in group.split(",")}

    assert {queue.name for queue in QUEUES} <= names


#: Written in halves, so that this file does not hold what it looks for.
_FORBIDDEN = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry" + ".npmjs",
    "docker" + ".io/",
    "ghcr" + ".io",
    "/root/" + ".",
    "/home/" + "user",
    "/tm" + "p/bash",
)


def test_no_tracked_file_names_a_registry_or_this_machine() -> None:
    """Nothing kept in git names a package registry's host or a path of one machine."""
    found = [
        f"{short(path)}: {word}"
        for path in tracked()
        if path.suffix not in {".parquet", ".png", ".xlsx", ".lock"}
        for word in _FORBIDDEN
        if word in path.read_text(encoding="utf-8", errors="replace")
    ]

    assert found == []


#: Numbers that Ofcom gave to fiction, in the forms that people write.
_MOBILE = re.compile(r"(?<![\d.])(?:\+44 ?|0)7\d{3} ?\d{3} ?\d{3}(?!\d)")
_FICTION = re.compile(r"(?:\+44|0)7700900\d{3}")


#: Here numbers stand that must be refused: of pagers, islands, personal numbers.
_WRONG_NUMBERS = {"tests/vouchers/domain/intake/test_phones.py"}


def test_only_fictional_phone_numbers_are_written_down() -> None:
    """Every mobile number in a tracked file is one that nobody can own."""
    found = [
        f"{short(path)}: {number}"
        for path in tracked()
        if path.suffix in {".py", ".md", ".csv", ".toml", ".json"}
        and short(path) not in _WRONG_NUMBERS
        for number in _MOBILE.findall(path.read_text(encoding="utf-8"))
        if not _FICTION.fullmatch(number.replace(" ", ""))
        # Ten equal digits are an example of a wrong number.
        and len(set(number.replace(" ", "")[-6:])) > 2
    ]

    assert found == []


@pytest.mark.parametrize("entity", ["Referral", "Voucher", "Message"])
def test_every_state_is_in_the_handbook_drawing(entity: str) -> None:
    """The developer guide draws every state and every move of the lifecycle tables."""
    from vouchers.domain import lifecycle

    states = getattr(lifecycle, f"{entity}State")
    moves = getattr(lifecycle, f"{entity.upper()}_MOVES")
    guide = (ROOT / "vouchers/web/handbook/developers.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^\s*(\w+) --> (\w+)$", _drawing(guide, entity), re.M))

    assert drawn == {(old.value, new.value) for old in moves for new in moves[old]}
    assert {name for move in drawn for name in move} == {s.value for s in states}


def _drawing(guide: str, entity: str) -> str:
    blocks: list[str] = re.findall(r"```mermaid\n(.*?)```", guide, re.S)
    return next(block for block in blocks if f"%% {entity.lower()}" in block)


def test_every_command_in_the_readme_exists() -> None:
    """README and handbook name no command or option that the command line lacks."""
    import typer

    from vouchers.cli.commands import app

    root = typer.main.get_command(app)
    unknown = [
        line
        for path in tracked()
        if path.suffix == ".md" and "DECISIONS" not in path.name
        for line in re.findall(
            r"^\s*(?:\$ )?(vouchers [a-z].*)$", path.read_text(encoding="utf-8"), re.M
        )
        if not _is_command(root, line)
    ]

    assert unknown == []


def _is_command(command: object, line: str) -> bool:
    words = line.split("#")[0].split()[1:]
    for word in words:
        inside = getattr(command, "commands", None)
        if inside is None:
            break
        if word not in inside:
            return False
        command = inside[word]
    options = {
        option
        for parameter in getattr(command, "params", [])
        for option in parameter.opts + parameter.secondary_opts
    }
    asked = {word.split("=")[0] for word in words if word.startswith("--")}
    return asked <= options | {"--help"}
