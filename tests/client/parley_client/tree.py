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


class Tree:
    """One that grows: the roots of its full subtrees, highest first."""

    def __init__(self, leaves=()):
        self.size, self.stack = 0, []
        for one in leaves:
            self.add(one)

    def add(self, leaf_hash):
        self.add_full(0, leaf_hash)

    def add_full(self, height, subtree):
        """The root of a full subtree of 2^height leaves stands next."""
        check(self.size % (1 << height) == 0, f"a subtree of 2^{height} at "
              f"{self.size}")
        self.stack.append(subtree)
        full = self.size >> height
        while full & 1:
            right, left = self.stack.pop(), self.stack.pop()
            self.stack.append(node(left, right))
            full >>= 1
        self.size += 1 << height

    def root(self):
        if not self.stack:
            return sha256(b"")
        out = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            out = node(left, out)
        return out

    def add_cover(self, to, hashes):
        """What a cover (section 8.12) says of the entries up to `to`."""
        heights = cover_heights(self.size, to)
        check(len(heights) == len(hashes), f"a cover of {len(hashes)} for "
              f"{self.size} to {to}")
        for height, one in zip(heights, hashes):
            self.add_full(height, one)


def cover_heights(first, to):
    """Heights of the fewest full aligned subtrees that hold the entries
    from `first` up to `to`, left to right."""
    check(first < to, f"a cover from {first} to {to}")
    out = []
    while first < to:
        height = (to - first).bit_length() - 1
        while first % (1 << height):
            height -= 1
        out.append(height)
        first += 1 << height
    return out


def cover(first, to, leaves):
    out, at = [], first
    for height in cover_heights(first, to):
        out.append(root_of_leaves(leaves[at:at + (1 << height)]))
        at += 1 << height
    return out


def consistency(older, leaves):
    """The proof of RFC 6962 section 2.1.2, from `older` to all leaves."""
    check(0 < older <= len(leaves), f"{older} of {len(leaves)}")
    return _subproof(older, leaves, True)


def _subproof(m, leaves, whole):
    if m == len(leaves):
        return [] if whole else [root_of_leaves(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return (_subproof(m, leaves[:k], whole)
                + [root_of_leaves(leaves[k:])])
    return (_subproof(m - k, leaves[k:], False)
            + [root_of_leaves(leaves[:k])])


def check_consistency(older, older_root, size, root_hash, proof):
    """Does the proof show that root_hash extends older_root? Refused."""
    check(0 < older <= size, f"sizes {older} and {size}")
    nodes = list(proof)
    found = _both_roots(older, size, nodes, older_root, True)
    check(not nodes, "the proof is too long")
    check(found == (older_root, root_hash), "the proof shows another root")


def _both_roots(m, n, nodes, older_root, whole):
    """(the older root, the newer one) of a subtree of n leaves of which m
    are of the older tree; takes its nodes from the end of the proof."""
    if m == n:
        if whole:
            return older_root, older_root
        check(nodes, "the proof is too short")
        one = nodes.pop()
        return one, one
    check(nodes, "the proof is too short")
    k, last = _split(n), nodes.pop()
    if m <= k:
        old, new = _both_roots(m, k, nodes, older_root, whole)
        return old, node(new, last)
    old, new = _both_roots(m - k, n - k, nodes, older_root, False)
    return node(last, old), node(last, new)
