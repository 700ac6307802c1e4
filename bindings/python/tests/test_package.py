"""The package as it is installed: types, stubs, the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import segl
from conftest import EC_PEM, REPOSITORY
from segl import _native

BINDING = REPOSITORY / "bindings/python"


def run(*command: str | Path, **variables: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        cwd=BINDING,
        env={**os.environ, **variables},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_version_is_that_of_the_crate() -> None:
    for file in (REPOSITORY / "Cargo.toml", BINDING / "Cargo.toml", BINDING / "pyproject.toml"):
        found = re.search(r'^version = "(.*)"$', file.read_text(), re.MULTILINE)
        assert found and found[1] == segl.version(), file


def test_all_is_there() -> None:
    for name in segl.__all__:
        assert getattr(segl, name).__doc__, name


def test_types() -> None:
    run(sys.executable, "-m", "mypy", "--strict", "python/segl")


def test_stubs() -> None:
    run(
        sys.executable,
        *("-m", "mypy.stubtest", "segl._native", "--mypy-config-file", "pyproject.toml"),
        *("--allowlist", "tests/stubtest-allowlist", "--ignore-unused-allowlist"),
    )


def test_every_public_name_of_the_stubs_says_what_it_is() -> None:
    import ast

    module = ast.parse((BINDING / "python/segl/_native.pyi").read_text())
    own = {
        "error_codes",
        "asks_for_dpop_nonce",
        "log_through",
        "finalize",
        "before_fork",
        "after_fork_in_parent",
        "after_fork_in_child",
        "to_json",
    }
    nodes = [node for node in ast.walk(module) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    silent = {node.name for node in nodes if not ast.get_docstring(node)}
    assert {name for name in silent if not name.startswith("_")} <= own
    assert hasattr(_native, "version")


def test_format_and_lint() -> None:
    run(sys.executable, "-m", "ruff", "format", "--check", ".")
    run(sys.executable, "-m", "ruff", "check", ".")
    examples = REPOSITORY / "examples/python"
    run(sys.executable, "-m", "ruff", "check", "--config", "pyproject.toml", examples)


PROGRAM = """
import sys, segl
from pathlib import Path
signer = segl.Signer.open("file:" + sys.argv[1])
assert signer.jws({"alg": "ES256"}, b"{}").count(".") == 2
assert segl.Signer.from_bytes(Path(sys.argv[1]).read_bytes()).public_jwk == signer.public_jwk
assert not hasattr(segl._native, "test_panic")
print(segl.__file__)
"""


def test_a_wheel_in_a_clean_environment(tmp_path: Path) -> None:
    wheel = os.environ.get("SEGL_TEST_WHEEL")
    if not wheel:
        pytest.skip("SEGL_TEST_WHEEL is not set; bindings/python/test builds one")
    run(sys.executable, "-m", "venv", tmp_path / "clean")
    python = tmp_path / "clean/bin/python"
    run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", wheel)
    where = run(python, "-I", "-c", PROGRAM, EC_PEM, PYTHONPATH="")
    assert where.startswith(str(tmp_path))
    listed = run(python, "-m", "pip", "list", "--format", "freeze", "--disable-pip-version-check")
    assert [line for line in listed.splitlines() if line.startswith("segl")] == [f"segl=={segl.version()}"]
    files = run(python, "-m", "pip", "show", "--files", "segl", "--disable-pip-version-check")
    assert "segl/py.typed" in files and "segl/_native.pyi" in files
    assert "abi3" in Path(wheel).name
