"""An API that checks the access token of each request, and asks KRR about persons with a token of its own.

`python serve.py segl.toml api agency 8080`, and then
`curl -H "Authorization: Bearer $TOKEN" -d @persons.json http://127.0.0.1:8080/`
"""

import json
import re
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from wsgiref.simple_server import make_server

import segl

MOST_BYTES = 64 * 1024


class Contacts:
    """A WSGI application. Any server runs it, with threads or with forked processes."""

    def __init__(self, file: str, validator: str, client: str) -> None:
        self.validator = segl.Validator.open(file, validator)
        self.client = segl.TokenClient.open(file, client)

    def __call__(self, request: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        scheme, _, token = request.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return answer(start, 401, challenge="Bearer")
        try:
            self.validator.check(token.strip(), {"supplier": None}, timeout=5)
        except segl.SeglError as refusal:
            print(refusal.name, refusal, file=sys.stderr)
            error = refusal.oauth_error
            return answer(start, refusal.http_status or 500, challenge=f'Bearer error="{error}"' if error else None)
        length = request.get("CONTENT_LENGTH") or "0"
        if not re.fullmatch("[0-9]{1,18}", length):
            return answer(start, 400)
        body = request["wsgi.input"].read(min(int(length), MOST_BYTES + 1))
        if len(body) > MOST_BYTES:
            return answer(start, 413)
        try:
            found = self.client.call_api("krr.lookup", body.decode(errors="replace"), timeout=20)
        except segl.SeglError as failure:
            print(failure.name, failure, "trace id:", failure.trace_id, file=sys.stderr)
            return answer(start, 400 if isinstance(failure, segl.InvalidArgumentError) else 502)
        return answer(start, 200, json.dumps(found).encode())


def answer(start: Callable[..., Any], status: int, body: bytes = b"", challenge: str | None = None) -> list[bytes]:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if challenge:
        headers.append(("WWW-Authenticate", challenge))
    start(f"{status} {HTTPStatus(status).phrase}", headers)
    return [body]


def main(file: str = "segl.toml", validator: str = "api", client: str = "agency", port: str = "8080") -> None:
    make_server("127.0.0.1", int(port), Contacts(file, validator, client)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:5])
