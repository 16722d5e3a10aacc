#!/usr/bin/env python3
"""The optimum that replay measures controllers against is the one that HiGHS finds for a formulation of our own.

Variables: how much of each source's traffic every link carries, and the largest utilisation u. Minimise u so that each
node passes on what it receives of a source's traffic less what is meant for it, and no link carries more than u times
its capacity.
"""
import numpy
from scipy.optimize import linprog
from scipy.sparse import coo_array
from programs import ProgramTest, main, read_graph, read_traffic, replay, shared_data, take_program

SIM = take_program()
ABILENE_GRAPH, ABILENE_TRAFFIC, GEANT_GRAPH, GEANT_TRAFFIC = shared_data(
    "abilene/abilene.graph", "abilene/traffic.csv", "geant/geant.graph", "geant/traffic.csv")
RELATIVE_TOLERANCE = 1e-6


def best_utilization(graph, demand):
    """`demand` is [node][node] in Mbit/s."""
    n, m = len(graph.nodes), len(graph.links)
    u = n * m
    unit = demand.sum()  # flows as parts of all traffic: numbers near one
    balance_rows, balance_columns, balance_signs = [], [], []
    capacity_rows, capacity_columns, capacity_values = [], [], []
    for link, (src, dst, capacity) in enumerate(graph.links):
        for source in range(n):
            balance_rows += [source * n + src, source * n + dst]
            balance_columns += [source * m + link] * 2
            balance_signs += [1.0, -1.0]
            capacity_rows.append(link)
            capacity_columns.append(source * m + link)
            capacity_values.append(unit / capacity)
        capacity_rows.append(link)
        capacity_columns.append(u)
        capacity_values.append(-1.0)
    supply = -demand / unit
    numpy.fill_diagonal(supply, 0.0)
    numpy.fill_diagonal(supply, -supply.sum(axis=1))
    found = linprog(
        c=[0.0] * u + [1.0],
        A_eq=coo_array((balance_signs, (balance_rows, balance_columns)), shape=(n * n, u + 1)), b_eq=supply.ravel(),
        A_ub=coo_array((capacity_values, (capacity_rows, capacity_columns)), shape=(m, u + 1)), b_ub=numpy.zeros(m),
        method="highs", options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10})
    assert found.status == 0, found.message
    return found.x[u]


def demand_of(graph, header, row):
    index = {name: position for position, name in enumerate(graph.nodes)}
    demand = numpy.zeros((len(graph.nodes),) * 2)
    for pair, rate in zip(header[1:], row[1:]):
        src, dst = pair.split(">")
        demand[index[src], index[dst]] += float(rate)
    numpy.fill_diagonal(demand, 0.0)
    return demand


class ExactOptimum(ProgramTest):
    def agrees(self, topology, traffic, windows):
        graph, (header, rows) = read_graph(topology), read_traffic(traffic)
        worst = 0.0
        for first, end in windows:
            result = replay(SIM, topology, traffic, first, end, "--controllers", "ospf")
            self.assertEqual([at["row"] for at in result["intervals"]], list(range(first, end)))
            for at in result["intervals"]:
                wanted = best_utilization(graph, demand_of(graph, header, rows[at["row"]]))
                worst = max(worst, abs(at["optimal_mlu"] / wanted - 1.0))
                self.assertLessEqual(worst, RELATIVE_TOLERANCE, f"row {at['row']}: {at['optimal_mlu']}, not {wanted}")
        print(f"largest relative difference {worst:.1e}")

    def test_agrees_with_highs_on_abilene(self):
        self.agrees(ABILENE_GRAPH, ABILENE_TRAFFIC, [(100, 110), (1700, 1710), (3400, 3410)])

    def test_agrees_with_highs_on_geant(self):
        self.agrees(GEANT_GRAPH, GEANT_TRAFFIC, [(30, 40), (440, 450)])


if __name__ == "__main__":
    main()
