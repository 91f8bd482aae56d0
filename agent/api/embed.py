"""Writes a JSON document as a C array: embed.py INPUT OUTPUT NAME.

It is parsed on the way, so that a document that is none stops the build.
"""
import json
import sys


def main():
    source, output, name = sys.argv[1:]
    with open(source, encoding="utf-8") as f:
        octets = json.dumps(json.load(f), separators=(",", ":")).encode()
    with open(output, "w", encoding="ascii") as f:
        f.write("static const unsigned char %s[] = {\n" % name)
        for at in range(0, len(octets), 16):
            f.write(" ".join("%d," % o for o in octets[at:at + 16]) + "\n")
        f.write("};\n")


main()
