#!/usr/bin/env python3
"""Who may include whom: the include root is shared, so linking alone does not stop a wrong include.

`layout.py [ROOT]` prints each line that breaks the tables below and exits 1 if there is one. First it makes sure, on
made-up lines, that it would.
"""
import fnmatch, pathlib, re, sys

FOLDERS = ["core", "dataplane", "telemetry", "models", "controller", "simulator"]

# Where a file lies -> the folders of ours that it may include, all within them too. The first row that fits counts.
OURS = [
    ("*/program/*", FOLDERS),  # the only places where all parts meet; see also PROGRAM below
    ("core/io/*", ["core"]),
    ("core/*", ["core", "!core/io"]),  # the vocabulary reads and writes no files
    ("dataplane/*", ["core", "!core/io", "dataplane"]),
    ("telemetry/*", ["core", "!core/io", "telemetry"]),
    ("models/*", ["core", "!core/io", "models"]),
    ("simulator/*", ["core", "!core/io", "simulator"]),
    ("controller/*", ["core", "!core/io", "controller", "telemetry", "models"]),
    ("tests/*", FOLDERS + ["tests"]),
]

# A library's headers -> the files that may include them. Headers that no row names: programs and tests only.
LIBRARIES = [
    ("tl/expected.hpp", ["*"]),
    ("torch/*", ["models/torch/*"]),  # 20 s and 750 MB a file; exceptions and the macros CHECK and LOG stop there
    ("ATen/*", ["models/torch/*"]),
    ("c10/*", ["models/torch/*"]),
    ("rte_*", ["dataplane/dpdk/*"]),
    ("sched.h", ["dataplane/dpdk/*", "*/program/*", "tests/*"]),
    ("time.h", ["dataplane/dpdk/*", "*/program/*", "tests/*"]),
    ("sys/*", ["core/huge_page_heap.cpp", "dataplane/dpdk/*", "telemetry/zmq/*", "*/program/*", "tests/*"]),
    ("malloc.h", ["core/huge_page_heap.cpp"]),
    ("immintrin.h", ["dataplane/flow_hash.cpp", "dataplane/flow_table.cpp",  # AES and tag compare, eight sources in
                     "controller/batch_tree_search.cpp"]),        # a register: where the machine has them
    ("zmq*", ["telemetry/zmq/*", "tests/*"]),
    ("prometheus/*", ["telemetry/prometheus/*", "tests/*"]),
    ("google/protobuf/*", ["telemetry/*"]),
    ("httplib.h", ["controller/program/*", "tests/*"]),
    ("sqlite3.h", ["telemetry/sqlite/*"]),
    ("SQLiteCpp/*", ["telemetry/sqlite/*", "simulator/program/results_database.cpp",
                       "controller/program/aiwand/*", "tests/*"]),
    ("pugixml.hpp", ["core/io/*", "tests/*"]),
    ("yaml-cpp/*", ["core/io/*"]),
    ("nlohmann/*", ["core/io/*", "models/model_card.cpp", "*/program/*", "tests/*"]),  # a model's card is JSON
    ("coin/*", ["controller/column_master.cpp", "controller/reference_lp.cpp", "tests/*"]),  # the LP solver
    ("unistd.h", ["core/io/progress_bar.cpp", "telemetry/zmq/*", "*/program/*", "tests/*"]),  # is standard error a terminal?
]
STANDARD = re.compile(r"[a-z0-9_]+")  # <vector>; C headers have their C++ names, <cmath>
INCLUDE = re.compile(r'\s*#\s*include\s*(?:"(?P<ours>[^"]+)"|<(?P<library>[^>]+)>|(?P<other>.*))')
PROGRAM = re.compile(r"[a-z]+/program/")
SHARED = ["controller/program/policy_file.h"]  # the operator's policies, which the simulator plans by too
VAGUE_NAMES = re.compile(r"(?:^|_)(?:util|utils|common|helper|helpers|manager)(?:_|\.|$)")


def fits(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def inside(path, folder):
    return path.startswith(folder + "/")


def fault_of_include(path, ours, library):
    """What is wrong with one include of one file; nothing when all is well."""
    if library:
        allowed = next((files for headers, files in LIBRARIES if fnmatch.fnmatchcase(library, headers)), None)
        if allowed is None:
            allowed = ["*"] if STANDARD.fullmatch(library) else ["*/program/*", "tests/*"]
        return None if fits(path, allowed) else f"<{library}> is not for this file"
    if not ours:
        return "an include that this check cannot read"
    wanted = next((folders for place, folders in OURS if fnmatch.fnmatchcase(path, place)), [])
    if not any(inside(ours, folder) for folder in wanted):
        return f'"{ours}" is in no folder that this one may include, or is not named from the root'
    if any(inside(ours, folder[1:]) for folder in wanted if folder.startswith("!")):
        return f'"{ours}" reads or writes files; only programs and tests do'
    program = PROGRAM.match(ours)
    if program and ours not in SHARED and not path.startswith((program.group(), "tests/")):
        return f'"{ours}" belongs to another program'
    return None


def faults(path, text):
    """Every fault of a file, as `file:line: what`; `path` is relative to the root."""
    found = []
    if VAGUE_NAMES.search(path.rsplit("/", 1)[-1]):
        found.append(f"{path}:1: the file's name says nothing; name it after what it holds")
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
        found.append(f"{path}:1: no #pragma once")
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        fault = include and fault_of_include(path, include["ours"], include["library"])
        if fault:
            found.append(f"{path}:{number}: {fault}")
    if re.search(r"#include <torch/", text) and re.search(r"#include <catch2/", text):
        found.append(f"{path}:1: torch and Catch2 in one file: torch redefines CHECK")
    return found


def self_test():
    """Made-up files that must pass or fail."""
    good = [("core/topology.cpp", '#include "core/ids.h"\n#include <vector>'),
            ("core/io/a.cpp", '#include <pugixml.hpp>'),
            ("controller/a.h", '#pragma once\n#include "models/forecaster.h"'),
            ("models/torch/a.cpp", "#include <torch/torch.h>"),
            ("simulator/program/a.cpp", '#include "controller/planner.h"\n#include <CLI/CLI.hpp>'),
            ("tests/unit/core/a_test.cpp", '#include "simulator/program/a.h"\n#include <catch2/catch.hpp>')]
    bad = [("core/a.cpp", '#include "core/io/text_source.h"'), ("core/a.cpp", '#include "models/forecaster.h"'),
           ("models/a.cpp", '#include "controller/planner.h"'),
           ("simulator/a.cpp", '  #  include "controller/planner.h"'),
           ("telemetry/a.cpp", '#include "dataplane/worker.h"'),
           ("controller/a.cpp", '#include "simulator/workload.h"'),
           ("controller/a.cpp", '#include "simulator/program/a.h"'),
           ("models/program/a.cpp", '#include "simulator/program/a.h"'),
           ("models/a.cpp", '#include "models/program/a.h"'), ("models/a.cpp", "#include <torch/torch.h>"),
           ("simulator/program/a.cpp", "#include <torch/script.h>"), ("core/a.cpp", "#include <nlohmann/json.hpp>"),
           ("dataplane/worker.cpp", "#include <rte_mbuf.h>"), ("telemetry/a.cpp", "#include <zmq.hpp>"),
           ("controller/planner.cpp", "#include <coin/ClpSimplex.hpp>"), ("core/a.cpp", '#include "ids.h"'),
           ("core/a.cpp", '#include "tests/support/shared_data.h"'), ("core/a.cpp", "#include <math.h>"),
           ("core/a.cpp", "#include HEADER"), ("core/a.h", "#include <vector>"), ("models/train_util.cpp", ""),
           ("core/common.h", "#pragma once"), ("tests/a.cpp", "#include <torch/torch.h>\n#include <catch2/catch.hpp>")]
    for path, text in good:
        assert not faults(path, text), f"wrongly refused: {faults(path, text)}"
    for path, text in bad:
        assert faults(path, text), f"wrongly let pass: {path}: {text}"


def main(root):
    self_test()
    files = sorted(file for folder in FOLDERS + ["tests"] for file in (root / folder).rglob("*")
                   if file.suffix in (".h", ".cpp"))
    assert len(files) > 50, f"{root} is not the project"
    found = [fault for file in files
             for fault in faults(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))]
    print(*found, f"{len(files)} files, {len(found)} faults", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]))
