#!/usr/bin/env python3
"""Every subcommand: help with an example, exit codes 0, 1 and 2, one line for bad input, JSON alone when asked for."""
import json, re
from programs import ProgramTest, main, run, take_program, temporary_folder
from small_network import write_small_network

SIM, MODELS = take_program(), take_program()
SCENARIO = """name: short
topology: {{file: {graph}}}
traffic: {{file: {traffic}}}
score: {{from: 250, to: 280}}
events: [{{at: 260, fail: Alpha - Bravo}}]
controllers: [ospf, scenario]
"""
BAD_FILES = {
    "torn.graph": "NODES 2\nlabel x y\nA 0 0\n",
    "nan.csv": "time,Alpha>Bravo\n2026-03-02T00:00:00Z,nan\n",
    "strangers.csv": "time,Alpha>Zulu\n2026-03-02T00:00:00Z,1\n",
    "torn.demands": "DEMANDS 3\nlabel src dest bw\ndemand_0 0 1 5\n",
    "torn.json": '{"nodes": [',
    "unknown-key.yaml": "name: x\ntopologie: {builtin: backbone12}\n",
    "torn.yaml": "name: [x\n",
}


class Usage(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(temporary_folder())
        cls.graph, cls.demands, cls.traffic = write_small_network(cls.folder)
        cls.plan, cls.scenario = cls.folder / "plan.json", cls.folder / "short.yaml"
        cls.scenario.write_text(SCENARIO.format(graph=cls.graph, traffic=cls.traffic))
        for name, text in BAD_FILES.items():
            (cls.folder / name).write_text(text)
        network, model = ["--topology", cls.graph], cls.folder / "model"
        series = [*network, "--traffic", cls.traffic]
        new_graph, new_traffic = cls.folder / "new.graph", cls.folder / "new.csv"
        cls.good = {  # a call of each subcommand that works, in an order in which each finds what it needs
            (SIM, "solve"): [*network, "--demands", cls.demands, "--plan-out", cls.plan],
            (SIM, "verify"): [*network, "--demands", cls.demands, "--plan", cls.plan],
            (SIM, "failures"): [*network, "--demands", cls.demands],
            (SIM, "replay"): [*series, "--score-from", 250],
            (SIM, "run"): [cls.scenario, "--out", cls.folder / "out"],
            (MODELS, "train"): [*series, "--to", 250, "--epochs", 1, "--out", model],
            (MODELS, "evaluate"): [*series, "--model", model, "--score-from", 250],
            (SIM, "generate"): ["--days", 1, "--topology-out", new_graph, "--traffic-out", new_traffic],
        }
        cls.outcomes = {call: run(*call, *arguments) for call, arguments in cls.good.items()}
        cls.with_json = [call for call in cls.good if call[1] != "generate"]

    def replaced(self, call, option, value):
        """The working call with one of its arguments replaced, or one more option."""
        arguments = list(self.good[call])
        if option in arguments:
            arguments[arguments.index(option) + 1] = value
            return arguments
        return [*arguments, option, value]

    def test_every_subcommand_works_and_leaves_only_json_on_standard_output_if_asked(self):
        for (_, name), (code, out, err) in self.outcomes.items():
            with self.subTest(name):
                self.assertEqual((code, err), (0, ""))
                self.assertTrue(out)
        for program, name in self.with_json:
            with self.subTest(name + " --json -"):
                code, out, err = run(program, name, *self.good[program, name], "--json", "-")
                self.assertEqual(code, 0, err)
                self.assertIsInstance(json.loads(out), dict)
                self.assertNotRegex(err, r"[\r\x1b]", "a progress bar in a pipe")
                file = self.folder / "result.json"
                self.assertEqual(run(program, name, *self.good[program, name], "--json", file).code, 0)
                self.assertEqual(json.loads(file.read_text()).keys(), json.loads(out).keys())

    def test_help_shows_an_example_of_every_subcommand(self):
        for program, own_name in [(SIM, "aiwan-sim"), (MODELS, "aiwan-models")]:
            code, out, err = run(program, "--help")
            self.assertEqual((code, err), (0, ""))
            subcommands = re.findall(r"^  (\w+) ", out.split("Subcommands:")[1], re.MULTILINE)
            self.assertEqual(sorted(subcommands), sorted(name for of, name in self.good if of == program))
            for name in subcommands:
                with self.subTest(name):
                    code, out, err = run(program, name, "--help")
                    self.assertEqual((code, err), (0, ""))
                    self.assertRegex(out, rf"Examples:\n  {own_name} ")
                    self.assertRegex(out, rf"\n  {own_name} {name}\b")
                    self.assertIn("Exit code", out)

    def test_wrong_usage_exits_2(self):
        for program in (SIM, MODELS):
            self.wrong_usage(run(program))
            self.wrong_usage(run(program, "no-such-subcommand"))
        for program, name in self.good:
            with self.subTest(name):
                self.wrong_usage(run(program, name, *self.good[program, name], "--no-such-option"))
                if name != "run":  # which has a built-in scenario
                    self.wrong_usage(run(program, name))
        for call, option, value in [((SIM, "solve"), "--gap", "0"), ((SIM, "solve"), "--threads", "none"),
                                    ((SIM, "replay"), "--controllers", "ospf,magic"),
                                    ((MODELS, "train"), "--epochs", "0")]:
            with self.subTest(f"{option} {value}"):
                self.wrong_usage(run(*call, *self.replaced(call, option, value)))

    def wrong_usage(self, outcome):
        self.assertEqual((outcome.code, outcome.out), (2, ""), outcome)
        self.assertTrue(outcome.err)

    def test_bad_input_exits_1_with_one_line(self):
        solve, verify, replay, generate = (SIM, "solve"), (SIM, "verify"), (SIM, "replay"), (SIM, "generate")
        train, evaluate, play = (MODELS, "train"), (MODELS, "evaluate"), (SIM, "run")
        bad = [(call, option, value) for option, value, calls in [
            ("--topology", "absent.graph", [solve, verify, replay, train, evaluate]),
            ("--topology", "torn.graph", [solve, verify, replay, train, evaluate]),
            ("--topology", ".", [solve]),
            ("--demands", "absent.demands", [solve, verify]), ("--demands", "torn.demands", [solve, verify]),
            ("--demands", "small.csv", [solve]), ("--demands", "small.csv@300", [solve]),
            ("--demands", "small.csv@x", [solve]), ("--plan-out", "absent/plan.json", [solve]),
            ("--plan", "absent.json", [verify]), ("--plan", "torn.json", [verify]),
            ("--traffic", "absent.csv", [replay, train, evaluate]), ("--traffic", "nan.csv", [replay, train, evaluate]),
            ("--traffic", "strangers.csv", [replay, train]), ("--traffic-out", "absent/new.csv", [generate]),
            ("--scenario", "absent.yaml", [generate]), ("--scenario", "torn.yaml", [generate]),
            ("--model", "absent", [replay, evaluate, play]), ("--out", "torn.json/out", [play]),
        ] for call in calls]
        bad = [(call, self.replaced(call, option, self.folder / value)) for call, option, value in bad]
        bad += [(play, [self.folder / name]) for name in ("absent.yaml", "torn.yaml", "unknown-key.yaml")]
        for text in ("gravity:x", "gravity:1:-2", "gravity:1:nan"):
            bad.append((solve, self.replaced(solve, "--demands", text)))
        bad += [(call, self.replaced(call, "--score-from", row)) for call in (replay, evaluate) for row in (300, 9999)]
        bad += [(replay, self.replaced(replay, "--score-from", 0)), (train, self.replaced(train, "--to", 20))]
        for call, arguments in bad:
            with self.subTest(f"{call[1]} {' '.join(map(str, arguments))}"):
                outcome = run(*call, *arguments)
                self.refused(outcome, f"aiwan-{'models' if call[0] == MODELS else 'sim'} {call[1]}: ")
                self.assertEqual(outcome.out, "")

    def test_json_that_cannot_be_written_is_bad_input(self):
        for call in self.with_json:
            for target in (self.folder / "absent" / "result.json", self.folder, "/dev/full"):
                with self.subTest(f"{call[1]} {target}"):
                    self.refused(run(*call, *self.good[call], "--json", target), str(target))


if __name__ == "__main__":
    main()
