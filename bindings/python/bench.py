"""What the binding costs; `bench` says what the lines mean."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
import timeit
from pathlib import Path
from typing import Any

import jwt
import segl
from cryptography.hazmat.primitives.serialization import load_pem_private_key

REPETITIONS = 15
SECONDS = 0.2


def measure(names: dict[str, Any], works: dict[str, str]) -> None:
    """Prints the median of each. They take turns, so that a busy moment meets all of them."""
    timers = {what: timeit.Timer(work, globals=names) for what, work in works.items()}
    numbers = {}
    for what, timer in timers.items():
        number, taken = timer.autorange()
        numbers[what] = max(1, round(number * SECONDS / taken))
    results: dict[str, list[float]] = {what: [] for what in works}
    for _ in range(REPETITIONS):
        for what, timer in timers.items():
            results[what].append(timer.timeit(numbers[what]) / numbers[what] * 1e9)
    for what, times in results.items():
        print(f"python | {what} | {statistics.median(times):.1f}", flush=True)


def tokens() -> None:
    settings = os.environ["SEGL_TEST_FILE_JSON"]
    request = segl.TokenRequest()
    with segl.TokenClient.create(settings) as client, segl.TokenClient.create(settings) as other:
        client.token(timeout=30)
        other.token(timeout=30)
        client.token()
        clients = [client, other]

        def new_text() -> str:
            # A request holds the token of the client that was asked last.
            clients.reverse()
            return clients[0].token(request).access_token

        names = {"client": client, "new_text": new_text}
        measure(names, {"cached token": "client.token().access_token", "new token string": "new_text()"})


def signatures() -> None:
    now = int(time.time())
    claims: dict[str, Any] = {
        "aud": "https://test.maskinporten.no/",
        "iss": "7ea43b76-6b7d-49e8-af2b-4114ebb66c80",
        "scope": "lanekassen:lan/v1/saldoopplysninger",
        "iat": now,
        "exp": now + 120,
        "jti": "0b2d2b1c-1f4c-4a3a-9a43-6f0c9c1d2e3f",
    }
    for alg, variable in (("ES256", "SEGL_TEST_EC_PEM"), ("RS256", "SEGL_TEST_RSA_PEM")):
        pem = Path(os.environ[variable]).read_bytes()
        key: Any = load_pem_private_key(pem, None)
        header = json.dumps({"alg": alg, "kid": "bank", "typ": "JWT"})
        payload = json.dumps(claims).encode()
        by_pyjwt = jwt.PyJWS().encode
        headers = {"kid": "bank"}
        with segl.Signer.from_bytes(pem) as signer:
            measure(
                locals(),
                {
                    f"{alg} JWT": "signer.jws(header, payload)",
                    f"{alg} JWT by PyJWT": "by_pyjwt(payload, key, algorithm=alg, headers=headers)",
                },
            )


if __name__ == "__main__":
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"# {python}, segl {segl.version()}, PyJWT {jwt.__version__}")
    tokens()
    signatures()
