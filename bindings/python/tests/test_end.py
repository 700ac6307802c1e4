"""The end of the interpreter, and interpreters inside it."""

from __future__ import annotations

import time

import pytest
from conftest import run_python

START = """
import json, logging, os, socket, sys, threading, time, segl
logging.basicConfig(level=logging.DEBUG)
settings = json.loads(os.environ["SEGL_TEST_FILE_JSON"])
host = json.loads(os.environ["SEGL_TEST_HOST_JSON"])
jwk = json.loads(os.environ["SEGL_TEST_RSA_JWK"])
key = segl.Signer.open("file:" + os.environ["SEGL_TEST_RSA_PEM"])
"""

ENDINGS = {
    "a token is being fetched": """
silent = socket.create_server(("127.0.0.1", 0))
settings["token_endpoint"] = f"http://127.0.0.1:{silent.getsockname()[1]}/token"
client = segl.TokenClient.create(settings)
try:
    client.token(timeout=0.2)
except TimeoutError:
    pass
""",
    "a token is being fetched and logged": """
client = segl.TokenClient.create(settings)
for _ in range(20):
    try:
        client.forget()
        client.token(timeout=0.001)
    except TimeoutError:
        pass
""",
    "daemon threads are inside": """
client = segl.TokenClient.create(settings)
def work():
    while True:
        client.forget()
        client.token()
        key.sign("RS256", b"a")
for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
""",
    "a callback runs": """
def callback(alg, message):
    time.sleep(0.5)
    return key.sign(alg, message)
client = segl.TokenClient.create(host, signer=segl.Signer.from_callback(jwk, callback))
try:
    client.token(timeout=0.1)
except TimeoutError:
    pass
""",
    "callbacks run on daemon threads": """
def callback(alg, message):
    time.sleep(0.001)
    return key.sign(alg, message)
own = segl.Signer.from_callback(jwk, callback)
def work():
    while True:
        own.sign("RS256", b"a")
for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
""",
    "an exception ends it": """
client = segl.TokenClient.create(settings)
client.token()
threading.Thread(target=lambda: [client.forget() or client.token() for _ in range(50)], daemon=True).start()
time.sleep(0.05)
sys.exit(0)
""",
    "segl is shut down": """
signer = segl.Signer.open(os.environ["SEGL_TEST_EC_KEY"])
signer.sign("ES256", b"a")
segl.shutdown()
""",
    "everything is in cycles": """
client = segl.TokenClient.create(settings)
client.token()
cycle = [client, key]
cycle.append(cycle)
del client, key
""",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_the_interpreter_ends_while(name: str) -> None:
    for _ in range(5):
        start = time.monotonic()
        done = run_python(START + ENDINGS[name], timeout=60, check=False)
        assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
        assert "panicked" not in done.stderr
        assert "Fatal" not in done.stderr
        assert time.monotonic() - start < 20


def test_a_sub_interpreter_is_refused() -> None:
    done = run_python(
        """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import segl
own = interpreters.create()
try:
    # Raises what it meets, or returns it in later versions.
    print(interpreters.run_string(own, "import segl"))
except BaseException as refused:
    print(refused)
interpreters.destroy(own)
assert segl.version()
"""
    )
    assert "subinterpreters" in done.stdout


def test_an_import_that_is_repeated() -> None:
    run_python("import segl, sys, importlib; del sys.modules['segl']; importlib.import_module('segl').version()")
