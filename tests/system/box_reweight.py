#!/usr/bin/env python3
"""Plans change under traffic and no packet notices: 200 reweights in a row, every link captured.

`box_reweight.py PROGRAMS` needs root. REWEIGHTS in the environment asks for another number.
"""
import collections, os, sys, time, unittest

from box_capture import Capture, is_chain
from box_traffic import NumberedFlow
from network_box import Box, skip_unless_possible

PROGRAMS = sys.argv.pop(1)
REWEIGHTS = int(os.environ.get("REWEIGHTS", "200"))
VIA = {"bru": ("ams-bru", "bru-dub"), "krn": ("ams-krn", "krn-dub"), "cph": ("ams-cph", "cph-dub")}


class Reweights(unittest.TestCase):
    def apply(self, box, via):
        """Pins the demand to one way; returns when every node has acknowledged, with the time before and after."""
        policy = box.folder / "pin.yaml"
        policy.write_text("classes: [{name: default}]\nmax_moved_share: 1\n"
                          f"pins: [{{from: ams, to: dub, via: [ams, {via}, dub]}}, {{from: edi, to: cph, via: [edi, cph]}}]\n")
        begin = time.time_ns()
        box.ctl("apply", "-f", policy)
        box.wait_for(f"the plan over {via} is acknowledged", lambda: self.in_force(box, via), 10)
        return begin, time.time_ns()

    @staticmethod
    def in_force(box, via):
        ways = [path["links"] for one in box.get("demands")["items"] if (one["from"], one["to"]) == ("ams", "dub")
                for path in one["paths"]]
        plans = box.get("plans")["items"]
        return ways == [list(VIA[via])] and not (plans and plans[0]["waiting"])

    def test_two_hundred_reweights_lose_nothing_and_every_packet_takes_a_planned_way(self):
        # Links stay up however long a busy machine holds a router up: what a false "down" does is not the matter here.
        box = Box(PROGRAMS, mode="auto", node_extra="hello: {interval: 10 ms, misses: 50}")
        self.addCleanup(box.close)
        box.bring_up()
        self.apply(box, "bru")
        capture = Capture(box)
        # 5,000 packets a second, of 242 and 202 bytes on a link: under 60 % of 20 Mbit/s wherever they go.
        moving = NumberedFlow(box, "ams", "dub", rate=3700, size=160, flows=200)
        steady = NumberedFlow(box, "edi", "cph", rate=1600, size=120, flows=50)
        for flow in (moving, steady):
            self.addCleanup(flow.abandon)
        box.wait_for("both flow", lambda: moving.progress() and steady.progress() and moving.sent and steady.sent)
        history = [("bru", 0, 0)]  # way, when its installation began, when it was in force everywhere
        ways = ["krn", "cph", "bru"]
        for turn in range(REWEIGHTS):
            via = ways[turn % len(ways)]
            history.append((via, *self.apply(box, via)))
        time.sleep(1)
        results = {"moving": moving.finish(2), "steady": steady.finish()}
        seen, capture_lost = capture.stop()
        took = sorted(after - begin for _, begin, after in history[1:])
        print(f"{REWEIGHTS} reweights, ms from apply to the last acknowledgement: p50 {took[len(took) // 2] / 1e6:.0f}, "
              f"max {took[-1] / 1e6:.0f}; capture lost {capture_lost}", flush=True)
        print(f"{sum(one['sent'] / one['seconds'] for one in results.values()):.0f} packets a second in all", flush=True)
        for name, result in results.items():
            print(name, {key: result[key] for key in ("sent", "lost", "duplicates", "reordered", "receiver_drops",
                                                      "longest_silence_ms")}, flush=True)
        self.assertEqual(capture_lost, 0, "tcpdump saw everything")
        for name, result in results.items():
            self.assertEqual((result["lost"], result["duplicates"], result["receiver_drops"]), (0, 0, 0), name)
        self.check_ways(seen, history, capture.sent_at, results)

    def check_ways(self, seen, history, sent_at, results):
        used = set()  # turns whose way packets took that entered after its installation began
        for key, links in seen.items():
            if not links[0].startswith("ams-") and not links[-1].endswith("-dub"):
                self.assertEqual(links, ["edi-cph"], f"{key} of the steady flow")
                continue
            self.assertTrue(is_chain(links), f"{key} went {links}")
            possible = self.possible(history, sent_at[key])
            self.assertIn(tuple(links), {VIA[history[turn][0]] for turn in possible}, f"{key}, sent at {sent_at[key]}")
            used |= {turn for turn in possible if VIA[history[turn][0]] == tuple(links)}
        # The whole demand moved each time, 70 % of all traffic. How long a turn stays is the machine's matter, so
        # turns are counted, not packets: every way carried packets in most of the turns that asked for it.
        asked = collections.Counter(via for via, _, _ in history)
        carried = collections.Counter(history[turn][0] for turn in used)
        print("turns that carried packets:", {via: f"{carried[via]} of {asked[via]}" for via in VIA}, flush=True)
        for via in VIA:
            self.assertGreaterEqual(carried[via], 0.8 * asked[via], via)

    @staticmethod
    def possible(history, sent_ns):
        """The turn whose way was in force when a packet entered, and the one that was being installed then or came next."""
        newest = max((turn for turn, (_, _, after) in enumerate(history) if after <= sent_ns), default=0)
        return range(newest, min(newest + 2, len(history)))


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main(warnings="ignore")
