"""The house stays as it was planned: small pieces, plain names, imports that do nothing."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("api", "schemas", "streams", "tools", "tests")
MODULE_MAX, FUNCTION_MAX, LINE_MAX = 400, 50, 100
NAMELESS = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
PRAGMA = re.compile(r"\s+# (type: ignore|noqa).*")  # for tools, and may stand beyond the edge
RUN_BY_ALEMBIC = ("api/migrations/", "streams/subscribers/finance/migrations/")
REGISTRIES = (  # put together here, so that this file does not find itself
    r"py" + r"pi\.org",
    r"python" + r"hosted\.org",
    r"maven" + r"\.org",
    r"npm" + r"js\.(com|org)",
    r"docker" + r"\.io",
)
MACHINE_PATHS = (r"/ho" + r"me/\w", r"/Us" + r"ers/\w", r"/ro" + r"ot/\w", r"/wo" + r"rk/\w")

RUN_ELSEWHERE = ("tools/bench/peers/quix_peer.py",)  # in an environment of its own

IMPORT_ALL = """
import importlib, os, sys
os.environ.clear()
for name in sys.argv[1:]:
    importlib.import_module(name)
"""

modules = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
each_module = pytest.mark.parametrize(
    "module", modules, ids=[str(file.relative_to(ROOT)) for file in modules]
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@each_module
def test_a_module_opens_with_a_sentence(module: Path) -> None:
    said = ast.get_docstring(ast.parse(module.read_text()))

    assert said, "it says nothing"
    assert re.search(r"[.:]$", said.split("\n\n")[0]), "its opening is no sentence"


@each_module
def test_modules_functions_and_lines_stay_small(module: Path) -> None:
    text = module.read_text()
    lines = text.splitlines()

    assert len(lines) <= MODULE_MAX
    assert not [n for n, line in enumerate(lines, 1) if len(PRAGMA.sub("", line)) > LINE_MAX]
    assert not [f"{name}: {size}" for name, size in function_sizes(text) if size > FUNCTION_MAX]


@each_module
def test_a_module_has_a_name_that_says_what_it_is_for(module: Path) -> None:
    assert not NAMELESS & {part.removesuffix(".py") for part in module.relative_to(ROOT).parts}


def test_importing_every_module_prints_nothing_and_needs_no_environment(tmp_path: Path) -> None:
    names = [name_of(file) for file in modules if is_imported(file)]

    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", IMPORT_ALL, *names],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir()), "an import wrote something"


@pytest.mark.parametrize("words", [REGISTRIES, MACHINE_PATHS], ids=["registry", "machine path"])
def test_the_tree_names_no_registry_and_no_machine(words: tuple[str, ...]) -> None:
    pattern = re.compile("|".join(words))

    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:LINE_MAX]}"
        for file in tree()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]

    assert not found


def function_sizes(text: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def is_imported(file: Path) -> bool:
    name = file.relative_to(ROOT).as_posix()
    return not name.startswith(("tests/", *RUN_BY_ALEMBIC, *RUN_ELSEWHERE))


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def tree() -> tuple[Path, ...]:
    """All files that belong to the project, whether committed yet or not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    files = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(file for file in files if file.is_file())
