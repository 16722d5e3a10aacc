"""Captures on every link of a network in a box, and which way each numbered packet took."""
import json, pathlib, signal, struct, subprocess

import numbered_udp
from network_box import LINKS, run

ETHERNET, IPV6, SEGMENT_ROUTING = 14, 40, 43


def inner_number(frame):
    """(destination port, flow, number, time of sending) of a numbered packet inside its IPv6 headers; else None."""
    if len(frame) < ETHERNET or frame[12:14] != b"\x86\xdd":
        return None
    at, protocol = ETHERNET, 41
    while True:
        if protocol == 41 and len(frame) >= at + IPV6:
            protocol = frame[at + 6]
            at += IPV6
        elif protocol == SEGMENT_ROUTING and len(frame) >= at + 8:
            protocol, size = frame[at], 8 + 8 * frame[at + 1]
            at += size
        elif protocol == 4 and len(frame) >= at + 20:
            protocol = frame[at + 9]
            at += 4 * (frame[at] & 15)
        else:
            break
    if protocol != 17 or len(frame) < at + 8 + numbered_udp.HEAD.size:
        return None
    port = int.from_bytes(frame[at + 2:at + 4], "big")
    magic, flow, number, sent_ns = numbered_udp.HEAD.unpack_from(frame, at + 8)
    return (port, flow, number, sent_ns) if magic == numbered_udp.MAGIC else None


def packets(file):
    """Of a classic pcap file with nanoseconds: (time in ns, bytes)."""
    data = pathlib.Path(file).read_bytes()
    head = struct.Struct("<IIII")
    at = 24
    while at + 16 <= len(data):
        seconds, nanoseconds, size, _ = head.unpack_from(data, at)
        yield seconds * 10**9 + nanoseconds, data[at + 16:at + 16 + size]
        at += 16 + size


class Capture:
    """tcpdump at one end of each link, both directions told apart by the frames' addresses."""

    def __init__(self, box):
        self.box, self.processes = box, []
        for left, right, _ in LINKS:
            file = box.folder / f"{left}-{right}.pcap"
            words = ["tcpdump", "-i", f"to-{right}", "-n", "-s", "224", "-B", "16384", "-w", str(file), "-Z", "root",
                     "--time-stamp-precision=nano", "ip6 and not icmp6"]
            self.processes.append((left, right, file, subprocess.Popen(
                box.inside(box.ns(left), *words), stderr=subprocess.PIPE, text=True)))
        for _, _, _, process in self.processes:
            while "listening on" not in process.stderr.readline():
                if process.poll() is not None:
                    raise RuntimeError("tcpdump does not start")
        self.addresses = {}
        for left, right, _ in LINKS:
            shown = json.loads(run("ip", "-n", box.ns(left), "-j", "link", "show", f"to-{right}").stdout)
            self.addresses[left, right] = bytes.fromhex(shown[0]["address"].replace(":", ""))

    def stop(self):
        """By (port, flow, number): the links it was seen on, ["ams-bru", ...] in order of time. And what tcpdump lost.

        `sent_at` has the time of sending of each, as the packet itself tells.
        """
        lost, seen, self.sent_at = 0, {}, {}
        for left, right, file, process in self.processes:
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=20)[1]
            lost += sum(int(line.split()[0]) for line in said.splitlines() if "dropped by kernel" in line)
            own = self.addresses[left, right]
            for time_ns, frame in packets(file):
                found = inner_number(frame)
                if found is not None:
                    key = found[:3]
                    self.sent_at[key] = found[3]
                    link = f"{left}-{right}" if frame[6:12] == own else f"{right}-{left}"
                    seen.setdefault(key, []).append((time_ns, link))
        return {key: [link for _, link in sorted(where)] for key, where in seen.items()}, lost


def is_chain(links):
    return all(one.split("-")[1] == other.split("-")[0] for one, other in zip(links, links[1:]))
