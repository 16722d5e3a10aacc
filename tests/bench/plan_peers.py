#!/usr/bin/env python3
"""Our planner beside HiGHS (scipy) and Clp on the same REPETITA instances in the same run.

    plan_peers.py AIWAN_SIM [NAME ...]        UsCarrier and Cogentco unless told

Each solver takes turns, three times over; the slowest run of each is dropped and the better of the others counts. A peer that took ten
times as long as the fastest one in the first round is not run again. HiGHS gets the
edge formulation aggregated by source, presolve on, dual simplex and interior point, the faster one counting; Clp is what
`solve --exact` runs (presolve, dual simplex). Ours is the time from parsed input to a certified plan with its paths, with shorter paths preferred and
without (`--any-delay`). Prints the utilisations too: they must agree.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

ARCHIVE = pathlib.Path(__file__).resolve().parents[3] / "shared/data/repetita/zoo.tar.xz"
ROUNDS = 3
PEERS = ["Clp dual", "highs-ds", "highs-ipm"]
TOO_SLOW = 10


def read_instance(folder, name):
    """Links (from, to, capacity) and demands (from, to, rate), in kbit/s."""
    lines = (folder / f"{name}.graph").read_text().split("\n")
    nodes = int(lines[0].split()[1])
    first = next(i for i, line in enumerate(lines) if line.startswith("EDGES")) + 2
    links = [(int(f[1]), int(f[2]), float(f[4])) for f in (line.split() for line in lines[first:]) if len(f) >= 6]
    rows = (folder / f"{name}.0000.demands").read_text().split("\n")[2:]
    demands = [(int(f[1]), int(f[2]), float(f[3])) for f in (row.split() for row in rows) if len(f) >= 4]
    return nodes, links, demands


def edge_formulation(nodes, links, demands):
    """Columns: U, then flow [source][link]; as controller/reference_lp.cpp has it."""
    unit = max(rate for _, _, rate in demands)
    capacity_unit = max(capacity for _, _, capacity in links)
    sources = sorted({s for s, _, _ in demands})
    rate = np.zeros((nodes, nodes))
    for s, t, bps in demands:
        rate[s, t] += bps / unit
    n_links = len(links)
    column, row, value = [], [], []
    eq_column, eq_row, eq_value, right = [], [], [], []
    for l, (_, _, capacity) in enumerate(links):
        column.append(0), row.append(l), value.append(-capacity / capacity_unit)
    rows = 0
    upper = [None]
    for k, s in enumerate(sources):
        position = {t: rows + i for i, t in enumerate(t for t in range(nodes) if t != s)}
        rows += nodes - 1
        right += [rate[s, t] for t in range(nodes) if t != s]
        for l, (a, b, _) in enumerate(links):
            c = 1 + k * n_links + l
            upper.append(0.0 if b == s else None)
            column.append(c), row.append(l), value.append(1.0)
            if b != s:
                eq_column.append(c), eq_row.append(position[b]), eq_value.append(1.0)
            if a != s:
                eq_column.append(c), eq_row.append(position[a]), eq_value.append(-1.0)
    columns = 1 + len(sources) * n_links
    cost = np.zeros(columns)
    cost[0] = 1.0
    return dict(c=cost, A_ub=coo_matrix((value, (row, column)), (n_links, columns)).tocsr(), b_ub=np.zeros(n_links),
                A_eq=coo_matrix((eq_value, (eq_row, eq_column)), (rows, columns)).tocsr(), b_eq=np.array(right),
                bounds=[(0.0, u) for u in upper]), unit / capacity_unit


def highs(problem, scale, method):
    started = time.perf_counter()
    result = linprog(**problem, method=method, options={"presolve": True})
    return time.perf_counter() - started, result.fun * scale


def ours(program, folder, name, gap, *flags):
    arguments = [program, "solve", "--topology", folder / f"{name}.graph", "--demands", folder / f"{name}.0000.demands", "--gap",
                 str(gap), "--json", "-", *flags]
    return json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)


def kept(times):
    return min(sorted(times)[:-1]) if len(times) > 1 else times[0]


def main():
    program, names = sys.argv[1], sys.argv[2:] or ["UsCarrier", "Cogentco"]
    if not ARCHIVE.exists():
        sys.exit(f"SKIPPED: {ARCHIVE} is not there")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name in names:
            subprocess.run(["tar", "-xJf", ARCHIVE, "-C", folder, "--strip-components=1", f"zoo/{name}.graph",
                            f"zoo/{name}.0000.demands"], check=True)
            problem, scale = edge_formulation(*read_instance(folder, name))
            seconds = {}
            value = {}
            peers = PEERS
            for _ in range(ROUNDS):
                for gap in (0.01, 0.0001):
                    for key, flags in ((f"ours, gap {gap}", ["--any-delay"]), (f"ours, least delay, gap {gap}", [])):
                        answer = ours(program, folder, name, gap, *flags)
                        seconds.setdefault(key, []).append(answer["seconds"])
                        value[key] = answer["mlu"]
                        assert answer["verified"] and answer["gap"] <= gap
                for peer in peers:
                    if peer == "Clp dual":
                        answer = ours(program, folder, name, 0.01, "--exact")
                        taken, value[peer] = answer["exact_seconds"], answer["exact_mlu"]
                    else:
                        taken, value[peer] = highs(problem, scale, peer)
                    seconds.setdefault(peer, []).append(taken)
                fastest = min(seconds[peer][0] for peer in peers)
                peers = [peer for peer in peers if seconds[peer][0] <= TOO_SLOW * fastest]
            peer = min(kept(seconds[key]) for key in PEERS)
            print(f"{name}: fastest peer {peer:.2f} s")
            for key, times in seconds.items():
                ratio = f", {peer / kept(times):6.0f} times faster than it" if key.startswith("ours") else ""
                print(f"  {key:32} {1e3 * kept(times):10.1f} ms (all runs: {', '.join(f'{1e3 * t:.1f}' for t in times)}){ratio}"
                      + (f"; utilisation {value[key]:.6f}" if key in value else ""), flush=True)


if __name__ == "__main__":
    main()
