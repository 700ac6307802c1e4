"""The package as it is installed: types, stubs, the wheel."""

from __future__ import annotations

import ast
import inspect
import operator
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


def test_help_says_what_the_stubs_say() -> None:
    module = ast.parse((BINDING / "python/segl/_native.pyi").read_text())
    said = {}
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            members = [member for member in node.body if isinstance(member, ast.FunctionDef)]
            # `help` shows that of a constructor with its class.
            own = [ast.get_docstring(node), *(ast.get_docstring(new) for new in members if new.name == "__new__")]
            said[node.name] = "\n\n".join(text for text in own if text)
            said |= {f"{node.name}.{each.name}": ast.get_docstring(each) for each in members if each.name[0] != "_"}
        elif isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            said[node.name] = ast.get_docstring(node)
    assert len(said) > 40
    for name, text in said.items():
        assert inspect.getdoc(operator.attrgetter(name)(_native)) == text, name


def test_a_program_with_types(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(TYPED_PROGRAM)
    run(sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--cache-dir", tmp_path, program)
    program.write_text(TYPED_PROGRAM.replace('b"{}"', '"{}"'))
    with pytest.raises(AssertionError, match="arg-type"):
        run(sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--cache-dir", tmp_path, program)


TYPED_PROGRAM = """
from pathlib import Path
import asyncio, httpx, requests, segl, segl.aio, segl.httpx, segl.requests

def sign(alg: str, message: bytes) -> bytes:
    return message

def use(client: segl.TokenClient, signer: segl.Signer) -> str:
    request = segl.TokenRequest(scopes=["a"], consumer_org=segl.ConsumerOrg.OWN)
    ready: segl.Token | None = client.ready(request)
    try:
        client.send(segl.HttpRequest("GET", "https://example.no"), request, timeout=1.5)
    except segl.SeglError as error:
        code: segl.ErrorCode | None = error.code
        print(code, error.retry_after)
    text: str = signer.jws({"alg": "ES256"}, b"{}")
    return text if ready is None else ready.access_token

async def wait(client: segl.aio.TokenClient) -> segl.Token:
    return await client.token()

with segl.TokenClient.open(Path("segl.toml"), "bank") as client:
    own = segl.Signer.from_callback({"kty": "EC"}, sign)
    use(client, own)
    session = requests.Session()
    session.auth = segl.requests.TokenAuth(client)
    httpx.Client(auth=segl.httpx.TokenAuth(client))
    asyncio.run(wait(segl.aio.TokenClient(client)))
    transport: segl.HttpTransport = segl.requests.RequestsTransport(session)
    segl.TokenClient.create(segl.Config(profile="dnb"), signer=own, transport=transport)
"""


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
