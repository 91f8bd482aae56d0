#!/usr/bin/python3
"""Countries and regions of taxonomy.json, made from Debian's packages.

Codes and names of countries from iso-codes (ISO 3166-1); the regions that hold
them and their names from unicode-cldr-core. Nothing is fetched. Prints the
object "regions"; with --check FILE, says how those of FILE differ, and exits
with 1 where they do.
"""
import argparse
import json
import os
import sys
import xml.etree.ElementTree as ET

ISO = "/usr/share/iso-codes/json/iso_3166-1.json"
CLDR = "/usr/share/unicode/cldr/common"
WORLD = "001"
# Regions of M49 that CLDR lists as other groupings of the same parts. Its 003
# (North America) cuts across 419, so M49's tree does not have it.
INTERMEDIATE = ("202", "419")
# ISO 3166-1 has a code for it, M49 and the taxonomy's version 1 have none.
NOT_M49 = {"TW"}
# Where CLDR's names of regions are not M49's.
TITLES = {
    WORLD: "World",
    "035": "South-eastern Asia",
    "053": "Australia and New Zealand",
    "057": "Micronesia",
    "419": "Latin America and the Caribbean",
}


def countries(path):
    """By alpha-2 code: the number, and the name that is in use."""
    with open(path, encoding="utf-8") as f:
        found = json.load(f)["3166-1"]
    return {c["alpha_2"]: (c["numeric"], c.get("common_name", c["name"]))
            for c in found if c["alpha_2"] not in NOT_M49}


def names(cldr):
    """English names by code; alternatives (short, variant) are passed over."""
    tree = ET.parse(os.path.join(cldr, "main", "en.xml"))
    found = tree.iterfind("localeDisplayNames/territories/territory")
    return {t.get("type"): t.text for t in found if t.get("alt") is None}


def contained(cldr):
    """Parts by code; without deprecated ones and CLDR's other groupings."""
    tree = ET.parse(os.path.join(cldr, "supplemental", "supplementalData.xml"))
    out = {}
    for group in tree.iterfind("territoryContainment/group"):
        if group.get("status") is None:
            out[group.get("type")] = group.get("contains").split()
    return out


def tree_of(groups):
    """The regions below World, with M49's intermediate ones put in."""
    for code in INTERMEDIATE:
        for parts in groups.values():
            if parts is not groups[code] and set(groups[code]) <= set(parts):
                parts[:] = [p for p in parts if p not in groups[code]] + [code]
    wanted, open_codes = [], [WORLD]
    while open_codes:
        code = open_codes.pop()
        if code.isdigit() and code in groups:
            wanted.append(code)
            open_codes.extend(groups[code])
    return {code: groups[code] for code in wanted}


def generate(iso, cldr):
    known_countries, titles = countries(iso), {**names(cldr), **TITLES}
    numbers = {a: number for a, (number, _) in known_countries.items()}
    out = {number: {"title": title, "alpha2": alpha2}
           for alpha2, (number, title) in known_countries.items()}
    tree = tree_of(contained(cldr))
    for code, parts in tree.items():
        # CLDR's own: parts of countries, Kosovo, outlying islands
        known = [numbers.get(p, p) for p in parts if p in numbers or p in tree]
        out[code] = {"title": titles[code], "parts": sorted(known)}
    return dict(sorted(out.items()))


def differences(made, there):
    """Sentences: what the file has otherwise than what was made."""
    for code in sorted(set(made) | set(there)):
        if code not in there:
            yield "%s %s: is not in the file" % (
                code, made[code]["title"])
        elif code not in made:
            yield "%s %s: is only in the file" % (
                code, there[code]["title"])
        else:
            yield from entry_differences(code, made[code], there[code])


def entry_differences(code, made, there):
    name = "%s %s" % (code, there.get("title"))
    if made["title"] != there.get("title"):
        yield "%s: is named '%s' in the packages" % (name, made["title"])
    if made.get("alpha2") != there.get("alpha2"):
        yield "%s: has the letters %s, in the packages %s" % (
            name, there.get("alpha2"), made.get("alpha2"))
    here, other = set(made.get("parts", ())), set(there.get("parts", ()))
    if here - other:
        yield "%s: lacks %s" % (name, ", ".join(sorted(here - other)))
    if other - here:
        yield "%s: has %s beside" % (name, ", ".join(sorted(other - here)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", metavar="FILE",
                        help="compare with the regions of that taxonomy")
    parser.add_argument("--iso", default=ISO, metavar="FILE")
    parser.add_argument("--cldr", default=CLDR, metavar="DIR")
    options = parser.parse_args()
    try:
        made = generate(options.iso, options.cldr)
    except FileNotFoundError as e:
        sys.exit("%s is missing: install iso-codes and unicode-cldr-core"
                 % e.filename)
    if not options.check:
        print(json.dumps(made, indent=1, ensure_ascii=False))
        return
    with open(options.check, encoding="utf-8") as f:
        found = list(differences(made, json.load(f)["regions"]))
    print("\n".join(found) if found else "the regions are equal")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
