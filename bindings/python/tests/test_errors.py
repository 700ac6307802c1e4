"""Exceptions against the native list of codes."""

from __future__ import annotations

import copy
import pickle

import pytest
import segl
from segl import _native, errors

CLASSES = {
    0: segl.UsageError,
    1: segl.SigningKeyError,
    2: segl.HsmError,
    3: segl.KmsError,
    4: segl.NetworkError,
    5: segl.TokenError,
    6: segl.ApiError,
    7: segl.ValidationError,
}


def test_every_native_code_is_in_the_enumeration() -> None:
    native = {number: name for number, name, _ in _native.error_codes()}
    assert native == {int(code): code.name for code in segl.ErrorCode}


@pytest.mark.parametrize("number", [number for number, _, _ in _native.error_codes()])
def test_every_code_has_the_class_of_its_hundred(number: int) -> None:
    error = errors._from_native(
        number, "text", True, 1.5, 429, 160, "C_Login", ("a", "b", "c", "MP-122", "e", "clients.bank")
    )
    assert isinstance(error, CLASSES[number // 100])
    assert error.code is segl.ErrorCode(number)
    assert error.number == number
    assert error.name == error.code.name
    assert error.message == "text"
    assert str(error) == "text"
    assert error.code.name in repr(error)
    facts = (error.retryable, error.retry_after, error.http_status, error.ck_rv, error.ck_function)
    assert facts == (True, 1.5, 429, 160, "C_Login")
    texts = (error.oauth_error, error.oauth_error_description, error.error_uri)
    assert texts == ("a", "b", "c")
    assert (error.provider_code, error.trace_id, error.config_path) == ("MP-122", "e", "clients.bank")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert repr(again) == repr(error)
        assert vars(again) == vars(error)
        assert again.args == error.args


def test_a_code_of_a_later_version() -> None:
    error = errors._from_native(899, "text", False, None, None, None, None, (None,) * 6)
    assert type(error) is segl.SeglError
    assert error.code is None
    assert error.name == "UNKNOWN"
    assert error.number == 899
    assert repr(error) == "SeglError(899: text)"


def test_second_bases() -> None:
    assert issubclass(segl.CallTimeoutError, TimeoutError)
    assert issubclass(segl.PoolTimeoutError, TimeoutError)
    for own in (segl.InvalidArgumentError, segl.ConfigError, segl.ClosedError, segl.KeyUriError, segl.UrlError):
        assert issubclass(own, ValueError)


def test_classes_have_a_usual_code() -> None:
    for own in (errors.error_class(int(code)) for code in segl.ErrorCode):
        error = own("text")
        assert error.code is not None
        assert type(error) is errors.error_class(error.number) or own is segl.UsageError


@pytest.mark.skipif(not hasattr(_native, "test_panic"), reason="built without test-hooks")
@pytest.mark.parametrize("how", [0, 1, 2, 3, 10, 11, 12, 13])
def test_a_panic_is_an_exception(how: int, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(segl.SeglError) as raised:
        _native.test_panic(how)  # type: ignore[attr-defined]
    assert raised.value.code is segl.ErrorCode.PANIC
    assert "report it" in str(raised.value)
    assert "panicked" in capfd.readouterr().err
