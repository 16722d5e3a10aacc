#!/usr/bin/env python3
"""controller/policy.schema.json against the corpus of policies: the schema takes and refuses what the reader does.

`policy_schema.py ROOT`. Files named good_* and unknown_*, unsound_* have the right shape (the latter two are wrong for
the network, which no schema knows); bad_* have a wrong one. The reader's half of this is tests/unit/controller/policy_test.cpp.
"""
import json, pathlib, sys

try:
    import jsonschema, yaml
except ImportError as error:
    print(f"SKIPPED: {error}; packages.txt names what is needed")
    sys.exit(0)


class Loader(yaml.SafeLoader):
    """Times stay text, as in YAML 1.2 and in our reader."""


Loader.yaml_implicit_resolvers = {first: [(tag, form) for tag, form in forms if tag != "tag:yaml.org,2002:timestamp"]
                                  for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def first_fault(validator, text):
    """What is wrong with a file's shape; nothing when all is well."""
    return next((f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
                 for error in validator.iter_errors(yaml.load(text, Loader))), None)


def main(root):
    schema = json.loads((root / "controller/policy.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    page = (root / "docs/formats/policy.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    assert (fault := first_fault(validator, example)) is None, f"docs/formats/policy.md: {fault}"
    wrong = []
    files = sorted((root / "tests/fuzz/corpus/policies").glob("*.yaml"))
    assert len(files) > 20, "no corpus"
    for file in files:
        fault = first_fault(validator, file.read_text())
        if (fault is not None) != file.name.startswith("bad_"):
            wrong.append(f"{file.name}: {fault or 'the schema has nothing against it'}")
    print(*wrong, f"{len(files)} files, {len(wrong)} wrong", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
