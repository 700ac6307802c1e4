"""`Config` against the schema that the crate writes."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from typing import Any

import pytest
import segl
from conftest import FILE_JSON, REPOSITORY
from segl import config

SCHEMA: dict[str, Any] = json.loads((REPOSITORY / "docs/config.schema.json").read_text())["$defs"]
CLASSES: dict[str, type[Any]] = {
    "ClientSettings": segl.Config,
    "ClientKey": segl.ClientKey,
    "TlsSettings": segl.Tls,
    "DecryptionSettings": segl.Decryption,
    "DecryptionKey": segl.DecryptionKey,
    "DpopSettings": segl.Dpop,
    "ServiceSettings": segl.Service,
    "SharedCacheSettings": segl.SharedCache,
}


@pytest.mark.parametrize("name", CLASSES)
def test_members_are_those_of_the_schema(name: str) -> None:
    members = {member.name for member in dataclasses.fields(CLASSES[name])}
    assert members == set(SCHEMA[name]["properties"])


def of_a_client(name: str = "ClientSettings") -> dict[str, Any]:
    """What the settings of a client are made of. A validator takes any mapping."""
    found = {name: SCHEMA[name]}
    for inner in re.findall(r'"#/\$defs/(\w+)"', json.dumps(SCHEMA[name])):
        found |= of_a_client(inner)
    return found


def test_no_table_is_without_a_class() -> None:
    tables = {name for name, definition in of_a_client().items() if definition.get("type") == "object"}
    assert tables == set(CLASSES)


def test_words_are_those_of_the_schema() -> None:
    own = of_a_client().items()
    words = {name: [word["const"] for word in each["oneOf"]] for name, each in own if "oneOf" in each}
    assert words
    for name, values in words.items():
        assert list(typing.get_args(getattr(config, name))) == values


@pytest.mark.parametrize("name", CLASSES)
def test_what_may_hold_a_secret_is_not_shown(name: str) -> None:
    shown = {member.name for member in dataclasses.fields(CLASSES[name]) if member.repr}
    for member, definition in SCHEMA[name]["properties"].items():
        text = json.dumps(definition)
        if "KeySetting" in text or "SecretSetting" in text:
            assert member not in shown


def test_there_and_back() -> None:
    whole = segl.Config(
        profile="helseid",
        environment="test",
        client_id="a",
        scopes=["a", "b"],
        discovery=True,
        warn_days=0,
        keys=[segl.ClientKey(key="file:/a", kid="a"), segl.ClientKey(key="file:/b")],
        tls=segl.Tls(key="file:/c", min_version="1.3", resumption=False),
        dpop=segl.Dpop(),
        decryption=segl.Decryption(key="file:/d?pin-value=e", key_encryption=["RSA-OAEP"]),
        services={"krr": segl.Service(base_url="https://krr.example", headers={"X-A": "b"}, api_key="env:A")},
        shared_cache=segl.SharedCache(url="redis://localhost", keys=("env:A",)),
    )
    words = json.loads(whole.to_json())
    assert words["keys"] == [{"key": "file:/a", "kid": "a"}, {"key": "file:/b"}]
    assert words["tls"] == {"key": "file:/c", "min_version": "1.3", "resumption": False}
    assert words["dpop"] == {}
    assert words["decryption"] == {"key": "file:/d?pin-value=e", "key_encryption": ["RSA-OAEP"]}
    assert words["services"] == {
        "krr": {"api_key": "env:A", "base_url": "https://krr.example", "headers": {"X-A": "b"}}
    }
    assert words["warn_days"] == 0
    assert "nbf" not in words
    assert json.loads(segl.Config.from_json(whole.to_json()).to_json()) == words
    assert segl.Config.from_json(whole.to_json()).services == whole.services
    assert "redis://" not in repr(whole)
    assert "pin-value" not in repr(whole)
    assert "env:A" not in repr(whole)


def test_several_keys_that_decrypt() -> None:
    keys = (segl.DecryptionKey(key="file:/d", kid="a", certificate="file:/e"), segl.DecryptionKey(key="file:/f"))
    whole = segl.Config(profile="maskinporten", decryption=segl.Decryption(keys=keys))
    words = json.loads(whole.to_json())
    assert words["decryption"] == {
        "keys": [{"key": "file:/d", "kid": "a", "certificate": "file:/e"}, {"key": "file:/f"}]
    }
    assert segl.Config.from_json(whole.to_json()).decryption == whole.decryption
    assert "file:/d" not in repr(whole)


def test_wrong_settings_name_their_path() -> None:
    wrong = {
        '{"profile":"maskinporten","tls":{"nonsense":1}}': "tls.nonsense",
        '{"profile":"maskinporten","decryption":{"key":"file:/a","enc":"A256GCM"}}': "decryption.enc",
        '{"profile":"maskinporten","decryption":{"keys":[{"kid":"a"}]}}': "decryption.keys[0].key",
        '{"profile":"maskinporten","services":{"krr":{"nonsense":1}}}': "services.krr.nonsense",
        '{"profile":"maskinporten","nonsense":1}': "nonsense",
        '{"environment":"test"}': "profile",
        '{"profile":"maskinporten","keys":[{"kid":"a"}]}': "keys[0].key",
    }
    for text, path in wrong.items():
        with pytest.raises(segl.ConfigError) as raised:
            segl.Config.from_json(text)
        assert raised.value.config_path == path
    for text in ("no JSON", "[]"):
        with pytest.raises(segl.ConfigError):
            segl.Config.from_json(text)
    with pytest.raises(segl.ConfigError) as raised:
        segl.TokenClient.create({**json.loads(FILE_JSON), "kid": "a b"})
    assert raised.value.config_path == "kid"


def test_a_client_from_each_form() -> None:
    settings = segl.Config.from_json(FILE_JSON)
    for form in (settings, FILE_JSON, json.loads(FILE_JSON)):
        with segl.TokenClient.create(form) as client:
            assert client.token().access_token


def test_a_client_from_a_file(tmp_path: Any) -> None:
    with pytest.raises(segl.UsageError) as raised:
        segl.TokenClient.open(tmp_path / "none.toml", "bank")
    assert raised.value.code is segl.ErrorCode.IO
    file = tmp_path / "segl.json"
    file.write_text(json.dumps({"clients": {"a": json.loads(FILE_JSON)}}))
    with segl.TokenClient.open(file, "a") as client:
        assert client.token()
    with pytest.raises(segl.ConfigError, match="no client"):
        segl.TokenClient.open(file, "b")
