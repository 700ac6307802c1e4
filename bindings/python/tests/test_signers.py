"""Signers: keys in SoftHSM, in files, in memory."""

from __future__ import annotations

import copy
import json
import os
import pickle
import weakref

import jwt
import pytest
import segl
from conftest import EC_JWK, EC_PEM, RSA_JWK, RSA_PEM

KEYS = {
    "RS256 on a token": lambda: segl.Signer.open(os.environ["SEGL_TEST_RSA_KEY"]),
    "ES256 on a token": lambda: segl.Signer.open(os.environ["SEGL_TEST_EC_KEY"]),
    "ES256 with a PIN": lambda: segl.Signer.open(os.environ["SEGL_TEST_EC_KEY_NO_PIN"], os.environ["SEGL_TEST_PIN"]),
    "ES256 with a PIN as bytes": lambda: segl.Signer.open(
        os.environ["SEGL_TEST_EC_KEY_NO_PIN"], os.environ["SEGL_TEST_PIN"].encode()
    ),
    "RS256 in a file": lambda: segl.Signer.open(f"file:{RSA_PEM}"),
    "ES256 in memory": lambda: segl.Signer.from_bytes(EC_PEM.read_bytes()),
    "RS256 in a bytearray": lambda: segl.Signer.from_bytes(bytearray(RSA_PEM.read_bytes())),
    "RS256 in a memoryview": lambda: segl.Signer.from_bytes(memoryview(RSA_PEM.read_bytes())),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_signature_verifies(name: str) -> None:
    alg = name[:5]
    with KEYS[name]() as signer:
        claims = {"sub": "æøå"}
        header = {"alg": alg, "typ": "JWT", "kid": "a"}
        text = signer.jws(header, json.dumps(claims).encode())
        key = jwt.PyJWK(signer.public_jwk)
        assert jwt.decode(text, key, algorithms=[alg]) == claims
        assert jwt.get_unverified_header(text) == header
        signer.jws(json.dumps(header), b"")
        signature = signer.sign(alg, memoryview(b"message"))
        algorithm = jwt.get_algorithm_by_name(alg)
        assert algorithm.verify(b"message", key.key, signature)
        signer.probe(timeout=10)
        assert signer.health()["state"] == "ready"
        assert alg in signer.describe()["algorithms"]
        assert signer.public_jwk["kid"] in repr(signer)


def test_public_keys() -> None:
    for pem, jwk in ((RSA_PEM, RSA_JWK), (EC_PEM, EC_JWK)):
        with segl.Signer.from_bytes(pem.read_bytes()) as signer:
            assert signer.public_jwk == jwk


def test_errors_of_keys() -> None:
    no_pin = os.environ["SEGL_TEST_EC_KEY_NO_PIN"]
    cases = {
        segl.ErrorCode.PIN_REQUIRED: lambda: segl.Signer.open(no_pin),
        segl.ErrorCode.KEY_URI: lambda: segl.Signer.open("pkcs11:object"),
        segl.ErrorCode.KEY_NOT_FOUND: lambda: segl.Signer.open(
            os.environ["SEGL_TEST_EC_KEY"].replace("object=ec", "object=none")
        ),
        segl.ErrorCode.KEY_FORMAT: lambda: segl.Signer.from_bytes(b"no key"),
        segl.ErrorCode.MODULE_LOAD: lambda: segl.Signer.open("pkcs11:token=a?module-path=/nowhere.so"),
        segl.ErrorCode.ALGORITHM: lambda: segl.Signer.from_bytes(EC_PEM.read_bytes()).sign("RS256", b""),
        segl.ErrorCode.INVALID_ARGUMENT: lambda: segl.Signer.from_bytes(EC_PEM.read_bytes()).jws({}, b""),
    }
    for code, attempt in cases.items():
        with pytest.raises(segl.SeglError) as raised:
            attempt()
        assert raised.value.code is code, raised.value


def test_a_wrong_pin_is_not_in_the_message() -> None:
    with pytest.raises(segl.SeglError) as raised:
        segl.Signer.open(f"file:{RSA_PEM.parent}/nothing.pem", "geheim-1234")
    assert "geheim-1234" not in repr(raised.value)


def test_wrong_types() -> None:
    with segl.Signer.from_bytes(EC_PEM.read_bytes()) as signer:
        with pytest.raises(TypeError, match="message must be bytes"):
            signer.sign("ES256", "text")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="payload must be bytes"):
            signer.jws({"alg": "ES256"}, 7)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            signer.jws({"alg": object()}, b"")
        for timeout in (-1.0, float("nan")):
            with pytest.raises(segl.InvalidArgumentError):
                signer.sign("ES256", b"", timeout=timeout)
        signer.sign("ES256", b"", timeout=float("inf"))
    with pytest.raises(TypeError, match="pin must be"):
        segl.Signer.open("file:/a", 1234)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        segl.Signer()


def test_bounds_of_a_call() -> None:
    with segl.Signer.open(os.environ["SEGL_TEST_EC_KEY"]) as signer:
        cancel = segl.CancelToken()
        signer.sign("ES256", b"", cancel=cancel)
        assert not cancel.triggered
        cancel.trigger()
        cancel.trigger()
        assert cancel.triggered
        with pytest.raises(segl.CallCancelledError):
            signer.sign("ES256", b"", cancel=cancel)
        with pytest.raises(TimeoutError) as raised:
            signer.sign("ES256", b"", timeout=0)
        assert isinstance(raised.value, segl.CallTimeoutError) and raised.value.retryable


def test_objects_cannot_be_copied_or_sent_away_and_can_be_referred_to_weakly(file_client: segl.TokenClient) -> None:
    with segl.Signer.from_bytes(EC_PEM.read_bytes()) as signer:
        secrets = (
            RSA_PEM.read_text().splitlines() + EC_PEM.read_text().splitlines() + [file_client.token().access_token]
        )
        for own in (signer, file_client, file_client.token(), segl.TokenRequest(), segl.CancelToken()):
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                with pytest.raises(TypeError, match=f"cannot pickle or copy .segl.{type(own).__name__}"):
                    pickle.dumps(own, protocol)
            for way in (copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match=f"cannot pickle or copy .segl.{type(own).__name__}"):
                    way(own)
            with pytest.raises(TypeError, match="not an acceptable base type"):
                type("Own", (type(own),), {})
            with pytest.raises(AttributeError):
                own.anything = 1
            assert weakref.ref(own)() is own
            assert not any(secret in repr(own) for secret in secrets)
