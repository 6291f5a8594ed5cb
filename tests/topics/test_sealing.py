"""Keys of the payload codec: what is taken, what is sealed, and what happens when the keys change."""

import base64
import logging

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from topics import sealing
from topics.sealing import Keyring, SealedError

OLD, NEW = b"o" * 32, b"n" * 32


def text(**keys: bytes) -> str:
    return ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in keys.items())


def test_keys_are_taken_in_their_order_from_one_line_or_several() -> None:
    lines = text(new=NEW) + "\n" + text(old=OLD) + "\n"

    assert list(sealing.parse(lines).items()) == [("new", NEW), ("old", OLD)]
    assert sealing.parse(lines) == sealing.parse(text(new=NEW, old=OLD))


def test_a_key_may_be_in_the_alphabet_of_urls_and_without_its_padding() -> None:
    key = b"\xff\xfe\xfb" * 10 + b"ab"
    assert sealing.parse("a:" + base64.urlsafe_b64encode(key).decode().rstrip("=")) == {"a": key}


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("", "key 1: give ID:KEY"),
        ("only-a-key", "key 1: give ID:KEY"),
        (text(short=b"s" * 16), "key 1: give ID:KEY"),
        (text(a=OLD) + ",b:c2VjcmV0", "key 2: give ID:KEY"),
        (text(a=OLD) + "," + text(a=NEW), "key 2: the id a is there twice"),
    ],
)
def test_what_is_no_key_is_refused_without_a_word_of_it(keys: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        sealing.parse(keys)
    assert "c2VjcmV0" not in str(caught.value)


def test_what_is_sealed_is_what_the_samples_of_temporal_open() -> None:
    key_id, sealed = Keyring(text(new=NEW, old=OLD)).seal(b"payload")

    assert key_id == b"new"
    assert AESGCM(NEW).decrypt(sealed[:12], sealed[12:], None) == b"payload"


def test_what_the_samples_of_temporal_seal_is_opened() -> None:
    nonce = b"123456789012"
    sealed = nonce + AESGCM(OLD).encrypt(nonce, b"payload", None)

    assert Keyring(text(new=NEW, old=OLD)).open(b"old", sealed) == b"payload"


def test_no_two_payloads_are_sealed_alike() -> None:
    keyring = Keyring(text(new=NEW))
    assert len({keyring.seal(b"payload")[1] for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("key_id", "sealed", "problem"),
    [
        (b"gone", b"x" * 40, "sealed with the key 'gone', which BRIDGE_PAYLOAD_KEYS does not have"),
        (b"new", b"x" * 40, "is not what the key 'new' has sealed"),
        (b"new", b"", "is not what the key 'new' has sealed"),
    ],
)
def test_what_cannot_be_opened_is_told(key_id: bytes, sealed: bytes, problem: str) -> None:
    with pytest.raises(SealedError, match=problem):
        Keyring(text(new=NEW)).open(key_id, sealed)


class Clock:
    """Time, as `sealing` sees it; keys are looked for in `keys`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
        self.now = 0.0
        self.keys: str | None = keys
        monkeypatch.setattr("topics.sealing.time.monotonic", lambda: self.now)
        self.keyring = Keyring(keys, lambda: self.keys)


def test_a_new_first_key_seals_after_a_while_and_the_old_one_still_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, text(old=OLD))
    _, before = clock.keyring.seal(b"payload")
    clock.keys = text(new=NEW, old=OLD)

    assert clock.keyring.seal(b"payload")[0] == b"old"
    clock.now = sealing.LOOK_EVERY.total_seconds()
    assert clock.keyring.seal(b"payload")[0] == b"new"
    assert clock.keyring.open(b"old", before) == b"payload"


def test_a_payload_with_a_key_that_is_not_known_yet_has_the_keys_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, text(old=OLD))
    sealed = Keyring(text(new=NEW)).seal(b"payload")
    clock.keys = text(old=OLD, new=NEW)
    clock.now = sealing.LOOK_AT_LEAST.total_seconds()

    assert clock.keyring.open(*sealed) == b"payload"


@pytest.mark.parametrize("keys", [None, "nonsense"])
def test_keys_that_cannot_be_used_leave_the_old_ones(
    keys: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(monkeypatch, text(old=OLD))
    clock.keys = keys
    with caplog.at_level(logging.WARNING):
        for second in (10.0, 20.0, 30.0):
            clock.now = second
            assert clock.keyring.seal(b"payload")[0] == b"old"
    assert len(caplog.records) == (keys is not None)


def test_new_keys_are_told_by_their_ids_once_they_are_in_use(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(monkeypatch, text(old=OLD))
    clock.keys = text(new=NEW, old=OLD)
    with caplog.at_level(logging.INFO):
        for second in (10.0, 20.0):
            clock.now = second
            clock.keyring.seal(b"payload")
    assert caplog.messages == ["BRIDGE_PAYLOAD_KEYS has new keys: the first of new, old encrypts."]
