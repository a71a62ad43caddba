"""The tree is that of RFC 6962: the published vectors, an independent implementation, and what always holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.store.audit import merkle
from lab39.store.audit.merkle import Frontier, leaf_hash, node_hash, root

# The test tree of certificate-transparency (transparency-dev/merkle, testonly/reference_test.go).
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D, E, F = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
)
INCLUSION = [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[4]]), (2, 3, [ROOTS[2]]), (1, 5, [ROOTS[1], B, D])]
CONSISTENCY = [
    (1, 1, []),
    (1, 8, [A, B, C]),
    (6, 8, [F, E, ROOTS[4]]),
    (2, 5, [B, D]),
    (6, 7, [F, "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f", ROOTS[4]]),
]


def ranges(leaves: Sequence[bytes]) -> merkle.RangeRoot:
    return lambda start, end: root(leaves[start:end])


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(str(i).encode()) for i in range(count)]


def recursive(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(recursive(leaves[:k]), recursive(leaves[k:]))


def grown(leaves: Sequence[bytes]) -> Frontier:
    tree = Frontier()
    for leaf in leaves:
        tree, _ = tree.append(leaf)
    return tree


@pytest.mark.parametrize("size", range(9))
def test_golden_roots_of_the_published_tree(size: int):
    assert root(LEAVES[:size]).hex() == ROOTS[size]
    assert grown(LEAVES[:size]).root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_golden_inclusion_paths(index: int, size: int, path: list[str]):
    found = merkle.inclusion_path(index, size, ranges(LEAVES[:size]))
    assert [each.hex() for each in found] == path
    assert merkle.verify_inclusion(LEAVES[index], index, size, found, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_golden_consistency_paths(old: int, new: int, path: list[str]):
    found = merkle.consistency_path(old, new, ranges(LEAVES[:new]))
    assert [each.hex() for each in found] == path
    assert merkle.verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), found)


@given(st.integers(0, 700))
def test_the_root_is_the_recursion_of_the_rfc(size: int):
    leaves = leaves_of(size)
    assert root(leaves) == recursive(leaves) == grown(leaves).root()


@given(st.integers(1, 120), st.data())
def test_an_independent_implementation_gives_the_same_roots_and_paths(size: int, data: st.DataObject):
    from pymerkle import InmemoryTree

    theirs = InmemoryTree(algorithm="sha256")
    words = [str(i).encode() for i in range(size)]
    for word in words:
        theirs.append_entry(word)
    leaves = [leaf_hash(word) for word in words]
    assert theirs.get_root(size) == root(leaves)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    ours = merkle.inclusion_path(index, size, ranges(leaves))
    assert theirs.prove_inclusion(index + 1, size).path[1:] == list(ours)
    assert theirs.get_root(old) == root(leaves[:old])


@given(st.integers(1, 300), st.data())
def test_every_inclusion_proof_verifies_and_no_altered_one_does(size: int, data: st.DataObject):
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_path(index, size, ranges(leaves))
    top = root(leaves)
    assert merkle.verify_inclusion(leaves[index], index, size, path, top)
    assert not merkle.verify_inclusion(leaf_hash(b"other"), index, size, path, top)
    assert not merkle.verify_inclusion(leaves[index], index, size, [*path, top], top)
    if path:
        assert not merkle.verify_inclusion(leaves[index], index, size, path[:-1], top)
        which = data.draw(st.integers(0, len(path) - 1))
        wrong = [*path[:which], leaf_hash(b"other"), *path[which + 1 :]]
        assert not merkle.verify_inclusion(leaves[index], index, size, wrong, top)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert not merkle.verify_inclusion(leaves[index], other, size, path, top)


@given(st.integers(1, 300), st.data())
def test_every_consistency_proof_verifies_and_no_altered_one_does(new: int, data: st.DataObject):
    leaves = leaves_of(new)
    old = data.draw(st.integers(1, new))
    path = merkle.consistency_path(old, new, ranges(leaves))
    first, second = root(leaves[:old]), root(leaves)
    assert merkle.verify_consistency(old, new, first, second, path)
    assert not merkle.verify_consistency(old, new, leaf_hash(b"other"), second, path)
    assert not merkle.verify_consistency(old, new, first, leaf_hash(b"other"), path)
    assert not merkle.verify_consistency(old, new, first, second, [*path, second])
    for which in range(len(path)):
        wrong = [*path[:which], leaf_hash(b"other"), *path[which + 1 :]]
        assert not merkle.verify_consistency(old, new, first, second, wrong)


@given(st.integers(0, 600))
def test_a_frontier_survives_being_stored(size: int):
    tree = grown(leaves_of(size))
    assert Frontier.from_bytes(size, tree.to_bytes()) == tree


@pytest.mark.parametrize(("size", "packed"), [(1, b""), (0, b"x" * 32), (3, b"x" * 32), (1, b"x" * 31), (-1, b"")])
def test_what_is_not_a_frontier_is_refused(size: int, packed: bytes):
    with pytest.raises(ValueError):
        Frontier.from_bytes(size, packed)


def test_completed_subtrees_are_told_with_their_place():
    tree, told = Frontier(), []
    for leaf in leaves_of(8):
        tree, made = tree.append(leaf)
        told += [(node.level, node.position, node.hash) for node in made]
    leaves = leaves_of(8)
    expected = {(k, i): root(leaves[i << k : (i + 1) << k]) for k in (1, 2, 3) for i in range(8 >> k)}
    assert {(level, position): found for level, position, found in told} == expected


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_proof_of_a_leaf_that_does_not_exist(index: int, size: int):
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_path(index, size, ranges([]))
    assert not merkle.verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3)])
def test_no_proof_that_a_tree_shrank(old: int, new: int):
    with pytest.raises(ValueError, match="did not grow"):
        merkle.consistency_path(old, new, ranges([]))
    assert not merkle.verify_consistency(old, new, LEAVES[0], LEAVES[0], [])
