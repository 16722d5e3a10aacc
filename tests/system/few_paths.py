#!/usr/bin/env python3
"""solve --paths and --sid-depth: the ten largest graphs stay within 1 %, verify and a reader of our own bear it out."""
import heapq, json, math
from programs import ProgramTest, main, run, run_json, take_program, temporary_folder, unpack_zoo

SIM = take_program()
LARGEST = ["Cogentco", "UsCarrier", "GtsCe", "TataNld", "Pern", "Ion", "Deltacom", "VtlWavenet2011", "VtlWavenet2008",
           "RedBestel"]


def graph_links(path):
    """(from, to, weight) of each link of a REPETITA graph."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    start = next(i for i, fields in enumerate(lines) if fields[0] == "EDGES")
    return [(int(f[1]), int(f[2]), float(f[3])) for f in lines[start + 2:start + 2 + int(lines[start][1])]]


class Igp:
    """Cheapest ways by weight, written down from the file alone."""
    def __init__(self, links):
        self.links, self.into, self.out, self.costs = links, {}, {}, {}
        for l, (source, to, _) in enumerate(links):
            self.into.setdefault(to, []).append(l)
            self.out.setdefault(source, []).append(l)

    def cost_to(self, target):
        if target not in self.costs:
            cost, heap = {target: 0.0}, [(0.0, target)]
            while heap:
                so_far, node = heapq.heappop(heap)
                for l in self.into.get(node, []) if so_far == cost[node] else []:
                    source, _, weight = self.links[l]
                    if so_far + weight < cost.get(source, math.inf):
                        cost[source] = so_far + weight
                        heapq.heappush(heap, (cost[source], source))
            self.costs[target] = cost
        return self.costs[target]

    def expand(self, first, segments):
        """The links that a list leads over; nothing where more than one way is the cheapest."""
        walked, at = [first], self.links[first][1]
        for segment in segments:
            number = int(segment[1:])
            target = number if segment[0] == "N" else self.links[number][0]
            cost = self.cost_to(target)
            while at != target:
                ways = [l for l in self.out[at] if math.isclose(cost.get(self.links[l][1], math.inf) + self.links[l][2],
                                                                cost[at], rel_tol=1e-9)]
                if len(ways) != 1:
                    return []
                walked.append(ways[0])
                at = self.links[ways[0]][1]
            if segment[0] == "A":
                walked.append(number)
                at = self.links[number][1]
        return walked


class FewPaths(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(temporary_folder())
        cls.plan = cls.folder / "plan.json"
        wanted = {f"{name}{end}" for name in LARGEST for end in (".graph", ".0000.demands")}
        unpack_zoo(cls.folder, lambda file: file in wanted)

    def zoo(self, name):
        return self.folder / f"{name}.graph", self.folder / f"{name}.0000.demands"

    def solve(self, name, *more):
        graph, demands = self.zoo(name)
        return run_json(SIM, "solve", "--topology", graph, "--demands", demands, "--plan-out", self.plan, *more)

    def verify(self, name, *more):
        return run(SIM, "verify", "--topology", self.folder / f"{name}.graph", "--demands",
                   self.folder / f"{name}.0000.demands", "--plan", self.plan, *more)

    def test_four_paths_are_within_a_percent_of_the_optimum_on_the_largest_graphs(self):
        for name in LARGEST:
            with self.subTest(name):
                solved = self.solve(name, "--paths", "4")
                self.assertTrue(solved["verified"])
                self.assertLessEqual(solved["gap"], 0.01)
                self.assertLessEqual(solved["mlu"], 0.909)  # the optimum is 0.90 by construction
                self.assertEqual(self.verify(name, "--paths", "4")[0], 0)
                counts = [len(demand["paths"]) for demand in json.loads(self.plan.read_text())["demands"]]
                self.assertLessEqual(max(counts), 4)

    def test_segment_lists_lead_along_the_links(self):
        solved = self.solve("Ion", "--paths", "4", "--sid-depth", "5")
        self.assertTrue(solved["verified"])
        self.assertEqual((solved["paths_max"], solved["sid_depth"]), (4, 5))
        self.assertLessEqual(solved["gap"], 0.01)
        igp = Igp(graph_links(self.folder / "Ion.graph"))
        for demand in json.loads(self.plan.read_text())["demands"]:
            for path in demand["paths"]:
                self.assertLessEqual(len(path["segments"]), 5)
                self.assertEqual(igp.expand(path["links"][0], path["segments"]), path["links"])

    def test_classes_of_three_priorities_stay_within_a_percent_each_in_short_lists(self):
        name = "UsCarrier"
        graph, demands = self.zoo(name)
        links = graph_links(graph)
        avoided = 7
        policies = self.folder / "policies.yaml"
        policies.write_text("classes:\n  - name: default\n  - {name: gold, dscp: [46], priority: 2, latency_max: 12 ms}\n"
                            f"  - {{name: silver, dscp: [18], priority: 1, avoid: ['{self.link_name(graph, avoided)}']}}\n")
        classes = ["--policies", policies, "--class-share", "gold=0.2", "--class-share", "silver=0.3"]
        solved = self.solve(name, *classes, "--paths", "4", "--sid-depth", "6")
        for level in solved["levels"]:
            self.assertLessEqual(level["gap"], 0.01 * (1 + 1e-6))
            self.assertGreaterEqual(level["all_paths_utilization"], level["lower_bound"])
        self.assertEqual(solved["broken"], [])
        self.assertEqual(self.verify(name, *classes, "--paths", "4", "--sid-depth", "6")[0], 0)
        igp = Igp(links)
        plan = json.loads(self.plan.read_text())
        self.assertEqual(len(plan["class_proof"]["levels"]), 3)
        for demand in plan["demands"]:
            self.assertLessEqual(len(demand["paths"]), 4)
            for path in demand["paths"]:
                self.assertLessEqual(len(path["segments"]), 6)
                self.assertEqual(igp.expand(path["links"][0], path["segments"]), path["links"])
                self.assertFalse(demand["class"] == 2 and avoided in path["links"])

    @staticmethod
    def link_name(graph, number):
        """As policies name it: the two ends."""
        lines = [line.split() for line in graph.read_text(encoding="utf-8").splitlines() if line.strip()]
        nodes = [fields[0] for fields in lines[2:2 + int(lines[0][1])]]
        source, to, _ = graph_links(graph)[number]
        return f"{nodes[source]}>{nodes[to]}"

    def test_what_is_not_kept_is_refused(self):
        self.solve("Ion", "--paths", "4", "--sid-depth", "5")
        honest = json.loads(self.plan.read_text())
        split = next(d for d, demand in enumerate(honest["demands"]) if len(demand["paths"]) > 1)
        long = next((d, p) for d, demand in enumerate(honest["demands"]) for p, path in enumerate(demand["paths"])
                    if len(path["segments"]) > 1)

        def path(plan):
            return plan["demands"][long[0]]["paths"][long[1]]
        forgeries = {
            "claims at most 1": lambda plan: plan["limits"].update(paths_max=1),
            "segments, it claims at most": lambda plan: plan["limits"].update(sid_depth=1),
            " segment": lambda plan: path(plan)["segments"].pop(0),
            "which is not the path's": lambda plan: path(plan)["segments"].insert(0, f"N{plan['demands'][long[0]]['from']}"),
            "some paths have segments and some have none": lambda plan: path(plan).pop("segments"),
            "a segment must be": lambda plan: path(plan)["segments"].append("N100000"),
        }
        for why, forge in forgeries.items():
            with self.subTest(why):
                plan = json.loads(json.dumps(honest))
                forge(plan)
                self.plan.write_text(json.dumps(plan))
                self.refused(self.verify("Ion"), why)
        self.plan.write_text(json.dumps(honest))
        self.refused(self.verify("Ion", "--paths", "1"), "paths a demand")
        self.assertGreater(len(honest["demands"][split]["paths"]), 1)

    def test_a_depth_that_some_demand_cannot_keep_is_an_error_that_names_it(self):
        graph, demands = self.zoo("Ion")
        self.refused(run(SIM, "solve", "--topology", graph, "--demands", demands, "--sid-depth", "1"),
                     "can be described by 1 segment")


if __name__ == "__main__":
    main()
