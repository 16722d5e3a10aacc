#!/usr/bin/env python3
"""check_plan.py NET.graph NET.demands PLAN.json: exits 1 unless the REPETITA files and the plan bear out what it claims."""
import heapq, json, math, sys
from collections import defaultdict

def rows(path, section):
    """The fields of a REPETITA section's lines, after its count and its header."""
    lines = [line.split() for line in open(path, encoding="utf-8") if line.strip()]
    start = next(i for i, fields in enumerate(lines) if fields[0] == section)
    return lines[start + 2:start + 2 + int(lines[start][1])]

def distances(neighbours, source):
    cost, heap = {source: 0.0}, [(0.0, source)]
    while heap:
        so_far, node = heapq.heappop(heap)
        for to, price in neighbours[node] if so_far == cost[node] else []:
            if so_far + price < cost.get(to, math.inf):
                cost[to] = so_far + price
                heapq.heappush(heap, (cost[to], to))
    return cost

def main(graph, demands, plan_file):
    plan = json.load(open(plan_file, encoding="utf-8"))
    names = [fields[0] for fields in rows(graph, "NODES")]
    links = [(int(src), int(dst), float(bw) * 1e3) for _, src, dst, _, bw, _ in rows(graph, "EDGES")]
    assert names == plan["nodes"], "other nodes"
    assert [link[:2] for link in links] == [(l["from"], l["to"]) for l in plan["links"]], "other links"
    demand = defaultdict(float)
    for _, src, dst, bw in rows(demands, "DEMANDS"):
        if src != dst: demand[int(src), int(dst)] += float(bw) * 1e3
    load, routed, duals = [0.0] * len(links), set(), plan["certificate"]["duals"]
    assert len(duals) == len(links) and all(0 <= w < math.inf for w in duals), "bad duals"
    for entry in plan["demands"]:
        pair, sum_of_fractions = (entry["from"], entry["to"]), math.fsum(p["fraction"] for p in entry["paths"])
        assert pair not in routed and abs(sum_of_fractions - 1) <= 1e-9, f"{pair} twice or not split into 1"
        routed.add(pair)
        for path in entry["paths"]:
            nodes = [pair[0]]
            for l in path["links"]:
                assert links[l][0] == nodes[-1], f"{pair} jumps"
                nodes.append(links[l][1])
                load[l] += demand.get(pair, 0.0) * path["fraction"]
            assert nodes[-1] == pair[1] and len(set(nodes)) == len(nodes) and path["fraction"] > 0, f"{pair} strays"

    neighbours, unrouted = defaultdict(list), {(d["from"], d["to"]) for d in plan["unrouted"]}
    for (src, dst, _), price in zip(links, duals): neighbours[src].append((dst, price))
    cost = {src: distances(neighbours, src) for src in {src for src, _ in demand}}
    for pair in unrouted | {pair for pair, bps in demand.items() if bps > 0}:
        assert demand.get(pair, 0.0) > 0, f"{pair} has no demand"
        assert (pair in routed) != (pair in unrouted) == (pair[1] not in cost[pair[0]]), f"{pair} is wrongly (un)routed"
    paid = math.fsum(bps * cost[s][t] for (s, t), bps in demand.items() if (s, t) in routed)
    found = {"utilization": max(b / c for b, (_, _, c) in zip(load, links)),
             "lower_bound": paid / (math.fsum(w * c for w, (_, _, c) in zip(duals, links)) or 1.0)}
    for what, value in found.items():
        assert math.isclose(value, plan["certificate"][what], rel_tol=1e-9), f"the {what} is {value}, not as claimed"
    print("checked:", *(f"{what} {value:.9g}" for what, value in found.items()))

if __name__ == "__main__":
    try: main(*sys.argv[1:])
    except (AssertionError, OSError, ValueError, LookupError, StopIteration) as error: sys.exit(f"refused: {error}")
