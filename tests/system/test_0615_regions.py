"""deploy/taxonomy/regions.py makes the countries and regions that we ship."""
import json
import pathlib
import subprocess

import pytest

from conftest import ROOT

SCRIPT = ROOT / "deploy" / "taxonomy" / "regions.py"
TAXONOMY = ROOT / "deploy" / "sample" / "taxonomy.json"
SOURCES = ("/usr/share/iso-codes/json/iso_3166-1.json",
           "/usr/share/unicode/cldr/common/main/en.xml")


def run(*arguments):
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True,
                          timeout=60, check=False)


@pytest.fixture(name="sources", autouse=True)
def _sources():
    for path in SOURCES:
        if not pathlib.Path(path).exists():
            pytest.skip(f"{path} is not installed")


def test_missing_sources():
    done = run("--iso", "/nonexistent")
    assert done.returncode == 1
    assert "/nonexistent is missing: install iso-codes" in done.stderr


def test_what_we_ship():
    made = json.loads(run().stdout)
    assert made == json.loads(TAXONOMY.read_text())["regions"]
    done = run("--check", TAXONOMY)
    assert (done.returncode, done.stdout) == (0, "the regions are equal\n")


def test_differences_in_words(tmp_path):
    taxonomy = json.loads(TAXONOMY.read_text())
    regions = taxonomy["regions"]
    regions["250"]["title"] = "Francia"
    regions["056"]["alpha2"] = "BX"
    del regions["040"]
    regions["155"]["parts"].remove("040")
    regions["155"]["parts"].append("158")
    regions["158"] = {"title": "Taiwan", "alpha2": "TW"}
    path = tmp_path / "taxonomy.json"
    path.write_text(json.dumps(taxonomy))
    done = run("--check", path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "040 Austria: is not in the file",
        "056 Belgium: has the letters BX, in the packages BE",
        "155 Western Europe: lacks 040",
        "155 Western Europe: has 158 beside",
        "158 Taiwan: is only in the file",
        "250 Francia: is named 'France' in the packages",
    ]
