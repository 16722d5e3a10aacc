#!/usr/bin/env python3
"""solve --policies plans by class priority and for fair shares; verify bears it out and refuses forgeries."""
import json, pathlib
from programs import ProgramTest, main, run, run_json, shared_data, take_program, temporary_folder, without_times

SIM = take_program()

# Two ways from A to D: over B (fast, narrow) and over C (slow, wide); capacities in kbit/s, delays in microseconds.
GRAPH = """NODES 4
label x y
A 0 0
B 0 0
C 0 0
D 0 0

EDGES 8
label src dest weight bw delay
AB 0 1 1 10000 1000
BA 1 0 1 10000 1000
BD 1 3 1 10000 1000
DB 3 1 1 10000 1000
AC 0 2 1 30000 20000
CA 2 0 1 30000 20000
CD 2 3 1 30000 20000
DC 3 2 1 30000 20000
"""
POLICIES = """classes:
  - name: default
  - {name: gold, dscp: [46], priority: 2, latency_max: 5 ms}
  - {name: silver, dscp: [18], priority: 1}
"""


def demands(*entries):
    lines = [f"d{i} {a} {b} {kbps}" for i, (a, b, kbps) in enumerate(entries)]
    return f"DEMANDS {len(lines)}\nlabel src dest bw\n" + "\n".join(lines) + "\n"


class Classes(ProgramTest):
    def setUp(self):
        self.folder = self.enterContext(temporary_folder())
        self.plan = self.folder / "plan.json"
        self.graph = self.write("net.graph", GRAPH)
        self.policies = self.write("policies.yaml", POLICIES)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def traffic(self, default, gold, silver):
        """Mbit/s from A to D by class, as arguments."""
        files = {name: self.write(f"{name}.demands", demands((0, 3, mbps * 1000)))
                 for name, mbps in [("default", default), ("gold", gold), ("silver", silver)]}
        return ["--topology", self.graph, "--demands", files["default"], "--policies", self.policies,
                "--class-demands", f"gold={files['gold']}", "--class-demands", f"silver={files['silver']}"]

    def solve(self, arguments, *more):
        solved = run_json(SIM, "solve", *arguments, *more, "--plan-out", self.plan)
        verdict = run_json(SIM, "verify", *arguments, "--plan", self.plan)
        self.assertTrue(solved["verified"] and verdict["verified"])
        return solved, verdict

    def test_the_highest_priority_comes_first_and_keeps_its_latency_bound(self):
        solved, verdict = self.solve(self.traffic(default=12, gold=4, silver=8), "--objective", "classes", "--gap", 1e-3)
        gold, silver, default = solved["levels"]
        # Gold may only go over B: 4 of 10. Silver's 8 go over both so that no link is above that: 12 of 40 do not
        # balance below 0.4, and all 24 balance at 24 of 40.
        self.assertEqual([level["classes"] for level in solved["levels"]], [["gold"], ["silver"], ["default"]])
        self.assertAlmostEqual(gold["utilization"], 0.4, delta=1e-3)
        self.assertAlmostEqual(silver["utilization"], 0.4, delta=1e-3)
        self.assertAlmostEqual(default["utilization"], 0.6, delta=1e-3)
        for level, found in zip(solved["levels"], verdict["classes"]["levels"]):
            self.assertAlmostEqual(level["utilization"], found["utilization"], delta=1e-9)
            self.assertGreaterEqual(found["lower_bound"], level["lower_bound"] * (1 - 1e-6))
            self.assertLessEqual(level["gap"], 1e-3 * (1 + 1e-6))
        self.assertEqual(solved["broken"], [])

    def test_lower_classes_do_not_move_higher_ones(self):
        alone, _ = self.solve(self.traffic(default=0, gold=4, silver=8), "--objective", "classes", "--gap", 1e-3)
        crowded, _ = self.solve(self.traffic(default=90, gold=4, silver=8), "--objective", "classes", "--gap", 1e-3)
        for k in range(2):
            self.assertAlmostEqual(alone["levels"][k]["utilization"], crowded["levels"][k]["utilization"], delta=2e-3)
        self.assertTrue(crowded["overload"])

    def test_a_bound_that_no_path_keeps_is_named(self):
        self.policies.write_text(POLICIES.replace("5 ms", "1 ms"))
        solved, verdict = self.solve(self.traffic(default=1, gold=4, silver=1), "--objective", "classes")
        self.assertEqual(solved["broken"], [{"demand": "A>D", "class": "gold", "rule": "latency_max"}])
        self.assertEqual(verdict["classes"]["broken"], 1)

    def test_what_does_not_fit_is_shared_fairly_the_higher_class_first(self):
        # 40 fit in all, gold on 10 of them alone.
        solved, verdict = self.solve(self.traffic(default=40, gold=12, silver=15), "--objective", "fair")
        carried = {entry["class"]: entry["carried_mbps"] for entry in solved["classes"]}
        self.assertFalse(solved["fits"])
        self.assertAlmostEqual(carried["gold"], 10, delta=0.01)
        self.assertAlmostEqual(carried["silver"], 15, delta=0.01)
        self.assertAlmostEqual(carried["default"], 15, delta=0.01)
        shed = {entry["class"]: entry for entry in solved["shed"]}
        self.assertEqual(set(shed), {"gold", "default"})
        self.assertAlmostEqual(shed["gold"]["admitted"], 10 / 12, delta=1e-4)
        self.assertTrue(any(link.startswith("AB") or link.startswith("A>B") or "B" in link
                            for link in shed["gold"]["full_links"]))
        self.assertEqual(verdict["classes"]["shed"], 2)
        self.assertLessEqual(verdict["classes"]["utilization"], 1 + 1e-9)
        self.assertLessEqual(verdict["classes"]["fair_within"], 1e-6)
        self.assertLessEqual(verdict["classes"]["carried_share_more"], 1e-6)
        self.assertAlmostEqual(verdict["classes"]["carried_share"], 40 / 67, delta=1e-6)
        self.assertEqual(solved["unproven"], 0)
        half, _ = self.solve(self.traffic(default=40, gold=12, silver=15), "--objective", "fair", "--fill-to", 0.5)
        self.assertAlmostEqual(half["carried_mbps"], 20, delta=0.01)
        all_fits, _ = self.solve(self.traffic(default=4, gold=2, silver=5), "--objective", "fair")
        self.assertTrue(all_fits["fits"])
        self.assertEqual(all_fits["shed"], [])

    def test_a_class_may_be_a_share_of_the_demands(self):
        file = self.write("all.demands", demands((0, 3, 20000), (3, 0, 10000)))
        solved, _ = self.solve(["--topology", self.graph, "--demands", file, "--policies", self.policies,
                                "--class-share", "silver=0.25"], "--objective", "classes")
        offered = {entry["class"]: entry["offered_mbps"] for entry in solved["classes"]}
        self.assertAlmostEqual(offered["silver"], 7.5)
        self.assertAlmostEqual(offered["default"], 22.5)
        self.assertEqual(offered["gold"], 0)

    def test_forgeries_are_refused(self):
        arguments = self.traffic(default=12, gold=4, silver=8)
        self.solve(arguments, "--objective", "classes", "--gap", 1e-3)
        self.forge(arguments, {
            "a better utilisation": lambda plan: plan["class_proof"]["levels"][2].update(utilization=0.5),
            "a higher bound": lambda plan: plan["class_proof"]["levels"][1].update(lower_bound=0.45),
            "a limit that is passed": lambda plan: plan["class_proof"]["levels"][1].update(limit=0.3),
            "a negative dual": lambda plan: plan["class_proof"]["levels"][0]["duals"][0].__setitem__(0, -1.0),
            "levels in another order": lambda plan: plan["class_proof"]["levels"].reverse(),
            "gold on the slow way": lambda plan: self.gold(plan).update(
                paths=[path for d in plan["demands"] if (d["class"], d["from"], d["to"]) == (0, 0, 3)
                       for path in d["paths"] if 4 in path["links"]][:1]) or
            self.gold(plan)["paths"][0].update(fraction=1.0),
        })

    def test_forged_shares_are_refused(self):
        arguments = self.traffic(default=40, gold=12, silver=15)
        self.solve(arguments, "--objective", "fair")
        self.forge(arguments, {
            "more than fits": lambda plan: [entry.update(fraction=1.0) for entry in plan["class_proof"]["admitted"]],
            "less than its round": lambda plan: plan["class_proof"]["admitted"][0].update(fraction=0.1),
            "a whole round at less": lambda plan: self.lower_all(plan["class_proof"]),
            "a demand left out": lambda plan: plan["class_proof"]["admitted"].pop(),
            "more room than links have": lambda plan: plan["class_proof"].update(utilization_max=1.1),
            "less room than links have": lambda plan: plan["class_proof"].update(utilization_max=0.9),
            "no prices": lambda plan: plan["class_proof"]["rounds"][0].update(
                duals=[0] * len(plan["class_proof"]["rounds"][0]["duals"])),
            "a negative dual": lambda plan: plan["class_proof"]["rounds"][0]["duals"].__setitem__(0, -1.0),
            "a dual left out": lambda plan: plan["class_proof"]["rounds"][0]["duals"].pop(),
            "a round of no level": lambda plan: plan["class_proof"]["rounds"][0].update(level=3),
            "a demand of no round": lambda plan: plan["class_proof"]["admitted"][0].update(round=9),
        })

    def lower_all(self, proof):
        for entry in [*proof["admitted"], *proof["rounds"]]:
            if entry["fraction"] < 1:
                entry["fraction"] *= 0.9

    def test_shares_that_swap_are_refused(self):
        # 40 fit each way: two thirds of A>D, four fifths of D>A.
        file = self.write("both.demands", demands((0, 3, 60000), (3, 0, 50000)))
        arguments = ["--topology", self.graph, "--demands", file]
        solved, _ = self.solve(arguments, "--objective", "fair")
        self.assertAlmostEqual(solved["lowest_fraction"], 2 / 3, delta=1e-8)
        self.assertAlmostEqual(solved["shed"][1]["admitted"], 4 / 5, delta=1e-8)
        self.forge(arguments, {"swap": lambda plan: self.swap_ends(plan["class_proof"]["admitted"])})
        few, verdict = self.solve(arguments, "--objective", "fair", "--rounds", 1)
        self.assertAlmostEqual(few["lowest_fraction"], solved["lowest_fraction"], delta=1e-8)
        self.assertEqual(few["unproven"], 1)
        self.assertAlmostEqual(few["fair_within"], 1 / 3, delta=1e-6)
        self.assertAlmostEqual(verdict["classes"]["fair_within"], 1 / 3, delta=1e-6)

    def swap_ends(self, admitted):
        first, last = admitted[0], admitted[-1]
        for key in ["fraction", "round"]:
            first[key], last[key] = last[key], first[key]

    def gold(self, plan):
        return next(d for d in plan["demands"] if (d["class"], d["from"], d["to"]) == (1, 0, 3))

    def forge(self, arguments, forgeries):
        honest = json.loads(self.plan.read_text())
        for what, change in forgeries.items():
            with self.subTest(what):
                plan = json.loads(json.dumps(honest))
                change(plan)
                self.assertNotEqual(plan, honest)
                self.plan.write_text(json.dumps(plan))
                self.refused(run(SIM, "verify", *arguments, "--plan", self.plan), "aiwan-sim verify: ")

    def test_few_paths_keep_the_order_of_classes(self):
        arguments = self.traffic(default=12, gold=4, silver=8)
        solved, verdict = self.solve(arguments, "--paths", 1, "--sid-depth", 1)
        gold, silver, default = solved["levels"]
        # Gold must go over B. Silver's 8 whole over C are 8 of 30, below gold's 4 of 10; the default's 12 over C too.
        self.assertAlmostEqual(gold["utilization"], 0.4, delta=1e-9)
        self.assertAlmostEqual(silver["utilization"], 0.4, delta=1e-9)
        self.assertAlmostEqual(default["utilization"], 20 / 30, delta=1e-9)
        self.assertAlmostEqual(default["all_paths_utilization"], 0.6, delta=6e-3)
        self.assertEqual((solved["paths_max"], solved["sid_depth"]), (1, 1))
        self.assertEqual((verdict["paths_most"], verdict["segments_most"]), (1, 1))
        plan = json.loads(self.plan.read_text())
        self.assertEqual(plan["limits"], {"paths_max": 1, "sid_depth": 1})
        self.assertEqual(run(SIM, "verify", *arguments, "--plan", self.plan, "--paths", 1, "--sid-depth", 1).code, 0)
        table = run(SIM, "solve", *arguments, "--paths", 1, "--sid-depth", 1).out
        self.assertIn("over all paths", table)
        self.assertIn("limited to 1 paths a demand and 1 segments a path", table)

    def test_the_policies_may_say_how_many_paths_a_demand_has(self):
        arguments = self.traffic(default=12, gold=4, silver=8)
        self.policies.write_text(self.policies.read_text() + "\npaths_max: 1\n")
        solved, verdict = self.solve(arguments)
        self.assertEqual((solved["paths_max"], verdict["paths_most"]), (1, 1))
        self.assertEqual(json.loads(self.plan.read_text())["limits"], {"paths_max": 1})
        solved, _ = self.solve(arguments, "--paths", 3)
        self.assertEqual(solved["paths_max"], 3)
        arguments = self.traffic(default=22, gold=4, silver=8)
        fair = run(SIM, "solve", *arguments, "--objective", "fair")
        self.assertEqual(fair.code, 0, fair.err)
        self.assertIn("paths_max is not kept", fair.out)

    def test_forged_few_paths_are_refused(self):
        arguments = self.traffic(default=22, gold=4, silver=8)
        self.solve(arguments, "--paths", 2, "--sid-depth", 2)
        self.assertTrue(any(len(d["paths"]) == 2 for d in json.loads(self.plan.read_text())["demands"]))
        self.forge(arguments, {
            "fewer paths": lambda plan: plan["limits"].update(paths_max=1),
            "a list that leads elsewhere": lambda plan: self.gold(plan)["paths"][0].update(segments=["N2", "N3"]),
            "a list too long": lambda plan: self.gold(plan)["paths"][0].update(segments=["N1", "N1", "N3"]),
            "no lists": lambda plan: [path.pop("segments") for d in plan["demands"] for path in d["paths"]],
            "a limit that is passed": lambda plan: plan["class_proof"]["levels"][1].update(limit=0.3),
            "a higher bound": lambda plan: plan["class_proof"]["levels"][2].update(lower_bound=0.9),
        })

    def test_what_does_not_go_with_few_paths_is_named(self):
        arguments = self.traffic(default=12, gold=4, silver=8)
        self.refused(run(SIM, "solve", *arguments, "--objective", "fair", "--paths", 4), "depends on the paths",
                     "--objective classes")
        self.graph.write_text(GRAPH.replace("BD 1 3 1", "BD 1 3 10"))  # B's own way to D is over A and C
        self.refused(run(SIM, "solve", *arguments, "--sid-depth", 1),
                     "no path from A to D (gold) within its class's rule can be described by 1 segment",
                     "all demands can by 2 segments")
        solved, _ = self.solve(arguments, "--sid-depth", 2)
        self.assertEqual(solved["paths_max"], None)

    def test_wrong_arguments(self):
        arguments = self.traffic(default=1, gold=1, silver=1)
        self.refused(run(SIM, "solve", *arguments, "--class-share", "golden=0.1"), "no such class", "gold")
        self.refused(run(SIM, "solve", *arguments, "--class-share", "gold=1.5"), "fraction from 0 to 1")
        self.refused(run(SIM, "solve", *arguments, "--class-share", "gold=0.7", "--class-share", "silver=0.7"),
                     "more than 1")
        self.refused(run(SIM, "solve", *arguments, "--class-demands", "gold"), "CLASS=VALUE")
        self.assertEqual(run(SIM, "solve", *arguments, "--objective", "best").code, 2)
        self.policies.write_text("classes: [{name: default, avoid: [XY]}]")
        self.refused(run(SIM, "solve", *arguments), "policies.yaml:1", "XY")
        run_json(SIM, "solve", "--topology", self.graph, "--demands", self.folder / "default.demands", "--plan-out",
                 self.plan)
        self.policies.write_text(POLICIES)
        self.refused(run(SIM, "verify", *arguments, "--plan", self.plan), "nothing about classes")

    def test_the_same_arguments_give_the_same_answer(self):
        for objective in [["classes"], ["fair"], ["classes", "--paths", 1]]:
            with self.subTest(objective):
                arguments = [*self.traffic(default=40, gold=12, silver=15), "--objective", *objective]
                first, second = (run_json(SIM, "solve", *arguments) for _ in range(2))
                self.assertEqual(without_times(first), without_times(second))


class RealNetworks(ProgramTest):
    def test_geant_by_classes_and_by_shares(self):
        graph, traffic = shared_data("geant/geant.graph", "geant/traffic.csv")
        with temporary_folder() as folder:
            (folder / "policies.yaml").write_text(
                "classes:\n  - name: default\n  - {name: gold, dscp: [46], priority: 2}\n"
                "  - {name: silver, dscp: [18], priority: 1}\n")
            arguments = ["--topology", graph, "--demands", f"{traffic}@100", "--policies", folder / "policies.yaml",
                         "--class-share", "gold=0.2", "--class-share", "silver=0.3"]
            solved = run_json(SIM, "solve", *arguments, "--plan-out", folder / "plan.json")
            verdict = run_json(SIM, "verify", *arguments, "--plan", folder / "plan.json")
            self.assertTrue(verdict["verified"])
            self.assertTrue(all(level["gap"] <= 0.01 * (1 + 1e-6) for level in solved["levels"]))

            few = run_json(SIM, "solve", *arguments, "--paths", 4, "--sid-depth", 6, "--plan-out", folder / "plan.json")
            verdict = run_json(SIM, "verify", *arguments, "--plan", folder / "plan.json", "--paths", 4, "--sid-depth", 6)
            self.assertTrue(verdict["verified"])
            self.assertLessEqual(verdict["paths_most"], 4)
            self.assertLessEqual(verdict["segments_most"], 6)
            for level, found in zip(few["levels"], verdict["classes"]["levels"]):
                self.assertLessEqual(level["gap"], 0.01 * (1 + 1e-6))
                self.assertLessEqual(level["utilization"], level["limit"] * (1 + 1e-9))
                self.assertAlmostEqual(level["utilization"], found["utilization"], delta=1e-9)

            arguments[3] = "gravity:7:1.6"  # more than fits
            solved = run_json(SIM, "solve", *arguments, "--objective", "fair", "--plan-out", folder / "plan.json")
            verdict = run_json(SIM, "verify", *arguments, "--plan", folder / "plan.json")
            self.assertTrue(verdict["verified"])
            self.assertFalse(solved["fits"])
            self.assertEqual(solved["unproven"], 0)
            self.assertLessEqual(verdict["classes"]["fair_within"], 1e-5)
            self.assertLessEqual(verdict["classes"]["utilization"], 1 + 1e-9)


if __name__ == "__main__":
    main()
