"""What the system tests share: the built program, the real data, and files in their formats.

A test is called as `test.py PROGRAM...`; this module takes the programs off the command line, the rest is unittest's.
"""
import contextlib, csv, json, os, pathlib, shutil, subprocess, sys, tarfile, tempfile, unittest
from collections import namedtuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("AIWAN_SHARED_DATA") or ROOT.parent / "shared" / "data")
PROGRAM_SECONDS_MAX = 200

Outcome = namedtuple("Outcome", "code out err")
Graph = namedtuple("Graph", "nodes links")  # names; links as (from, to, capacity in Mbit/s)


def take_program():
    """The next program that the command line names."""
    return str(pathlib.Path(sys.argv.pop(1)).resolve(strict=True))


def run(program, *arguments, env=None):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=PROGRAM_SECONDS_MAX,
                          env=env, stdin=subprocess.DEVNULL)
    return Outcome(done.returncode, done.stdout, done.stderr)


def run_json(program, *arguments):
    """Runs with `--json -` and gives what it says; raises with the program's own words when it fails."""
    code, out, err = run(program, *arguments, "--json", "-")
    if code != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))}\nexit {code}: {err.strip()}")
    return json.loads(out)


def replay(program, graph, traffic, first, end, *options):
    """What `replay` says of the rows from `first` up to, but not with, `end`."""
    return run_json(program, "replay", "--topology", graph, "--traffic", traffic, "--score-from", first,
                    "--score-to", end, *options)


def shared_data(*names):
    """Paths of real data files; without them the whole test counts as skipped."""
    for name in names:
        if not (DATA / name).exists():
            print(f"SKIPPED: {DATA / name} is absent", flush=True)
            sys.exit(0)
    return [DATA / name for name in names]


@contextlib.contextmanager
def temporary_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="aiwan-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def unpack_zoo(folder, wanted):
    """Unpacks the REPETITA files whose name `wanted` accepts into the folder."""
    (archive,) = shared_data("repetita/zoo.tar.xz")
    with tarfile.open(archive, "r|xz") as files:
        for member in files:
            name = pathlib.PurePath(member.name).name
            if member.isfile() and wanted(name):
                (folder / name).write_bytes(files.extractfile(member).read())


def read_graph(path):
    """A REPETITA .graph file."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    count = int(lines[0][1])
    links = lines[count + 4:]
    return Graph([fields[0] for fields in lines[2:count + 2]],
                 [(int(f[1]), int(f[2]), float(f[4]) / 1e3) for f in links])


def read_traffic(path):
    """A traffic CSV as text: the header's fields, then each row's, the time first."""
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return header, rows


def write_traffic(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def ratios(result, controller="scenario"):
    """By row: the controller's largest utilisation over the exact optimum."""
    return {at["row"]: at["controllers"][controller]["mlu"] / at["optimal_mlu"] for at in result["intervals"]}


def without_times(value):
    """A result without what may differ between two runs: seconds and milliseconds."""
    if isinstance(value, dict):
        return {key: without_times(of) for key, of in value.items()
                if key != "seconds" and not key.endswith(("_seconds", "_ms", "_ms_p50", "_ms_p99"))}
    return [without_times(of) for of in value] if isinstance(value, list) else value


class ProgramTest(unittest.TestCase):
    def refused(self, outcome, *words):
        """Bad input: exit 1 and exactly one line, which holds the words."""
        self.assertEqual(outcome.code, 1, outcome)
        self.assertRegex(outcome.err, r"\A[^\n\r\x1b]+\n\Z")
        for word in words:
            self.assertIn(word, outcome.err)


def main():
    unittest.main(module="__main__", verbosity=2)
