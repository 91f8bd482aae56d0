"""RFC 6962 trees with SHA-256 (section 2.1)."""

import hashlib

from .errors import check


def sha256(octets):
    return hashlib.sha256(octets).digest()


def leaf(entry):
    return sha256(b"\0" + entry)


def node(left, right):
    return sha256(b"\1" + left + right)


def root(entries):
    return root_of_leaves([leaf(e) for e in entries])


def _split(n):
    """The largest power of two below n."""
    return 1 << ((n - 1).bit_length() - 1)


def root_of_leaves(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node(root_of_leaves(leaves[:k]), root_of_leaves(leaves[k:]))


def path(index, leaves):
    """The audit path of RFC 6962 section 2.1.1, lowest node first."""
    if len(leaves) <= 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + [root_of_leaves(leaves[k:])]
    return path(index - k, leaves[k:]) + [root_of_leaves(leaves[:k])]


def path_length(index, size):
    """How many nodes the path of this index has in a tree of this size."""
    check(0 <= index < size, f"index {index} in a tree of {size}")
    n = 0
    while size > 1:
        k = _split(size)
        if index < k:
            size = k
        else:
            index, size = index - k, size - k
        n += 1
    return n


def root_from_path(leaf_hash, index, size, nodes):
    """The root that a path leads to; Refused where its length is wrong."""
    check(len(nodes) == path_length(index, size),
          f"a path of {len(nodes)} nodes for {index} of {size}")
    return _climb(leaf_hash, index, size, list(nodes))


def _climb(hash_, index, size, nodes):
    if size == 1:
        return hash_
    k, last = _split(size), nodes[-1]
    if index < k:
        return node(_climb(hash_, index, k, nodes[:-1]), last)
    return node(last, _climb(hash_, index - k, size - k, nodes[:-1]))
