"""What the system tests share: where the programs are, and how to run them."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PARLEY_BUILD", ROOT / "build")).resolve()
SAMPLE = ROOT / "deploy" / "sample"


def program(name):
    """Path of a built program; the test is skipped where it is not built."""
    folder = "broker" if name == "parley-broker" else "agent"
    path = BUILD / folder / name
    if not path.exists():
        pytest.skip(f"{path} is not built")
    return str(path)


class Answer:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def json(self):
        """The objects printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


@pytest.fixture
def parley(tmp_path):
    """parley(words...) runs the command line in the test's folder. Asserts the
    exit code, 0 unless code= says another."""
    path = program("parley")

    def run(*words, code=0, env=None, stdin=""):
        done = subprocess.run(
            [path, *map(str, words)], cwd=tmp_path, input=stdin,
            capture_output=True, text=True, timeout=60,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
        answer = Answer(done)
        assert answer.code == code, answer
        return answer

    return run


@pytest.fixture(scope="session")
def founding():
    return json.loads((SAMPLE / "founding.json").read_text())
