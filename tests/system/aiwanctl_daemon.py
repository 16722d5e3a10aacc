#!/usr/bin/env python3
"""aiwanctl with the real daemon and simulated nodes: every `-o json` against its schema, every exit code that the daemon
causes, and an operator's work from a proposal to a rollback.

`aiwanctl_daemon.py AIWANCTL AIWAND BUS_NODES`
"""
import json, os, select, signal, subprocess, time
import jsonschema, yaml
from programs import ROOT, ProgramTest, main, run, take_program, temporary_folder

CTL, DAEMON, NODES = take_program(), take_program(), take_program()
SCHEMA = json.loads((ROOT / "controller/program/aiwanctl/answers.schema.json").read_text())
DONE, ERROR, CHANGES, WRONG_USAGE, NOT_REACHED, CONFLICT, NOT_FOUND = range(7)
PATIENCE = 30  # seconds until something that takes an interval or two counts as never happening
NETWORK = """nodes:
  - {name: ams, locator: "fc00:0:1::/64", prefixes: [10.1.0.0/16]}
  - {name: fra, locator: "fc00:0:2::/64", prefixes: [10.2.0.0/16]}
  - {name: par, locator: "fc00:0:3::/64", prefixes: [10.3.0.0/16]}
  - {name: leaf, locator: "fc00:0:4::/64", prefixes: [10.4.0.0/16]}
links:
  - {ends: [ams, fra], ports: [to-fra, to-ams], capacity: 20 Mbit/s, metric: 1, delay: 2 ms, name: west-1, srlgs: [duct]}
  - {ends: [ams, par], ports: [to-par, to-ams], capacity: 20 Mbit/s, metric: 1, delay: 2 ms}
  - {ends: [par, fra], ports: [to-fra, to-par], capacity: 20 Mbit/s, metric: 1, delay: 2 ms}
  - {ends: [fra, leaf], ports: [to-leaf, to-fra], capacity: 20 Mbit/s, metric: 1, delay: 2 ms}
"""
CONFIG = """network: network.yaml
bus: ipc://{folder}/bus.sock
state: {folder}/state
interval: 1 s
grace: 200 ms
mode: {mode}
max_moved_share: 1
utilization_target: 0.7
policies: policies.yaml
api: {{socket: {folder}/d.sock}}
log: {{level: info, format: text}}
"""
POLICIES = "classes:\n  - name: default\n"
GOLD = "classes:\n  - name: default\n  - {name: gold, dscp: [46], priority: 1}\n"


class Live:
    """A daemon and its nodes, in a folder of their own."""

    def __init__(self, folder, mode):
        self.folder, self.programs = folder, []
        (folder / "network.yaml").write_text(NETWORK)
        (folder / "policies.yaml").write_text(POLICIES)
        (folder / "aiwand.yaml").write_text(CONFIG.format(folder=folder, mode=mode))
        self.start_daemon()
        self.nodes = subprocess.Popen([NODES, "--network", folder / "network.yaml", "--bus", f"ipc://{folder}/bus.sock"],
                                      stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)

    def start_daemon(self):
        with open(self.folder / "aiwand.log", "a") as log:
            self.daemon = subprocess.Popen([DAEMON, "--config", self.folder / "aiwand.yaml"], stdout=log, stderr=log)

    def tell_nodes(self, command):
        self.nodes.stdin.write(json.dumps(command) + "\n")
        self.nodes.stdin.flush()

    def stop(self):
        self.nodes.stdin.close()
        for program in (self.daemon, self.nodes):
            program.send_signal(signal.SIGTERM)
            try:
                program.wait(timeout=20)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


class AiwanctlAndDaemon(ProgramTest):
    def setUp(self):
        self.folder = self.enterContext(temporary_folder())
        self.live = Live(self.folder, "advise")
        self.addCleanup(self.live.stop)
        self.live.tell_nodes({"demands": [{"from": "ams", "to": "fra", "class": 0, "rate_bps": 2e6}]})

    def ctl(self, *arguments):
        return run(CTL, *arguments, "--server", f"unix:{self.folder}/d.sock")

    def failed(self, outcome, code, *words):
        self.assertEqual((outcome.code, outcome.out), (code, ""), self.log(outcome))
        self.assertRegex(outcome.err, r"\Aaiwanctl: [^\n]+; next: [^\n]+\n\Z")
        for word in words:
            self.assertIn(word, outcome.err)

    def log(self, about):
        return f"{about}\n{(self.folder / 'aiwand.log').read_text()[-3000:]}"

    def done(self, *arguments, code=DONE):
        outcome = self.ctl(*arguments)
        self.assertEqual(outcome.code, code, self.log(outcome))
        return outcome.out

    def asked(self, schema, *arguments, code=DONE, option="-o"):
        """The command's JSON, which fits its schema; its table and YAML show the same, for commands that only look."""
        answer = json.loads(self.done(*arguments, option, "json", code=code))
        jsonschema.Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{schema}"}).validate(answer)
        return answer

    def wait_for(self, what, condition):
        """Asks until there is an answer that counts."""
        end = time.monotonic() + PATIENCE
        while True:
            found = condition()
            if found:
                return found
            self.assertLess(time.monotonic(), end, self.log(what))
            select.select([], [], [], 0.1)

    def status(self):
        outcome = self.ctl("get", "status", "-o", "json")
        return json.loads(outcome.out) if outcome.code == DONE else {}

    def all_reporting(self):
        return self.wait_for("all nodes report and traffic is measured",
                             lambda: (status := self.status()) and status["nodes"]["reporting"] == 4 and
                             (status["measured"] or {}).get("total_bps"))

    def congest(self, rate_bps):
        """More traffic than the shortest path can take; gives the decision that answers it, once it is pending."""
        self.live.tell_nodes({"demands": [{"from": "ams", "to": "fra", "class": 0, "rate_bps": rate_bps}]})
        return self.wait_for("a decision waits for approval", lambda: self.status().get("pending_decision"))

    def test_every_answer_of_get_and_describe_fits_its_schema(self):
        self.all_reporting()
        self.done("approve", str(self.congest(2.6e7)))
        self.wait_for("a plan is in force", lambda: json.loads(self.done("get", "plans", "-o", "json"))["items"])
        self.asked("status", "get", "status")
        lists = {kind: self.asked(kind, "get", kind)["items"]
                 for kind in ("nodes", "links", "demands", "plans", "decisions", "alarms")}
        self.assertEqual([node["name"] for node in lists["nodes"]], ["ams", "fra", "par", "leaf"])
        self.assertEqual(len(lists["links"]), 8)
        self.assertTrue(lists["demands"] and lists["plans"] and lists["decisions"])
        self.assertEqual(len(self.asked("decisions", "get", "decisions", "--limit", 1)["items"]), 1)
        self.asked("policies", "get", "policies")
        for kind, name, schema in [("node", "ams", "node"), ("link", "west-1/ams-fra", "link"),
                                   ("plan", lists["plans"][0]["epoch"], "plan_with_routes"),
                                   ("decision", lists["decisions"][0]["id"], "decision")]:
            self.asked(schema, "describe", kind, name)
            self.assertIn(str(name), self.done("describe", kind, name))
        for kind in ("nodes", "links", "demands", "plans", "decisions", "alarms", "policies", "status"):
            table = self.done("get", kind)
            self.assertRegex(table, r"\A[^\x00-\x09\x0b-\x1f\x7f]+\n\Z")
            if kind in lists:
                self.done("get", kind, "-o", "wide")
                names = self.done("get", kind, "-o", "names").split()
                self.assertEqual(len(names), len(set(names)))
            self.assertIsInstance(yaml.safe_load(self.done("get", kind, "-o", "yaml")), dict)
        self.assertIn("Mbit/s", self.done("get", "links"))
        top = self.done("top", "--once")
        self.assertIn("west-1/ams-fra", top)

    def test_a_proposal_is_explained_and_approved_once(self):
        self.all_reporting()
        identity = str(self.congest(3.0e7))
        explanation = self.asked("explanation", "explain", identity)
        self.assertEqual(str(explanation["decision"]["id"]), identity)
        self.assertIn("west-1/ams-fra", [link["link"] for link in explanation["binding_links"]])
        self.assertTrue(explanation["changes"])
        self.assertTrue(explanation["rejected"])
        text = self.done("explain", identity)
        for part in ("west-1/ams-fra", "binding links", "rejected alternatives", explanation["rejected"][0]["alternative"]):
            self.assertIn(part, text)
        approved = self.asked("decision", "approve", identity)
        self.assertIn(approved["state"], ("approved", "installed"))
        self.failed(self.ctl("approve", identity), CONFLICT)
        self.failed(self.ctl("approve", "999999999"), NOT_FOUND)
        self.failed(self.ctl("explain", "999999999"), NOT_FOUND)
        self.asked("explanation", "explain", "latest")

    def test_what_does_not_exist_is_not_found(self):
        self.all_reporting()
        for kind in ("node", "link", "plan", "decision"):
            for name in ("999999", "../status", "a b", "x" * 300):
                self.failed(self.ctl("describe", kind, name), NOT_FOUND)
        self.failed(self.ctl("drain", "nowhere"), NOT_FOUND, "nowhere")
        self.failed(self.ctl("simulate", "--down", "nowhere"), NOT_FOUND, "nowhere")
        self.failed(self.ctl("rollback", "--to", "999"), NOT_FOUND)

    def test_mode_pause_and_resume(self):
        self.all_reporting()
        for mode in ("observe", "auto", "advise"):
            self.assertEqual(self.asked("status", "mode", mode)["mode"], mode)
        paused = self.asked("status", "pause", "--for", "2h")
        self.assertTrue(paused["paused"] and paused["paused_until"])
        self.assertIn("paused until 20", self.done("get", "status"))
        self.assertFalse(self.asked("status", "resume")["paused"])
        paused = self.asked("status", "pause")
        self.assertTrue(paused["paused"])
        self.assertIsNone(paused["paused_until"])
        self.done("resume")

    def test_approve_is_refused_outside_advise_mode(self):
        self.all_reporting()
        identity = str(self.congest(2.4e7))
        self.done("mode", "observe")
        self.failed(self.ctl("approve", identity), CONFLICT)
        self.done("mode", "advise")

    def test_policies_are_planned_applied_confirmed_and_rolled_back(self):
        self.all_reporting()
        before = self.asked("policies", "get", "policies")
        gold, saved = self.folder / "gold.yaml", self.folder / "gold.plan"
        gold.write_text(GOLD)
        self.asked("saved_plan", "diff", "-f", gold, code=CHANGES)
        self.assertIn("gold", self.done("plan", "-f", gold, "-o", saved, code=CHANGES))
        jsonschema.Draft202012Validator({**SCHEMA, "$ref": "#/$defs/saved_plan"}).validate(json.loads(saved.read_text()))
        self.assertIn("gold", "\n".join(json.loads(saved.read_text())["policy_changes"]))

        applied = self.asked("applied", "apply", saved, "--confirm-within", "5m")
        self.assertGreater(applied["version"], before["version"])
        self.assertTrue(applied["confirm_until"])
        self.assertIn("confirm", self.done("get", "policies"))
        self.asked("version", "confirm")
        self.failed(self.ctl("confirm"), CONFLICT)
        self.failed(self.ctl("apply", saved), CONFLICT)  # made for a state that is no more

        in_force = self.folder / "in_force.yaml"
        in_force.write_text(self.done("get", "policies"))
        self.assertEqual(self.done("diff", "-f", in_force), "no changes\n")
        outcome = self.ctl("plan", "-f", in_force, "--output", "json")  # which may still move traffic as it is now
        self.assertEqual(outcome.code, CHANGES if json.loads(outcome.out)["changes"] else DONE)

        self.asked("version", "rollback")
        self.assertNotIn("gold", self.done("get", "policies"))
        self.asked("version", "rollback", "--to", applied["version"])
        self.assertIn("gold", self.done("get", "policies"))
        (self.folder / "plain.yaml").write_text(POLICIES)
        self.asked("applied", "apply", "-f", self.folder / "plain.yaml")

    def test_what_nobody_confirms_is_undone(self):
        self.all_reporting()
        gold = self.folder / "unconfirmed.yaml"
        gold.write_text(GOLD.replace("gold", "silver"))
        self.done("apply", "-f", gold, "--confirm-within", "1s")
        self.wait_for("the policies are back", lambda: "silver" not in self.done("get", "policies"))
        self.failed(self.ctl("confirm"), CONFLICT)

    def test_a_plan_is_stale_once_the_mode_has_changed(self):
        self.all_reporting()
        saved, gold = self.folder / "stale.plan", self.folder / "stale.yaml"
        gold.write_text(GOLD)
        self.done("plan", "-f", gold, "-o", saved, code=CHANGES)
        self.done("mode", "observe")
        self.failed(self.ctl("apply", saved), CONFLICT, "aiwanctl")
        self.done("mode", "advise")

    def test_bad_policies_are_refused_with_file_and_line(self):
        self.all_reporting()
        bad = self.folder / "bad.yaml"
        for text, words in [("classes:\n  - name: default\n  - {name: x, dscp: [64]}\n", "bad.yaml:3"),
                            ("classes: [\n", "bad.yaml"), ("nonsense: 1\n", "bad.yaml:1"),
                            ("classes: [{name: default}]\ndrain: [nowhere]\n", "bad.yaml:2")]:
            bad.write_text(text)
            for command in ("plan", "diff", "apply", "simulate"):
                self.failed(self.ctl(command, "-f", bad), ERROR, words)

    def test_drain_and_undrain(self):
        self.all_reporting()
        drained = self.asked("drained", "drain", "west-1")
        self.assertEqual(sorted(drained["targets"]), ["west-1/ams-fra", "west-1/fra-ams"])
        links = {link["name"]: link["drained"] for link in self.asked("links", "get", "links")["items"]}
        self.assertEqual([name for name, is_drained in links.items() if is_drained], ["west-1/ams-fra", "west-1/fra-ams"])
        self.failed(self.ctl("drain", "fra-leaf"), CONFLICT, "leaf")  # nothing else leads there
        self.asked("drained", "undrain", "west-1")
        self.assertFalse(any(link["drained"] for link in self.asked("links", "get", "links")["items"]))
        self.asked("drained", "drain", "par")
        self.assertIn("undrained: ", self.done("undrain", "par"))

    def test_simulate_changes_nothing(self):
        self.all_reporting()
        gold = self.folder / "what_if.yaml"
        gold.write_text(GOLD)
        state = self.status()["state"]
        self.asked("simulation", "simulate", "--scale", "1.5")
        cut = self.asked("simulation", "simulate", "--down", "fra-leaf", "--demand", "ams:leaf:default=1Mbit/s")
        self.assertEqual([(pair["from"], pair["to"]) for pair in cut["disconnected"]], [("ams", "leaf")])
        self.asked("simulation", "simulate", "-f", gold, "--demand", "ams:fra:gold=5Mbit/s")
        more = self.asked("simulation", "simulate", "--demand", "ams:fra:default=30Mbit/s")
        self.assertGreater(more["max_utilization"], more["before"]["max_utilization"])
        self.assertIn("paths as they are", self.done("simulate", "--down", "west-1"))
        self.assertEqual(self.status()["state"], state)

    def test_a_killed_daemon_is_not_reached_and_comes_back(self):
        self.all_reporting()
        self.done("pause")
        self.live.daemon.kill()
        self.live.daemon.wait()
        self.failed(self.ctl("get", "status"), NOT_REACHED, "refused")
        self.live.start_daemon()
        self.wait_for("the daemon is back, and still paused", lambda: self.status().get("paused"))
        self.done("resume")


if __name__ == "__main__":
    main()
