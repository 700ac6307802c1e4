"""Requests, answers and what sends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP request. Headers and body may hold secrets, so `repr` does not show them."""

    method: str
    """Upper case, for example "POST"."""
    url: str
    """An https URL, or an http one on the loopback interface."""
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    """Name and value, in order."""
    body: bytes = field(default=b"", repr=False)
    """The whole body."""


@dataclass(frozen=True)
class HttpResponse:
    """One HTTP answer, whatever its status. `repr` shows neither headers nor body."""

    status: int
    """The status, for example 200."""
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    """Name and value, in order. Those that segl returns have lower-case names."""
    body: bytes = field(default=b"", repr=False)
    """The whole body."""

    def header(self, name: str) -> str | None:
        """The first header with this name, in any case."""
        wanted = name.lower()
        return next((value for own, value in self.headers if own.lower() == wanted), None)


class HttpTransport(Protocol):
    """What `TokenClient` sends with, when the program gives it one."""

    def send(self, request: HttpRequest, timeout: float, /) -> HttpResponse:
        """Sends one request and waits for the whole answer, at most `timeout` seconds.

        Redirects are not followed, and every status is an answer. It is called on threads of segl's own,
        on several at a time. What it raises becomes a `CallbackError`, but for a `SeglError`, which keeps its
        code: `NetworkError("…", retryable=True)` is tried again.
        """
        ...
