"""Files of the ledger (section 7.6): reading and making segments."""

import struct
from dataclasses import dataclass

from . import block as blocks
from .block import xxh3
from .errors import check

MAGIC, HEADER, FRAME = b"PLYSEG\0\1", 80, 32
GROUP_OCTETS = 8388608


@dataclass
class Segment:
    dialogue: bytes
    first: int  # sequence of the first record
    group: int  # number of the first group
    before: int  # octets of the segment before it
    seed: int
    groups: list  # [(group number, [block octets])]
    open_header: int = None  # a header at the end, of a group not written


def header(dialogue, first, group, before, seed):
    octets = MAGIC + dialogue + struct.pack(">QQQQ", first, group, before,
                                            seed)
    return octets + struct.pack(">Q", xxh3(octets))


def group_header(number, offset, seed):
    octets = b"PLYG" + struct.pack(">IQQ", 0, number, offset)
    return octets + struct.pack(">Q", xxh3(octets, seed))


def group_end(blocks_octets, seed):
    joined = b"".join(blocks_octets)
    octets = b"PLYE" + struct.pack(">IQQ", len(blocks_octets), len(joined),
                                   xxh3(joined, seed))
    return octets + struct.pack(">Q", xxh3(octets, seed))


def make(dialogue, first, group, before, seed, groups):
    out = header(dialogue, first, group, before, seed)
    for i, group_blocks in enumerate(groups):
        out += group_header(group + i, len(out), seed)
        out += b"".join(group_blocks) + group_end(group_blocks, seed)
    return out


def read(octets):
    """A whole Segment; Refused where any octet of it is not as it should
    be. (What a broker does with a torn end is section 7.6's recovery.)"""
    check(len(octets) >= HEADER, "a segment's header is cut")
    check(octets[:8] == MAGIC, "no segment")
    first, group, before, seed, checksum = struct.unpack(
        ">QQQQQ", octets[40:HEADER])
    check(xxh3(octets[:72]) == checksum, "the header's checksum differs")
    out = Segment(octets[8:40], first, group, before, seed, [])
    at, number, sequence = HEADER, group, first
    while at < len(octets):
        _check_group_header(octets, at, number, seed)
        at += FRAME
        if at == len(octets):
            out.open_header = number
            break
        group_blocks, at = _group(octets, at, seed)
        for one in group_blocks:
            block = blocks.decode(one)
            check(block.first == sequence, "a block out of sequence")
            sequence += len(block.places)
        out.groups.append((number, group_blocks))
        number += 1
    return out


def _check_group_header(octets, at, number, seed):
    check(octets[at:at + FRAME] == group_header(number, at, seed),
          f"no header of group {number} at {at}")


def _group(octets, at, seed):
    """([block octets], where it ends)."""
    start, group_blocks = at, []
    while octets[at:at + 4] == blocks.MAGIC:
        check(len(octets) - at >= 8, "a group is cut")
        size = struct.unpack(">I", octets[at + 4:at + 8])[0]
        check(blocks.FIXED < size <= len(octets) - at, "a group is cut")
        group_blocks.append(octets[at:at + size])
        at += size
        check(at - start <= GROUP_OCTETS, "group above 8,388,608", "LIMIT")
    check(group_blocks, "a group without blocks")
    check(octets[at:at + FRAME] == group_end(group_blocks, seed),
          "the group's end does not match")
    return group_blocks, at + FRAME
