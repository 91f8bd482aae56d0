"""Write the vectors of this folder anew: make.py [FOLDER]. Deterministic."""

import json
import sys
from pathlib import Path

import format_vectors as f
import identity_vectors as i
import proof_vectors as p
import segment_vectors as s
import wire_vectors as x

FILES = {
    "keys": i.keys_vectors, "notes": i.notes_vectors,
    "names": i.names_vectors, "roster": i.roster_vectors,
    "canonical": f.canonical_vectors, "tree": f.tree_vectors,
    "messages": f.messages_vectors, "records": f.records_vectors,
    "blocks": f.blocks_vectors, "segment": s.segment_vectors,
    "promises": x.promises_vectors, "wire": x.wire_vectors,
    "feed": x.feed_vectors, "proofs": p.proofs_vectors,
}


def octets(name):
    """What NAME.json has to hold."""
    return json.dumps(FILES[name](), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1] if sys.argv[1:] else Path(__file__).parent)
    for name in FILES:
        (folder / f"{name}.json").write_text(octets(name))
