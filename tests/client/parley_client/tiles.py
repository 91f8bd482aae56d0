"""Tiles in a folder (C2SP tlog-tiles; section 8.15)."""

import struct
from pathlib import Path

from . import checkpoint, tree
from .errors import check

WIDTH = 256


def tile_path(level, index, width=WIDTH):
    """level: a number, or "entries"."""
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03d}")
    end = f".p/{width}" if width < WIDTH else ""
    return f"tile/{level}/{'/'.join(parts)}{end}"


def tiles_of(size, level=0):
    """[(index, width)] of a level in a tree of this size."""
    n = size // WIDTH ** level
    out = [(i, WIDTH) for i in range(n // WIDTH)]
    return out + ([(n // WIDTH, n % WIDTH)] if n % WIDTH else [])


def levels_of(size):
    level = 0
    while size // WIDTH ** level:
        level += 1
    return range(level)


class Tiles:
    """A folder as a static server would offer it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.note = (self.folder / "checkpoint").read_text()
        self.point, _, _ = checkpoint.read(self.note)

    def tile(self, level, index, width):
        octets = (self.folder / tile_path(level, index, width)).read_bytes()
        check(len(octets) == 32 * width, f"tile {level}/{index} of "
              f"{len(octets)} octets")
        return [octets[i:i + 32] for i in range(0, len(octets), 32)]

    def level(self, level):
        """All hashes of a level."""
        return [one for index, width in tiles_of(self.point.size, level)
                for one in self.tile(level, index, width)]

    def leaves(self):
        return self.level(0)

    def verify(self):
        """Every tile agrees with the level below it, and the root is the
        checkpoint's; the leaf hashes."""
        below = leaves = self.leaves()
        check(tree.root_of_leaves(leaves) == self.point.root,
              "the tiles give another root")
        for level in levels_of(self.point.size)[1:]:
            here = self.level(level)
            want = [tree.root_of_leaves(below[i * WIDTH:(i + 1) * WIDTH])
                    for i in range(len(here))]
            check(here == want, f"level {level} is not of the one below")
            below = here
        return leaves

    def root_from_above(self):
        """The root from the fewest tiles: as one who has no leaves does."""
        found = tree.Tree()
        for level in reversed(levels_of(self.point.size)):
            for index, width in tiles_of(self.point.size, level)[-1:]:
                if width == WIDTH:
                    continue
                for one in self.tile(level, index, width):
                    found.add_full(8 * level, one)
        return found.root()

    def files(self):
        """Paths of all files, below the folder."""
        return sorted(str(p.relative_to(self.folder))
                      for p in self.folder.rglob("*") if p.is_file())

    def expected_files(self, entries=()):
        """What has to be there; entries: indexes of entry bundles."""
        size = self.point.size
        out = [tile_path(level, *one) for level in levels_of(size)
               for one in tiles_of(size, level)]
        out += [tile_path("entries", *one) for one in tiles_of(size)
                if one[0] in entries]
        return sorted(["checkpoint", *out])

    def entries(self, index):
        """The entries of a bundle, each of which is its leaf."""
        width = dict(tiles_of(self.point.size))[index]
        octets = (self.folder / tile_path("entries", index,
                                          width)).read_bytes()
        out = []
        while octets:
            check(len(octets) >= 2, "an entry bundle is cut")
            n = struct.unpack(">H", octets[:2])[0]
            check(len(octets) >= 2 + n, "an entry bundle is cut")
            out.append(octets[2:2 + n])
            octets = octets[2 + n:]
        check([tree.leaf(one) for one in out]
              == self.tile(0, index, width), "an entry that is not its leaf")
        return out


def write(folder, leaves, note):
    """The tiles of these leaves, and the checkpoint of their tree."""
    folder = Path(folder)
    size, here = len(leaves), list(leaves)
    for level in levels_of(size):
        for index, width in tiles_of(size, level):
            path = folder / tile_path(level, index, width)
            path.parent.mkdir(parents=True, exist_ok=True)
            start = index * WIDTH
            path.write_bytes(b"".join(here[start:start + width]))
        here = [tree.root_of_leaves(here[i:i + WIDTH])
                for i in range(0, len(here) // WIDTH * WIDTH, WIDTH)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint").write_text(note)
