"""Clients and signers that were made before a fork."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import pytest
import segl
from conftest import API, CONFIG, FILE_JSON, run_python

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.fixture(autouse=True)
def threads_may_run() -> Iterator[None]:
    with warnings.catch_warnings():
        # Python 3.12 and later warn of threads; that segl copes with them is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def in_child(work: Callable[[], None]) -> None:
    """Runs work in a forked child, for at most 60 seconds."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException as failure:
            os.write(2, f"in the child: {failure!r}\n".encode())
        finally:
            os._exit(status)
    until = time.monotonic() + 60
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert status == 0
            return
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)


def use(client: segl.TokenClient, signer: segl.Signer) -> None:
    assert client.token().access_token
    client.forget()
    assert client.token().access_token
    assert client.assertion()
    assert signer.sign("ES256", b"message")
    assert client.send(segl.HttpRequest("GET", API)).status == 200


def test_they_work_in_the_child_and_the_parent() -> None:
    with segl.TokenClient.open(CONFIG, "bank") as client, segl.Signer.open(os.environ["SEGL_TEST_EC_KEY"]) as signer:
        for _ in range(3):
            use(client, signer)
            in_child(lambda: use(client, signer))
            in_child(lambda: in_child(lambda: use(client, signer)))
            use(client, signer)


def test_also_while_threads_use_them() -> None:
    with segl.TokenClient.open(CONFIG, "bank") as client, segl.Signer.open(os.environ["SEGL_TEST_EC_KEY"]) as signer:
        is_over = threading.Event()
        failures: list[BaseException] = []

        def busy() -> None:
            try:
                while not is_over.is_set():
                    client.assertion()
                    signer.sign("ES256", b"message")
                    client.forget()
                    client.token()
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=busy) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                in_child(lambda: use(client, signer))
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        assert not failures


def of_a_pool(_: int) -> str:
    assert POOL_CLIENT is not None
    return POOL_CLIENT.token().access_token


POOL_CLIENT: segl.TokenClient | None = None


def test_multiprocessing() -> None:
    global POOL_CLIENT
    with segl.TokenClient.create(FILE_JSON) as client:
        POOL_CLIENT = client
        fetched = client.token().access_token
        with multiprocessing.get_context("fork").Pool(3) as pool:
            assert set(pool.map(of_a_pool, range(12))) == {fetched}


SERVER = """
import os, signal, sys, threading, segl, segl.aio, asyncio, logging
logging.basicConfig(level=logging.DEBUG, stream=open(os.devnull, "w"))
client = segl.TokenClient.open(os.environ["SEGL_TEST_CONFIG"], "bank")
client.token()
waiting = segl.aio.TokenClient(client)
asyncio.run(waiting.assertion())
workers = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        def work():
            for _ in range(20):
                client.assertion(); client.token()
        threads = [threading.Thread(target=work) for _ in range(3)]
        [t.start() for t in threads]; [t.join() for t in threads]
        client.forget()
        assert asyncio.run(waiting.token()).access_token
        sys.exit(0)
    workers.append(pid)
sys.exit(0 if all(os.waitpid(pid, 0)[1] == 0 for pid in workers) else 1)
"""


def test_a_server_that_forks_its_workers() -> None:
    run_python(SERVER)


def test_a_fork_inside_a_callback() -> None:
    run_python(
        """
import json, os, segl
from pathlib import Path
key = segl.Signer.from_bytes(Path(os.environ["SEGL_TEST_RSA_PEM"]).read_bytes())
children = []
def callback(alg, message):
    children.append(os.fork())
    return key.sign(alg, message)
own = segl.Signer.from_callback(json.loads(os.environ["SEGL_TEST_RSA_JWK"]), callback)
assert own.sign("RS256", b"a")
if children[0]:
    assert os.waitpid(children[0], 0)[1] == 0
"""
    )


HOOKS = """
import gc, json, os, sys
calls = []

def hook():
    if os.getpid() == process or IN_CHILD:
        calls.append(1)
        client.assertion()
        # A client that only the collector finds ends inside the fork.
        cycle = [segl.TokenClient.create(os.environ["SEGL_TEST_FILE_JSON"])]
        cycle.append(cycle)
        del cycle
        gc.collect()

# Registered before segl: runs after segl's own before a fork, and before it after one.
os.register_at_fork(before=lambda: hook() if WHEN == "before" else None)
os.register_at_fork(after_in_child=lambda: hook() if WHEN == "after_in_child" else None)
os.register_at_fork(after_in_parent=lambda: hook() if WHEN == "after_in_parent" else None)
import segl
process = os.getpid()
client = segl.TokenClient.create(os.environ["SEGL_TEST_FILE_JSON"])
client.assertion()
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
    assert calls or WHEN == "after_in_child"
else:
    assert calls or WHEN == "after_in_parent"
client.assertion()
"""


@pytest.mark.parametrize("when", ["before", "after_in_child", "after_in_parent"])
def test_hooks_of_others_and_the_collector_may_use_segl_inside_a_fork(when: str) -> None:
    start = f"WHEN = {when!r}; IN_CHILD = WHEN == 'after_in_child'; import signal; signal.alarm(20)\n"
    run_python(start + HOOKS)


def test_a_fork_costs_nothing_when_no_call_is_under_way() -> None:
    with segl.TokenClient.create(FILE_JSON) as client:
        client.token()
        start = time.monotonic()
        for _ in range(20):
            in_child(lambda: None)
        assert time.monotonic() - start < 10


def test_a_fork_while_a_token_is_fetched() -> None:
    run_python(
        """
import json, os, socket, threading, time, segl
silent = socket.create_server(("127.0.0.1", 0))
settings = json.loads(os.environ["SEGL_TEST_FILE_JSON"])
good = settings["token_endpoint"]
settings["token_endpoint"] = f"http://127.0.0.1:{silent.getsockname()[1]}/token"
client = segl.TokenClient.create(settings)
other = segl.TokenClient.create({**settings, "token_endpoint": good})
request = segl.TokenRequest()
held = other.token(request)
waiting = threading.Thread(target=lambda: pytest_raises(client))
def pytest_raises(client):
    try:
        client.token(timeout=8)
    except TimeoutError:
        return
    os._exit(3)
waiting.start()
connection, _ = silent.accept()
start = time.monotonic()
child = os.fork()
taken = time.monotonic() - start
assert taken < 6, taken
if child == 0:
    # The fetch of the parent is not the child's: its own call begins one.
    own = threading.Thread(target=lambda: pytest_raises(client), daemon=True)
    own.start()
    silent.settimeout(6)
    silent.accept()
    assert held.access_token == other.token(request).access_token
    other.forget()
    assert other.token(request).generation != held.generation
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
waiting.join()
"""
    )
