"""Tokens, assertions and registrations, read by another library."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone

import jwt
import pytest
import segl
from conftest import API, CONFIG, FILE_JSON, REPOSITORY, RSA_JWK, run_python


def test_a_token_is_fetched_once_and_then_the_same_object(file_client: segl.TokenClient) -> None:
    assert file_client.ready() is None
    fetched = file_client.token()
    assert not fetched.from_cache
    cached = file_client.token()
    assert cached.from_cache
    assert file_client.token() is cached is file_client.ready()
    assert cached.access_token is file_client.token().access_token
    assert cached.access_token == fetched.access_token
    assert cached.generation == fetched.generation
    assert file_client.health()["tokens"]["requests"] == 1


def test_what_a_token_says(bank: segl.TokenClient) -> None:
    token = bank.token()
    claims = jwt.decode(token.access_token, options={"verify_signature": False})
    assert claims["client_id"] == "bank"
    assert claims["scope"] == "demo:konto.read"
    assert token.authorization == f"Bearer {token.access_token}"
    assert json.loads(token.response)["access_token"] == token.access_token
    assert token.dpop is False
    left = token.expires_at - datetime.now(timezone.utc)
    assert timedelta(0) < left <= timedelta(hours=2)
    assert token.access_token not in repr(token) + str(token)


def test_requests_that_mean_the_same_share_a_token(bank: segl.TokenClient) -> None:
    scoped = segl.TokenRequest(scopes=["demo:konto.read"])
    assert bank.token(scoped).generation == bank.token().generation
    assert bank.token(scoped) is bank.token(scoped)
    assert scoped == segl.TokenRequest.from_json('{"scopes":["demo:konto.read"]}')
    assert hash(scoped) == hash(segl.TokenRequest(scopes=["demo:konto.read"]))
    assert scoped != segl.TokenRequest()


def test_one_request_of_two_clients(bank: segl.TokenClient, file_client: segl.TokenClient) -> None:
    request = segl.TokenRequest()
    for _ in range(3):
        assert "bank" in claimed_client(bank.token(request))
        assert "file" in claimed_client(file_client.token(request))


def claimed_client(token: segl.Token) -> str:
    claims = jwt.decode(token.access_token, options={"verify_signature": False})
    return str(claims["client_id"])


def test_a_request_says_what_is_wrong_and_shows_no_person() -> None:
    with pytest.raises(segl.InvalidArgumentError) as raised:
        segl.TokenRequest(pid="12345678901x")
    assert "12345678901" not in str(raised.value)
    with pytest.raises(TypeError, match="consumer_org must be"):
        segl.TokenRequest(consumer_org=910753614)  # type: ignore[arg-type]
    assert "910753614" not in repr(segl.TokenRequest(consumer_org="910753614", scopes=["a"]))
    with pytest.raises(TypeError):
        segl.TokenRequest(["a"])  # type: ignore[misc]


def test_the_members_of_a_request_are_claims(bank: segl.TokenClient) -> None:
    consumer = {"authority": "iso6523-actorid-upis", "ID": "0192:991825827"}
    details = [{"type": "urn:altinn:systemuser", "externalRef": "a", "systemuser_org": consumer}]
    request = segl.TokenRequest(
        scopes=["demo:konto.read"],
        resource=["https://api.example.no/"],
        consumer_org="991825827",
    )
    claims = jwt.decode(bank.assertion(request), options={"verify_signature": False})
    assert claims["scope"] == "demo:konto.read"
    assert claims["resource"] in (["https://api.example.no/"], "https://api.example.no/")
    assert claims["consumer_org"] == "991825827"
    alone = segl.TokenRequest(authorization_details=details)
    claims = jwt.decode(bank.assertion(alone), options={"verify_signature": False})
    assert claims["authorization_details"][0]["externalRef"] == "a"
    on_behalf = segl.Config.from_json(FILE_JSON)
    with segl.TokenClient.create({**json.loads(on_behalf.to_json()), "consumer_org": "991825827"}) as client:
        assert "consumer_org" in decoded(client.assertion())
        own = segl.TokenRequest(consumer_org=segl.ConsumerOrg.OWN)
        assert "consumer_org" not in decoded(client.assertion(own))


def decoded(text: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(text, options={"verify_signature": False})
    return claims


def test_an_assertion_verifies(bank: segl.TokenClient, file_client: segl.TokenClient) -> None:
    with segl.Signer.open(os.environ["SEGL_TEST_RSA_KEY"]) as signer:
        keys = {bank: jwt.PyJWK(signer.public_jwk), file_client: jwt.PyJWK(RSA_JWK)}
        for client, key in keys.items():
            text = client.assertion()
            header = jwt.get_unverified_header(text)
            assert header["alg"] == "RS256"
            assert header["kid"] == key.key_id
            audience = decoded(text)["aud"]
            claims = jwt.decode(text, key, algorithms=["RS256"], audience=audience)
            assert claims["jti"] != decoded(client.assertion())["jti"]


def test_a_registration_verifies() -> None:
    with segl.TokenClient.open(CONFIG, "dnb") as client, segl.Signer.open(os.environ["SEGL_TEST_EC_KEY"]) as signer:
        text = client.registration()
        key = jwt.PyJWK(signer.public_jwk)
        jwt.decode(text, key, algorithms=["ES256"], options={"verify_aud": False})
        assert text.count(".") == 2
        assert client.token().access_token
        with pytest.raises(segl.UsageError) as raised:
            client.registration(1)
        assert raised.value.code is segl.ErrorCode.INVALID_ARGUMENT


def test_maskinporten_has_no_registration(bank: segl.TokenClient) -> None:
    with pytest.raises(segl.UsageError) as raised:
        bank.registration()
    assert raised.value.code is segl.ErrorCode.UNSUPPORTED


def test_rejecting_and_forgetting(file_client: segl.TokenClient) -> None:
    first = file_client.token()
    assert file_client.reject(first)
    second = file_client.token()
    assert second.generation != first.generation
    assert not file_client.reject(first)
    file_client.forget(segl.TokenRequest())
    third = file_client.token()
    assert third.generation != second.generation
    file_client.forget()
    assert file_client.ready() is None


def test_send_calls_an_api(bank: segl.TokenClient) -> None:
    answer = bank.send(segl.HttpRequest("POST", API, [("Content-Type", "text/plain")], b"hello"))
    assert answer.status == 200
    assert answer.header("Content-Type") is not None
    assert json.loads(answer.body)["client_id"] == "bank"
    assert "hello" not in repr(segl.HttpRequest("POST", API, body=b"hello"))
    with pytest.raises(segl.InvalidArgumentError):
        bank.send(segl.HttpRequest("POST", API, [("Authorization", "x")]))
    with pytest.raises(segl.UrlError):
        bank.send(segl.HttpRequest("GET", "http://example.no/"))


def test_the_token_goes_only_where_apis_lets_it() -> None:
    settings = {**json.loads(FILE_JSON), "apis": ["https://api.example.no/"]}
    with segl.TokenClient.create(settings) as client:
        for attempt in (lambda: client.send(segl.HttpRequest("GET", API)), lambda: client.require_allowed(API)):
            with pytest.raises(segl.ApiError) as raised:
                attempt()
            assert raised.value.code is segl.ErrorCode.API_NOT_ALLOWED
        client.require_allowed("https://api.example.no/a")


def test_a_refusal_is_an_exception_with_facts() -> None:
    with segl.TokenClient.open(CONFIG, "refused") as client:
        with pytest.raises(segl.TokenError) as raised:
            client.token()
        error = raised.value
        assert error.code is segl.ErrorCode.TOKEN_CLIENT_UNKNOWN
        assert error.provider_code is not None and error.provider_code.startswith("MP-")
        assert error.oauth_error == "invalid_grant"
        assert error.trace_id
        assert error.retryable is False
        with pytest.raises(segl.TokenError) as again:
            client.token()
        assert again.value.retry_after is not None and 0 < again.value.retry_after <= 5


def test_the_example() -> None:
    program = REPOSITORY / "examples/python/get_token.py"
    start = f"import runpy, sys; sys.argv = ['get_token', {CONFIG!r}, 'file']"
    done = run_python(f"{start}; runpy.run_path({str(program)!r}, run_name='__main__')")
    assert done.stdout.startswith("a token of ") and "valid until" in done.stdout
