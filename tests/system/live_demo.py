#!/usr/bin/env python3
"""./dev demo live: a congested network in a box, first watched, then steered. Ctrl-C ends it and cleans up.

`live_demo.py PROGRAMS` needs root: it makes network namespaces.
"""
import pathlib, signal, subprocess, sys, time

from box_traffic import NumberedFlow, loss, packets_per_second
from network_box import Box

PACKET_BYTES = 1000

def show(title):
    print(f"\n\033[1m== {title}\033[0m", flush=True)


def watch(box, flows, seconds):
    """Tells what was lost of the packets sent in each of the next seconds, then shows aiwanctl top."""
    def until(known):
        while not known():
            time.sleep(0.1)
            for flow in flows:
                flow.progress()

    until(lambda: all(flow.in_second for flow in flows))
    begin = max(max(flow.in_second) for flow in flows) + 1  # the first second in which all of them send
    for second in range(begin, begin + seconds):
        until(lambda: loss(flows, second) is not None)
        sent = sum(flow.in_second[second] for flow in flows)
        print(f"  {sent:6d} packets sent, {loss(flows, second):6.1%} of them lost", flush=True)
    print(box.ctl("top", "--once").stdout, flush=True)


def main():
    programs = pathlib.Path(sys.argv[1]).resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    flows = []
    show("six routers in namespaces: five aiwan-dataplane, one Linux kernel; eight links of 20 Mbit/s")
    with Box(programs, mode="observe") as box:
        try:
            box.start_nodes()
            box.start_daemon()
            box.wait_for_daemon()
            box.wait_for_connectivity()
            print(f"  policy CLI: {programs}/aiwanctl --server unix:{box.folder}/api.sock")
            flows.append(NumberedFlow(box, "ams", "dub", packets_per_second(12, PACKET_BYTES), PACKET_BYTES))
            show("before: 12 Mbit/s from ams to dub, on the IGP's path over bru; the daemon observes")
            watch(box, flows, 5)
            flows.append(NumberedFlow(box, "ams", "dub", packets_per_second(14, PACKET_BYTES), PACKET_BYTES))
            show("the demand grows to 26 Mbit/s; a link carries 20; the daemon still only observes")
            watch(box, flows, 6)
            show("aiwanctl mode auto")
            box.ctl("mode", "auto")
            watch(box, flows, 8)
            made = [one for one in box.get("decisions")["items"] if one["state"] == "installed"]
            if made:
                show(f"aiwanctl explain {made[-1]['id']}: the first plan that was installed, and why")
                print(box.ctl("explain", made[-1]["id"]).stdout, flush=True)
            if sys.stdin.isatty():
                show("live; Ctrl-C ends and cleans up")
                subprocess.run([programs / "aiwanctl", "--server", f"unix:{box.folder}/api.sock", "top"])
        except KeyboardInterrupt:
            show("interrupted")
        finally:
            for flow in flows:
                flow.abandon()
    show("everything is cleaned up")


if __name__ == "__main__":
    main()
