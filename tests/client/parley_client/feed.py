"""Frames of the feed (section 8.7)."""

import struct
from dataclasses import dataclass

import nacl.bindings as sodium
import nacl.exceptions

from . import block as blocks
from . import canonical as mp
from . import keys
from .errors import Refused, check

BLOCK, HEAD, LEAVES, CHECKPOINT, COSIGNATURES = 1, 2, 3, 4, 5
OF_LOG = (LEAVES, CHECKPOINT, COSIGNATURES)
SEALED_OCTETS, LEAVES_MAX = 1310000, 256


@dataclass
class Frame:
    tag: bytes
    run: bytes
    generation: int
    number: int
    part: bytes

    @property
    def kind(self):
        return self.part[0]


def clear(run, generation, number):
    return run + struct.pack(">QQ", generation, number)


def seal(dialogue, tag, key, run, generation, number, part, nonce):
    """The three parts of one frame."""
    fields = clear(run, generation, number)
    aad = keys.label("frame") + dialogue + tag + fields
    sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        part, aad, nonce, key)
    return [tag, fields, nonce + sealed]


def read_clear(parts):
    """(tag, run id, generation, frame number): what needs no key."""
    check(len(parts) == 3, "a frame has three parts")
    check(len(parts[0]) == 16 and len(parts[1]) == 32, "tag or clear part")
    generation, number = struct.unpack(">QQ", parts[1][16:])
    return parts[0], parts[1][:16], generation, number


def open_frame(dialogue, key, parts):
    tag, run, generation, number = read_clear(parts)
    check(24 + 16 < len(parts[2]) <= SEALED_OCTETS, "sealed part")
    aad = keys.label("frame") + dialogue + tag + parts[1]
    try:
        part = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            parts[2][24:], aad, parts[2][:24], key)
    except nacl.exceptions.CryptoError:
        raise Refused("a frame that its key does not open") from None
    return Frame(tag, run, generation, number, part)


def block_part(first, octets):
    return bytes([BLOCK]) + struct.pack(">Q", first) + octets


def head_part(size, log_time, last, next_generation=None):
    return bytes([HEAD]) + mp.encode([size, log_time, last, next_generation])


def leaves_part(first, leaves):
    return bytes([LEAVES]) + struct.pack(">Q", first) + b"".join(leaves)


def checkpoint_part(note, cosigned=False):
    kind = COSIGNATURES if cosigned else CHECKPOINT
    return bytes([kind]) + note.encode()


@dataclass
class Head:
    size: int
    log_time: int
    last: int
    next_generation: int = None


def read_part(part):
    """(kind, content): (first, Block) of a block, a Head, (first, hashes)
    of leaves, a note's str; None for what this version passes over."""
    kind, rest = part[0], part[1:]
    if kind == BLOCK:
        check(len(rest) > 8, "a block's frame is cut")
        return kind, (struct.unpack(">Q", rest[:8])[0],
                      blocks.decode(rest[8:]))
    if kind == HEAD:
        v = mp.array(mp.decode(rest), 4, "head")
        for one in v[:3]:
            mp.integer(one, 0, mp.TIME_MAX, "head")
        if v[3] is not None:
            mp.integer(v[3], 1, mp.INTEGER_MAX, "next generation")
        return kind, Head(*v)
    if kind == LEAVES:
        check(len(rest) > 8 and len(rest) % 32 == 8
              and len(rest) <= 8 + 32 * LEAVES_MAX, "leaf hashes")
        return kind, (struct.unpack(">Q", rest[:8])[0],
                      [rest[i:i + 32] for i in range(8, len(rest), 32)])
    if kind in (CHECKPOINT, COSIGNATURES):
        return kind, rest.decode("utf-8")
    return kind, None
