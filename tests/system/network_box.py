"""A network in a box: namespaces and veth pairs for six routers, a host behind each managed one, and all programs.

Five routers are aiwan-dataplane processes; `krn` is an unmodified Linux kernel SRv6 router. Links are shaped by TBF.
Everything lives under names that begin with one prefix and in one folder; `close` removes it all, and leaves nothing
behind when a test fails half way.
"""
import contextlib, itertools, json, os, pathlib, re, shutil, signal, subprocess, sys, tempfile, time

from daemon_api import api_get

MANAGED = ["ams", "bru", "cph", "dub", "edi"]
KERNEL = "krn"
NODES = MANAGED + [KERNEL]
# Ends, IGP metric. From ams to dub the IGP goes over bru; over krn and cph there is as much capacity again.
LINKS = [("ams", "bru", 10), ("bru", "dub", 10), ("ams", "krn", 10), ("krn", "dub", 11), ("ams", "cph", 10),
         ("cph", "dub", 12), ("dub", "edi", 10), ("cph", "edi", 10)]
CORE_MTU = 2000


def skip_unless_possible():
    """Ends the program, saying so, where no network namespaces can be made."""
    if os.geteuid() != 0:
        sys.exit(print("SKIPPED: network namespaces need root"))
    if run("ip", "netns", "add", f"aw-try-{os.getpid()}", check=False).returncode != 0:
        sys.exit(print("SKIPPED: this kernel or container makes no network namespaces"))
    run("ip", "netns", "del", f"aw-try-{os.getpid()}")


def sweep_leftovers():
    """Takes away what tests left behind that were killed: namespaces of processes that are gone, and all in them."""
    for line in run("ip", "netns", "list", check=False).stdout.splitlines():
        name = line.split()[0] if line.split() else ""
        owner = re.match(r"aw(\d+)_\d+-", name)
        if owner and not pathlib.Path(f"/proc/{owner[1]}").exists():
            remove_namespace(name)


def remove_namespace(name):
    for pid in run("ip", "netns", "pids", name, check=False).stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    run("ip", "netns", "del", name, check=False)


def run(*words, check=True, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done


def number(node):
    return NODES.index(node) + 1


def locator(node):
    return f"fc00:0:{number(node)}::/64"


def segment(node, low):
    return f"fc00:0:{number(node)}::{low}"


def shortest_next_hops(source):
    """By destination: the neighbour that the IGP sends to, all metrics distinct enough for one answer."""
    distance, first, todo = {source: 0}, {}, {source}
    while todo:
        node = min(todo, key=lambda name: (distance[name], name))
        todo.discard(node)
        for left, right, metric in LINKS:
            for one, other in ((left, right), (right, left)):
                if one != node or distance.get(other, 10**9) <= distance[node] + metric:
                    continue
                distance[other] = distance[node] + metric
                first[other] = other if node == source else first[node]
                todo.add(other)
    return first


class Box:
    def __init__(self, programs, rate_mbit=20, mode="advise", interval_s=1, daemon_extra="", node_extra="", workers=1):
        self.programs = pathlib.Path(programs)  # folder with aiwan-dataplane, aiwand, aiwanctl
        self.rate_mbit, self.mode, self.interval_s = rate_mbit, mode, interval_s
        self.daemon_extra, self.node_extra, self.workers = daemon_extra, node_extra, workers
        self.tag = f"aw{os.getpid()}_{next(Box._count)}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="aiwan-box-"))
        self.processes = {}  # name -> Popen
        self.namespaces = []

    _count = itertools.count()

    # -- life ---------------------------------------------------------------------------------------------------------
    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in list(self.processes.values()):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in list(self.processes.values()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
            if process.poll() is None:
                process.kill()
                process.wait()
        self.processes.clear()
        for name in self.namespaces:
            remove_namespace(name)
        self.namespaces.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- names --------------------------------------------------------------------------------------------------------
    def ns(self, node):
        return f"{self.tag}-{node}"

    def host_ns(self, node):
        return f"{self.tag}-h-{node}"

    def host_v4(self, node):
        return f"10.{number(node)}.0.2"

    def host_v6(self, node):
        return f"2001:db8:{number(node)}::2"

    def inside(self, namespace, *words):
        return ["ip", "netns", "exec", namespace, *map(str, words)]

    # -- building -----------------------------------------------------------------------------------------------------
    def build(self):
        sweep_leftovers()
        for node in NODES:
            self.add_namespace(self.ns(node), ipv6=node == KERNEL)
        for node in MANAGED:
            self.add_namespace(self.host_ns(node), ipv6=True)
            self.add_host(node)
        for index, (left, right, _) in enumerate(LINKS):
            self.add_link(index, left, right)
        self.configure_kernel_router()
        self.write_network()
        for node in MANAGED:
            self.write_node(node)
        self.write_daemon()

    def bring_up(self):
        """Built, all programs started, everybody connected."""
        self.build()
        self.start_nodes()
        self.start_daemon()
        self.wait_for_daemon()
        self.wait_for_connectivity()

    def add_namespace(self, name, ipv6):
        run("ip", "netns", "add", name)
        self.namespaces.append(name)
        off = "0" if ipv6 else "1"
        settings = {"net.ipv6.conf.all.disable_ipv6": off, "net.ipv6.conf.default.disable_ipv6": off,
                    "net.ipv4.ip_forward": "0", "net.ipv6.conf.default.accept_dad": "0",
                    "net.ipv6.conf.all.accept_dad": "0"}
        run(*self.inside(name, "sysctl", "-q", "-w", *[f"{key}={value}" for key, value in settings.items()]))
        run("ip", "-n", name, "link", "set", "lo", "up")

    def add_host(self, node):
        host, router, index = self.host_ns(node), self.ns(node), number(node)
        run("ip", "link", "add", "eth0", "netns", host, "type", "veth", "peer", "name", "hosts", "netns", router)
        run("ip", "-n", router, "link", "set", "hosts", "up")
        run("ip", "-n", host, "link", "set", "eth0", "up")
        # Without these the kernel leaves checksums and segmentation to hardware that is not there.
        for namespace, device in ((host, "eth0"), (router, "hosts")):
            run(*self.inside(namespace, "ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off", "gro", "off"))
        run("ip", "-n", host, "addr", "add", f"{self.host_v4(node)}/24", "dev", "eth0")
        run("ip", "-n", host, "addr", "add", f"{self.host_v6(node)}/64", "dev", "eth0", "nodad")
        run("ip", "-n", host, "route", "add", "default", "via", f"10.{index}.0.1")
        run("ip", "-n", host, "-6", "route", "add", "default", "via", f"2001:db8:{index}::1")

    def link_address(self, index, end):
        return f"fd00:{index + 1}::{end}"

    def add_link(self, index, left, right):
        run("ip", "link", "add", f"to-{right}", "mtu", CORE_MTU, "netns", self.ns(left), "type", "veth",
            "peer", "name", f"to-{left}", "mtu", CORE_MTU, "netns", self.ns(right))
        for node, other in ((left, right), (right, left)):
            device = f"to-{other}"
            run("ip", "-n", self.ns(node), "link", "set", device, "mtu", CORE_MTU, "up")
            run(*self.inside(self.ns(node), "ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off", "gro", "off"))
            run("tc", "-n", self.ns(node), "qdisc", "add", "dev", device, "root", "tbf", "rate",
                f"{self.rate_mbit}mbit", "burst", "16kb", "latency", "50ms")

    def configure_kernel_router(self):
        settings = [f"net.ipv6.conf.{device}.seg6_enabled=1" for device in ["all", "default", *self.kernel_devices()]]
        # An address stays when its interface goes down: a cut link that is mended works again.
        keep = [f"net.ipv6.conf.{device}.keep_addr_on_down=1" for device in self.kernel_devices()]
        run(*self.inside(self.ns(KERNEL), "sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1", *settings, *keep))
        for device, (index, end) in self.kernel_devices().items():
            run("ip", "-n", self.ns(KERNEL), "addr", "add", f"{self.link_address(index, end)}/64", "dev", device, "nodad")
        self.route_kernel_router()

    def kernel_devices(self):
        """Of the kernel router, by interface: the link, and which end of it."""
        return {f"to-{right if left == KERNEL else left}": (index, 1 if left == KERNEL else 2)
                for index, (left, right, _) in enumerate(LINKS) if KERNEL in (left, right)}

    def route_kernel_router(self):
        """Its segment and its IGP's routes; again after a link was down, for the kernel forgets them then."""
        name = self.ns(KERNEL)
        run("ip", "-n", name, "-6", "route", "replace", f"{segment(KERNEL, 1)}/128", "encap", "seg6local", "action",
            "End", "flavors", "psp", "dev", next(iter(self.kernel_devices())))
        for node, hop in shortest_next_hops(KERNEL).items():
            index, end = self.far_end(KERNEL, hop)
            run("ip", "-n", name, "-6", "route", "replace", locator(node), "via", self.link_address(index, end))

    def far_end(self, node, other):
        """The link between two nodes, and which end of it `other` is."""
        for index, (left, right, _) in enumerate(LINKS):
            if (left, right) == (node, other):
                return index, 2
            if (right, left) == (node, other):
                return index, 1
        raise KeyError((node, other))

    # -- files --------------------------------------------------------------------------------------------------------
    def write_network(self):
        lines = ["nodes:"]
        for node in NODES:
            lines.append(f"  - name: {node}\n    locator: {locator(node)}")
            if node == KERNEL:
                lines.append("    managed: false")
            else:
                lines.append(f"    prefixes: [10.{number(node)}.0.0/24, \"2001:db8:{number(node)}::/64\"]")
        lines.append("links:")
        for left, right, metric in LINKS:
            lines.append(f"  - {{ends: [{left}, {right}], ports: [to-{right}, to-{left}], "
                         f"capacity: {self.rate_mbit} Mbit/s, delay: 1 ms, metric: {metric}}}")
        (self.folder / "network.yaml").write_text("\n".join(lines) + "\n")

    def write_node(self, node):
        index = number(node)
        lines = [f"node: {node}", f"locator: {locator(node)}", f"daemon: ipc://{self.folder}/bus.sock",
                 f"report_interval: {self.interval_s} s", f"workers: {self.workers}", "ports:",
                 "  - {name: hosts, device: hosts, "
                 f"addresses: [10.{index}.0.1/24, \"2001:db8:{index}::1/64\"]}}"]
        for link, (left, right, _) in enumerate(LINKS):
            if node not in (left, right):
                continue
            own, other = (1, right) if node == left else (2, left)
            hello = "false" if other == KERNEL else "true"
            lines.append(f"  - {{name: to-{other}, device: to-{other}, mtu: {CORE_MTU}, hello: {hello}, "
                         f"addresses: [\"{self.link_address(link, own)}/64\"], "
                         f"neighbor: \"{self.link_address(link, 3 - own)}\"}}")
        lines.append("routes:")
        for target, hop in sorted(shortest_next_hops(node).items()):
            lines.append(f"  - {{locator: \"{locator(target)}\", port: to-{hop}}}")
        lines.append("prefixes:")
        for other in MANAGED:
            if other != node:
                for prefix in (f"10.{number(other)}.0.0/24", f"2001:db8:{number(other)}::/64"):
                    lines.append(f"  - {{prefix: \"{prefix}\", node: {other}, sid: \"{segment(other, 46)}\"}}")
        if self.node_extra:
            lines.append(self.node_extra)
        (self.folder / f"{node}.yaml").write_text("\n".join(lines) + "\n")

    def write_daemon(self):
        (self.folder / "state").mkdir(exist_ok=True)
        (self.folder / "aiwand.yaml").write_text(
            f"network: network.yaml\nbus: ipc://{self.folder}/bus.sock\nstate: {self.folder}/state\n"
            f"interval: {self.interval_s} s\nmode: {self.mode}\napi: {{socket: {self.folder}/api.sock}}\n{self.daemon_extra}\n")

    # -- processes ----------------------------------------------------------------------------------------------------
    def start(self, name, words):
        log = open(self.folder / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log,
                                                stdin=subprocess.DEVNULL, start_new_session=True)
        log.close()
        return self.processes[name]

    def start_node(self, node):
        return self.start(node, self.inside(self.ns(node), self.programs / "aiwan-dataplane", "run", "--config",
                                            self.folder / f"{node}.yaml"))

    def start_nodes(self):
        for node in MANAGED:
            self.start_node(node)

    def start_daemon(self):
        return self.start("aiwand", [self.programs / "aiwand", "--config", self.folder / "aiwand.yaml"])

    def kill(self, name):
        """SIGKILL, as a crash would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def log(self, name):
        file = self.folder / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def ctl(self, *words, check=True):
        return run(self.programs / "aiwanctl", "--server", f"unix:{self.folder}/api.sock", *words, check=check)

    def get(self, what, *options):
        if options:
            return self.get_json("get", what, *options)
        return api_get(self.folder / "api.sock", what)  # no process to start: asked every few ms

    def get_json(self, *words):
        return json.loads(self.ctl(*words, "-o", "json").stdout)

    def settled(self):
        """Every managed node reports and has taken what it was sent last."""
        status = self.get("status")
        if self.mode == "auto" and status["epoch"] == 0:
            return False  # a daemon that has just started: no node has told yet what it runs
        plans = self.get("plans")["items"]
        return status["nodes"]["reporting"] == len(MANAGED) and not (plans and plans[0]["waiting"]) and all(
            node["epoch"] == status["epoch"] for node in self.get("nodes")["items"] if node["managed"])

    def wait_for_daemon(self):
        self.wait_for("all nodes report to the daemon", lambda: self.ctl(
            "get", "status", "-o", "json", check=False).returncode == 0 and self.settled(), 30)

    # -- the world ----------------------------------------------------------------------------------------------------
    def ping(self, source, destination, v6=False, count=1):
        target = self.host_v6(destination) if v6 else self.host_v4(destination)
        return run(*self.inside(self.host_ns(source), "ping", "-6" if v6 else "-4", "-c", count, "-W", "1", "-i", "0.2",
                                target), check=False)

    def wait_for(self, what, condition, timeout_s=20):
        """Polls until `condition` gives something true; `what` names it when it does not."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended with {process.returncode}:\n{self.log(name)[-3000:]}")
            time.sleep(0.02)
        raise TimeoutError(f"{what}: not within {timeout_s} s")

    def wait_for_connectivity(self):
        for source, destination in itertools.permutations(MANAGED, 2):
            self.wait_for(f"{source} reaches {destination}", lambda: self.ping(source, destination).returncode == 0)
