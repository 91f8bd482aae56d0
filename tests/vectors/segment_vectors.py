"""segment.json."""
import world as w
from format_vectors import hs, places
from identity_vectors import good
from parley_client import block, segment

SEED = int.from_bytes(w.fixed("segment's seed", 8), "big")


def segment_vectors():
    groups = [[block.encode(places(0, 1))],
              [block.encode(places(2, 7)), block.encode(places(8, 8)),
               block.encode(places(9, 10))]]
    octets = segment.make(w.DIALOGUE, 0, 1, 0, SEED, groups)
    ahead = octets + segment.group_header(3, len(octets), SEED)
    out = {"dialogue": w.DIALOGUE.hex(), "first": 0, "group": 1, "before": 0,
           "seed": f"{SEED:016x}",
           "groups": [hs(g) for g in groups]}
    ends = [80, 80 + 64 + len(b"".join(groups[0])), len(octets)]
    segment.read(ahead)
    return [
        good("two groups", "segment", {"hex": octets.hex()}, out),
        good("two groups, and the header of the next", "segment",
             {"hex": ahead.hex()}, dict(out, next_group=3)),
        *_bad_segments(octets, ends)]


def _bad_segments(octets, ends):
    """Edits of the first vector, which is too long to stand here often."""
    def flip(name, error, at):
        return {"name": f"segment: {name}", "kind": "segment",
                "of": "two groups", "flip": at, "error": error}

    def cut(name, error, at):
        return {"name": f"segment: {name}", "kind": "segment",
                "of": "two groups", "cut": at, "error": error}

    return [
        flip("magic", "PLYSEG", 0), flip("version", "PLYSEG", 7),
        flip("dialogue id", "header's checksum", 8),
        flip("first sequence", "header's checksum", 47),
        flip("seed", "header's checksum", 71),
        flip("checksum", "header's checksum", 79),
        flip("group's magic", "group header", ends[0]),
        flip("group's number", "group header", ends[0] + 15),
        flip("group's offset", "group header", ends[0] + 23),
        flip("a block", "group's end", ends[0] + 32 + 400),
        flip("end's magic", "group's end", ends[1] - 32),
        flip("end's count of blocks", "group's end", ends[1] - 25),
        flip("end's checksum", "group's end", ends[1] - 1),
        cut("header cut", "header", 79),
        cut("torn group", "group's end", len(octets) - 1),
    ]
