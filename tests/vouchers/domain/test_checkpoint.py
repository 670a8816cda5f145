"""Checkpoints are signed notes that any C2SP verifier can read."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain import checkpoint as cp
from vouchers.domain.merkle import Range, inclusion_proof, leaf_hash

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RAW = PRIVATE.public_key().public_bytes_raw()
KEY = cp.PublicKey("vouchers.example/log", RAW)


def signed(size: int = 3, root: bytes = bytes(32)) -> bytes:
    """A note that our key has signed."""
    return cp.sign(cp.Checkpoint(KEY.origin, size, root), RAW, PRIVATE.sign)


def test_the_go_checksum_database_s_own_key_and_note_are_understood():
    """The public key line of sum.golang.org has the key id that we compute."""
    line = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

    key = cp.PublicKey.parse(line)

    assert key.origin == "sum.golang.org"
    assert key.key_id.hex() == "033de0ae"
    assert str(key) == line


def test_a_checkpoint_has_three_lines_a_blank_one_and_a_signature():
    """The note is laid out line by line as the format says."""
    lines = signed().decode().split("\n")

    assert lines[0] == "vouchers.example/log"
    assert lines[1] == "3"
    assert lines[3] == ""
    assert lines[4].startswith("— vouchers.example/log ")
    assert lines[5] == ""


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_what_was_signed_is_read_back(size, root):
    """Signing and verifying give the same size and root."""
    assert cp.verify(signed(size, root), KEY) == cp.Checkpoint(KEY.origin, size, root)


def test_another_signature_beside_ours_does_no_harm():
    """A witness may add its line; ours still counts."""
    note = signed() + "— witness.example AAAAAAAA\n".encode()

    assert cp.verify(note, KEY).size == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace(b"\n3\n", b"\n4\n"),
        lambda note: note.replace(b"vouchers", b"couchers"),
        lambda note: note.replace(b"\n3\n", b"\n03\n"),
        lambda note: note[:-1],
        lambda note: note.split(b"\n\n")[0],
        lambda note: b"",
        lambda note: note.replace(b"AAAA", b"A!AA"),
        lambda note: b"\xff" + note,
    ],
)
def test_a_changed_note_is_refused(change):
    """Nothing about a note can be altered unnoticed."""
    with pytest.raises(cp.BadNote):
        cp.verify(change(signed()), KEY)


def test_the_same_name_with_another_key_is_refused():
    """Only the key handed over earlier counts, whoever else uses the name."""
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()

    with pytest.raises(cp.BadNote):
        cp.verify(signed(), cp.PublicKey(KEY.origin, other))


@pytest.mark.parametrize("line", ["", "a+b", "log+00000000+" + "A" * 44, "log+00+AQ=="])
def test_a_public_key_line_that_does_not_add_up_is_refused(line):
    """Key id and key must belong together."""
    with pytest.raises(cp.BadNote):
        cp.PublicKey.parse(line)


@given(st.integers(1, 40), st.data())
def test_a_proof_file_convinces_by_itself(size, data):
    """Entry, proof file and public key are all that an auditor needs."""
    index = data.draw(st.integers(0, size - 1))
    entries = [f"entry {n}".encode() for n in range(size)]
    tree = Range()
    nodes = {
        (n.level, n.position): n.hash for n in tree.extend(map(leaf_hash, entries))
    }
    path = inclusion_proof(index, size, lambda *at: nodes[at])
    text = cp.Proof(index, tuple(path), signed(size, tree.root())).text()

    proof = cp.Proof.parse(text)

    assert cp.verify_proof(proof, entries[index], KEY).size == size
    with pytest.raises(cp.BadNote):
        cp.verify_proof(proof, b"another entry", KEY)


@pytest.mark.parametrize(
    "text",
    [b"", b"c2sp.org/tlog-proof@v1\n\nx", b"c2sp.org/tlog-proof@v1\nindex x\n\n"],
)
def test_a_broken_proof_file_is_refused(text):
    """A file that is not a proof is named as such."""
    with pytest.raises(cp.BadNote):
        cp.Proof.parse(text)
