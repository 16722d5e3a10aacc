"""Numbered UDP between two hosts of a network in a box."""
import json, os, pathlib, subprocess, time

TOOL = ["/usr/bin/python3", "-B", pathlib.Path(__file__).resolve().parent / "numbered_udp.py"]
OVERHEAD_BYTES = 14 + 40 + 28  # on a link, beside the payload: Ethernet, outer IPv6, IPv4 and UDP
PORTS = iter(range(9000, 10000))


def packets_per_second(mbit, size):
    return mbit * 1e6 / 8 / (size + OVERHEAD_BYTES)


class NumberedFlow:
    """`rate` packets a second of `size` bytes of payload, over `flows` source ports; runs until `finish`."""

    def __init__(self, box, source, destination, rate, size=1000, flows=200, v6=False, dscp=0):
        self.port = next(PORTS)
        self.sent = 0
        self.in_second, self.of_second = {}, {}  # second since 1970 -> packets sent, and how many of those came
        receive = ["receive", "--port", self.port, "--progress"] + (["--v6"] if v6 else [])
        self.receiver = self._start(box.inside(box.host_ns(destination), *TOOL, *receive))
        box.wait_for("the receiver listens", lambda: self._listens(box, destination))
        to = box.host_v6(destination) if v6 else box.host_v4(destination)
        self.sender = self._start(box.inside(
            box.host_ns(source), *TOOL, "send", "--to", to, "--port", self.port, "--source-port", 10000 + 256 * (self.port - 9000),
            "--rate", rate, "--size", size, "--flows", flows, "--dscp", dscp, "--progress"))

    @staticmethod
    def _start(words):
        process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def _listens(self, box, node):
        shown = subprocess.run(box.inside(box.host_ns(node), "ss", "-lun"), capture_output=True, text=True)
        return f":{self.port} " in shown.stdout

    def progress(self):
        """Takes in what both ends tell once a second; the packets sent by then."""
        for process, seconds in ((self.sender, self.in_second), (self.receiver, self.of_second)):
            for line in process.stdout:
                told = json.loads(line)
                if "second" in told:
                    seconds[told["second"]] = told["packets"]
        self.sent = sum(self.in_second.values())
        return self.sent

    def stop_soon(self):
        self.sender.terminate()

    def stop_sending(self):
        self.sender.terminate()
        os.set_blocking(self.sender.stdout.fileno(), True)
        return json.loads(self.sender.communicate(timeout=20)[0].splitlines()[-1])

    def finish(self, settle_s=1.0):
        """Both ends' final word: {"sent": ..., "lost": ..., "duplicates": ..., ...}."""
        sent = self.stop_sending()
        time.sleep(settle_s)  # what is still in queues on the way
        self.receiver.terminate()
        os.set_blocking(self.receiver.stdout.fileno(), True)
        got = json.loads(self.receiver.communicate(timeout=60)[0].splitlines()[-1])
        self.in_second = {int(second): count for second, count in sent["in_second"].items()}
        self.of_second = {int(second): count for second, count in got["of_second"].items()}
        return got | {"sent": sent["sent"], "lost": sent["sent"] - got["distinct"], "sent_by_flow": sent["by_flow"],
                      "longest_send_turn_ms": sent["longest_turn_ms"], "seconds": sent["seconds"]}

    def abandon(self):
        for process in (self.sender, self.receiver):
            if process.poll() is None:
                process.kill()
            process.wait()


def loss(flows, second):
    """The share of the packets sent in a second that never came; None while that is not known."""
    if any(second not in flow.in_second or second not in flow.of_second for flow in flows):
        return None
    sent = sum(flow.in_second[second] for flow in flows)
    return 1 - sum(flow.of_second[second] for flow in flows) / sent if sent else 0.0
