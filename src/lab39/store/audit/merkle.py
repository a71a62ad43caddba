"""The Merkle tree of RFC 6962 (section 2.1) and RFC 9162 (section 2.1): pure functions on hashes.

A *leaf* here is always a leaf hash (32 bytes). A tree of ``size`` leaves is known by its *frontier*: the roots of
the complete subtrees it is made of, the largest first, one for each bit of ``size``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
"""Root of a tree without leaves (RFC 6962, 2.1)."""

RangeRoot = Callable[[int, int], bytes]
"""``(start, end)`` gives the root of the leaves ``start`` to ``end - 1``."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf's data (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Root of a list of leaf hashes (RFC 6962, 2.1); the odd one of a level goes up as it is."""
    if not leaves:
        return EMPTY
    level = list(leaves)
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)] + odd
    return level[0]


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree: the leaves from ``position << level`` on, ``1 << level`` of them."""

    level: int
    position: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree that can grow, in as many hashes as ``size`` has bits set."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.nodes) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves is not {len(self.nodes)} subtrees")

    def append(self, leaf: bytes) -> tuple[Frontier, tuple[Node, ...]]:
        """The tree with one leaf more, and the subtrees that it completes, the smallest first."""
        nodes, made, node, level = list(self.nodes), [], leaf, 0
        while (self.size >> level) & 1:
            node = node_hash(nodes.pop(), node)
            level += 1
            made.append(Node(level, self.size >> level, node))
        return Frontier(self.size + 1, (*nodes, node)), tuple(made)

    def root(self) -> bytes:
        """Root of the whole tree."""
        if not self.nodes:
            return EMPTY
        *left, found = self.nodes
        for node in reversed(left):
            found = node_hash(node, found)
        return found

    def to_bytes(self) -> bytes:
        """The subtrees one after the other."""
        return b"".join(self.nodes)

    @classmethod
    def from_bytes(cls, size: int, packed: bytes) -> Frontier:
        """Read back what :meth:`to_bytes` gave.

        Raises:
            ValueError: the bytes are not the frontier of a tree of that size.
        """
        if len(packed) % HASH_BYTES:
            raise ValueError("not a whole number of hashes")
        return cls(size, tuple(packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES)))


def inclusion_path(index: int, size: int, range_root: RangeRoot) -> tuple[bytes, ...]:
    """Proof that a leaf is in a tree (RFC 9162, 2.1.3.1), from the leaf's side up.

    Args:
        index: of the leaf, from 0.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_root(middle, end))
            end = middle
        else:
            path.append(range_root(start, middle))
            start = middle
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether a proof leads from a leaf to a root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for node in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(node, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, node)
        here, last = here >> 1, last >> 1
    return last == 0 and found == expected


def consistency_path(old: int, new: int, range_root: RangeRoot) -> tuple[bytes, ...]:
    """Proof that a tree of ``old`` leaves grew into one of ``new`` (RFC 9162, 2.1.4.1).

    Raises:
        ValueError: the old tree is empty or larger.
    """
    if not 0 < old <= new:
        raise ValueError(f"a tree of {old} leaves did not grow into one of {new}")
    path, start, end, whole = [], 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_root(middle, end))
            end = middle
        else:
            path.append(range_root(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(range_root(start, end))
    return tuple(reversed(path))


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a proof shows that the old root is that of the first leaves of the new tree (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    nodes = [old_root, *path] if old.bit_count() == 1 else list(path)
    if not path:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    found_old = found_new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            found_old, found_new = node_hash(node, found_old), node_hash(node, found_new)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found_new = node_hash(found_new, node)
        here, last = here >> 1, last >> 1
    return last == 0 and found_old == old_root and found_new == new_root


def _split(count: int) -> int:
    """The largest power of two smaller than ``count`` (``count`` > 1)."""
    return 1 << ((count - 1).bit_length() - 1)
