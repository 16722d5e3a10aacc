#!/usr/bin/env python3
"""What an operator does to a live network in a box: drain, confirm or be undone, saved plans, asking why.

`box_operations.py PROGRAMS` needs root.
"""
import sys, time, unittest

from box_capture import Capture
from box_traffic import NumberedFlow, packets_per_second
from network_box import Box, skip_unless_possible

PROGRAMS = sys.argv.pop(1)
STALL_MS = 40  # packets that wait for so long, or are sent so late: the machine stood still, which tells nothing of us
ATTEMPTS = 3
PIN = "classes: [{{name: default}}]\nmax_moved_share: 1\npins: [{{from: ams, to: dub, via: [ams, {via}, dub]}}]\n"


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = Box(PROGRAMS, mode="auto")
        cls.addClassCleanup(cls.box.close)
        cls.box.bring_up()

    def policy(self, name, via):
        file = self.box.folder / f"{name}.yaml"
        file.write_text(PIN.format(via=via))
        return file

    def ways(self, source="ams", destination="dub"):
        demand = next(one for one in self.box.get("demands")["items"]
                      if (one["from"], one["to"]) == (source, destination))
        return [path["links"] for path in demand["paths"]]

    def test_drain_empties_a_link_without_losing_a_packet(self):
        box = self.box
        box.ctl("apply", "-f", self.policy("over-bru", "bru"))
        box.wait_for("settled", self.box.settled)
        box.ctl("apply", "-f", self.policy("none", "bru"))
        (box.folder / "free.yaml").write_text("classes: [{name: default}]\nmax_moved_share: 1\n")
        box.ctl("apply", "-f", box.folder / "free.yaml")
        for attempt in range(ATTEMPTS):
            crossed, result = self.drain_under_traffic()
            self.assertFalse(crossed, "0 data bytes on the link")
            if result["lost"] == 0 or max(result["longest_send_turn_ms"], result["delay_ms_max"]) < STALL_MS:
                break
            print(f"repeated: the machine stood still for {result['delay_ms_max']:.0f} ms, {result['lost']} lost", flush=True)
        self.assertEqual((result["lost"], result["duplicates"]), (0, 0), result)

    def drain_under_traffic(self):
        """Packets that crossed a link after it was out of the plan, and how the flow fared that used it before."""
        box = self.box
        flow = NumberedFlow(box, "ams", "dub", 3000, 160)
        self.addCleanup(flow.abandon)
        box.wait_for("traffic", lambda: flow.progress() and flow.sent > 3000)
        link = self.ways()[0][0]
        box.ctl("drain", link)
        try:
            box.wait_for("the drained link is out of the plan", lambda: box.settled() and not any(
                link in way for way in self.ways()), 10)
            time.sleep(0.3)
            capture = Capture(box)
            time.sleep(2)
            seen, capture_lost = capture.stop()
            result = flow.finish()
        finally:
            box.ctl("undrain", link)  # the other tests want it, whatever happened here
        self.assertEqual(capture_lost, 0)
        self.assertGreater(len(seen), 3000)
        self.assertFalse([one for one in box.get("links")["items"] if one["drained"]])
        return [key for key, links in seen.items() if link in links], result

    def test_unconfirmed_policies_are_undone_though_the_daemon_was_killed(self):
        box = self.box
        box.ctl("apply", "-f", self.policy("before", "cph"))
        box.wait_for("over cph", lambda: self.ways() == [["ams-cph", "cph-dub"]])
        version = box.get("policies")["version"]
        began = time.monotonic()
        box.ctl("apply", "-f", self.policy("after", "krn"), "--confirm-within", "10s")
        box.wait_for("over krn", lambda: self.ways() == [["ams-krn", "krn-dub"]])
        box.kill("aiwand")
        box.start_daemon()
        box.wait_for_daemon()
        self.assertLess(time.monotonic() - began, 10, "restarted before the deadline, or the test says nothing")
        self.assertEqual(self.ways(), [["ams-krn", "krn-dub"]], "still in force until the deadline")
        box.wait_for("undone", lambda: self.ways() == [["ams-cph", "cph-dub"]], 20)
        took = time.monotonic() - began
        print(f"undone {took - 10:.2f} s after the deadline", flush=True)
        self.assertGreater(took, 10)
        self.assertEqual(box.get("policies")["version"], version, "the policies before are in force again")
        self.assertEqual(box.ctl("confirm", check=False).returncode, 5, "nothing waits to be confirmed")

    def test_a_saved_plan_is_refused_once_the_state_has_moved_on(self):
        box = self.box
        box.wait_for("a measured interval", lambda: box.get("status")["measured"])
        box.ctl("apply", "-f", self.policy("first", "bru"))
        saved = box.folder / "saved.plan"
        planned = box.ctl("plan", "-f", self.policy("second", "cph"), "-o", saved, check=False)
        self.assertEqual(planned.returncode, 2, planned.stderr)
        box.ctl("apply", "-f", self.policy("meanwhile", "krn"))
        refused = box.ctl("apply", saved, check=False)
        self.assertEqual(refused.returncode, 5, refused.stdout + refused.stderr)
        self.assertIn("plan", refused.stderr)
        box.wait_for("what was applied meanwhile stays", lambda: self.ways() == [["ams-krn", "krn-dub"]])

    def test_explain_names_the_binding_link_and_the_rejected_alternatives(self):
        box = self.box
        (box.folder / "free.yaml").write_text("classes: [{name: default}]\nmax_moved_share: 1\n")
        box.ctl("apply", "-f", self.policy("one", "bru"))
        box.wait_for("over bru", lambda: self.ways() == [["ams-bru", "bru-dub"]])
        flow = NumberedFlow(box, "ams", "dub", packets_per_second(26, 1000), 1000)
        self.addCleanup(flow.abandon)
        box.wait_for("congestion", lambda: max(one["utilization"] or 0 for one in box.get("links")["items"]) > 0.9, 15)
        box.ctl("apply", "-f", box.folder / "free.yaml")

        def relieved():
            return next((one for one in box.get("decisions")["items"] if one["action"] in ("install", "fallback") and
                         one["state"] == "installed" and (one["utilization_before"] or 0) > 0.9), None)
        decision = box.wait_for("a decision that relieves it", relieved, 15)
        explained = box.get_json("explain", str(decision["id"]))
        links = {one["link"] for one in explained["binding_links"]}
        self.assertTrue(links & {"ams-bru", "bru-dub", "ams-krn", "krn-dub", "ams-cph", "cph-dub"}, explained)
        rejected = {one["alternative"] for one in explained["rejected"]}
        self.assertIn("keep the plan in force", rejected)
        self.assertTrue(any("IGP" in one for one in rejected), rejected)
        text = box.ctl("explain", str(decision["id"])).stdout
        for word in (*links, "keep the plan in force"):
            self.assertIn(word, text)


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main(warnings="ignore")
