"""A Java is trusted only after it has answered for itself."""

from pathlib import Path

import pytest

from tools.kafka.errors import NoJavaError
from tools.kafka.java import Java, find_java

ANSWER = "java.specification.version = {}\njava.runtime.version = {}.0.1+8\n"


def test_a_broken_shim_and_an_old_java_are_passed_over(tmp_path: Path) -> None:
    broken = program(tmp_path / "broken", "no version is set", exit_code=126)
    old = program(tmp_path / "old", ANSWER.format("1.8", "1.8"))
    good = program(tmp_path / "good", ANSWER.format("21", "21"))

    assert find_java([broken, old, good]) == Java(good, 21, "21.0.1+8")


def test_without_a_java_each_one_tried_is_named_with_its_fault(tmp_path: Path) -> None:
    broken = program(tmp_path / "broken", "no version is set", exit_code=126)
    old = program(tmp_path / "old", ANSWER.format("1.8", "1.8"))
    missing = str(tmp_path / "missing")

    with pytest.raises(NoJavaError) as refused:
        find_java([broken, old, missing])

    said = str(refused.value)
    assert f"{broken}: exit code 126: no version is set" in said
    assert f"{old}: is Java 8" in said
    assert f"{missing}: [Errno 2]" in said
    assert "JAVA_HOME" in said


def test_the_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    good = program(tmp_path / "bin" / "java", ANSWER.format("17", "17"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    assert find_java().path == good


def program(path: Path, said: str, exit_code: int = 0) -> str:
    """Write a program that says this and ends."""
    path.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit {exit_code}\n")
    path.chmod(0o755)
    return str(path)
