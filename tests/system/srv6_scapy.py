#!/usr/bin/env python3
"""The bytes that forwarding makes against those that Scapy makes: encapsulation (H.Encaps.Red), every segment taken
until the last (End with PSP), ICMP errors and echo replies, ARP and neighbour discovery.

`srv6_scapy.py FORWARDING_PACKETS`
"""
import subprocess, sys

try:
    from scapy.layers.inet import ICMP, IP
    from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                    ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6,
                                    IPv6ExtHdrSegmentRouting)
    from scapy.layers.l2 import ARP, Ether
    from scapy.packet import Raw
except ImportError:
    print("SKIPPED: python3-scapy is not installed")
    sys.exit(0)

OWN, THEIRS = "02:00:00:00:00:01", "02:00:00:00:00:02"
INNER = {"v4": bytes(IP(src="10.1.0.9", dst="10.2.0.9", ttl=60) / ICMP(id=7, seq=3) / Raw(b"0123456789")),
         "v6": bytes(IPv6(src="2001:db8:1::9", dst="2001:db8:2::9", hlim=60) /
                     ICMPv6EchoRequest(id=7, seq=3, data=b"0123456789"))}
ROUTER = {"v4": "10.1.0.1", "v6": "2001:db8:1::1"}
HOST = {"v4": "10.1.0.9", "v6": "2001:db8:1::9"}


def steered(family, count, left):
    """The outer headers of a list of `count` segments of which `left` are left, and what they carry."""
    segments = [f"fc00:0:{i + 1}::1" for i in range(1, count)] + ["fc00:0:99::46"]
    protocol = 4 if family == "v4" else 41
    outer = IPv6(src="fc00:0:1::1", dst=segments[count - 1 - left], tc=0xb9, fl=0x12345, hlim=64)
    if left == 0:
        outer.nh = protocol
        return bytes(outer / Raw(INNER[family]))
    listed = segments[1:][::-1]
    routing = IPv6ExtHdrSegmentRouting(nh=protocol, segleft=left, lastentry=len(listed) - 1, addresses=listed)
    return bytes(outer / routing / Raw(INNER[family]))


def answers(family):
    """What the control thread says about the inner packet, and to neighbours."""
    inner, router, host = INNER[family], ROUTER[family], HOST[family]
    if family == "v4":
        error = IP(src=router, dst=host, ttl=64, id=0, flags="DF")
        arp = lambda **fields: bytes(ARP(hwsrc=OWN, psrc=router, pdst=host, **fields))
        ether = lambda to: bytes(Ether(src=OWN, dst=to, type=0x0806))
        return {"exceeded": bytes(error / ICMP(type=11) / Raw(inner)),
                "too-big": bytes(error / ICMP(type=3, code=4, nexthopmtu=1436) / Raw(inner)),
                "echo": bytes(IP(src="10.2.0.9", dst=host, ttl=64, id=0, flags="DF") /
                              ICMP(type=0, id=7, seq=3) / Raw(b"0123456789")),
                "request": ether("ff:ff:ff:ff:ff:ff") + arp(op=1, hwdst="00:00:00:00:00:00") + bytes(18),
                "confirm": ether(THEIRS) + arp(op=1, hwdst="00:00:00:00:00:00") + bytes(18),
                "reply": ether(THEIRS) + arp(op=2, hwdst=THEIRS) + bytes(18)}
    error = IPv6(src=router, dst=host, hlim=64)
    question = ICMPv6ND_NS(tgt=host) / ICMPv6NDOptSrcLLAddr(lladdr=OWN)
    return {"exceeded": bytes(error / ICMPv6TimeExceeded() / Raw(inner)),
            "too-big": bytes(error / ICMPv6PacketTooBig(mtu=1436) / Raw(inner)),
            "echo": bytes(IPv6(src="2001:db8:2::9", dst=host, hlim=64) /
                          ICMPv6EchoReply(id=7, seq=3, data=b"0123456789")),
            "request": bytes(Ether(src=OWN, dst="33:33:ff:00:00:09") /
                             IPv6(src=router, dst="ff02::1:ff00:9", hlim=255) / question),
            "confirm": bytes(Ether(src=OWN, dst=THEIRS) / IPv6(src=router, dst=host, hlim=255) / question),
            "reply": bytes(Ether(src=OWN, dst=THEIRS) / IPv6(src=router, dst=host, hlim=255) /
                           ICMPv6ND_NA(tgt=router, R=1, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=OWN))}


def main():
    done = subprocess.run([sys.argv[1], INNER["v4"].hex(), INNER["v6"].hex()], capture_output=True, text=True, check=True)
    ours = {name: bytes.fromhex(text) for name, text in (line.split() for line in done.stdout.splitlines())}
    wanted = {}
    for family in ("v4", "v6"):
        for count in range(1, 17):
            wanted[f"encapsulated-{family}-{count}"] = steered(family, count, count - 1)
            for left in range(count - 1):
                wanted[f"advanced-{family}-{count}-{left}"] = steered(family, count, left)
        wanted.update({f"{name}-{family}": packet for name, packet in answers(family).items()})
    faults = [name for name in sorted(set(ours) | set(wanted)) if ours.get(name) != wanted.get(name)]
    for name in faults:
        print(f"{name}\n  ours  {ours.get(name, b'').hex()}\n  Scapy {wanted.get(name, b'').hex()}")
    assert len(wanted) == 2 * (16 + 120 + 6), len(wanted)
    print(f"{len(wanted)} packets compared, {len(faults)} differ")
    sys.exit(1 if faults else 0)


main()
