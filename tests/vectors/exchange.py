"""Section 1 of PROTOCOL.md: one message on its whole way, as octets.
exchange.py prints the section; exchange.py PAGE puts it into the page."""

import sys
from pathlib import Path

import world as w  # it finds the client, so it stands first
from parley_client import block, feed, keys, ledger, messages, wire
from parley_client import canonical as mp

COLUMN, WIDTH = 64, 32


def dump(*pieces):
    """Lines of hex, each with its note: pieces are (octets, note)."""
    out = []
    for octets, note in pieces:
        text = octets.hex()
        for at in range(0, len(text), COLUMN):
            line = text[at:at + COLUMN]
            if at == 0 and note:
                line = f"{line:<{COLUMN}}  {note}"
            out.append("    " + line)
    return "\n".join(out)


def pieces(value, notes, octets):
    """Cut a canonical array into (head, element...) with their notes."""
    out, at = [], 1
    for element, note in zip(value, notes):
        part = mp.encode(element)
        assert octets[at:at + len(part)] == part
        out.append((part, note))
        at += len(part)
    assert at == len(octets)
    return [(octets[:1], f"array of {len(value)}")] + out


MARK = w.mark_record(w.ROSTER1, 1, 2, 0)
HEADER, BODY = w.message(w.AFRIPOL, "dialogue/note/1", "Salaam.", 1)
BATCH = messages.sign_batch(w.AFRIPOL, w.DIALOGUE, [HEADER])
RECORD = ledger.Record(ledger.MESSAGE, 2, w.T0 + 200, 1, 0, "dialogue", 1,
                       HEADER.octets, None, None, 1, 0, BATCH.signature)
RECORD.encode()
BLOCK = block.encode([block.place(RECORD, BODY)])
PROMISE = ledger.Promise(1, w.BROKER.id("desk"), w.T0 + 200,
                         [(0, HEADER.id, 2, RECORD.leaf)], [])
PROMISE.sign(w.BROKER, w.DIALOGUE)


def _header():
    prefix = HEADER.prefix()
    octets = mp.encode(prefix)
    rest = HEADER.octets[1 + len(octets):]
    notes = ["format", "dialogue id", "author AFRIPOL/hq", "sign key id",
             "roster version", "lane", "number", "author time",
             "topic dialogue/note/1", "no references", "body format: text",
             "not sealed", "no extensions"]
    return dump((HEADER.octets[:1], "array of 3"),
                *pieces(prefix, notes, octets),
                (rest[:-34], f"body length {HEADER.body_length}"),
                (rest[-34:], "BLAKE2b-256 of the body"))


def _record():
    value = mp.decode(RECORD.octets, ext_at=(14,))
    notes = ["format", "type: message", "sequence", "log time", "epoch",
             "sequence of the roster in force", "channel",
             "channel sequence", "none before on this topic", "no via",
             f"(here the header, {len(HEADER.octets)} octets)", "batch size",
             "index", "batch signature, as above", "no extensions"]
    cut = pieces(value, notes, RECORD.octets)
    cut[11] = (cut[11][0][:2], cut[11][1])
    cut[14] = (cut[14][0][:2], cut[14][1])
    return dump(*cut)


def _block():
    record = len(RECORD.octets)
    batches = 64
    return dump(
        (BLOCK[:4], "PLYB"), (BLOCK[4:8], f"{len(BLOCK)} octets"),
        (BLOCK[8:16], "format, 1 record, 1 batch, 0"),
        (BLOCK[16:24], "first sequence"), (BLOCK[24:32], "XXH3-64"),
        (BLOCK[32:40], f"record of {record}, body of {len(BODY)}"),
        (BLOCK[40:48], "present, 0, batch 0, 0"),
        (BLOCK[48:56], "XXH3-64 of the record"),
        (BLOCK[56:64], "XXH3-64 of the body"),
        (BLOCK[64:72], "batch: kind 0, a run of 1, nothing more"),
        (BLOCK[batches + 8:batches + 10],
         f"(here the record, {record} octets, then the body)"))


def _promise():
    octets = wire.promise_reply(PROMISE)
    value = mp.decode(octets)
    return dump(*pieces(value, [
        "epoch", "log time", "desk key id",
        "accepted: index, sequence, leaf hash", "nothing refused",
        "signature of the desk key"], octets))


def _frame(number):
    kind = feed.block_part(1, BLOCK)
    return feed.seal(w.DIALOGUE, w.fixed("tag dialogue", 16),
                     w.fixed("key dialogue"), w.RUN, w.GENERATION, number,
                     kind, w.fixed("nonce exchange", 24))


def section():
    request = wire.request("publish", 7, w.RUN)[0]
    reply = wire.reply("publish", 7, w.RUN)[0]
    head = BATCH.head()
    headers, _ = messages.join_headers([HEADER.octets], [BODY])
    signed = messages.batch_octets(w.DIALOGUE, BATCH.author, BATCH.channel, 1,
                                   HEADER.id)
    tag, clear, sealed = _frame(1)
    promised = PROMISE.signed_octets(w.DIALOGUE)
    return TEXT.format(
        seed=w.AFRIPOL.seed.hex(), desk_seed=w.BROKER.seed.hex(),
        sign=w.AFRIPOL.public["sign"].hex(),
        desk=w.BROKER.public["desk"].hex(),
        body=dump((BODY[:16], "salt"), (BODY[16:], "Salaam.")),
        header=_header(), id=HEADER.id.hex(),
        signed=dump((keys.label("batch"), "label batch"), *pieces(
            mp.decode(signed), ["dialogue id", "author", "channel",
                                "batch size", "root"], signed)),
        signature=dump((BATCH.signature, "")),
        frame0=dump(*pieces(mp.decode(request), [
            "parley", "version", "type: publish", "request id", "run id"],
            request)),
        head=dump(*pieces(mp.decode(head), [
            "author", "channel", "size", "sign key id", "signature, as "
            "above", "no via"], head)[:5], (head[-67:-65],
                                            "signature, as above"),
            (head[-1:], "no via")),
        headers=dump((headers[:8], f"lengths {len(HEADER.octets)} and "
                                   f"{len(BODY)}; then the header")),
        record=_record(), leaf=RECORD.leaf.hex(), block=_block(),
        reply=dump((reply, "type 2 + 128")), promise=_promise(),
        entry=dump((ledger.accepted_entry(HEADER.id, 2, RECORD.leaf), "")),
        promised=dump((keys.label("promise"), "label promise"), *pieces(
            mp.decode(promised), [
                "dialogue id", "epoch", "desk key id", "log time",
                "accepted count", "accepted root: LEAF of that entry",
                "refused count", "refused root: of nothing"], promised)),
        tag=dump((tag, "tag"), (clear[:16], "clear: run id"),
                 (clear[16:24], "generation"), (clear[24:], "frame number"),
                 (sealed[:24], "sealed: nonce"),
                 (sealed[24:56], f"... {len(sealed) - 24} octets, of the "
                                 "part below")),
        part=dump((b"\x01", "kind: a block"),
                  (b"\0\0\0\0\0\0\0\1", "number in the stream; the block")),
        key=w.fixed("key dialogue").hex())


TEXT = """\
## 1. An exchange
AFRIPOL/hq publishes one text on the channel `dialogue`. All numbers here are of the vectors in `tests/vectors`, made
from fixed seeds: the author's is `{seed}`, with which
the *sign* key is `{sign}`; the broker's is
`{desk_seed}`, the *desk* key
`{desk}`.

The body (6.2), and the header (6.1) that holds its digest:

{body}

{header}

The message id is LEAF of that: `{id}`. It is the
batch root of a batch of one. The author signs (6.3) these octets, and gets this signature:

{signed}

{signature}

The publish request (8.1, 8.4) has four frames. The first three begin so; the last is the body:

{frame0}

{head}

{headers}

The broker judges, and makes record 2 (7.1); records 0 and 1 are the roster and its mark:

{record}

Its leaf hash is `{leaf}`. The block (7.2), which goes to
the journal as it is:

{block}

Once that is synced the promise is signed. There is one accepted entry (7.3), and these are the octets signed:

{entry}

{promised}

The reply has two frames (8.1, 8.4):

{reply}

{promise}

The feed's frame (8.7) has three parts. What is sealed, with the stream's key
`{key}`, is the part that follows:

{tag}

{part}

"""


if __name__ == "__main__":
    if not sys.argv[1:]:
        print(section(), end="")
        sys.exit()
    page = Path(sys.argv[1])
    begin, end = "<!-- exchange: begin -->\n", "<!-- exchange: end -->"
    before, rest = page.read_text().split(begin)
    page.write_text(before + begin + section() + end + rest.split(end)[1])
