#!/usr/bin/env python3
"""From the nodes' reports to the last acknowledgement of a new plan: aiwand with 12 nodes simulated on the bus.

`daemon_latency.py AIWAND BUS_NODES [ROUNDS]`: a round is a second, default 510; each draws 15 % of the demands anew, so
that the plan must change. Timed by the nodes, from the first report sent to the last program taken. Prints JSON.
"""
import json, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from daemon_rig import Rig, ring_of

aiwand, nodes = sys.argv[1:3]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 510
options = ("--vary-seed", "11", "--vary-share", "0.15", "--vary-bps", "3e8")
with Rig(aiwand, nodes, mode="auto", network=ring_of(12), extra="utilization_target: 0.05", node_options=options) as rig:
    rig.connected()
    rig.after_intervals(rounds, 2 * rounds + 30)
    rig.tell(quit=True)
    print(json.dumps(rig.event("summary")))
