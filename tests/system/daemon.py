#!/usr/bin/env python3
"""aiwand against simulated nodes: modes, pauses, restarts, confirmations, drains, hostile messages.

`daemon.py AIWAND BUS_NODES`. An interval is a second of wall time, so scenarios run side by side.
"""
import concurrent.futures, json, random, time, unittest

from daemon_rig import Api, RawPeer, Rig, ring_of
from programs import main, run, take_program

AIWAND, NODES = take_program(), take_program()

DAEMONS_AT_ONCE = 6  # each reports every second
CONGESTED = ("ams", "fra", 30.0)  # over one path of 20 Mbit/s; fits two


def rig(**options):
    return Rig(AIWAND, NODES, **options)


def congested(r):
    """Whether the newest interval lost traffic."""
    return r.intervals[-1]["delivered"] < 0.999


def newest(r, *states):
    return next((d for d in r.items("/v1/decisions?limit=1000") if d["state"] in states), None)


def observe_installs_nothing():
    with rig(mode="observe") as r:
        r.connected()
        r.demand(CONGESTED)
        r.after_intervals(2)
        before = r.installs()
        r.after_intervals(50, 70)
        assert congested(r)
        assert r.installs() == before
        assert r.metric("aiwan_plan_installs_total") == 0
        assert r.metric("aiwan_base_installs_total") == 1
        seen = r.items("/v1/decisions?limit=1000")
        observed = [d for d in seen if d["state"] == "observed"]
        assert len(observed) >= 45, len(observed)
        assert not [d for d in seen if d["state"] in ("installed", "proposed", "approved")]
        r.post(f"/v1/decisions/{observed[0]['id']}/approve", status=409)


def advise_installs_what_is_approved():
    with rig(mode="advise") as r:
        r.connected()
        r.demand(CONGESTED)
        proposal = r.until(lambda: newest(r, "proposed"), 10, "a proposal")
        before = r.installs()
        r.after_intervals(4)
        assert congested(r) and r.installs() == before
        assert r.get("/v1/status")["pending_decision"] == proposal["id"], "the proposal keeps its number"
        superseded = newest(r, "superseded")
        assert superseded["id"] > proposal["id"]
        r.post(f"/v1/decisions/{superseded['id']}/approve", status=409)
        r.post("/v1/decisions/999999/approve", status=404)
        approved = r.post(f"/v1/decisions/{proposal['id']}/approve")
        assert approved["state"] == "approved" and approved["epoch"] == r.get("/v1/status")["epoch"]
        r.after_intervals(2)
        assert not congested(r)
        assert all(node["epoch"] == approved["epoch"] for node in r.shown().values())
        r.post(f"/v1/decisions/{proposal['id']}/approve", status=409)
        effect = r.until(lambda: r.get(f"/v1/decisions/{proposal['id']}")["effect"], 5, "the decision's effect")
        assert effect["max_utilization"] < 1.0
        explained = r.get(f"/v1/decisions/{proposal['id']}/explanation")
        assert explained["binding_links"] and explained["binding_links"][0]["link"] in ("ams-lon", "lon-fra", "ams-par", "par-fra")
        assert {"keep the plan in force", "shortest paths (IGP)"} <= {a["alternative"] for a in explained["rejected"]}
        change = next(c for c in explained["changes"] if (c["from"], c["to"]) == ("ams", "fra"))
        assert len(change["before"]) == 1 and len(change["after"]) == 2


def auto_resolves_congestion_within_three_intervals():
    with rig(mode="auto") as r:
        r.connected()
        r.demand(("ams", "fra", 10.0))
        r.after_intervals(3)
        r.demand(CONGESTED)
        begin = len(r.intervals)
        r.after_intervals(7)
        lost = [i["delivered"] < 0.999 for i in r.intervals[begin:]]
        assert any(lost), "it was congested"
        assert not any(lost[4:]), lost  # the first may lie before the demand grew
        installed = newest(r, "installed")
        assert installed["action"] == "install" and installed["lower_bound"] > 0.0


def pause_holds_within_an_interval_and_across_kill():
    with rig(mode="auto") as r:
        r.connected()
        r.after_intervals(1)
        assert r.post("/v1/pause", {"for_s": 3600})["paused"] is True
        before = r.installs()
        r.demand(CONGESTED)
        r.after_intervals(3)
        assert congested(r) and r.installs() == before
        r.kill_daemon()
        r.start_daemon()
        status = r.get("/v1/status")
        assert status["paused"] and status["paused_until"]
        r.after_intervals(4)
        assert congested(r) and r.installs() == before
        assert r.post("/v1/resume")["paused"] is False
        r.until(lambda: not congested(r), 8, "the congestion's end after resume")
        r.post("/v1/pause", {"for_s": 1})
        r.until(lambda: not r.get("/v1/status")["paused"], 4, "the pause's end")


def restart_adopts_what_is_installed():
    with rig(mode="auto") as r:
        r.connected()
        r.demand(CONGESTED)
        r.until(lambda: newest(r, "installed"), 10, "an install")
        r.after_intervals(3)
        before, status = r.shown(), r.get("/v1/status")
        r.kill_daemon()
        r.start_daemon()
        r.after_intervals(5)
        after = r.get("/v1/status")
        assert (after["epoch"], after["plan_digest"]) == (status["epoch"], status["plan_digest"])
        assert {n: v["installs"] for n, v in r.shown().items()} == {n: v["installs"] for n, v in before.items()}
        assert not congested(r)


def lost_state_is_read_from_the_nodes():
    with rig(mode="advise") as r:
        r.connected()
        r.demand(CONGESTED)
        proposal = r.until(lambda: newest(r, "proposed"), 10, "a proposal")
        r.post(f"/v1/decisions/{proposal['id']}/approve")
        r.after_intervals(2)
        before, status = r.installs(), r.get("/v1/status")
        r.kill_daemon()
        for file in (r.folder / "state").glob("state.db*"):
            file.unlink()
        r.start_daemon()
        r.after_intervals(3)
        after = r.get("/v1/status")
        assert (after["epoch"], after["plan_digest"]) == (status["epoch"], status["plan_digest"])
        assert r.installs() == before
        paths = next(d for d in r.items("/v1/demands") if (d["from"], d["to"]) == ("ams", "fra"))["paths"]
        assert len(paths) == 2, paths


def a_node_that_restarts_gets_the_plan_in_force():
    with rig(mode="auto") as r:
        r.connected()
        r.demand(CONGESTED)
        r.until(lambda: newest(r, "installed"), 10, "an install")
        r.after_intervals(1)
        epoch = r.get("/v1/status")["epoch"]
        others = {name: count for name, count in r.installs().items() if name != "ams"}
        r.tell(restart="ams")
        r.until(lambda: r.shown()["ams"]["epoch"] >= epoch, 3, "the plan on the node that restarted")
        assert {name: count for name, count in r.installs().items() if name != "ams"} == others
        assert r.get("/v1/nodes/ams")["boots"] == 2


def policies_go_back_unless_confirmed():
    with rig(mode="auto") as r:
        r.connected()
        r.demand(("ams", "fra", 5.0))
        r.after_intervals(2)
        pin = "pins:\n  - {from: ams, to: fra, via: [ams, par, fra]}\n"
        state = r.get("/v1/status")["state"]
        saved = r.post("/v1/policies/check", {"text": pin, "name": "pin.yaml"})
        assert saved["state"] == state and saved["changes"] and saved["moved_share"] > 0.99
        on_par = lambda: r.intervals[-1]["links"]["ams-par"] > 4e6
        answer = r.post("/v1/policies/apply", {"text": pin, "name": "pin.yaml", "state": state, "confirm_within_s": 8})
        deadline = time.time() + 8
        assert answer["version"] == 1 and answer["confirm_until"] and answer["decision"]
        r.post("/v1/policies/apply", {"text": pin, "name": "pin.yaml", "state": state}, status=409)
        r.until(on_par, 4, "the pinned path")
        r.kill_daemon()
        r.start_daemon()
        assert r.get("/v1/policies")["pending_confirm_until"]
        r.until(lambda: r.get("/v1/policies")["version"] == 0, deadline + 2 - time.time(), "the rollback, in time")
        assert time.time() >= deadline - 1.0
        # A deadline that passes while the daemon is dead: undone at its start.
        r.post("/v1/policies/apply", {"text": pin, "name": "pin.yaml", "confirm_within_s": 1})
        r.kill_daemon()
        time.sleep(2.1)
        r.start_daemon()
        r.until(lambda: r.get("/v1/policies")["version"] == 0, 1, "the rollback at the start")
        # Confirmed ones stay.
        version = r.post("/v1/policies/apply", {"text": pin, "name": "pin.yaml", "confirm_within_s": 2})["version"]
        assert r.post("/v1/policies/confirm")["version"] == version
        r.post("/v1/policies/confirm", status=409)
        time.sleep(3)
        assert r.get("/v1/policies")["version"] == version
        assert r.post("/v1/policies/rollback")["version"] == version + 1
        r.post("/v1/policies/apply", {"text": "pins: 3\n", "name": "bad.yaml"}, status=422)


def a_drained_link_carries_nothing():
    with rig(mode="auto") as r:
        r.connected()
        r.demand(("ams", "fra", 5.0), ("lon", "ams", 2.0))
        r.after_intervals(2)
        assert r.intervals[-1]["links"]["ams-lon"] > 4e6
        assert sorted(r.post("/v1/drain", {"target": "ams-lon"})["targets"]) in (["ams-lon"], ["ams-lon", "lon-ams"])
        r.post("/v1/drain", {"target": "lon-ams"})
        r.after_intervals(2)
        assert r.intervals[-1]["links"]["ams-lon"] == 0 and r.intervals[-1]["links"]["lon-ams"] == 0
        assert not congested(r)
        assert r.get("/v1/links/ams-lon")["drained"]
        error = r.post("/v1/drain", {"target": "ams-par"}, status=409)["error"]
        assert "ams > " in error["message"] or "> ams" in error["message"], error
        r.post("/v1/drain", {"target": "nowhere"}, status=404)
        r.post("/v1/undrain", {"target": "ams-lon"})
        assert not r.get("/v1/links/ams-lon")["drained"]


def a_cut_link_is_planned_around_at_once():
    with rig(mode="auto") as r:
        r.connected()
        r.demand(("ams", "fra", 5.0))
        r.after_intervals(3)
        r.tell(port={"node": "lon", "port": "to-fra", "up": False})
        r.until(lambda: r.get("/v1/links/lon-fra")["state"] == "down", 2, "the link's state")
        r.until(lambda: newest(r, "installed"), 1, "a plan without waiting for the interval")
        r.after_intervals(2)
        assert r.intervals[-1]["links"]["ams-par"] > 4e6 and not congested(r)
        kinds = {alarm["kind"] for alarm in r.items("/v1/alarms")}
        assert "link_down" in kinds, kinds
        r.tell(port={"node": "lon", "port": "to-fra", "up": True})
        r.until(lambda: r.get("/v1/status")["links"]["up"] == 8, 2, "the link's return")


def a_silent_node_is_alarmed_and_its_links_stay():
    with rig(mode="auto") as r:
        r.connected()
        r.demand(("ams", "fra", 5.0))
        r.after_intervals(2)
        r.tell(mute={"node": "par", "on": True})
        silent = lambda: [a for a in r.items("/v1/alarms") if a["kind"] == "node_silent"]
        r.until(silent, 8, "the alarm")
        status = r.get("/v1/status")
        assert status["links"]["up"] == 8 and status["nodes"]["reporting"] == 3
        r.tell(mute={"node": "par", "on": False})
        r.until(lambda: not silent(), 5, "the alarm's end")


def hostile_messages_change_nothing():
    with rig(mode="auto") as r:
        r.connected()
        r.demand(("ams", "fra", 5.0))
        r.after_intervals(2)
        r.tell(bytes="ams")
        real = {kind: bytes.fromhex(text) for kind, text in r.event("bytes").items() if kind != "event"}
        before = r.get("/v1/status")
        count = lambda: sum(r.metric(f"aiwan_bus_{kind}_total") for kind in ("malformed", "other_version", "misattributed"))
        draw = random.Random(7)
        bad = [draw.randbytes(draw.randrange(1, 400)) for _ in range(200)]
        bad += [message[:draw.randrange(1, len(message))] for message in real.values() for _ in range(20)]
        bad += [b"\x08\x63" + message[2:] for message in real.values()]   # another version
        bad += list(real.values())                                        # well-formed, but of another node than its sender
        intruder = RawPeer(r.bus, "intruder")
        for message in bad:
            intruder.send(message)
        r.until(lambda: count() >= 0.95 * len(bad), 5, "the count of refused messages")
        intruder.send(bytes(17 << 20))  # over the cap
        intruder.close()
        replay = RawPeer(r.bus, "lon-again")
        replay.send(real["ack"])
        replay.close()
        status = r.get("/v1/status")
        assert status["plan_digest"] == before["plan_digest"] and status["epoch"] == before["epoch"]
        r.until(lambda: [a for a in r.items("/v1/alarms") if a["kind"] == "bus_malformed"], 3, "the alarm")
        lines = [line for line in (r.folder / "daemon.log").read_text().splitlines() if "refused, last from" in line]
        assert 1 <= len(lines) <= 8, lines
        r.demand(CONGESTED)  # the next valid message is acted upon
        r.until(lambda: newest(r, "installed"), 4, "a plan after the attack")


def hostile_requests_are_answered():
    with rig(mode="advise") as r:
        r.connected()
        before = r.get("/v1/status")["state"]
        draw = random.Random(3)
        values = [None, True, -1, 0, 1e308, "", "x" * 5000, "a\nb: [", [], [[]], {}, {"from": 3}, "\u0000"]
        keys = ["text", "name", "state", "confirm_within_s", "to", "mode", "for_s", "target", "down", "scale", "demands"]
        paths = ["/v1/mode", "/v1/policies/check", "/v1/policies/confirm", "/v1/policies/rollback", "/v1/drain", "/v1/undrain",
                 "/v1/simulate", "/v1/decisions/1/approve", "/v1/decisions/x/approve", "/v1/none"]
        for _ in range(300):
            body = {key: draw.choice(values) for key in draw.sample(keys, draw.randrange(len(keys)))}
            status, text = r.ask("POST", draw.choice(paths), body)
            assert status in (400, 404, 409, 422, 503) or status == 200 and b"max_utilization" in text, (body, status, text)
            if status != 200:
                error = json.loads(text)["error"]
                assert error["code"] and error["message"], text
        for path in ("/v1/nodes/%00", "/v1/links/..%2f..", "/v1/plans/-1", "/v1/decisions/99999999999999999999", "/v1/decisions/1/x"):
            assert r.ask("GET", path)[0] in (400, 404), path
        assert r.ask("GET", "/v1/decisions?limit=0")[0] == 400
        connection = Api(r.folder / "api.sock")
        connection.request("POST", "/v1/simulate", "not JSON")
        assert connection.getresponse().status == 400
        connection.close()
        assert r.get("/v1/status")["state"] == before
        assert b"openapi: 3" in r.ask("GET", "/v1/openapi.yaml")[1]


def a_simulation_leaves_the_network_alone():
    with rig(mode="advise") as r:
        status, _ = r.ask("POST", "/v1/simulate", {"scale": 2})
        assert status in (200, 503)
        r.connected()
        r.demand(("ams", "fra", 12.0))
        r.after_intervals(2)
        before = r.get("/v1/status")["state"]
        answer = r.post("/v1/simulate", {"down": ["ams-lon"], "scale": 2.0})
        assert abs(answer["max_utilization"] - 1.2) < 0.1, answer
        assert answer["overloaded_links"] and answer["disconnected"] == []
        assert abs(answer["before"]["max_utilization"] - 0.6) < 0.1
        cut = r.post("/v1/simulate", {"down": ["ams"]})
        assert cut["max_utilization"] == 0.0
        r.post("/v1/simulate", {"down": ["nowhere"]}, status=404)
        r.post("/v1/simulate", {"scale": -1}, status=400)
        assert r.get("/v1/status")["state"] == before


def twelve_nodes_take_plans_in_turn():
    options = ("--vary-seed", "5", "--vary-share", "0.15", "--vary-bps", "3e8")
    with rig(mode="auto", network=ring_of(12), extra="utilization_target: 0.05", node_options=options) as r:
        r.connected()
        r.after_intervals(12, 30)
        r.tell(quit=True)
        summary = r.event("summary")
        print(f"12 nodes: {summary}", flush=True)
        assert summary["rounds"] >= 6, summary


def a_stop_leaves_the_network_as_it_is():
    with rig(mode="auto") as r:
        r.connected()
        before = r.shown()
        r.daemon.terminate()
        assert r.daemon.wait(5) == 0
        assert r.shown() == before
        assert not (r.folder / "api.sock").exists()


SCENARIOS = [observe_installs_nothing, hostile_requests_are_answered, advise_installs_what_is_approved, auto_resolves_congestion_within_three_intervals,
             pause_holds_within_an_interval_and_across_kill, restart_adopts_what_is_installed,
             lost_state_is_read_from_the_nodes, a_node_that_restarts_gets_the_plan_in_force,
             policies_go_back_unless_confirmed, a_drained_link_carries_nothing, a_cut_link_is_planned_around_at_once,
             a_silent_node_is_alarmed_and_its_links_stay, hostile_messages_change_nothing,
             a_simulation_leaves_the_network_alone, twelve_nodes_take_plans_in_turn, a_stop_leaves_the_network_as_it_is]


class Scenarios(unittest.TestCase):
    """Run side by side; each test waits for its own."""

    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(DAEMONS_AT_ONCE)
        cls.running = {scenario: cls.pool.submit(scenario) for scenario in SCENARIOS}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()


for scenario in SCENARIOS:
    setattr(Scenarios, f"test_{scenario.__name__}", lambda self, of=scenario: self.running[of].result(250))


class Usage(unittest.TestCase):
    def test_exit_codes(self):
        self.assertEqual(run(AIWAND, "--help").code, 0)
        self.assertRegex(run(AIWAND, "--version").out, r"^aiwand \d")
        self.assertEqual(run(AIWAND).code, 2)
        self.assertEqual(run(AIWAND, "--config", "x", "--nonsense").code, 2)
        missing = run(AIWAND, "--config", "/nonexistent/aiwand.yaml")
        self.assertEqual(missing.code, 1)
        self.assertRegex(missing.err, r"\Aaiwand: [^\n]+\n\Z")

    def test_check_reads_all_files_and_starts_nothing(self):
        r = rig(extra="policies: policies.yaml")
        (r.folder / "policies.yaml").write_text("drain: [nowhere]\n", encoding="utf-8")
        bad = run(AIWAND, "--config", r.folder / "aiwand.yaml", "--check")
        self.assertEqual(bad.code, 1)
        self.assertIn("policies.yaml:1: drain", bad.err)
        (r.folder / "policies.yaml").write_text("utilization_target: 0.5\n", encoding="utf-8")
        self.assertEqual(run(AIWAND, "--config", r.folder / "aiwand.yaml", "--check").code, 0)
        self.assertFalse((r.folder / "state").exists())
        r.__exit__(None)


if __name__ == "__main__":
    main()
