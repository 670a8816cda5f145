"""Signed statements of the whole log: C2SP checkpoint, note and proof formats."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vouchers.domain.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from vouchers.errors import VoucherError

#: The note format's byte for an Ed25519 key.
ED25519 = b"\x01"
KEY_ID_BYTES = 4
_DASH = "— "
_PROOF_HEADER = "c2sp.org/tlog-proof@v1"


class BadNote(VoucherError):
    """This is not a checkpoint or proof signed with the expected key."""


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself: its name, how many entries it has, and their root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """The bytes that are signed."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n".encode()


@dataclass(frozen=True)
class PublicKey:
    """Whose signature counts: the log's name and its Ed25519 key."""

    origin: str
    key: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that say which key a signature line belongs to."""
        return key_id(self.origin, self.key)

    def __str__(self) -> str:
        """The one-line form that is handed to auditors: name+id+key."""
        return f"{self.origin}+{self.key_id.hex()}+{_encode(ED25519 + self.key)}"

    @classmethod
    def parse(cls, line: str) -> PublicKey:
        """Read the one-line form; refuses a line whose id and key do not agree."""
        parts = line.strip().split("+", 2)
        if len(parts) != 3:
            raise BadNote("a public key reads name+id+key")
        origin, claimed, encoded = parts
        key = _decode(encoded)
        if key[:1] != ED25519 or len(key) != 33:
            raise BadNote("only Ed25519 keys sign this log")
        made = cls(origin, key[1:])
        if made.key_id.hex() != claimed:
            raise BadNote("the key's id does not belong to the key")
        return made


@dataclass(frozen=True)
class Proof:
    """Evidence that an entry is number `index` of the log a checkpoint speaks of."""

    index: int
    path: tuple[bytes, ...]
    note: bytes

    def text(self) -> bytes:
        """The proof as a file that can be kept and checked with nothing else."""
        lines = [_PROOF_HEADER, f"index {self.index}", *map(_encode, self.path)]
        return ("\n".join(lines) + "\n\n").encode() + self.note

    @classmethod
    def parse(cls, text: bytes) -> Proof:
        """Read a proof file; whether it proves anything is `verify_proof`'s word."""
        head, blank, note = text.partition(b"\n\n")
        lines = _decode_text(head).split("\n")
        if not blank or lines[0] != _PROOF_HEADER or len(lines) < 2:
            raise BadNote("this is not a proof file")
        rest = lines[2:] if lines[1].startswith("extra ") else lines[1:]
        if not rest or not rest[0].startswith("index "):
            raise BadNote("the proof does not say which entry it is about")
        path = tuple(_hash(line) for line in rest[1:])
        return cls(_number(rest[0].removeprefix("index ")), path, note)


def key_id(origin: str, public_key: bytes) -> bytes:
    """First four bytes of SHA-256 over name, newline, algorithm and key."""
    return sha256(origin.encode() + b"\n" + ED25519 + public_key).digest()[
        :KEY_ID_BYTES
    ]


def sign(
    checkpoint: Checkpoint, public_key: bytes, signing: Callable[[bytes], bytes]
) -> bytes:
    """The checkpoint as a signed note; the signing function is passed in."""
    text = checkpoint.text()
    line = _encode(key_id(checkpoint.origin, public_key) + signing(text))
    return text + f"\n{_DASH}{checkpoint.origin} {line}\n".encode()


def parse(note: bytes) -> Checkpoint:
    """Read a checkpoint without asking who signed it."""
    text, signatures = _halves(note)
    lines = _decode_text(text).split("\n")
    if len(lines) < 4 or not lines[0] or not signatures:
        raise BadNote("a checkpoint has a name, a size, a root and a signature")
    return Checkpoint(lines[0], _number(lines[1]), _hash(lines[2]))


def verify(note: bytes, key: PublicKey) -> Checkpoint:
    """The checkpoint in a note, if `key` signed it; lines of other keys are ignored."""
    checkpoint = parse(note)
    if checkpoint.origin != key.origin:
        raise BadNote("the checkpoint speaks of another log")
    text, signatures = _halves(note)
    for line in signatures:
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        blob = _decode(encoded)
        if name != key.origin or blob[:KEY_ID_BYTES] != key.key_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.key).verify(
                blob[KEY_ID_BYTES:], text
            )
        except InvalidSignature:
            raise BadNote("the signature does not fit the checkpoint") from None
        return checkpoint
    raise BadNote("the expected key has not signed this checkpoint")


def verify_proof(proof: Proof, entry: bytes, key: PublicKey) -> Checkpoint:
    """The signed checkpoint that has `entry` under the proof's number, or BadNote."""
    checkpoint = verify(proof.note, key)
    leaf, path = leaf_hash(entry), proof.path
    if not verify_inclusion(
        leaf, proof.index, checkpoint.size, path, root=checkpoint.root
    ):
        raise BadNote("the entry is not in the log under this number")
    return checkpoint


def _halves(note: bytes) -> tuple[bytes, Sequence[str]]:
    text, blank, signatures = note.rpartition(b"\n\n")
    if not blank or not signatures.endswith(b"\n"):
        raise BadNote("a signed note has a text, a blank line and signatures")
    lines = _decode_text(signatures).removesuffix("\n").split("\n")
    if not all(line.startswith(_DASH) for line in lines):
        raise BadNote("a signature line begins with a dash")
    return text + b"\n", lines


def _encode(blob: bytes) -> str:
    return b64encode(blob).decode()


def _decode(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("this is not base64") from None


def _decode_text(blob: bytes) -> str:
    try:
        return blob.decode()
    except UnicodeDecodeError:
        raise BadNote("a note is UTF-8 text") from None


def _hash(line: str) -> bytes:
    blob = _decode(line)
    if len(blob) != HASH_BYTES:
        raise BadNote("a hash has 32 bytes")
    return blob


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or (text[0] == "0" and text != "0"):
        raise BadNote("a number is written without sign, zeros or spaces in front")
    return int(text)
