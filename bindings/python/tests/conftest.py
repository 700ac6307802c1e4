"""What the tests run against: SoftHSM and the simulator, by `scripts/with-services`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import segl


def variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set; run these tests by scripts/with-services bindings/python/test", 2)
    return value


CONFIG = variable("SEGL_TEST_CONFIG")
API = variable("SEGL_TEST_API")
DPOP_API = variable("SEGL_TEST_DPOP_API")
RSA_PEM = Path(variable("SEGL_TEST_RSA_PEM"))
EC_PEM = Path(variable("SEGL_TEST_EC_PEM"))
RSA_JWK: dict[str, Any] = json.loads(variable("SEGL_TEST_RSA_JWK"))
EC_JWK: dict[str, Any] = json.loads(variable("SEGL_TEST_EC_JWK"))
HOST_JSON = variable("SEGL_TEST_HOST_JSON")
FILE_JSON = variable("SEGL_TEST_FILE_JSON")
ISSUER: str = json.loads(HOST_JSON)["issuer"]
VALIDATOR = {"issuer": ISSUER, "metadata": f"{ISSUER}.well-known/oauth-authorization-server"}
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def bank() -> Iterator[segl.TokenClient]:
    with segl.TokenClient.open(CONFIG, "bank") as client:
        yield client


@pytest.fixture
def file_client() -> Iterator[segl.TokenClient]:
    with segl.TokenClient.create(FILE_JSON) as client:
        yield client


@pytest.fixture(scope="session")
def dpop_client() -> Iterator[segl.TokenClient]:
    with segl.TokenClient.open(CONFIG, "dpop") as client:
        yield client


def run_python(code: str, *, timeout: float = 60, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a program in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, check=False)
    if check:
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done
