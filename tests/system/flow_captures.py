"""Seeded captures whose packets, bytes and flows are known: TCP and UDP, Zipf 1.0 over the flows, 30 % of them IPv6."""
import struct
from collections import namedtuple

import numpy

FRAME_BYTES = 74  # at most
HEADER_BYTES = 16
ETHERNET_BYTES = 14
FIRST_SECOND = 1_700_000_000

Truth = namedtuple("Truth", "packets ip_bytes flows")


def write_capture(path, *, packets, flows, seed):
    """Writes a pcap file and gives what it holds. Every flow occurs; no UDP port is 53 (nfpcapd treats DNS apart)."""
    draw = numpy.random.default_rng(seed)
    is_v6 = draw.random(flows) < 0.3
    is_tcp = draw.random(flows) < 0.7
    # Distinct by construction: the flow's number is in its addresses.
    number = numpy.arange(flows, dtype=">u4").view(numpy.uint8).reshape(flows, 4)
    ports = draw.integers(1024, 65536, size=(flows, 2), dtype=numpy.uint16)

    weights = 1.0 / numpy.arange(1, flows + 1)
    chosen = draw.choice(flows, size=packets - flows, p=weights / weights.sum())
    order = draw.permutation(numpy.concatenate([numpy.arange(flows), chosen]))

    # One frame a flow, complete but for what differs from packet to packet.
    frames = numpy.zeros((flows, FRAME_BYTES), dtype=numpy.uint8)
    frames[:, 0:12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]
    v4, v6 = ~is_v6, is_v6
    frames[v4, 12:14] = [0x08, 0x00]
    frames[v4, 14] = 0x45
    frames[v4, 15] = 0x28
    frames[v4, 20] = 0x40
    frames[v4, 22] = 63
    frames[v4, 23] = numpy.where(is_tcp[v4], 6, 17)
    frames[v4, 26] = 10
    frames[v4, 27:30] = number[v4, 1:]
    frames[v4, 30] = 172
    frames[v4, 31:34] = number[v4, 1:][:, ::-1]
    frames[v6, 12:14] = [0x86, 0xdd]
    frames[v6, 14] = 0x60
    frames[v6, 20] = numpy.where(is_tcp[v6], 6, 17)
    frames[v6, 21] = 63
    frames[v6, 22:26] = [0x20, 0x01, 0x0d, 0xb8]
    frames[v6, 34:38] = number[v6]
    frames[v6, 38:42] = [0x20, 0x01, 0x0d, 0xb8]
    frames[v6, 50:54] = number[v6][:, ::-1]
    for rows, at in ((v4, 34), (v6, 54)):
        frames[rows, at:at + 4] = ports[rows].astype(">u2").view(numpy.uint8).reshape(-1, 4)
        tcp = rows & is_tcp
        frames[tcp, at + 12] = 0x50
        frames[tcp, at + 13] = 0x10

    # IP packets fill their frames: softflowd would count padding too, which we do not.
    shortest = numpy.where(is_v6, 40, 20) + numpy.where(is_tcp, 20, 8)
    longest = FRAME_BYTES - ETHERNET_BYTES
    length = numpy.where(draw.random(packets) < 0.8, longest, draw.integers(shortest[order], longest, endpoint=True))
    records = numpy.zeros((packets, HEADER_BYTES + FRAME_BYTES), dtype=numpy.uint8)
    microseconds = numpy.arange(packets, dtype=numpy.uint64) * 10
    frame_bytes = length + ETHERNET_BYTES
    header = numpy.stack([FIRST_SECOND + microseconds // 1_000_000, microseconds % 1_000_000, frame_bytes, frame_bytes],
                         axis=1).astype("<u4")
    records[:, :HEADER_BYTES] = header.view(numpy.uint8).reshape(packets, HEADER_BYTES)
    records[:, HEADER_BYTES:] = frames[order]
    packet_v6 = is_v6[order]
    claimed = numpy.where(packet_v6, length - 40, length).astype(">u2").view(numpy.uint8).reshape(packets, 2)
    at = HEADER_BYTES + ETHERNET_BYTES
    records[~packet_v6, at + 2:at + 4] = claimed[~packet_v6]
    records[packet_v6, at + 4:at + 6] = claimed[packet_v6]
    udp = ~is_tcp[order]
    for rows, udp_at, ip_header in ((udp & ~packet_v6, at + 24, 20), (udp & packet_v6, at + 44, 40)):
        size = (length[rows] - ip_header).astype(">u2").view(numpy.uint8).reshape(-1, 2)
        records[rows, udp_at:udp_at + 2] = size

    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        kept = numpy.arange(HEADER_BYTES + FRAME_BYTES) < (HEADER_BYTES + frame_bytes)[:, None]
        records[kept].tofile(file)
    return Truth(packets, int(length.sum()), flows)
