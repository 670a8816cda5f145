"""Keys and seals: what is held of a person opens only with a file outside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, select

from vouchers.errors import Busy, KeysMismatch, SealBroken
from vouchers.store.bulk import insert_rows
from vouchers.store.tables.work import key_fingerprint

_NONCE = 12


class Keyring:
    """The keys of one installation, read from a file that is not in the database.

    Sealing keys rotate: the first byte of a seal says which one made it. Match keys
    carry a version. The code-digest key never changes, or a code could be sold twice.
    """

    def __init__(self, held: dict[str, Any], path: Path) -> None:
        #: The key file; the signer's memory lies beside it.
        self.path = path
        self._sealing = {
            int(number): AESGCM(_decode(key)) for number, key in held["sealing"].items()
        }
        self.sealing_current = int(held["sealing_current"])
        self._match = {int(n): _decode(key) for n, key in held["match"].items()}
        self.match_current = int(held["match_current"])
        # Keyed hashes of each version and kind that wait for a text: half the work.
        self._begun: dict[tuple[int, int], hashlib.blake2b] = {}
        self._code = _decode(held["code"])
        self._index = _decode(held["index"])
        self._signer = Ed25519PrivateKey.from_private_bytes(_decode(held["signing"]))
        #: Name under which checkpoints are signed.
        self.origin: str = held["origin"]

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """Read the key file; a file that others may read is refused."""
        if path.stat().st_mode & 0o077:
            raise KeysMismatch(f"other users can read {path.name}: run chmod 600 on it")
        return cls(json.loads(path.read_text(encoding="utf-8")), path)

    @staticmethod
    def create(path: Path, *, origin: str = "fuel-vouchers") -> Keyring:
        """Make new keys and write them to `path`, mode 600; an existing file stays."""
        path.parent.mkdir(parents=True, exist_ok=True)
        held = {
            "origin": origin,
            "sealing": {"1": _encode(secrets.token_bytes(32))},
            "sealing_current": 1,
            "match": {"1": _encode(secrets.token_bytes(32))},
            "match_current": 1,
            "code": _encode(secrets.token_bytes(32)),
            "index": _encode(secrets.token_bytes(32)),
            "signing": _encode(secrets.token_bytes(32)),
        }
        # Written whole under another name first: two processes may start at once.
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(held, stream, indent=1)
        try:
            os.link(draft, path)
        except FileExistsError:
            return Keyring.load(path)
        finally:
            draft.unlink()
        return Keyring.load(path)

    def seal(self, place: str, row_id: int, plain: bytes) -> bytes:
        """Seal `plain` for one row of `place` ("table.column"); it opens only there."""
        nonce = os.urandom(_NONCE)
        number = self.sealing_current
        bound = f"{place}:{row_id}".encode()
        sealed = self._sealing[number].encrypt(nonce, plain, bound)
        return bytes([number]) + nonce + sealed

    def open(self, place: str, row_id: int, sealed: bytes) -> bytes:
        """Open what `seal` made; SealBroken when it was altered or moved."""
        if not sealed:
            raise SealBroken(place=place, row=row_id)
        if sealed[0] not in self._sealing:
            # Another process has rotated the keys since this one read the file.
            self._reread()
        key = self._sealing.get(sealed[0])
        if key is None:
            raise SealBroken(place=place, row=row_id)
        bound = f"{place}:{row_id}".encode()
        nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return key.decrypt(nonce, body, bound)
        except InvalidTag:
            raise SealBroken(place=place, row=row_id) from None

    def add_sealing_key(self) -> int:
        """Write a new sealing key to the key file and seal with it from now on.

        Older keys stay in the file for what they sealed. Gives the new key's number;
        Busy when another process is doing the same.
        """
        held = json.loads(self.path.read_text(encoding="utf-8"))
        number = max(map(int, held["sealing"])) + 1
        if number > 255:
            raise KeysMismatch("a seal's first byte has no room for another key")
        held["sealing"][str(number)] = _encode(secrets.token_bytes(32))
        held["sealing_current"] = number
        draft = self.path.with_name(f"{self.path.name}.rotating")
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise Busy(f"{draft.name} exists: another rotation is under way") from None
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(held, stream, indent=1)
            stream.flush()
            # Nothing may be sealed with a key that a power cut can take away.
            os.fsync(stream.fileno())
        draft.replace(self.path)
        self._reread()
        return number

    def _reread(self) -> None:
        fresh = Keyring.load(self.path)
        if fresh.fingerprints() != self.fingerprints():
            raise KeysMismatch
        self._sealing = fresh._sealing
        self.sealing_current = fresh.sealing_current

    def match_key(self, kind: int, text: str, *, version: int | None = None) -> int:
        """Signed 64-bit keyed hash of a normalised identifier of one kind."""
        at = self.match_current if version is None else version, kind
        begun = self._begun.get(at)
        if begun is None:
            salt = kind.to_bytes(2, "big")
            begun = hashlib.blake2b(digest_size=8, key=self._match[at[0]], salt=salt)
            self._begun[at] = begun
        mark = begun.copy()
        mark.update(text.encode())
        return int.from_bytes(mark.digest(), "big", signed=True)

    def index_key(self, *parts: str | int) -> bytes:
        """16-byte keyed hash by which a reference, a name or a file is found again."""
        joined = "\x1f".join(str(part) for part in parts).encode()
        return hashlib.blake2b(joined, digest_size=16, key=self._index).digest()

    def file_digest(self) -> hashlib.blake2b:
        """A running keyed digest of a file's bytes: `.update(...)`, `.digest()`."""
        return hashlib.blake2b(digest_size=16, key=self._index, person=b"file")

    def code_digest(self, code: str) -> bytes:
        """32-byte keyed digest of a voucher code, unique over all networks for ever."""
        return hmac.digest(self._code, code.encode(), "sha256")

    def tail_key(self, code: str) -> int:
        """Signed 64-bit keyed hash of a code's last four characters."""
        mark = hmac.digest(self._code, b"tail:" + code[-4:].encode(), "sha256")[:8]
        return int.from_bytes(mark, "big", signed=True)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature of a checkpoint's text."""
        return self._signer.sign(message)

    @property
    def public_key(self) -> bytes:
        """32 bytes of the Ed25519 key with which anyone can check a checkpoint."""
        return self._signer.public_key().public_bytes_raw()

    def fingerprints(self) -> dict[str, bytes]:
        """What the database remembers of keys that must never be swapped."""
        return {
            "code": hmac.digest(self._code, b"fingerprint", "sha256")[:16],
            "index": hmac.digest(self._index, b"fingerprint", "sha256")[:16],
            "signing": hashlib.sha256(self.public_key).digest()[:16],
        }


def check_fingerprints(conn: Connection, keys: Keyring) -> None:
    """Remember the keys of an empty database; refuse another key file ever after."""
    known = {
        row.name: row.fingerprint for row in conn.execute(select(key_fingerprint)).all()
    }
    ours = keys.fingerprints()
    if any(known.get(name, mark) != mark for name, mark in ours.items()):
        raise KeysMismatch
    missing = [
        {"name": name, "fingerprint": mark}
        for name, mark in ours.items()
        if name not in known
    ]
    insert_rows(conn, key_fingerprint, missing, on_conflict="ignore")


def _encode(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text)
