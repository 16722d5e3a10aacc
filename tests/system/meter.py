#!/usr/bin/env python3
"""meter counts what softflowd and nfpcapd count, and nfcapd and tshark read its IPFIX without an error."""
import collections, contextlib, csv, ipaddress, json, re, select, shutil, signal, socket, struct, subprocess, sys
import time
import flow_captures, ipfix_messages
from programs import DATA, ProgramTest, main, run, run_json, take_program, temporary_folder

DATAPLANE = take_program()
PEERS = ["softflowd", "nfpcapd", "nfcapd", "nfdump", "tshark"]
ABSENT = [peer for peer in PEERS if not (shutil.which(peer) or shutil.which(peer, path="/usr/sbin"))]
if ABSENT:
    print(f"SKIPPED: {', '.join(ABSENT)} not installed")
    sys.exit(0)

PCAP_RECORD = struct.Struct("<IIII")


def meter(*arguments):
    return run_json(DATAPLANE, "meter", *arguments)


def counted(result):
    return flow_captures.Truth(result["packets"], result["ip_bytes"], result["flows"])


def words(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, (command, done)
    return done.stdout + done.stderr


def number_after(text, pattern):
    return int(re.search(pattern + r"\s*(\d+)", text).group(1))


def by_softflowd(capture, folder):
    never = [word for name in ("maxlife", "tcp", "udp", "general") for word in ("-t", f"{name}=604800")]
    text = words([shutil.which("softflowd") or "/usr/sbin/softflowd", "-r", capture, "-d", "-6", "-v", "10", "-m",
                  1_000_000, *never, "-p", folder / "softflowd.pid", "-c", "none"])  # with a control socket it may wait there
    octets = sum(int(row.group(1)) for row in re.finditer(r"^\s*\S+ \(\d+\):\s+(\d+)\s+\d+", text, re.MULTILINE))
    return flow_captures.Truth(number_after(text, "Packets processed:"), octets, number_after(text, "Flows expired:"))


def by_nfdump(folder):
    text = words(["nfdump", "-R", folder, "-I"])
    of = lambda name: number_after(text, f"(?m)^{name}:")
    return flow_captures.Truth(of("Packets"), of("Bytes"), of("Flows")), of("Sequence failures")


def by_nfpcapd(capture, folder):
    flows = folder / "nfpcapd"
    flows.mkdir()
    words(["nfpcapd", "-r", capture, "-w", flows])
    return by_nfdump(flows)[0]


@contextlib.contextmanager
def collector(folder):
    """A running nfcapd: gives its port; afterwards its files are complete."""
    folder.mkdir()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(["nfcapd", "-w", folder, "-b", "127.0.0.1", "-p", str(port), "-t", "3600", "-B", "4000000"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_until_bound(port)
        yield port
        wait_until_read(port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def udp_socket_of(port):
    """The line of /proc/net/udp of the socket bound to 127.0.0.1:port, or nothing."""
    address = f"0100007F:{port:04X}"
    with open("/proc/net/udp", encoding="ascii") as table:
        return next((line.split() for line in table if line.split()[1] == address), None)


def wait_until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "nothing happened in 30 s"
        time.sleep(0.01)


def wait_until_bound(port):
    wait_until(lambda: udp_socket_of(port))


def wait_until_read(port):
    wait_until(lambda: udp_socket_of(port)[4].split(":")[1] == "00000000")  # its receive queue is empty


def tshark_faults(path, *options):
    """What tshark says against a file of IPFIX messages; first, that it read all of them."""
    fields = words(["tshark", "-r", path, *options, "-T", "fields", "-e", "cflow.version", "-e", "_ws.expert.message"])
    rows = [line.split("\t") for line in fields.splitlines() if line.startswith("10\t") or line == "10"]
    return len(rows), sorted({row[1] for row in rows if len(row) > 1 and row[1]})


class Meter(ProgramTest):
    def compare(self, **wanted):
        with temporary_folder() as folder:
            capture = folder / "capture.pcap"
            truth = flow_captures.write_capture(capture, **wanted)
            ours = meter("--pcap", capture)
            self.assertEqual(counted(ours), truth)
            self.assertEqual((ours["records"], ours["not_ip"], ours["malformed"]), (truth.flows, 0, 0))
            self.assertEqual(by_softflowd(capture, folder), truth)
            self.assertEqual(by_nfpcapd(capture, folder), truth)

    def test_10k_flows_as_the_peers_count_them(self):
        self.compare(packets=300_000, flows=10_000, seed=1)

    def test_159k_flows_as_the_peers_count_them(self):
        self.compare(packets=600_000, flows=159_000, seed=2)

    def test_repeat_multiplies_packets_not_flows(self):
        with temporary_folder() as folder:
            truth = flow_captures.write_capture(folder / "capture.pcap", packets=20_000, flows=5_000, seed=3)
            thrice = meter("--pcap", folder / "capture.pcap", "--repeat", 3)
            self.assertEqual(counted(thrice), (3 * truth.packets, 3 * truth.ip_bytes, truth.flows))
            self.assertEqual(thrice["records"], truth.flows)

    def test_timeouts_and_little_memory_split_flows_and_lose_no_packet(self):
        with temporary_folder() as folder:
            truth = flow_captures.write_capture(folder / "capture.pcap", packets=50_000, flows=5_000, seed=4)
            for options in (["--idle-timeout", 0.05], ["--active-timeout", 0.1], ["--memory", "64KiB"],
                            ["--idle-timeout", 0.01, "--active-timeout", 0.02, "--memory", "64 KiB"]):
                ours = meter("--pcap", folder / "capture.pcap", "--ipfix-out", folder / "flows", *options)
                self.assertEqual((ours["packets"], ours["ip_bytes"]), (truth.packets, truth.ip_bytes), options)
                self.assertGreater(ours["records"], truth.flows)
                records = ipfix_messages.read_file(folder / "flows").records
                self.assertEqual(len(records), ours["records"])
                self.assertEqual(sum(record["packets"] for record in records), truth.packets)
                self.assertEqual(sum(record["ip_bytes"] for record in records), truth.ip_bytes)
                keys = {tuple(record[name] for name in ("source", "destination", "source_port", "destination_port",
                                                        "protocol")) for record in records}
                self.assertEqual(len(keys), truth.flows)

    def test_a_file_of_ipfix_reads_back_and_repeats_itself(self):
        with temporary_folder() as folder:
            truth = flow_captures.write_capture(folder / "capture.pcap", packets=300_000, flows=100_000, seed=5)
            for name in ("first", "second"):
                ours = meter("--pcap", folder / "capture.pcap", "--ipfix-out", folder / name)
            self.assertEqual((folder / "first").read_bytes(), (folder / "second").read_bytes())
            stream = ipfix_messages.read_file(folder / "first")
            self.assertEqual((len(stream.records), stream.messages), (truth.flows, ours["ipfix_file"]["messages"]))
            self.assertEqual(stream.template_sets, 1)
            self.assertEqual(sum(record["packets"] for record in stream.records), truth.packets)
            self.assertEqual(tshark_faults(folder / "first"), (stream.messages, []))

    def test_nfcapd_loses_nothing_of_ipfix_over_udp(self):
        with temporary_folder() as folder:
            truth = flow_captures.write_capture(folder / "capture.pcap", packets=400_000, flows=159_000, seed=6)
            with collector(folder / "nfcapd") as port:
                ours = meter("--pcap", folder / "capture.pcap", "--ipfix-udp", f"127.0.0.1:{port}")
            self.assertEqual(ours["ipfix_udp"]["not_sent"], 0)
            self.assertEqual(by_nfdump(folder / "nfcapd"), (truth, 0))

    def test_ipfix_over_udp_is_sound_to_us_and_to_tshark(self):
        with temporary_folder() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
            truth = flow_captures.write_capture(folder / "capture.pcap", packets=20_000, flows=5_000, seed=7)
            here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
            here.bind(("127.0.0.1", 0))
            target = f"127.0.0.1:{here.getsockname()[1]}"
            ours = meter("--pcap", folder / "capture.pcap", "--ipfix-udp", target, "--ipfix-message-bytes", 900)
            stream = ipfix_messages.Stream()
            with open(folder / "udp.pcap", "wb") as capture:
                capture.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
                while select.select([here], [], [], 0)[0]:
                    message = here.recv(65536)
                    self.assertLessEqual(len(message), 900)
                    stream.receive(message)
                    udp = struct.pack(">HHHH", 5000, 4739, 8 + len(message), 0) + message
                    packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([127, 0, 0, 1]),
                                         bytes([127, 0, 0, 1])) + udp
                    capture.write(PCAP_RECORD.pack(stream.messages, 0, len(packet), len(packet)) + packet)
            self.assertEqual((len(stream.records), stream.messages), (truth.flows, ours["ipfix_udp"]["messages"]))
            messages, faults = tshark_faults(folder / "udp.pcap", "-d", "udp.port==4739,cflow")
            self.assertEqual(messages, stream.messages)
            self.assertEqual([fault for fault in faults if "checksum" not in fault.lower()], [])

    def test_tshark_would_object_to_a_wrong_sequence(self):
        with temporary_folder() as folder:
            flow_captures.write_capture(folder / "capture.pcap", packets=20_000, flows=5_000, seed=8)
            meter("--pcap", folder / "capture.pcap", "--ipfix-out", folder / "flows")
            messages = list(ipfix_messages.split_file((folder / "flows").read_bytes()))
            self.assertGreater(len(messages), 3)
            (folder / "gap").write_bytes(b"".join(messages[:1] + messages[2:]))
            self.assertNotEqual(tshark_faults(folder / "gap")[1], [])
            with self.assertRaisesRegex(AssertionError, "sequence"):
                ipfix_messages.read_file(folder / "gap")

    def test_the_flows_of_real_captures_are_those_that_ipfixprobe_expects(self):
        captures = DATA / "pcap" / "ipfixprobe"
        if not captures.exists():
            self.skipTest(f"{captures} is absent")
        expected = collections.Counter()
        with open(captures / "basic", newline="", encoding="utf-8") as rows:
            for row in csv.reader(rows):
                if row[0].startswith("ipaddr "):
                    continue  # names of the columns
                destination, source = map(ipaddress.ip_address, row[0:2])
                there, back, packets, packets_back = int(row[2]), int(row[3]), int(row[9]), int(row[10])
                destination_port, source_port, protocol = int(row[11]), int(row[12]), int(row[14])
                for key, sums in (((source, destination, source_port, destination_port, protocol), (packets, there)),
                                  ((destination, source, destination_port, source_port, protocol), (packets_back, back))):
                    if sums[0]:
                        expected[key, "packets"] += sums[0]
                        expected[key, "bytes"] += sums[1]
        with temporary_folder() as folder:
            meter("--pcap", captures / "mixed.pcap", "--ipfix-out", folder / "flows")
            got = collections.Counter()
            for record in ipfix_messages.read_file(folder / "flows").records:
                ports = (0, 0) if record["protocol"] in (1, 58) else (record["source_port"], record["destination_port"])
                key = (record["source"], record["destination"], *ports, record["protocol"])
                got[key, "packets"] += record["packets"]
                got[key, "bytes"] += record["ip_bytes"]
        self.assertEqual(got, expected)

    def test_bad_input_is_told_in_one_line(self):
        with temporary_folder() as folder:
            capture = folder / "capture.pcap"
            truth = flow_captures.write_capture(capture, packets=1_000, flows=100, seed=9)
            (folder / "noise").write_bytes(b"this is no capture of packets at all")
            (folder / "empty").touch()
            self.refused(run(DATAPLANE, "meter", "--pcap", folder / "absent"), "absent")
            self.refused(run(DATAPLANE, "meter", "--pcap", folder / "noise"), "neither pcap nor pcapng")
            self.refused(run(DATAPLANE, "meter", "--pcap", folder / "empty"), "too short")
            self.refused(run(DATAPLANE, "meter", "--pcap", folder), "not a regular file")
            self.refused(run(DATAPLANE, "meter", "--pcap", capture, "--memory", "much"), "--memory")
            self.refused(run(DATAPLANE, "meter", "--pcap", capture, "--ipfix-udp", "nowhere"), "host:port")
            self.refused(run(DATAPLANE, "meter", "--pcap", capture, "--ipfix-out", folder / "no" / "file"), "cannot be written")
            whole = capture.read_bytes()
            capture.write_bytes(whole[:-10])
            cut = run(DATAPLANE, "meter", "--pcap", capture, "--json", "-")
            self.refused(cut, "runs past the end")
            told = json.loads(cut.out)
            self.assertEqual(told["packets"], truth.packets - 1)
            self.assertIn("runs past the end", told["fault"])
            capture.write_bytes(whole[:20] + struct.pack("<I", 147) + whole[24:])  # a link type of somebody's own
            self.assertEqual(meter("--pcap", capture)["not_ip"], truth.packets)

    def test_wrong_usage_is_2_and_help_has_examples(self):
        for arguments in ([], ["meter"], ["meter", "--pcap"], ["meter", "--pcap", "x", "--repeat", "0"], ["feed"]):
            self.assertEqual(run(DATAPLANE, *arguments).code, 2, arguments)
        helped = run(DATAPLANE, "meter", "--help")
        self.assertEqual(helped.code, 0)
        self.assertIn("Examples:", helped.out)
        with temporary_folder() as folder:
            flow_captures.write_capture(folder / "capture.pcap", packets=200, flows=20, seed=1)
            table = run(DATAPLANE, "meter", "--pcap", folder / "capture.pcap")
            self.assertRegex(table.out, r"(?m)^packets\s+200$")


if __name__ == "__main__":
    main()
