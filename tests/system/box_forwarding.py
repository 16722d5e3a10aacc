#!/usr/bin/env python3
"""The packet path alone, in a network in a box: no daemon, routes from the nodes' configurations.

`box_forwarding.py PROGRAMS` needs root.
"""
import itertools, json, pathlib, shutil, subprocess, sys, unittest

from box_capture import Capture
from box_traffic import NumberedFlow
from network_box import MANAGED, Box, skip_unless_possible, sweep_leftovers

PROGRAMS = sys.argv.pop(1)


class ForwardingWithoutDaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = Box(PROGRAMS)
        cls.addClassCleanup(cls.box.close)
        cls.box.build()
        cls.box.start_nodes()
        cls.box.wait_for_connectivity()

    def test_hosts_reach_each_other_over_ipv4_and_ipv6(self):
        for source, destination in itertools.permutations(MANAGED, 2):
            for v6 in (False, True):
                # Whether a packet may be lost is another test's question: a node held up by others has its links down.
                self.assertTrue(any(self.box.ping(source, destination, v6=v6).returncode == 0 for _ in range(3)),
                                f"{source} to {destination}, IPv{6 if v6 else 4}")

    def test_no_packet_of_ten_thousand_is_lost_doubled_or_reordered(self):
        for v6 in (False, True):
            capture = Capture(self.box)
            flow = NumberedFlow(self.box, "ams", "dub", rate=5000, size=200, v6=v6)
            self.addCleanup(flow.abandon)
            self.box.wait_for("ten thousand packets", lambda: flow.progress() and flow.sent >= 10_000, 30)
            result = flow.finish()
            self.assertEqual((result["lost"], result["duplicates"], result["reordered"], result["receiver_drops"]),
                             (0, 0, 0, 0), result)
            ways, capture_lost = capture.stop()
            self.assertEqual(capture_lost, 0)
            self.assertEqual({tuple(way) for way in ways.values()}, {("ams-bru", "bru-dub")}, "the IGP's only way")

    def test_tcp_fills_the_path(self):
        server = subprocess.Popen(self.box.inside(self.box.host_ns("dub"), "iperf3", "-s", "-1", "-p", 5201),
                                  stdout=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.box.wait_for("iperf3 listens", lambda: ":5201 " in subprocess.run(
            self.box.inside(self.box.host_ns("dub"), "ss", "-ltn"), capture_output=True, text=True).stdout)
        client = subprocess.run(self.box.inside(self.box.host_ns("ams"), "iperf3", "-c", self.box.host_v4("dub"), "-t", 3,
                                                "-J"), capture_output=True, text=True)
        rate = json.loads(client.stdout)["end"]["sum_received"]["bits_per_second"] / 1e6
        print(f"iperf3 over a path of {self.box.rate_mbit} Mbit/s: {rate:.1f} Mbit/s", flush=True)
        self.assertGreater(rate, self.box.rate_mbit / 2)

    def test_a_packet_whose_ttl_ends_is_answered_by_the_node(self):
        for v6, node in ((False, "10.1.0.1"), (True, "2001:db8:1::1")):
            target = self.box.host_v6("dub") if v6 else self.box.host_v4("dub")
            answer = subprocess.run(self.box.inside(self.box.host_ns("ams"), "ping", "-6" if v6 else "-4", "-c", 1, "-t", 1,
                                                    "-W", 1, target), capture_output=True, text=True)
            self.assertIn(node, answer.stdout.replace("From", "from").split("from", 1)[1])
            self.assertRegex(answer.stdout, "(?i)time to live exceeded|hop limit")

    def test_a_node_answers_a_ping_to_its_own_address(self):
        for target in ("10.4.0.1", "2001:db8:4::1"):
            answer = subprocess.run(self.box.inside(self.box.host_ns("ams"), "ping", "-c", 3, "-i", "0.2", "-W", 1, target),
                                    capture_output=True, text=True)
            self.assertEqual(answer.returncode, 0, answer.stdout)

    def test_a_host_cannot_reach_the_networks_own_segments(self):
        answer = subprocess.run(self.box.inside(self.box.host_ns("ams"), "ping", "-6", "-c", 1, "-W", 1, "fc00:0:4::1"),
                                capture_output=True, text=True)
        self.assertNotEqual(answer.returncode, 0)

    def test_idle_nodes_leave_the_processors_alone(self):
        """Five polling nodes and nothing to do: well under one core together."""
        def ticks():
            total = 0
            for node in MANAGED:
                fields = pathlib.Path(f"/proc/{self.box.processes[node].pid}/stat").read_text().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
            return total
        before = ticks()
        subprocess.run(["sleep", "3"])
        self.assertLess((ticks() - before) / 100 / 3, 0.8, "share of one core")


class Leftovers(unittest.TestCase):
    def test_what_a_killed_test_left_behind_is_taken_away_by_the_next_one(self):
        here = pathlib.Path(__file__).resolve().parent
        child = subprocess.Popen([sys.executable, "-B", "-c", "import sys, time; sys.path.insert(0, sys.argv[1]); "
                                  "from network_box import Box; box = Box(sys.argv[2]); box.build(); box.start_nodes(); "
                                  "print(box.tag, box.folder, flush=True); time.sleep(60)", here, PROGRAMS],
                                 stdout=subprocess.PIPE, text=True)
        tag, folder = child.stdout.readline().split()
        child.kill()
        child.communicate()
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.assertIn(tag, subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout)
        sweep_leftovers()
        self.assertNotIn(tag, subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout)


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main(warnings="ignore")
