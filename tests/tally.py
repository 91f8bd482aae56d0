"""Count test cases from what meson (testlog.json, cmocka's TAP inside) and
pytest (JUnit XML) wrote: prints "PASSED FAILED SKIPPED".

usage: tally.py meson|junit FILE
"""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree

PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)
CASE = re.compile(r"^(not ok|ok) \d+(?: - \S+)?( # SKIP)?", re.MULTILINE)


def program(test):
    """One program's cases. Where it failed, so has each case that it planned
    and did not report as passed: it died there."""
    output = test.get("stdout") or ""
    cases = CASE.findall(output)
    skipped = sum(1 for _, skip in cases if skip)
    passed = sum(1 for word, skip in cases if word == "ok" and not skip)
    planned = sum(int(n) for n in PLAN.findall(output))
    rest = max(planned - passed - skipped, 0)
    if test["result"] == "SKIP":
        return 0, 0, max(skipped, 1)
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        return passed + rest + (not cases), 0, skipped
    return passed, max(rest, 1), skipped


def meson(path):
    with open(path, encoding="utf-8") as lines:
        return [program(json.loads(line)) for line in lines]


def junit(path):
    counts = []
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        failed = int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
        passed = int(suite.get("tests")) - failed - skipped
        counts.append((passed, failed, skipped))
    return counts


if __name__ == "__main__":
    rows = {"meson": meson, "junit": junit}[sys.argv[1]](sys.argv[2])
    print(*(sum(row[i] for row in rows) for i in range(3)))
