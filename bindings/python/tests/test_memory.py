"""Memory, kind of call by kind of call; `test_threads` has them in a mixture."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import segl
from conftest import CONFIG, EC_PEM, FILE_JSON, HOST_JSON, RSA_JWK, VALIDATOR

CALLS = 3_000
# Less than any object that a call could leave behind each time.
MOST_BYTES_A_CALL = 150


def raising(alg: str, message: bytes) -> bytes:
    raise ValueError("no" * 50)


class Raising:
    def send(self, request: segl.HttpRequest, timeout: float) -> segl.HttpResponse:
        raise OSError("away" * 50)


@contextlib.contextmanager
def calls() -> Iterator[dict[str, Callable[[], object]]]:
    with (
        segl.Signer.from_bytes(EC_PEM.read_bytes()) as ec,
        segl.Signer.from_callback(RSA_JWK, raising) as own,
        segl.TokenClient.create(FILE_JSON) as client,
        segl.TokenClient.create(HOST_JSON, signer=own) as host,
        segl.TokenClient.create(FILE_JSON, transport=Raising()) as away,
        segl.TokenClient.open(CONFIG, "dpop") as dpop,
        segl.Validator(VALIDATOR) as validator,
    ):
        token = client.token().access_token
        api = segl.HttpRequest("GET", "https://a.no/", [("a", "b")], b"c" * 500)

        def cancelled() -> bytes:
            cancel = segl.CancelToken()
            cancel.trigger()
            return ec.sign("ES256", b"", cancel=cancel)

        def cycle() -> None:
            both: list[object] = [segl.TokenClient.create(HOST_JSON, signer=ec), segl.TokenRequest()]
            both.append(both)

        yield {
            "sign": lambda: ec.sign("ES256", b"message"),
            "jws": lambda: ec.jws({"alg": "ES256"}, b"{}"),
            "assertion": client.assertion,
            "health": lambda: (client.health(), ec.health(), ec.describe(), ec.public_jwk),
            "an error": lambda: ec.sign("RS256", b""),
            "a refused argument": lambda: segl.Signer.open("nonsense:"),
            "a signer that raises": lambda: own.sign("RS256", b""),
            "an assertion whose signer raises": host.assertion,
            "a token whose signer raises": lambda: (host.forget(), host.token(timeout=10)),
            "a transport that raises": lambda: away.send(api),
            "a cancelled call": cancelled,
            "a proof": lambda: dpop.dpop_proof("GET", "https://a.no/", "token"),
            "an operation's wrong input": lambda: client.call_api("altinn.exchange_token", {"a": "b" * 100}),
            "a check": lambda: validator.check(token, {"supplier": None}),
            "a refused token": lambda: validator.check(token, {"consumer": "974760673"}),
            "a validator": lambda: segl.Validator(VALIDATOR),
            "a request": lambda: hash(segl.TokenRequest(scopes=["a"], authorization_details=[{"type": "b"}])),
            "a signer": lambda: segl.Signer.from_bytes(EC_PEM.read_bytes()),
            "a client": lambda: segl.TokenClient.create(FILE_JSON),
            "a client in a cycle": cycle,
            "a config": lambda: segl.Config.from_json(FILE_JSON).to_json(),
            "what a token says": lambda: (client.token().expires_at, client.token().response, client.token().scope),
        }


NAMES = [
    *("sign", "jws", "assertion", "health", "an error", "a refused argument", "a signer that raises"),
    *("an assertion whose signer raises", "a token whose signer raises", "a transport that raises"),
    *("a cancelled call", "a proof", "a request", "a signer", "a client", "a client in a cycle", "a config"),
    *("what a token says", "a log record", "an operation's wrong input", "a check", "a refused token", "a validator"),
]


def resident() -> int:
    gc.collect()
    # What was freed would hide what is left behind.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("name", NAMES)
def test_no_call_leaves_memory_behind(name: str) -> None:
    with calls() as known:
        assert set(NAMES) == {*known, "a log record"}
        # pytest would keep what goes to `logging`.
        segl.set_log(logging.DEBUG, (lambda *_: None) if name == "a log record" else None)
        call = known.get(name, known["assertion"])
        try:

            def some(count: int) -> None:
                for _ in range(count):
                    with contextlib.suppress(segl.SeglError):
                        call()

            some(CALLS // 2)
            before = resident()
            some(CALLS)
            grown = (resident() - before) / CALLS
        finally:
            segl.log_to_logging()
    assert grown < MOST_BYTES_A_CALL
