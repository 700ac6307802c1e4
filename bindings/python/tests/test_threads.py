"""Many threads, closing meanwhile, the collector, memory."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import segl
from conftest import CONFIG, EC_PEM, FILE_JSON, HOST_JSON, RSA_JWK, RSA_PEM

THREADS = 8
ROUNDS = 10_000


@pytest.fixture(autouse=True)
def quick_turns() -> Iterator[None]:
    """Threads that never wait would keep the others out for 5 ms at a time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def on_threads(work: Callable[[int], None]) -> None:
    """Runs work on eight threads at a time; what one of them raises is raised here."""
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Away:
    def send(self, request: segl.HttpRequest, timeout: float) -> segl.HttpResponse:
        raise OSError("away")


@pytest.mark.parametrize("kind", ["signer", "client"])
def test_closing_while_eight_threads_are_inside(kind: str) -> None:
    key = EC_PEM.read_bytes()

    host = segl.Signer.from_bytes(RSA_PEM.read_bytes())

    def make() -> Any:
        if kind == "signer":
            return segl.Signer.from_bytes(key)
        return segl.TokenClient.create(HOST_JSON, signer=host, transport=Away())

    current = make()
    done = closed = 0
    lock = threading.Lock()
    is_over = threading.Event()

    def use(number: int) -> None:
        nonlocal done, closed
        if number == 0:
            renew()
            return
        while not is_over.is_set():
            own = current
            try:
                if kind == "signer":
                    own.sign("ES256", b"message")
                elif number % 2:
                    own.ready()
                    own.health()
                else:
                    # Long enough for a machine on which other processes keep these threads waiting for seconds.
                    own.token(timeout=120)
            except segl.ClosedError:
                with lock:
                    closed += 1
            except segl.CallbackError as failure:
                assert isinstance(failure.__cause__, OSError)
                with lock:
                    done += 1
            else:
                with lock:
                    done += 1
            # Leaves the one that closes its share of the time.
            time.sleep(0.0005)

    def renew() -> None:
        nonlocal current
        try:
            for _ in range(ROUNDS):
                old, current = current, make()
                old.close()
                old.close()
                assert old.closed
        finally:
            is_over.set()

    on_threads(use)
    assert done > ROUNDS / 100
    print(f"{done} calls were done, {closed} met a closed {kind}")
    current.close()


def test_closing_a_client_while_its_token_is_fetched() -> None:
    for _ in range(100):
        client = segl.TokenClient.create(FILE_JSON)
        start = threading.Barrier(THREADS)

        def use(number: int, client: segl.TokenClient = client, start: threading.Barrier = start) -> None:
            start.wait()
            if number == 0:
                client.close()
                return
            with contextlib.suppress(segl.ClosedError):
                assert client.token().access_token

        on_threads(use)


def test_use_after_close() -> None:
    signer = segl.Signer.from_bytes(RSA_PEM.read_bytes())
    signer.close()
    signer.close()
    calls: list[Callable[[], object]] = [
        lambda: signer.sign("RS256", b""),
        lambda: signer.jws({"alg": "RS256"}, b""),
        lambda: signer.public_jwk,
        signer.describe,
        signer.health,
        signer.probe,
        lambda: segl.TokenClient.create(HOST_JSON, signer=signer),
    ]
    client = segl.TokenClient.create(FILE_JSON)
    token = client.token()
    client.close()
    client.close()
    request = segl.TokenRequest()
    calls += [
        client.token,
        lambda: client.token(request),
        client.ready,
        client.assertion,
        client.registration,
        lambda: client.send(segl.HttpRequest("GET", "https://a.no")),
        lambda: client.reject(token),
        client.forget,
        client.health,
        lambda: client.dpop_proof("GET", "https://a.no"),
        lambda: client.dpop_nonce("https://a.no", "a"),
        lambda: client.require_allowed("https://a.no"),
    ]
    for call in calls:
        with pytest.raises(segl.ClosedError, match="is closed") as raised:
            call()
        assert raised.value.code is segl.ErrorCode.INVALID_HANDLE
    assert "closed" in repr(client) and "closed" in repr(signer)
    assert token.access_token


def test_a_client_keeps_the_key_of_a_closed_signer() -> None:
    signer = segl.Signer.from_bytes(RSA_PEM.read_bytes())
    client = segl.TokenClient.create(HOST_JSON, signer=signer)
    signer.close()
    assert client.token().access_token


def test_eight_threads_share_a_client() -> None:
    with segl.TokenClient.open(CONFIG, "bank") as client:

        def use(_: int) -> None:
            for _ in range(2_000):
                assert client.token().access_token
            for _ in range(20):
                client.assertion()

        on_threads(use)
        assert client.health()["tokens"]["requests"] == 1


def test_the_collector_runs_during_calls() -> None:
    with segl.Signer.from_bytes(RSA_PEM.read_bytes()) as key:

        def callback(alg: str, message: bytes) -> bytes:
            gc.collect()
            return key.sign(alg, message)

        before = gc.get_threshold()
        gc.set_threshold(1, 1, 1)
        try:

            def use(number: int) -> None:
                for _ in range(20):
                    own = segl.Signer.from_callback(RSA_JWK, callback)
                    client = segl.TokenClient.create(HOST_JSON, signer=own)
                    cycle: list[object] = [client, own]
                    cycle.append(cycle)
                    client.assertion()
                    if number % 2:
                        gc.collect()

            on_threads(use)
        finally:
            gc.set_threshold(*before)


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_memory_does_not_grow() -> None:
    with (
        segl.TokenClient.create(FILE_JSON) as client,
        segl.Signer.from_bytes(EC_PEM.read_bytes()) as signer,
        segl.TokenClient.create(FILE_JSON) as other,
    ):
        shared = segl.TokenRequest()
        client.token()
        other.token()

        def some_calls(count: int) -> None:
            for number in range(count):
                match number % 5:
                    case 0:
                        assert client.token().access_token
                    case 1:
                        signer.jws({"alg": "ES256"}, b"{}")
                    case 2:
                        # The token's object and text are made anew each time.
                        assert client.token(shared).authorization and other.token(shared).authorization
                    case 3:
                        try:
                            signer.sign("RS256", b"")
                        except segl.SigningKeyError as error:
                            assert error.code
                    case _:
                        own = segl.Signer.from_callback(RSA_JWK, lambda alg, message: b"")
                        try:
                            own.sign("RS256", b"")
                        except segl.SeglError as error:
                            assert error.code

        some_calls(10_000)
        gc.collect()
        before = resident()
        some_calls(50_000)
        gc.collect()
        growth = resident() / before - 1
        print(f"resident memory grew by {growth:.2%} over 50,000 calls")
        assert growth < 0.05
