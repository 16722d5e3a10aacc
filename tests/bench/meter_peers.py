#!/usr/bin/env python3
"""meter beside softflowd and nfpcapd on the same captures: CPU seconds of whole processes, the best of some rounds each.

`meter_peers.py PROGRAM [ROUNDS]`, PROGRAM being aiwan-dataplane. The programs take turns, so that whatever else the machine
does falls on all of them.
"""
import pathlib, resource, shutil, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import flow_captures

CAPTURES = {"10,000 flows, Zipf": dict(packets=2_000_000, flows=10_000, seed=1),
            "158,735 flows, Zipf": dict(packets=2_000_000, flows=158_735, seed=2),
            "1,000,000 flows, Zipf": dict(packets=3_000_000, flows=1_000_000, seed=3)}


def commands(program, capture, folder):
    yield "meter", [program, "meter", "--pcap", capture]
    yield "meter, IPFIX", [program, "meter", "--pcap", capture, "--ipfix-out", folder / "flows.ipfix"]
    softflowd = shutil.which("softflowd") or "/usr/sbin/softflowd"
    if pathlib.Path(softflowd).exists():
        yield "softflowd", [softflowd, "-r", capture, "-d", "-6", "-v", "10", "-m", "2000000", "-c", "none",
                            "-p", folder / "softflowd.pid"]
    if shutil.which("nfpcapd"):
        (folder / "nfpcapd").mkdir(exist_ok=True)
        yield "nfpcapd", ["nfpcapd", "-r", capture, "-w", folder / "nfpcapd"]


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(program, rounds):
    with tempfile.TemporaryDirectory(prefix="aiwan-bench-") as name:
        folder = pathlib.Path(name)
        for title, wanted in CAPTURES.items():
            capture = folder / "capture.pcap"
            flow_captures.write_capture(capture, **wanted)
            best = {}
            for _ in range(rounds):
                for who, command in commands(program, capture, folder):
                    best[who] = min(best.get(who, float("inf")), cpu_seconds(command))
            rate = {who: wanted["packets"] / seconds / 1e6 for who, seconds in best.items()}
            peer = max((rate[who] for who in rate if not who.startswith("meter")), default=None)
            print(f"{title}, {wanted['packets']:,} packets, {capture.stat().st_size / 1e6:.0f} MB")
            for who, mpps in rate.items():
                times = f"{mpps / peer:6.1f} x the best peer" if peer else ""
                print(f"  {who:<14}{best[who]:8.3f} s CPU {mpps:8.2f} million packets/s a core {times}", flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve(strict=True), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
