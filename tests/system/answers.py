#!/usr/bin/env python3
"""Every key of what solve, verify and replay answer as JSON stands in docs/formats/answers.md."""
import re
from programs import ROOT, ProgramTest, main, run_json, take_program, temporary_folder, run

SIM = take_program()
POLICIES = """classes:
  - {name: default, latency_max: 1 us}
  - {name: gold, dscp: [46], priority: 1, avoid: []}
"""


def keys_of(answer, named=("controllers", "summary")):
    """All keys, but for the names of controllers and links."""
    if isinstance(answer, list):
        return set().union(*map(keys_of, answer))
    if not isinstance(answer, dict):
        return set()
    found = set(answer)
    for key, value in answer.items():
        if key in named:
            found |= set().union(*map(keys_of, value.values()))
        elif key != "congestion" or "auc" in value:
            found |= keys_of(value)
    return found


class Answers(ProgramTest):
    def setUp(self):
        self.folder = self.enterContext(temporary_folder())
        self.graph, self.traffic = self.folder / "net.graph", self.folder / "week.csv"
        self.assertEqual(run(SIM, "generate", "--days", 1, "--topology-out", self.graph, "--traffic-out", self.traffic).code, 0)
        self.plan = self.folder / "plan.json"
        self.policies = self.folder / "policies.yaml"
        self.policies.write_text(POLICIES)
        page = (ROOT / "docs/formats/answers.md").read_text()
        sections = dict(re.findall(r"^## `([a-z -]+)`\n(.*?)(?=^## |\Z)", page, re.M | re.S))
        self.told = {name: set(re.findall(r"`([a-z_0-9]+)`", text)) for name, text in sections.items()}
        self.told["replay"] |= set(re.findall(r"`([a-z_0-9]+)`", (ROOT / "docs/formats/results.md").read_text()))

    def check(self, section, answer):
        self.assertTrue(answer)
        self.assertEqual(keys_of(answer) - self.told[section], set(), section)

    def demands(self, load):
        return ["--topology", self.graph, "--demands", f"gravity:1:{load}"]

    def test_solve_and_verify(self):
        limits = ["--paths", 2, "--sid-depth", 6]
        for more in ([], ["--exact"], limits):
            self.check("solve", run_json(SIM, "solve", *self.demands(0.9), *more, "--plan-out", self.plan))
            self.check("verify", run_json(SIM, "verify", *self.demands(0.9), "--plan", self.plan))

    def test_solve_and_verify_by_policies(self):
        for load, more in ((0.9, []), (0.9, ["--paths", 2]), (3, ["--objective", "fair"])):
            arguments = [*self.demands(load), "--policies", self.policies]
            answer = run_json(SIM, "solve", *arguments, *more, "--plan-out", self.plan)
            self.assertTrue(answer["broken"])
            self.assertEqual(bool(answer["shed"]), load == 3)
            self.check("solve --policies", answer)
            self.check("verify", run_json(SIM, "verify", *arguments, "--plan", self.plan))

    def test_replay(self):
        answer = run_json(SIM, "replay", "--topology", self.graph, "--traffic", self.traffic, "--score-from", 270,
                          "--score-to", 276, "--scale", 20, "--congestion", 15)
        self.assertIn("auc", answer["congestion"])
        self.check("replay", answer)


if __name__ == "__main__":
    main()
