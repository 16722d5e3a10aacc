"""What tests of aiwand share: a daemon and simulated nodes on a network of its own, its API, and raw bus messages."""
import itertools, json, os, pathlib, queue, random, signal, socket, struct, subprocess, tempfile, threading, time

from daemon_api import Api

SOCKETS = itertools.count()


def diamond():
    """ams to fra over lon (short) or par (long); 20 Mbit/s each."""
    return """
nodes:
  - {name: ams, locator: "fc00:0:1::/64", prefixes: [10.1.0.0/16]}
  - {name: lon, locator: "fc00:0:2::/64", prefixes: [10.2.0.0/16]}
  - {name: fra, locator: "fc00:0:3::/64", prefixes: [10.3.0.0/16]}
  - {name: par, locator: "fc00:0:4::/64", prefixes: [10.4.0.0/16]}
links:
  - {ends: [ams, lon], ports: [to-lon, to-ams], capacity: 20 Mbit/s, delay: 1 ms}
  - {ends: [lon, fra], ports: [to-fra, to-lon], capacity: 20 Mbit/s, delay: 1 ms}
  - {ends: [ams, par], ports: [to-par, to-ams], capacity: 20 Mbit/s, delay: 3 ms, metric: 2}
  - {ends: [par, fra], ports: [to-fra, to-par], capacity: 20 Mbit/s, delay: 3 ms, metric: 2}
"""


def ring_of(count):
    """So many nodes in a ring with chords, 10 Gbit/s each."""
    lines = ["nodes:"]
    lines += [f'  - {{name: n{i:02}, locator: "fc00:0:{i + 1:x}::/64", prefixes: [10.{i + 1}.0.0/16]}}' for i in range(count)]
    lines.append("links:")
    pairs = [(i, (i + 1) % count) for i in range(count)] + [(i, i + count // 2) for i in range(0, count // 2, 2)]
    pairs += [(i, (i + 3) % count) for i in range(0, count, 4)]
    lines += [f"  - {{ends: [n{a:02}, n{b:02}], ports: [to-n{b:02}, to-n{a:02}], capacity: 10 Gbit/s, delay: {1 + (a * 7 + b) % 5} ms}}"
              for a, b in pairs]
    return "\n".join(lines) + "\n"


class Rig:
    """A folder with a daemon and nodes; both end with it."""

    def __init__(self, daemon, nodes, network=None, mode="auto", extra="", node_options=()):
        self.programs = daemon, nodes
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aiwand-", dir="/tmp"))
        self.network = self.folder / "network.yaml"
        self.network.write_text(network or diamond(), encoding="utf-8")
        self.bus = f"ipc://{self.folder}/bus.sock"
        (self.folder / "aiwand.yaml").write_text(f"""
network: network.yaml
bus: {self.bus}
state: state
mode: {mode}
max_moved_share: 1
api: {{socket: {self.folder}/api.sock}}
log: {{level: debug}}
{extra}""", encoding="utf-8")
        self.node_options = node_options
        self.daemon = self.nodes = None

    def __enter__(self):
        try:
            self.start_daemon()
            self.start_nodes()
        except BaseException as error:
            self.__exit__(type(error))  # which `with` calls only once it has entered
            raise
        return self

    def __exit__(self, kind, *_):
        for process in (self.nodes, self.daemon):
            if process and process.poll() is None:
                process.kill()
            if process:
                process.wait()
        if self.nodes:
            self.reader.join()
            self.nodes.stdin.close()
            self.nodes.stdout.close()
        if kind:
            print(f"--- {self.folder.name}", (self.folder / "daemon.log").read_text()[-6000:], sep="\n", flush=True)
        subprocess.run(["rm", "-rf", self.folder], check=True)

    def start_daemon(self):
        with open(self.folder / "daemon.log", "ab") as log:
            self.daemon = subprocess.Popen([self.programs[0], "--config", self.folder / "aiwand.yaml"], stderr=log)
        self.until(lambda: self.daemon.poll() is not None or self.reachable(), 60, "the daemon's socket")
        assert self.daemon.poll() is None, (self.folder / "daemon.log").read_text()

    def reachable(self):
        try:
            return self.get("/v1/status") is not None
        except OSError:
            return False

    def kill_daemon(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def start_nodes(self):
        self.nodes = subprocess.Popen([self.programs[1], "--network", self.network, "--bus", self.bus, *self.node_options],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = queue.Queue()
        self.intervals = []
        self.reader = threading.Thread(target=self.read_nodes, daemon=True)
        self.reader.start()

    def read_nodes(self):
        for line in self.nodes.stdout:
            event = json.loads(line)
            if event["event"] == "interval":
                self.intervals.append(event)
            else:
                self.events.put(event)

    def tell(self, **command):
        self.nodes.stdin.write(json.dumps(command) + "\n")
        self.nodes.stdin.flush()

    def demand(self, *demands):
        self.tell(demands=[{"from": a, "to": b, "rate_bps": rate * 1e6} for a, b, rate in demands])

    def event(self, kind, seconds=5):
        end = time.monotonic() + seconds
        while True:
            event = self.events.get(timeout=max(0.01, end - time.monotonic()))
            if event["event"] == kind:
                return event

    def shown(self):
        """What the nodes run, by name."""
        self.tell(show=True)
        return {node["name"]: node for node in self.event("nodes")["nodes"]}

    def installs(self):
        return {name: node["installs"] for name, node in self.shown().items()}

    def ask(self, method, path, body=None):
        connection = Api(self.folder / "api.sock")
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def get(self, path):
        status, text = self.ask("GET", path)
        assert status == 200, (path, status, text)
        return json.loads(text)

    def items(self, path):
        return self.get(path)["items"]

    def post(self, path, body=None, status=200):
        got, text = self.ask("POST", path, body or {})
        assert got == status, (path, got, text)
        return json.loads(text)

    def metric(self, name):
        for line in self.ask("GET", "/metrics")[1].decode().splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"no metric {name}")

    def until(self, true, seconds, what):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = true()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s: {what}")

    def connected(self):
        self.until(lambda: all(node["epoch"] for node in self.shown().values()), 10, "programs on all nodes")

    def after_intervals(self, count, seconds=None):
        wanted = len(self.intervals) + count
        self.until(lambda: len(self.intervals) >= wanted, seconds or 3 * count + 5, f"{count} intervals")
        time.sleep(0.2)  # until the daemon has taken in what was just reported


class RawPeer:
    """A ZeroMQ DEALER written out byte by byte (ZMTP 3.0, rfc.zeromq.org/spec/23), for messages that no peer of ours sends."""

    def __init__(self, endpoint, identity):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(endpoint.removeprefix("ipc://"))
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
        self.read(64)
        ready = b"\x05READY"
        for name, value in ((b"Socket-Type", b"DEALER"), (b"Identity", identity.encode())):
            ready += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
        self.socket.sendall(bytes([4, len(ready)]) + ready)
        self.read(2)

    def read(self, count):
        got = b""
        while len(got) < count:
            part = self.socket.recv(count - len(got))
            if not part:
                raise ConnectionError("the other end closed")
            got += part
        return got

    def send(self, message):
        head = bytes([0, len(message)]) if len(message) < 256 else b"\x02" + struct.pack(">Q", len(message))
        try:
            self.socket.sendall(head + message)
        except OSError:
            pass  # the daemon hung up: its right

    def close(self):
        self.socket.close()
