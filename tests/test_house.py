"""The house keeps its measures: short modules, short functions, one thought a line.

`ruff` holds the length of lines and the complexity of functions; what it has no rule for is here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gandoctor"
LINES_OF_A_MODULE = 500
LINES_OF_A_FUNCTION = 60
# Where a function may be longer, each with the reason.
LONG_FUNCTIONS = {
    "parsers/formats": "a reader goes through a foreign file's cases in the order of the file",
    "parsers/records": "a record's fields are read one after the other, as its format lists them",
    "configs/formats": "a scanner goes through a foreign grammar's cases",
}
# jinja2 writes these.
COMPILED = PACKAGE / "reporters" / "compiled"


def modules() -> list[Path]:
    found = (*PACKAGE.rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py"))
    return sorted(p for p in found if p.parent != COMPILED)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without those of its docstring."""
    first = function.body[0]
    said = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (
        first.end_lineno - first.lineno + 1 if said and isinstance(first.value.value, str) else 0
    )
    return function.end_lineno - function.lineno + 1 - docstring


def too_long(path: Path, tree: ast.AST) -> list[str]:
    if any(path.is_relative_to(PACKAGE / room) for room in LONG_FUNCTIONS):
        return []
    return [
        f"{path.relative_to(ROOT)}:{f.lineno} {f.name} has {length(f)} lines"
        for f in functions(tree)
        if length(f) > LINES_OF_A_FUNCTION
    ]


def nested_conditionals(path: Path, tree: ast.AST) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{node.lineno} a conditional expression inside another"
        for node in ast.walk(tree)
        if isinstance(node, ast.IfExp)
        and any(isinstance(part, ast.IfExp) for part in (node.test, node.body, node.orelse))
    ]


def test_no_module_is_long():
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in modules()}
    long = [
        f"{p.relative_to(ROOT)} has {n} lines" for p, n in lengths.items() if n > LINES_OF_A_MODULE
    ]
    assert not long, long


@pytest.mark.parametrize("faults", [too_long, nested_conditionals], ids=lambda f: f.__name__)
def test_functions_can_be_read_at_a_glance(faults):
    found = [f for p in modules() for f in faults(p, ast.parse(p.read_text(encoding="utf-8")))]
    assert not found, "\n".join(found)


def test_the_measures_are_taken():
    path = PACKAGE / "sample.py"
    lines = [
        "def short():",
        *["    x = 1"] * 59,
        "def long():",
        '    """Say."""',
        *["    x = 1"] * 60,
    ]
    assert [t.rpartition(":")[2] for t in too_long(path, ast.parse("\n".join(lines)))] == [
        "61 long has 61 lines"
    ]
    assert nested_conditionals(path, ast.parse("x = 1 if a else (2 if b else 3)"))
    assert not nested_conditionals(path, ast.parse("x = f(1 if a else 2) if b else 3"))
    assert modules()


# --- docs/architecture.md


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = re.search(r"## Contracts\n.*?```python\n(.*?)```", ARCHITECTURE, re.DOTALL)[1]
WAY = re.search(r"## The way of a number\n(.*?)\n## ", ARCHITECTURE, re.DOTALL)[1]


def rooms() -> Iterator[tuple[str, ast.Module]]:
    """Each heading of the contracts, and what stands under it."""
    for part in re.split(r"^# ", CONTRACTS, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        yield heading.partition(":")[0], ast.parse(body)


def offered(room: str) -> list[ModuleType]:
    """The modules that a heading speaks of: one, or all of a folder for ``<name>.py``."""
    if not room.endswith("/<name>.py"):
        return [importlib.import_module(room)]
    folder = room.removesuffix("/<name>.py")
    found = [m for m in pkgutil.iter_modules([str(ROOT / folder)]) if not m.ispkg]
    return [importlib.import_module(f"{folder.replace('/', '.')}.{m.name}") for m in found]


def parameters(function: ast.FunctionDef) -> tuple[list[str], list[str]]:
    return [a.arg for a in function.args.args], [a.arg for a in function.args.kwonlyargs]


def keeps(module: ModuleType, promised: ast.FunctionDef) -> bool:
    """Whether a module offers a function, and lets it be called as promised."""
    real = getattr(module, promised.name, None)
    if not inspect.isfunction(real):
        return False
    kinds = {name: p.kind for name, p in inspect.signature(real).parameters.items()}
    plain, named = parameters(promised)
    here = [n for n, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    return here == plain and set(named) <= kinds.keys()


def test_contracts_are_what_the_code_keeps():
    broken = []
    for room, body in rooms():
        modules_there = offered(room)
        for node in body.body:
            if isinstance(node, ast.FunctionDef):
                kept = any(keeps(m, node) for m in modules_there)
                broken += [] if kept else [f"{room}: {node.name}{parameters(node)}"]
            else:
                name = node.target.id
                broken += (
                    [] if any(hasattr(m, name) for m in modules_there) else [f"{room}: {name}"]
                )
    assert not broken, broken


def test_the_way_of_a_number_names_functions_that_exist():
    named = re.findall(r"`([a-z_/]+\.py):(\w+)`", WAY)
    assert len(named) >= 20
    missing = [
        f"{path}:{name}"
        for path, name in named
        if not any(
            f.name == name
            for f in functions(ast.parse((PACKAGE / path).read_text(encoding="utf-8")))
        )
    ]
    assert not missing, missing


def test_every_room_stands_in_the_picture():
    drawn = re.search(r"## Floors\n.*?```\n(.*?)```", ARCHITECTURE, re.DOTALL)[1]
    rooms_there = {
        p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    missing = {
        r for r in rooms_there if not r.startswith("__") and not re.search(rf"\b{r}\b", drawn)
    }
    assert not missing, missing
