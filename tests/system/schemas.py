"""JSON Schemas of bodies, documents with faults drawn from good ones, and verdicts
of both: what tests of the C code's checks against the schemas have in common."""
import copy
import json
import random
import re
import subprocess

import jsonschema
import pytest

import plans
from conftest import BUILD, ROOT, SAMPLE

SCHEMAS = {path.name.removesuffix(".schema.json"): json.loads(path.read_text())
           for path in [SAMPLE / "plan.schema.json",
                        *sorted((ROOT / "deploy" / "schema").glob("*.json"))]}


def pattern(validator, rule, instance, schema):
    """As ECMA has it: Python's $ also matches before a last newline."""
    if validator.is_type(instance, "string") \
            and not re.search(rule.replace("$", r"\Z"), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match")


VALIDATOR = jsonschema.validators.extend(jsonschema.Draft202012Validator,
                                         {"pattern": pattern})


def found_at(reference, name):
    """The schema that a reference of the file `name` leads to, and its file."""
    file, _, path = reference.partition("#")
    name = file.removesuffix(".schema.json") or name
    schema = SCHEMAS[name]
    for step in path.strip("/").split("/"):
        schema = schema[step]
    return schema, name


def whole(schema, name):
    """Without references: versions of jsonschema look them up differently, and
    none does so fast. None of ours is recursive."""
    if isinstance(schema, list):
        return [whole(item, name) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return whole(*found_at(schema["$ref"], name))
    return {key: whole(item, name) for key, item in schema.items()
            if key not in ("$defs", "$id")}


def validators(names):
    return {name: VALIDATOR(whole(SCHEMAS[name], name)) for name in names}


# Faults, somewhere.

def walk(value, path=()):
    """Paths to all values, the whole first."""
    yield path
    inner = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for name, item in inner:
        yield from walk(item, path + (name,))


def holder(document, path):
    for name in path[:-1]:
        document = document[name]
    return document


def putter(values):
    def put_value(rng, document, path):
        holder(document, path)[path[-1]] = copy.deepcopy(rng.choice(values))
    return put_value


def drop(_, document, path):
    del holder(document, path)[path[-1]]


def repeat(rng, document, path):
    """An item twice, or so often that there is no room for it. (A schema takes
    seconds for many large ones.)"""
    inner = holder(document, path)
    if isinstance(inner, list):
        item = inner[path[-1]]
        large = path[0] == "actions" and len(path) == 2
        inner.extend(copy.deepcopy(item) for _ in
                     range(1 if large else rng.choice([1, 1, 70, 310])))


def swap(rng, document, path):
    """Another value of the same document in its place."""
    paths = list(walk(document))[1:]
    other = rng.choice(paths)
    holder(document, path)[path[-1]] = copy.deepcopy(
        holder(document, other)[other[-1]])


def draw_path(rng, document):
    """Each place of the schema as often, however many of it there are."""
    groups = {}
    for path in list(walk(document))[1:]:
        groups.setdefault(tuple(step if isinstance(step, str) else 0
                                for step in path), []).append(path)
    return rng.choice(rng.choice(list(groups.values()))) if groups else None


def mutate(rng, document, operations):
    for _ in range(rng.choice([0, 1, 1, 2, 3, 5])):
        path = draw_path(rng, document)
        if path:
            rng.choice(operations)(rng, document, path)
    return document


# Verdicts

def pointer(path):
    return "".join("/" + plans.escape(str(step)) for step in path)


def twice(value, at):
    seen = []
    for i, item in enumerate(value):
        if isinstance(item, str) and item in seen:
            yield f"{at}/{i}"
        seen.append(item)


def schema_faults(validator, document):
    """Pointers, and those of them whose faults may be told of deeper inside."""
    found, wide = set(), set()
    for error in validator.iter_errors(document):
        at = pointer(error.absolute_path)
        if error.validator == "uniqueItems":
            found.update(twice(error.instance, at))
        elif "propertyNames" in error.absolute_schema_path:
            found.add(at + "/" + plans.escape(error.instance))
        else:
            found.add(at)
            if error.validator == "oneOf":
                wide.add(at)
    return found, wide


def judge(program, lines):
    path = BUILD / "tests" / program
    if not path.exists():
        pytest.skip(f"{path} is not built")
    done = subprocess.run([path], input="".join(lines), capture_output=True,
                          text=True, check=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def widened(at, wide):
    """A pointer inside of what one of several shapes should have had."""
    for outer in wide:
        if at == outer or at.startswith(outer + "/"):
            return outer
    return at
