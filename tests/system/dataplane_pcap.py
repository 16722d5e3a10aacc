#!/usr/bin/env python3
"""A whole node without root or interfaces: DPDK's pcap ports feed it captures and write down what it sends.

`dataplane_pcap.py AIWAN-DATAPLANE`. The sanitizer build runs it too.
"""
import pathlib, signal, struct, subprocess, sys, tempfile, time, unittest

PROGRAM = sys.argv.pop(1)
ACCESS_MAC = bytes.fromhex("027063617000")  # of DPDK's first and second pcap port
CORE_MAC = bytes.fromhex("027063617001")
HOST_MAC, NEIGHBOR_MAC = bytes.fromhex("020000000002"), bytes.fromhex("020000000007")
COUNT = 1000

CONFIG = """
node: ams
locator: fc00:0:1::/64
ports:
  - {name: hosts, vdev: "net_pcap0,rx_pcap=%(folder)s/hosts.pcap,tx_pcap=%(folder)s/to-hosts.pcap", addresses: [10.1.0.1/24]}
  - {name: core, vdev: "net_pcap1,rx_pcap=%(folder)s/core.pcap,tx_pcap=%(folder)s/to-core.pcap", mtu: 2000,
     addresses: ["fd00:17::1/64"], neighbor: "fd00:17::7", neighbor_mac: "02:00:00:00:00:07", hello: false}
routes: [{locator: "fc00:0:4::/64", port: core}]
prefixes: [{prefix: 10.4.0.0/24, node: dub, sid: "fc00:0:4::46"}]
flows: {memory: 1 MiB, active_timeout: 60 s, idle_timeout: 15 s}
ipfix: {file: flows.ipfix}
nice: 0
"""


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, destination, payload, ttl=64):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, 0, ttl, 17, 0, bytes(source), bytes(destination))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(number):
    payload = struct.pack("!Q", number)
    return struct.pack("!HHHH", 20000 + number % 100, 9000, 8 + len(payload), 0) + payload


def ethernet(to, source, kind, payload):
    return to + source + struct.pack("!H", kind) + payload


def write_capture(file, frames):
    with open(file, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(frames):
            out.write(struct.pack("<IIII", number // 1000, number % 1000, len(frame), len(frame)) + frame)


def read_capture(file):
    data, at, frames = pathlib.Path(file).read_bytes(), 24, []
    while at + 16 <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + size])
        at += 16 + size
    return frames


class NodeOnCaptures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="aiwan-pcap-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        outgoing = [ethernet(ACCESS_MAC, HOST_MAC, 0x0800, ipv4((10, 1, 0, 2), (10, 4, 0, 2), udp(n))) for n in range(COUNT)]
        strays = [b"\x00" * 9, ethernet(ACCESS_MAC, HOST_MAC, 0x0800, b"\x45\x00"),
                  ethernet(ACCESS_MAC, HOST_MAC, 0x0800, ipv4((10, 1, 0, 2), (10, 9, 0, 2), udp(0))),
                  ethernet(HOST_MAC, HOST_MAC, 0x0800, ipv4((10, 1, 0, 2), (10, 4, 0, 2), udp(1)))]
        write_capture(cls.folder / "hosts.pcap", outgoing + strays)
        outer = struct.pack("!IHBB", 0x60000000, 20 + 16, 4, 63) + bytes.fromhex("fc000000000400000000000000000001") + \
            bytes.fromhex("fc000000000100000000000000000046")
        incoming = ethernet(CORE_MAC, NEIGHBOR_MAC, 0x86DD, outer + ipv4((10, 4, 0, 2), (10, 1, 0, 2), udp(5)))
        unknown = incoming.replace(bytes.fromhex("fc000000000100000000000000000046"),
                                   bytes.fromhex("fc000000000100000000000000009999"))
        write_capture(cls.folder / "core.pcap", [incoming] * 20 + [unknown] * 3)
        config = cls.folder / "node.yaml"
        config.write_text(CONFIG % {"folder": cls.folder})
        process = subprocess.Popen([PROGRAM, "run", "--config", config], stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 30
        while time.monotonic() < end and process.poll() is None:
            to_core = cls.folder / "to-core.pcap"
            if to_core.exists() and len(read_capture(to_core)) >= COUNT and len(read_capture(cls.folder / "to-hosts.pcap")):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        cls.said = process.communicate(timeout=30)[1]
        cls.exit_code = process.returncode

    def test_it_stops_cleanly(self):
        self.assertEqual(self.exit_code, 0, self.said)
        self.assertNotIn("Sanitizer", self.said)

    def test_each_customer_packet_leaves_wrapped_once_and_in_order(self):
        frames = [frame for frame in read_capture(self.folder / "to-core.pcap") if frame[12:14] == b"\x86\xdd" and frame[20] == 4]
        self.assertEqual(len(frames), COUNT)
        for number, frame in enumerate(frames):
            self.assertEqual(frame[:12], NEIGHBOR_MAC + CORE_MAC)
            self.assertEqual(frame[38:54], bytes.fromhex("fc000000000400000000000000000046"))
            self.assertEqual(struct.unpack_from("!H", frame, 18)[0], len(frame) - 54, "payload length")
            self.assertEqual(frame[54:], ipv4((10, 1, 0, 2), (10, 4, 0, 2), udp(number), ttl=63), "TTL one less")

    def test_a_packet_at_its_end_is_unwrapped_and_its_host_asked_for(self):
        requests = [frame for frame in read_capture(self.folder / "to-hosts.pcap") if frame[12:14] == b"\x08\x06"]
        self.assertGreaterEqual(len(requests), 1)
        self.assertEqual(requests[0][38:42], bytes((10, 1, 0, 2)), "who has the host's address?")

    def test_flows_are_exported(self):
        data = (self.folder / "flows.ipfix").read_bytes()
        records = data.count(bytes((10, 4, 0, 2)))
        self.assertGreaterEqual(records, 100, "a hundred source ports")


if __name__ == "__main__":
    unittest.main()
