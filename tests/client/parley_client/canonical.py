"""Canonical msgpack (section 2.3): an encoder, and a decoder that refuses
whatever the encoder would not have written."""

import math
import struct

from .errors import Refused, check

DEPTH = 16
INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1
EXTENSION_OCTETS = 1024
EXTENSION_KEY_MAX = (1 << 31) - 1


class Ext(dict):
    """An extension map (section 2.4): the only one with integer keys."""


def encode(value, depth=0):
    """Canonical octets of None, bool, int, float, str, bytes, list, dict."""
    if value is None:
        return b"\xc0"
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return _int(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return _str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _head(len(value), None, 0xC4, 0xC5, 0xC6) + bytes(value)
    if isinstance(value, Ext):
        depth = 0  # an extension map counts from itself
    check(depth < DEPTH, "nested more than 16 deep", "LIMIT")
    if isinstance(value, (list, tuple)):
        out = _head(len(value), (0x90, 15), None, 0xDC, 0xDD)
        return out + b"".join(encode(v, depth + 1) for v in value)
    if isinstance(value, dict):
        return _map(value, depth)
    raise TypeError(f"msgpack has no form for {type(value).__name__}")


def _int(n):
    check(INT_MIN <= n <= INT_MAX, f"{n} is outside int64")
    if n >= 0:
        if n < 0x80:
            return bytes([n])
        for code, form, top in ((0xCC, ">B", 8), (0xCD, ">H", 16),
                                (0xCE, ">I", 32), (0xCF, ">Q", 64)):
            if n < 1 << top:
                return bytes([code]) + struct.pack(form, n)
    if n >= -32:
        return struct.pack(">b", n)
    for code, form, top in ((0xD0, ">b", 7), (0xD1, ">h", 15),
                            (0xD2, ">i", 31), (0xD3, ">q", 63)):
        if n >= -(1 << top):
            return bytes([code]) + struct.pack(form, n)
    raise AssertionError


def _is_int(f):
    return f == math.floor(f) and INT_MIN <= f < 2.0**63


def _float(f):
    check(math.isfinite(f), "NaN and infinities do not occur")
    return _int(int(f)) if _is_int(f) else b"\xcb" + struct.pack(">d", f)


def _str(text):
    try:
        octets = text.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("a surrogate in a string") from None
    return _head(len(octets), (0xA0, 31), 0xD9, 0xDA, 0xDB) + octets


def _head(n, fix, one, two, four):
    if fix and n <= fix[1]:
        return bytes([fix[0] | n])
    if one and n < 1 << 8:
        return bytes([one, n])
    if n < 1 << 16:
        return bytes([two]) + struct.pack(">H", n)
    return bytes([four]) + struct.pack(">I", n)


def _map(value, depth):
    if isinstance(value, Ext):
        for key in value:
            check(1 <= key <= EXTENSION_KEY_MAX, f"extension key {key}")
        items = sorted(value.items())
    else:
        check(all(isinstance(k, str) for k in value), "a map key is no string")
        items = sorted(value.items(), key=lambda kv: kv[0].encode())
    out = [_head(len(items), (0x80, 15), None, 0xDE, 0xDF)]
    for key, item in items:
        out += [encode(key), encode(item, depth + 1)]
    octets = b"".join(out)
    if isinstance(value, Ext):
        check(len(octets) <= EXTENSION_OCTETS, "extension map above 1,024",
              "LIMIT")
    return octets


class _Cursor:
    def __init__(self, octets, ext_at):
        self.octets, self.at, self.ext_at = octets, 0, ext_at
        self.base = 0  # nesting above an extension map does not count

    def take(self, n):
        check(len(self.octets) - self.at >= n, "ends early")
        self.at += n
        return self.octets[self.at - n:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self, path=()):
        code = self.take(1)[0]
        if code < 0x80:
            return code
        if code >= 0xE0:
            return code - 0x100
        if code < 0x90:
            return self.map(code & 0x0F, path)
        if code < 0xA0:
            return self.array(code & 0x0F, path)
        if code < 0xC0:
            return self.text(code & 0x1F)
        if code in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[code]
        if code in _INTS:
            return self.integer(*_INTS[code])
        if code == 0xCB:
            return self.float64()
        if code in _SIZED:
            return self.sized(*_SIZED[code], path)
        raise Refused(f"octet {code:#04x} begins no value")

    def integer(self, form, low, high):
        n = self.number(form)
        if low >= 0:
            check(n > high, f"{n} has a shorter form")
            check(n <= INT_MAX, f"{n} is outside int64")
        else:
            check(n < low, f"{n} has a shorter or an unsigned form")
        return n

    def float64(self):
        f = self.number(">d")
        check(math.isfinite(f), "NaN and infinities do not occur")
        check(not _is_int(f), f"{f} is an integer")
        return f

    def sized(self, kind, form, shorter, path):
        n = self.number(form)
        check(n > shorter, f"a {kind} of {n} has a shorter form")
        if kind == "bin":
            return bytes(self.take(n))
        if kind == "str":
            return self.text(n)
        return self.array(n, path) if kind == "array" else self.map(n, path)

    def text(self, n):
        try:
            return bytes(self.take(n)).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("a string is not UTF-8") from None

    def nest(self, path):
        if path == self.ext_at:
            self.base = len(path)
        check(len(path) - self.base < DEPTH, "nested more than 16 deep",
              "LIMIT")

    def array(self, n, path):
        self.nest(path)
        # Each element has an octet at least: n is bounded before it counts.
        check(n <= len(self.octets) - self.at, "ends early")
        return [self.value(path + (i,)) for i in range(n)]

    def key(self):
        code = self.octets[self.at] if self.at < len(self.octets) else 0
        nests = 0x80 <= code < 0xA0 or 0xDC <= code <= 0xDF
        check(not nests, "a map key is no string")
        return self.value()

    def map(self, n, path):
        self.nest(path)
        check(2 * n <= len(self.octets) - self.at, "ends early")
        ext = path == self.ext_at
        start = self.at - (1 if n < 16 else 3)
        out, last = Ext() if ext else {}, None
        for _ in range(n):
            key = self.key()
            if ext:
                check(type(key) is int and 1 <= key <= EXTENSION_KEY_MAX,
                      "an extension key is no integer of 1 to 2^31-1")
            else:
                check(isinstance(key, str), "a map key is no string")
            order = key if ext else key.encode()
            check(last is None or last < order,
                  "map keys are not unique and ascending")
            last = order
            out[key] = self.value(path + (key,))
        if ext:
            check(self.at - start <= EXTENSION_OCTETS,
                  "extension map above 1,024", "LIMIT")
        return out


_INTS = {
    0xCC: (">B", 0, 0x7F), 0xCD: (">H", 0, 0xFF), 0xCE: (">I", 0, 0xFFFF),
    0xCF: (">Q", 0, 0xFFFFFFFF), 0xD0: (">b", -32, 0),
    0xD1: (">h", -0x80, 0), 0xD2: (">i", -0x8000, 0),
    0xD3: (">q", -0x80000000, 0),
}
_SIZED = {
    0xC4: ("bin", ">B", -1), 0xC5: ("bin", ">H", 0xFF),
    0xC6: ("bin", ">I", 0xFFFF), 0xD9: ("str", ">B", 31),
    0xDA: ("str", ">H", 0xFF), 0xDB: ("str", ">I", 0xFFFF),
    0xDC: ("array", ">H", 15), 0xDD: ("array", ">I", 0xFFFF),
    0xDE: ("map", ">H", 15), 0xDF: ("map", ">I", 0xFFFF),
}


def decode(octets, ext_at=None):
    """The one value that octets hold. ext_at: where its extension map is,
    a tuple of indexes ((14,) in a record)."""
    cursor = _Cursor(octets, ext_at)
    value = cursor.value()
    check(cursor.at == len(octets), "octets follow the value")
    return value


# -- fixed structures ---------------------------------------------------

INTEGER_MAX = TIME_MAX = (1 << 53) - 1  # section 2.1


def array(value, n, what):
    check(isinstance(value, list) and len(value) == n,
          f"{what} is no array of {n}")
    return value


def integer(value, low, high, what):
    check(type(value) is int and low <= value <= high,
          f"{what} is no integer of {low} to {high}")
    return value


def octets(value, n, what):
    check(isinstance(value, bytes) and (n is None or len(value) == n),
          f"{what} is no bin" + (f" of {n}" if n is not None else ""))
    return value


def text(value, what, longest=None):
    check(isinstance(value, str), f"{what} is no str")
    if longest is not None:
        check(len(value.encode()) <= longest, f"{what} is above {longest}",
              "LIMIT")
    return value


def time(value, what):
    return integer(value, 0, TIME_MAX, what)


def even_key(ext):
    """The first extension key that version 1 must understand, or None."""
    return next((k for k in ext if k % 2 == 0), None)
