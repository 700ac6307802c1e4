"""Log records in `logging`, and elsewhere."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
import segl
from conftest import CONFIG, FILE_JSON, HOST_JSON, RSA_JWK, RSA_PEM, run_python


@pytest.fixture(autouse=True)
def usual_log() -> Iterator[None]:
    yield
    segl.log_to_logging()


def fetch() -> segl.Token:
    with segl.TokenClient.create(FILE_JSON) as client:
        return client.token()


def test_records_come_from_the_level_on_that_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    fetch()
    assert [record for record in caplog.records if record.levelno < logging.WARNING] == []
    with caplog.at_level(logging.DEBUG, "segl"):
        token = fetch()
    assert caplog.records
    assert {record.name for record in caplog.records} == {"segl"}
    assert {record.levelno for record in caplog.records} <= {10, 20, 30, 40}
    assert any(record.target == "token" for record in caplog.records)  # type: ignore[attr-defined]
    assert token.access_token not in caplog.text
    caplog.clear()
    fetch()
    assert [record for record in caplog.records if record.levelno < logging.WARNING] == []


def test_a_sink_of_the_program() -> None:
    taken: list[tuple[int, str, str]] = []
    segl.set_log(logging.DEBUG, lambda *record: taken.append(record))
    fetch()
    assert taken and all(isinstance(message, str) for _, _, message in taken)
    segl.set_log(logging.ERROR, lambda *record: taken.append(record))
    taken.clear()
    fetch()
    assert taken == []
    segl.set_log(logging.DEBUG, None)
    fetch()
    assert taken == []


def test_a_sink_may_call_segl_and_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda raised: unraisable.append(raised.exc_type))
    with segl.Signer.from_bytes(RSA_PEM.read_bytes()) as signer, segl.TokenClient.create(FILE_JSON) as client:

        def sink(level: int, target: str, message: str) -> None:
            client.ready()
            signer.sign("RS256", b"a")
            raise ValueError("full")

        segl.set_log(logging.DEBUG, sink)
        assert client.token().access_token
        segl.set_log(logging.DEBUG, None)
    assert unraisable and set(unraisable) == {ValueError}


def test_threads_that_log_and_callbacks_do_not_wait_for_each_other(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "segl"), segl.Signer.from_bytes(RSA_PEM.read_bytes()) as key:
        own = segl.Signer.from_callback(RSA_JWK, lambda alg, message: key.sign(alg, message))

        def work() -> None:
            for _ in range(10):
                with segl.TokenClient.create(HOST_JSON, signer=own) as client:
                    assert client.token(timeout=30).access_token

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def test_nothing_goes_to_standard_error_by_itself() -> None:
    done = run_python(
        f"""
import segl
try:
    segl.TokenClient.open({CONFIG!r}, "refused").token()
except segl.TokenError:
    pass
"""
    )
    assert done.stderr == ""


def test_basic_configuration_is_enough() -> None:
    done = run_python(
        f"""
import segl, logging
client = segl.TokenClient.open({CONFIG!r}, "bank")
logging.basicConfig(level=logging.DEBUG)
client.token()
"""
    )
    assert "DEBUG:segl:" in done.stderr or "INFO:segl:" in done.stderr
