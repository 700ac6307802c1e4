"""Signers and transports of the program's, and what they raise."""

from __future__ import annotations

import contextlib
import gc
import json
import threading
import weakref
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
import requests
import segl
import segl.httpx
import segl.requests
from conftest import API, FILE_JSON, HOST_JSON, RSA_JWK, RSA_PEM
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def sign(alg: str, message: bytes) -> bytes:
    assert alg == "RS256"
    key = serialization.load_pem_private_key(RSA_PEM.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def host_client(callback: Callable[[str, bytes], bytes]) -> segl.TokenClient:
    with segl.Signer.from_callback(RSA_JWK, callback) as signer:
        return segl.TokenClient.create(HOST_JSON, signer=signer)


def test_a_signer_of_the_program() -> None:
    with segl.Signer.from_callback(json.dumps(RSA_JWK), sign) as signer:
        text = signer.jws({"alg": "RS256"}, b'{"a":1}')
        assert jwt.decode(text, jwt.PyJWK(RSA_JWK), algorithms=["RS256"]) == {"a": 1}
        assert signer.describe()["kind"] == "foreign"
    with host_client(sign) as client:
        assert client.token().access_token


def test_a_wrong_signature_is_not_released() -> None:
    with segl.Signer.from_callback(RSA_JWK, lambda alg, message: sign(alg, b"other")) as signer:
        with pytest.raises(segl.SigningKeyError) as raised:
            signer.sign("RS256", b"message")
        assert raised.value.code is segl.ErrorCode.SIGNATURE_FAULT


def test_what_a_signer_raises_is_the_cause() -> None:
    failure = RuntimeError("the vault is shut")

    def raising(alg: str, message: bytes) -> bytes:
        raise failure

    with segl.Signer.from_callback(RSA_JWK, raising) as signer:
        with pytest.raises(segl.CallbackError, match="RuntimeError: the vault is shut") as raised:
            signer.sign("RS256", b"")
        assert raised.value.__cause__ is failure
    with host_client(raising) as client:
        for _ in range(2):
            # The second may be a refusal that is remembered.
            with pytest.raises(segl.CallbackError, match="the vault is shut") as raised:
                client.token(timeout=10)
            assert raised.value.__cause__ is failure
        with pytest.raises(segl.CallbackError) as raised:
            client.assertion()
        assert raised.value.__cause__ is failure


def test_an_exception_of_segl_keeps_its_code() -> None:
    def raising(alg: str, message: bytes) -> bytes:
        raise segl.HsmError("locked", code=segl.ErrorCode.PIN_LOCKED, trace_id="t", retry_after=3)

    with segl.Signer.from_callback(RSA_JWK, raising) as signer:
        with pytest.raises(segl.HsmError, match="locked") as raised:
            signer.sign("RS256", b"")
        assert raised.value.code is segl.ErrorCode.PIN_LOCKED
        assert (raised.value.trace_id, raised.value.retry_after) == ("t", 3.0)
        assert isinstance(raised.value.__cause__, segl.HsmError)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_goes_on_as_it_is(kind: type[BaseException]) -> None:
    def raising(alg: str, message: bytes) -> bytes:
        raise kind("end")

    with segl.Signer.from_callback(RSA_JWK, raising) as signer, pytest.raises(kind):
        signer.sign("RS256", b"")
    # On a thread of segl's own it ends nobody's program.
    with host_client(raising) as client, pytest.raises(segl.CallbackError, match=kind.__name__) as raised:
        client.token(timeout=10)
    assert isinstance(raised.value.__cause__, kind)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize("wrong", ["text", None, 7, [1, 2], object()])
def test_a_signer_that_returns_the_wrong_type(wrong: Any) -> None:
    with segl.Signer.from_callback(RSA_JWK, lambda alg, message: wrong) as signer:
        with pytest.raises(segl.CallbackError, match="TypeError: what the sign callback returns must be bytes"):
            signer.sign("RS256", b"")


def test_odd_callbacks() -> None:
    def unprintable(alg: str, message: bytes) -> bytes:
        raise Unprintable

    with segl.Signer.from_callback(RSA_JWK, unprintable) as signer:
        with pytest.raises(segl.CallbackError, match="raised Unprintable"):
            signer.sign("RS256", b"")
    with segl.Signer.from_callback(RSA_JWK, lambda: b"") as signer:  # type: ignore[arg-type, misc]
        with pytest.raises(segl.CallbackError, match="TypeError"):
            signer.sign("RS256", b"")
    with pytest.raises(TypeError, match="sign must be callable"):
        segl.Signer.from_callback(RSA_JWK, 7)  # type: ignore[arg-type]
    with pytest.raises(segl.SeglError):
        segl.Signer.from_callback({"kty": "oct"}, sign)
    with pytest.raises(TypeError, match="transport must be"):
        segl.TokenClient.create(HOST_JSON, transport=object())  # type: ignore[arg-type]


def test_a_callback_may_call_segl() -> None:
    with segl.Signer.from_bytes(RSA_PEM.read_bytes()) as inner, segl.TokenClient.create(FILE_JSON) as other:

        def through(alg: str, message: bytes) -> bytes:
            other.token()
            gc.collect()
            return inner.sign(alg, message)

        with host_client(through) as client:
            assert client.token().access_token
            assert client.assertion()


def test_a_callback_that_closes_its_client() -> None:
    clients: list[segl.TokenClient] = []

    def closing(alg: str, message: bytes) -> bytes:
        clients[0].close()
        return sign(alg, message)

    clients.append(host_client(closing))
    assert clients[0].token().access_token
    with pytest.raises(segl.ClosedError):
        clients[0].token()


def test_callbacks_are_let_go() -> None:
    class Callback:
        def __call__(self, alg: str, message: bytes) -> bytes:
            return sign(alg, message)

    callback = Callback()
    seen = weakref.ref(callback)
    with host_client(callback) as client:
        client.token()
    del callback
    for _ in range(100):
        gc.collect()
        # What was let go on a thread of segl's own is released at the next call.
        segl.version()
        if seen() is None:
            break
        threading.Event().wait(0.02)
    assert seen() is None


class Recording:
    """A transport that answers what it is told to."""

    def __init__(self, answer: Callable[[segl.HttpRequest, float], Any]) -> None:
        self.answer = answer
        self.requests: list[segl.HttpRequest] = []

    def send(self, request: segl.HttpRequest, timeout: float) -> Any:
        self.requests.append(request)
        return self.answer(request, timeout)


def test_a_transport_of_the_program() -> None:
    ready = segl.requests.RequestsTransport()
    transport = Recording(lambda request, timeout: ready.send(request, timeout))
    with segl.TokenClient.create(FILE_JSON, transport=transport) as client:
        assert client.token().access_token
        request = transport.requests[0]
        assert request.method == "POST"
        assert b"assertion=" in request.body
        assert isinstance(request.headers, list)
        assert dict(request.headers)["Content-Type"] == "application/x-www-form-urlencoded"
        assert client.send(segl.HttpRequest("GET", API)).status == 200


@pytest.mark.parametrize("kind", [segl.requests.RequestsTransport, segl.httpx.HttpxTransport])
def test_the_ready_made_transports(kind: Callable[..., Any]) -> None:
    with segl.TokenClient.create(FILE_JSON, transport=kind()) as client:
        assert client.token().access_token
        answer = client.send(segl.HttpRequest("POST", API, [("Content-Type", "text/plain")], b"a"))
        assert answer.status == 200
        with pytest.raises(segl.NetworkError) as raised:
            client.send(segl.HttpRequest("GET", "http://127.0.0.1:1/"), timeout=5)
        assert raised.value.code is segl.ErrorCode.NETWORK
        assert isinstance(raised.value.__cause__, segl.NetworkError)
    with segl.TokenClient.create(FILE_JSON, transport=kind(max_response_bytes=10)) as client:
        with pytest.raises(segl.NetworkError) as raised:
            client.token(timeout=5)
        assert raised.value.code is segl.ErrorCode.RESPONSE_TOO_LARGE


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda *_: None, "what send returns must be a segl.HttpResponse"),
        (lambda *_: segl.HttpResponse("200"), "its status is no HTTP status"),  # type: ignore[arg-type]
        (lambda *_: segl.HttpResponse(7), "which is no HTTP status"),
        (lambda *_: segl.HttpResponse(200, ["a"]), "its headers is no sequence of pairs"),  # type: ignore[list-item]
        (lambda *_: segl.HttpResponse(200, [], "text"), "must be bytes"),  # type: ignore[arg-type]
    ],
)
def test_a_transport_that_returns_the_wrong_thing(answer: Callable[..., Any], message: str) -> None:
    with segl.TokenClient.create(FILE_JSON, transport=Recording(answer)) as client:
        with pytest.raises(segl.CallbackError, match=message) as raised:
            client.token(timeout=5)
        assert isinstance(raised.value.__cause__, (TypeError, ValueError))


def test_what_a_transport_raises() -> None:
    def raising(request: segl.HttpRequest, timeout: float) -> segl.HttpResponse:
        assert 0 < timeout <= 10
        raise LookupError("no route")

    with segl.TokenClient.create(FILE_JSON, transport=Recording(raising)) as client:
        with pytest.raises(segl.CallbackError, match="LookupError: no route"):
            client.token(timeout=5)
    tries = Recording(None)  # type: ignore[arg-type]

    def failing_once(request: segl.HttpRequest, timeout: float) -> segl.HttpResponse:
        if len(tries.requests) == 1:
            raise segl.NetworkError("away", retryable=True)
        return segl.requests.RequestsTransport().send(request, timeout)

    tries.answer = failing_once
    with segl.TokenClient.create(FILE_JSON, transport=tries) as client:
        assert client.token(timeout=10).access_token
        assert len(tries.requests) == 2


def test_the_answers_of_a_transport() -> None:
    body = json.dumps({"access_token": "abc", "token_type": "Bearer", "expires_in": 100}).encode()
    transport = Recording(lambda *_: segl.HttpResponse(200, (("Content-Type", "application/json"),), bytearray(body)))
    with segl.TokenClient.create(FILE_JSON, transport=transport) as client:
        assert client.token().access_token == "abc"
    late = Recording(lambda *_: segl.HttpResponse(429, [("RETRY-AFTER", "100")], b""))
    with segl.TokenClient.create(FILE_JSON, transport=late) as client:
        with pytest.raises(segl.TokenError) as raised:
            client.token(timeout=5)
        assert raised.value.code is segl.ErrorCode.TOKEN_RATE_LIMITED
        assert raised.value.retry_after is not None and raised.value.retry_after > 90


def test_the_transports_take_sessions_of_the_program() -> None:
    session = requests.Session()
    session.headers["X-Own"] = "a"
    session.auth = ("user", "password")
    with contextlib.closing(session), httpx.Client(auth=("user", "password")) as own:
        for transport in (segl.requests.RequestsTransport(session), segl.httpx.HttpxTransport(own)):
            with segl.TokenClient.create(FILE_JSON, transport=transport) as client:
                assert json.loads(client.send(segl.HttpRequest("GET", API)).body)["client_id"] == "file"
