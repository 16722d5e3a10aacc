#!/usr/bin/env python3
"""A plan that solve writes is borne out by verify and by check_plan.py; a forged one is refused."""
import json, pathlib
from programs import (ProgramTest, main, read_graph, read_traffic, run, run_json, shared_data, take_program,
                      temporary_folder, unpack_zoo)

SIM = take_program()
ABILENE, TRAFFIC, POLSKA, COGENTCO, B4 = shared_data(
    "abilene/abilene.graph", "abilene/traffic.csv", "sndlib/polska.xml", "topology-zoo/Cogentco.graphml",
    "teal/B4.json")
CHECK_PLAN = pathlib.Path(__file__).with_name("check_plan.py")


class Verify(ProgramTest):
    def setUp(self):
        self.folder = self.enterContext(temporary_folder())
        self.plan = self.folder / "plan.json"

    def solve(self, topology, demands):
        """Solves, checks that verify finds the same, and gives the result."""
        solved = run_json(SIM, "solve", "--topology", topology, "--demands", demands, "--plan-out", self.plan)
        verdict = run_json(SIM, "verify", "--topology", topology, "--demands", demands, "--plan", self.plan)
        self.assertTrue(solved["verified"] and verdict["verified"])
        for claimed, found in [("mlu", "utilization"), ("lower_bound", "lower_bound"), ("gap", "gap")]:
            self.assertAlmostEqual(solved[claimed], verdict[found], delta=1e-9, msg=claimed)
        self.assertEqual(verdict["unrouted"], len(solved["unrouted"]))
        return solved

    def verify(self, topology, demands):
        return run(SIM, "verify", "--topology", topology, "--demands", demands, "--plan", self.plan)

    def check_plan(self, graph, demands):
        return run("/usr/bin/python3", CHECK_PLAN, graph, demands, self.plan)

    def zoo(self, name):
        unpack_zoo(self.folder, lambda file: file in (f"{name}.graph", f"{name}.0000.demands"))
        return self.folder / f"{name}.graph", self.folder / f"{name}.0000.demands"

    def test_a_plan_is_borne_out_by_both_checkers(self):
        for name in ["Aarnet", "Geant2012", "Ion"]:
            with self.subTest(name):
                graph, demands = self.zoo(name)
                solved = self.solve(graph, demands)
                code, out, err = self.check_plan(graph, demands)
                self.assertEqual(code, 0, err)
                self.assertIn(f"utilization {solved['mlu']:.9g} lower_bound {solved['lower_bound']:.9g}", out)

    def test_a_forged_plan_is_refused(self):
        graph, demands = self.zoo("Geant2012")
        self.solve(graph, demands)
        honest = json.loads(self.plan.read_text())
        split = next(i for i, demand in enumerate(honest["demands"]) if len(demand["paths"]) > 1)

        def shift(plan, by):
            paths = plan["demands"][split]["paths"]
            paths[0]["fraction"] -= by
            paths[1]["fraction"] += by
        forgeries = {
            "a fraction edited": lambda plan: plan["demands"][split]["paths"][0].update(fraction=0.001),
            "traffic moved to another path": lambda plan: shift(plan, honest["demands"][split]["paths"][0]["fraction"]),
            "a better utilisation claimed": lambda plan: plan["certificate"].update(
                utilization=0.99 * plan["certificate"]["utilization"]),
            "a higher bound claimed": lambda plan: plan["certificate"].update(
                lower_bound=1.001 * plan["certificate"]["lower_bound"]),
            "a demand left out": lambda plan: plan["demands"].pop(split),
            "a path without its last link": lambda plan: plan["demands"][split]["paths"][0]["links"].pop(),
        }
        for what, forge in forgeries.items():
            with self.subTest(what):
                plan = json.loads(json.dumps(honest))
                forge(plan)
                self.plan.write_text(json.dumps(plan))
                self.refused(self.verify(graph, demands), "aiwan-sim verify: ")
                code, _, err = self.check_plan(graph, demands)
                self.assertEqual(code, 1)
                self.assertIn("refused", err)

    def test_another_topology_or_other_demands_are_refused(self):
        graph, demands = self.zoo("Geant2012")
        self.solve(graph, demands)
        other, other_demands = self.zoo("Aarnet")
        self.refused(self.verify(other, other_demands), "plan.json")
        capacity = str(int(read_graph(graph).links[0][2] * 1e3))
        text = graph.read_text()
        self.assertIn(f" {capacity} ", text)
        graph.write_text(text.replace(f" {capacity} ", f" {int(capacity) + 1} "))
        self.refused(self.verify(graph, demands), "plan")
        self.solve(ABILENE, f"{TRAFFIC}@120")
        self.refused(self.verify(ABILENE, f"{TRAFFIC}@121"), "claims")

    def test_a_row_of_a_series_may_be_named_by_number_or_time(self):
        row = 120
        by_number = self.solve(ABILENE, f"{TRAFFIC}@{row}")
        by_time = self.solve(ABILENE, f"{TRAFFIC}@{read_traffic(TRAFFIC)[1][row][0]}")
        self.assertEqual(by_number["mlu"], by_time["mlu"])
        self.assertTrue(0.01 < by_number["mlu"] < 0.2)

    def test_sndlib_demands(self):
        self.assertEqual(self.solve(POLSKA, POLSKA)["unrouted"], [])

    def test_gravity_demands_reach_the_utilisation_asked_for(self):
        for topology, demands, wanted in [(COGENTCO, "gravity:7:0.8", 0.8), (B4, "gravity:7:0.8", 0.8),
                                          (B4, "gravity:7", 0.9), (ABILENE, "gravity:8:1.5", 1.5)]:
            with self.subTest(f"{topology.name} {demands}"):
                solved = self.solve(topology, demands)
                self.assertAlmostEqual(solved["mlu"], wanted, delta=0.01 * wanted)
                self.assertEqual(solved["overload"], wanted > 1.0)


if __name__ == "__main__":
    main()
