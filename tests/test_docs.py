"""The documentation cannot fall behind: what it lists is compared with the code."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from api.settings import ApiSettings
from schemas.adjustment import AdjustmentRequest
from schemas.connection import KafkaConnection
from schemas.reading import read_request
from schemas.topics import TopicSettings
from streams.domain.decide import decide
from streams.domain.state import State
from streams.settings import WorkerSettings
from streams.subscribers.settings import SubscriberSettings
from tests.builders import account, event, noted
from tools.run import RunSettings

ROOT = Path(__file__).parent.parent
README_MAX = 120
SETTINGS = (
    KafkaConnection,
    TopicSettings,
    WorkerSettings,
    SubscriberSettings,
    ApiSettings,
    RunSettings,
)
METRICS = ("streams/delivery/metrics.py", "streams/subscribers/metrics.py", "api/metrics.py")
NOT_A_SETTING = {"ADJUST_ALIAS"}  # a name in api/openapi.py
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fields() -> Iterator[tuple[str, FieldInfo]]:
    for room in SETTINGS:
        for name, field in room.model_fields.items():
            yield f"ADJUST_{name.upper()}", field


def page(name: str) -> str:
    """The text of a page of the documentation, its line breaks as spaces."""
    return " ".join((ROOT / "docs" / name).read_text().split())


def settings_rows() -> dict[str, set[str]]:
    """The defaults that docs/settings.md gives each variable; one may stand in two rooms."""
    rows: dict[str, set[str]] = {}
    for line in (ROOT / "docs" / "settings.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 6 and cells[1].startswith("`"):
            rows.setdefault(cells[1].strip("`"), set()).add(cells[3].strip("`"))
    return rows


def source(*rooms: str) -> str:
    files = (file for room in rooms for file in sorted((ROOT / room).rglob("*.py")))
    return "\n".join(file.read_text() for file in files)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < README_MAX


def test_every_make_target_of_the_readme_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))

    assert {"run", "test"} <= named <= targets


def test_the_call_of_the_readme_is_answered_as_the_readme_says() -> None:
    body = re.search(r"-d '(\{.*?\})'\n", README, re.DOTALL)
    assert body
    asked = read_request(body[1].encode())
    assert isinstance(asked, AdjustmentRequest)

    adjustment = decide(State(account(), event(), None), asked, noted()).adjustment

    assert adjustment
    assert adjustment.ref_id in README
    for amounts in (adjustment.effect, adjustment.after):
        assert json.dumps(msgspec.to_builtins(amounts)) in README


def test_every_program_of_the_readme_can_be_started() -> None:
    for name in re.findall(r"`python -m ([\w.]+)", README):
        path = ROOT / Path(*name.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name


@pytest.mark.parametrize(("variable", "field"), list(fields()))
def test_a_setting_is_listed_with_its_default(variable: str, field: FieldInfo) -> None:
    default = field.default
    written = str(default).lower() if isinstance(default, bool) else str(default or "none")
    written = "0" if default == 0 and not isinstance(default, bool) else written

    assert settings_rows().get(variable) == {written}


def test_every_variable_that_the_code_reads_is_listed() -> None:
    code = source("api", "schemas", "streams", "tools")

    read = set(re.findall(r"\bADJUST_[A-Z_]*[A-Z]", code)) - NOT_A_SETTING

    assert read <= set(settings_rows())


def test_every_settings_class_is_known_to_this_test() -> None:
    code = source("api", "schemas", "streams", "tools")

    written = re.findall(r"^class (\w+)\(BaseSettings\)", code, re.MULTILINE)

    assert set(written) == {room.__name__ for room in SETTINGS}
    assert all(issubclass(room, BaseSettings) for room in SETTINGS)


@pytest.mark.parametrize("document", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())

    broken = [link for link in links if ":" not in link and not (document.parent / link).exists()]

    assert not broken


@pytest.mark.parametrize("module", METRICS)
def test_every_metric_is_explained(module: str) -> None:
    names = set(re.findall(r'"(adjust_\w+)"', (ROOT / module).read_text()))

    assert names, "the module has no metrics"
    assert not [name for name in names if f"`{name}`" not in page("operating.md")]


def test_every_reason_to_end_is_explained() -> None:
    """Each text of `Fatal` has its longest fixed part in operating.md."""
    reasons = [phrase for phrase in fatal_phrases() if phrase not in page("operating.md")]

    assert not reasons


def test_every_test_that_the_architecture_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", page("architecture.md")))
    there = set(re.findall(r"def (test_\w+)", source("tests")))

    assert named, "no promise is tied to a test"
    assert named <= there


def fatal_phrases() -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / "streams/delivery/protocol.py").read_text())):
        match node:
            case ast.Call(func=ast.Name(id="Fatal"), args=[ast.JoinedStr(values=parts)]):
                fixed = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
                yield max(fixed, key=len).strip()
            case ast.Call(func=ast.Name(id="Fatal"), args=[ast.Constant(value=str(text))]):
                yield text
