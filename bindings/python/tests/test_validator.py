"""Tokens of the simulator, as the API behind them sees them."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import segl
import segl.aio
from conftest import FILE_JSON, ISSUER, VALIDATOR, run_python

PERSON = "12345678901"
SCOPE = "demo:konto.read"


@pytest.fixture(scope="module")
def token() -> str:
    with segl.TokenClient.create(FILE_JSON) as client:
        return client.token().access_token


@pytest.fixture
def validator() -> segl.Validator:
    return segl.Validator(VALIDATOR)


class Failing:
    """Answers nothing."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def send(self, _request: segl.HttpRequest, _timeout: float, /) -> segl.HttpResponse:
        raise self.failure


class Silent:
    """Answers once it is released."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.release = threading.Event()

    def send(self, _request: segl.HttpRequest, _timeout: float, /) -> segl.HttpResponse:
        self.asked.set()
        self.release.wait(30)
        raise segl.NetworkError("released")


def test_a_token_says_whose_it_is(token: str, validator: segl.Validator) -> None:
    claims = validator.check(token)
    assert claims["issuer"] == ISSUER
    assert claims["client_id"] == "file"
    assert claims["scopes"] == [SCOPE]
    assert claims["consumer"]["orgno"] == "910753614"
    met = {"scopes": [SCOPE], "consumer": "910753614", "supplier": None}
    assert validator.check(token, met) == claims
    assert validator.check(token, json.dumps(met), timeout=20) == claims
    assert segl.Validator(json.dumps(VALIDATOR)).check(token) == claims


def refusal(validator: segl.Validator, token: str, requirements: Any = None) -> segl.ValidationError:
    with pytest.raises(segl.ValidationError) as raised:
        validator.check(token, requirements)
    assert token not in str(raised.value)
    return raised.value


def test_what_is_not_met_has_its_number(token: str, validator: segl.Validator) -> None:
    scope = refusal(validator, token, {"scopes": [SCOPE, "demo:konto.write"]})
    assert scope.number == 708
    assert scope.code is segl.ErrorCode.ACCESS_TOKEN_SCOPE
    assert (scope.http_status, scope.oauth_error) == (403, "insufficient_scope")
    assert "demo:konto.write" in str(scope)
    consumer = refusal(validator, token, {"consumer": "974760673"})
    assert consumer.code is segl.ErrorCode.ACCESS_TOKEN_CONSUMER
    consent = {"consent": {"from": "05848998356", "resources": ["bank-saldo"]}}
    missing = refusal(validator, token, consent)
    assert (missing.number, missing.code) == (720, segl.ErrorCode.CONSENT_MISSING)
    assert (missing.http_status, missing.oauth_error) == (403, "insufficient_scope")
    assert "05848998356" not in str(missing)
    malformed = refusal(validator, "no token")
    assert malformed.code is segl.ErrorCode.ACCESS_TOKEN_MALFORMED
    assert (malformed.http_status, malformed.oauth_error) == (401, "invalid_token")
    head, signature = token.rsplit(".", 1)
    changed = f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    assert refusal(validator, changed).code is segl.ErrorCode.ACCESS_TOKEN_SIGNATURE
    cut = segl.Validator({"environment": "test"}, transport=Failing(segl.NetworkError("the cable is cut")))
    assert refusal(cut, token).code is segl.ErrorCode.JWKS_UNAVAILABLE


def test_a_file_names_validators(token: str, tmp_path: Path) -> None:
    file = tmp_path / "segl.toml"
    file.write_text(f"[validators.own]\nissuer = '{ISSUER}'\nmetadata = '{VALIDATOR['metadata']}'\n")
    with segl.Validator.open(file, "own") as validator:
        assert validator.check(token)["scopes"] == [SCOPE]
    with pytest.raises(segl.ConfigError, match="own"):
        segl.Validator.open(file, "other")
    with pytest.raises(segl.UsageError) as raised:
        segl.Validator.open(tmp_path / "none.toml", "own")
    assert raised.value.code is segl.ErrorCode.IO


def test_wrong_settings_are_named() -> None:
    with pytest.raises(segl.ConfigError) as raised:
        segl.Validator({"issuer": "https://a.example", "leeway": 1})
    assert "leeway" in str(raised.value.config_path)
    for wrong in ("", "[]", "{}", "{"):
        with pytest.raises(segl.ConfigError):
            segl.Validator(wrong)
    with pytest.raises(TypeError, match="transport must be"):
        segl.Validator(VALIDATOR, transport=object())  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["", "[]", "{", [PERSON], {"pid": PERSON}, {"person": PERSON}])
def test_wrong_requirements_are_not_repeated(wrong: Any, token: str, validator: segl.Validator) -> None:
    with pytest.raises(segl.InvalidArgumentError) as raised:
        validator.check(token, wrong)
    assert PERSON not in str(raised.value)


def test_keys_come_through_the_programs_transport_once(token: str) -> None:
    sent: list[segl.HttpRequest] = []
    with segl.TokenClient.create(FILE_JSON) as client:

        class Recording:
            def send(self, request: segl.HttpRequest, timeout: float, /) -> segl.HttpResponse:
                sent.append(request)
                plain = segl.HttpRequest(request.method, request.url)
                return client.send(plain, timeout=timeout)

        with segl.Validator(VALIDATOR, transport=Recording()) as validator, ThreadPoolExecutor(8) as pool:
            assert all(claims["scopes"] == [SCOPE] for claims in pool.map(validator.check, [token] * 200))
    assert len(sent) == 2


def test_its_time_is_bounded(token: str) -> None:
    silent = Silent()
    with segl.Validator(VALIDATOR, transport=silent) as validator:
        with pytest.raises(segl.CallTimeoutError):
            validator.check(token, timeout=0.2)
        cancel = segl.CancelToken()
        cancel.trigger()
        with pytest.raises(segl.CallCancelledError):
            validator.check(token, cancel=cancel)
        silent.release.set()


def test_closing(token: str, validator: segl.Validator) -> None:
    assert not validator.closed
    assert repr(validator) == "<segl.Validator>"
    with pytest.raises(TypeError, match="Validator"):
        copy.copy(validator)
    validator.close()
    validator.close()
    assert validator.closed
    assert repr(validator) == "<segl.Validator closed>"
    with pytest.raises(segl.ClosedError, match="the validator is closed"):
        validator.check(token)


def test_a_check_that_waits_outlives_its_validator(token: str) -> None:
    silent = Silent()
    validator = segl.Validator(VALIDATOR, transport=silent)
    with ThreadPoolExecutor(1) as pool:
        check = pool.submit(validator.check, token)
        assert silent.asked.wait(20)
        validator.close()
        with pytest.raises(segl.ClosedError):
            validator.check(token)
        silent.release.set()
        with pytest.raises(segl.ValidationError) as raised:
            check.result(20)
    assert raised.value.code is segl.ErrorCode.JWKS_UNAVAILABLE


def test_the_collector_frees_what_was_forgotten(token: str) -> None:
    def forgotten() -> weakref.ref[Failing]:
        transport = Failing(segl.NetworkError("the cable is cut"))
        with pytest.raises(segl.ValidationError):
            segl.Validator(VALIDATOR, transport=transport).check(token)
        return weakref.ref(transport)

    transports = [forgotten() for _ in range(20)]
    for _ in range(200):
        gc.collect()
        if all(each() is None for each in transports):
            return
        time.sleep(0.02)
    pytest.fail("a transport is still held")


def test_closing_in_the_midst_of_checks(token: str) -> None:
    shared = [segl.Validator(VALIDATOR)]
    well = []

    def work(_: int) -> None:
        used = shared[0]
        shared[0], old = segl.Validator(VALIDATOR), shared[0]
        old.close()
        for each in (used, shared[0]):
            try:
                assert each.check(token)
                well.append(1)
            except segl.ClosedError:
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    assert well


def test_awaited(token: str) -> None:
    async def both() -> None:
        async with segl.aio.Validator(segl.Validator(VALIDATOR)) as validator:
            claims = await asyncio.gather(*(validator.check(token, timeout=20) for _ in range(20)))
            assert all(each == validator.validator.check(token) for each in claims)
        with pytest.raises(segl.ClosedError):
            await validator.check(token)
        silent = Silent()
        async with segl.aio.Validator(segl.Validator(VALIDATOR, transport=silent), max_threads=1) as validator:
            task = asyncio.create_task(validator.check(token))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            silent.release.set()

    asyncio.run(both())


FORKING = """
import json, os, segl
client = segl.TokenClient.create(os.environ["SEGL_TEST_FILE_JSON"])
token = client.token().access_token
settings = json.loads(VALIDATOR)
before, unused = segl.Validator(settings), segl.Validator(settings)
assert before.check(token)
child = os.fork()
assert before.check(token) and unused.check(token)
os._exit(0) if child == 0 else None
assert os.waitpid(child, 0)[1] == 0
"""


def test_they_work_in_a_forked_child() -> None:
    run_python(f"VALIDATOR = {json.dumps(VALIDATOR)!r}" + FORKING)
