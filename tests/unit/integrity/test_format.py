"""The format against its vectors, against a verifier written from the document alone, and against standards."""

import hashlib
import hmac
import itertools
import json
import random

import orjson
import pytest
import reference
import rfc8785
import vectors
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from provisioner.integrity import KeyRing, merkle, proofs
from provisioner.integrity.canonical import canonical, encode, plain
from provisioner.integrity.checking import Checkpoints
from provisioner.integrity.complete import finish
from provisioner.integrity.format import Mac, frame, label
from provisioner.integrity.keys import first_key
from provisioner.integrity.places import from_file
from provisioner.integrity.signing import Signer, storable
from provisioner.integrity.verify import verify

SAID = json.loads(vectors.FILE.read_text(encoding="ascii"))
ROOTS = {"k1": bytes.fromhex(SAID["root_key"])}
LINES = [line.encode() for line in SAID["lines"]]
# RFC 9162 has no vectors of its own: these are the ones of Certificate Transparency's first implementation.
_LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
LEAVES = [bytes.fromhex(each) for each in _LEAVES]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
objects = st.dictionaries(st.text(), values, max_size=8)


def test_the_product_makes_the_vectors():
    assert vectors.make() == SAID


def test_the_reference_verifies_the_vectors():
    leaves = reference.verify(LINES, ROOTS)
    assert [hashlib.sha256(b"\0" + leaf).hexdigest() for leaf in leaves] == SAID["leaf_hashes"]
    assert [reference.root(leaves[:count]).hex() for count in range(len(leaves) + 1)] == SAID["roots"]
    assert [reference.body(reference.parse(line)).decode() for line in LINES] == SAID["bodies"]
    for epoch, said in enumerate(SAID["epochs"]):
        assert reference.chain(ROOTS["k1"], "k1", SAID["stream"], epoch).hex() == said["chain"]
        assert reference.mac_key(ROOTS["k1"], said["key"], SAID["stream"]).hex() == said["mac_key"]
    for case in SAID["canonical"]:
        assert reference.canonical(json.loads(case["json"])) == case["canonical"]


def test_the_reference_finds_what_was_changed():
    for place in range(len(LINES)):
        lines = list(LINES)
        lines[place] = lines[place].replace(b'"message":"', b'"message":"!')
        with pytest.raises(AssertionError):
            reference.verify(lines, ROOTS)


def test_the_reference_agrees_on_checkpoints_and_proofs():
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(SAID["checkpoint_public_key"]))
    previous = "0" * 64
    for said in SAID["checkpoints"]:
        public.verify(bytes.fromhex(said["signature"]), reference.checkpoint_bytes(said))
        assert said["root"] == SAID["roots"][said["count"]]
        assert said["key"] == hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]
        assert said["previous"] == previous
        previous = hashlib.sha256(reference.canonical(said).encode()).hexdigest()
    leaves = reference.verify(LINES, ROOTS)
    assert SAID["inclusion"]["path"] == [each.hex() for each in reference.path(2, leaves)]
    assert SAID["consistency"]["path"] == [each.hex() for each in reference.proof(3, leaves)]
    assert proofs.check(SAID["inclusion"], public) == ""
    assert proofs.check(SAID["consistency"], public) == ""


def test_the_reference_verifies_what_the_writer_writes_and_the_other_way_round(tmp_path):
    import lab

    log = lab.build(tmp_path)
    leaves = reference.verify(log.lines, {"k1": lab.ROOT})
    assert lab.judged(log, tmp_path / "again").streams[0].records == len(leaves)
    assert from_file(log.checkpoints)[-1].made.root == reference.root(leaves).hex()
    (tmp_path / "vectors").write_bytes(b"".join(line + b"\n" for line in LINES))
    assert verify([tmp_path / "vectors"], KeyRing(ROOTS), Checkpoints([], [])).streams[0].root == SAID["roots"][-1]


@given(objects)
def test_the_quick_way_to_canonical_json_is_the_library_s(value):
    """orjson is used only where it gives the same bytes, and reading them back changes nothing."""
    slow = canonical(value)
    assert encode(value) == slow
    assert encode(orjson.loads(slow)) == slow
    assert reference.canonical(value).encode() == slow
    if plain(value) and all(abs(each) < 2**53 for each in _integers(value)):
        assert rfc8785.dumps(value) == slow


def _integers(value):
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _integers(each)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


def test_the_quick_way_is_the_library_s_for_five_thousand_events():
    import campaign

    rng = random.Random(7)
    for number in range(5_000):
        event = campaign.random_event(rng, number)
        assert encode(event) == canonical(event)


@given(st.lists(objects, max_size=4), st.booleans(), st.sampled_from([None, "ingest", "integrity", "details"]))
def test_the_quick_way_to_a_line_is_the_slow_one_s(events, own, extra):
    """Whatever an event holds, its line is what is worked out member by member."""
    if extra is not None:  # among others an event that has a link already, at its top and inside
        events = [{**each, extra: {"integrity": 0, "prev": [each]}} for each in events]
    events = [{**each, "event_id": "e", "@timestamp": "2026-05-11T14:23:45.123Z"} for each in events]
    key = first_key("k1", bytes(32), "web1")
    quick, slow = (Signer("web1", key, 7, b"0" * 64) for _ in range(2))
    made = quick.lines([dict(each) for each in events], own)
    for event, line in zip(events, made, strict=True):
        whole = storable(finish(dict(event)))
        expected, slow.prev = slow._one(whole, slow.prev, slow.seq)
        slow.seq += 1
        assert line == expected
    assert (quick.seq, quick.prev) == (slow.seq, slow.prev)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", 2**64, -(2**63) - 1, object(), {1: 2}])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises((ValueError, AttributeError)):
        encode({"x": value})


@given(st.binary(max_size=64), st.binary(max_size=300))
def test_the_mac_is_hmac(key, body):
    assert Mac(key)(body) == hmac.digest(key, frame(label(b"record"), body), "sha256").hex().encode()


@given(st.lists(st.binary(max_size=5), max_size=4), st.lists(st.binary(max_size=5), max_size=4))
def test_frames_of_different_parts_differ(one, other):
    assert (frame(*one) == frame(*other)) is (one == other)


def test_roots_are_those_of_certificate_transparency():
    hashes = [merkle.leaf_hash(leaf) for leaf in LEAVES]
    assert [merkle.root(merkle.fold(0, hashes[:count])).hex() for count in range(1, 9)] == CT_ROOTS
    assert merkle.root([]) == merkle.EMPTY == reference.root([])


def test_a_range_joined_of_any_parts_has_the_root_of_the_whole():
    rng = random.Random(1)
    leaves = [bytes([number]) for number in range(200)]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    for _ in range(300):
        count = rng.randrange(201)
        cuts = sorted({0, count, *(rng.randrange(count + 1) for _ in range(rng.randrange(5)))})
        whole: list = []
        for begin, end in itertools.pairwise(cuts):
            merkle.join(whole, merkle.fold(begin, hashes[begin:end]))
        assert merkle.root(whole) == reference.root(leaves[:count])
        assert merkle.size(whole) == count
        assert len(whole) <= 8


def test_every_proof_of_small_trees_is_the_standard_s_and_holds():
    leaves = [bytes([number]) for number in range(20)]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]

    def subtree(part):
        return reference.root(leaves[part[0] : part[1]])

    for count in range(1, 21):
        root = reference.root(leaves[:count])
        for index in range(count):
            path = [subtree(part) for part in merkle.inclusion_parts(index, count)]
            assert path == reference.path(index, leaves[:count])
            assert merkle.included(hashes[index], index, count, path, root)
            assert not merkle.included(hashes[index], (index + 1) % count, count, path, root) or count == 1
            assert not merkle.included(hashes[(index + 1) % 20], index, count, path, root)
            assert not merkle.included(hashes[index], index, count, [*path, root], root)
        for first in range(1, count + 1):
            path = [subtree(part) for part in merkle.consistency_parts(first, count)]
            assert path == reference.proof(first, leaves[:count])
            roots = reference.root(leaves[:first]), root
            assert merkle.consistent(first, count, path, *roots)
            assert not merkle.consistent(first, count, path, roots[0], b"x" * 32)
            assert not merkle.consistent(first, count, path, b"x" * 32, root)
            if path:
                assert not merkle.consistent(first, count, path[:-1], *roots)


def test_keys_are_not_shown_and_short_ones_refused():
    from provisioner.errors import ProvisionerError

    ring = KeyRing({"k1": b"s" * 32})
    key = ring.key("k1", 5, "web1")
    assert (b"s" * 32).hex() not in repr(ring) + repr(key)
    assert key.chain.hex() not in repr(key)
    assert ring.key("k1", 3, "web1") != ring.key("k1", 3, "web2")
    for roots in ({"k1": b"short"}, {"K1": b"s" * 32}, {"": b"s" * 32}):
        with pytest.raises(ProvisionerError):
            KeyRing(roots)
