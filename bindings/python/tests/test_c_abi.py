"""The C ABI from a dynamic language: `libsegl.so` by ctypes, without the package."""

from __future__ import annotations

import ctypes as c
import os

import jwt
import pytest
from conftest import EC_JWK, EC_PEM


class Bytes(c.Structure):
    _fields_ = (("data", c.c_void_p), ("len", c.c_size_t), ("cap", c.c_size_t))


@pytest.fixture(scope="module")
def library() -> c.CDLL:
    path = os.environ.get("SEGL_LIBRARY_PATH")
    if not path:
        pytest.skip("SEGL_LIBRARY_PATH is not set")
    library = c.CDLL(path)
    library.segl_version.restype = c.c_char_p
    library.segl_abi_version.restype = c.c_uint32
    library.segl_error_message.restype = library.segl_error_name.restype = c.c_char_p
    library.segl_error_message.argtypes = (c.c_void_p, c.c_void_p)
    library.segl_error_code.argtypes = library.segl_error_free.argtypes = (c.c_void_p,)
    library.segl_error_free.restype = library.segl_signer_free.restype = library.segl_bytes_free.restype = None
    library.segl_signer_free.argtypes = (c.c_void_p,)
    texts = (c.c_char_p, c.c_size_t)
    library.segl_signer_open.argtypes = (*texts, *texts, c.c_void_p, c.POINTER(c.c_void_p))
    library.segl_jws_sign.argtypes = (c.c_void_p, *texts, *texts, c.c_void_p, c.POINTER(Bytes))
    library.segl_signer_open.restype = library.segl_jws_sign.restype = c.c_void_p
    return library


def open_signer(library: c.CDLL, uri: bytes) -> tuple[c.c_void_p, int | None]:
    signer = c.c_void_p()
    error: int | None = library.segl_signer_open(uri, len(uri), None, 0, None, c.byref(signer))
    return signer, error


def test_versions(library: c.CDLL) -> None:
    assert library.segl_abi_version() >> 16 == 1
    assert library.segl_version().count(b".") == 2


def test_signing(library: c.CDLL) -> None:
    signer, error = open_signer(library, f"file:{EC_PEM}".encode())
    assert error is None
    header, payload, out = b'{"alg":"ES256"}', b'{"a":1}', Bytes()
    error = library.segl_jws_sign(signer, header, len(header), payload, len(payload), None, c.byref(out))
    assert error is None
    text = c.string_at(out.data, out.len).decode()
    assert jwt.decode(text, jwt.PyJWK(EC_JWK), algorithms=["ES256"]) == {"a": 1}
    library.segl_bytes_free(c.byref(out))
    library.segl_bytes_free(c.byref(out))
    assert out.data is None
    library.segl_signer_free(signer)
    library.segl_signer_free(signer)
    error = library.segl_jws_sign(signer, header, len(header), payload, len(payload), None, c.byref(out))
    assert library.segl_error_name(library.segl_error_code(error)) == b"INVALID_HANDLE"
    library.segl_error_free(error)


def test_an_error(library: c.CDLL) -> None:
    signer, error = open_signer(library, b"nonsense:")
    assert signer.value is None
    assert library.segl_error_name(library.segl_error_code(error)) == b"KEY_URI"
    assert b"nonsense" in library.segl_error_message(error, None)
    library.segl_error_free(error)
