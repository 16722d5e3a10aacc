#!/usr/bin/env python3
"""UDP packets that carry their number: which were lost, which came twice, how long the longest silence was.

`send` and `receive` run in the namespaces of two hosts; both print one JSON object when they end (SIGTERM, or --seconds).
A packet: magic, flow, number within the flow, time of sending; each flow has a source port of its own.
"""
import argparse, collections, json, select, signal, socket, struct, sys, time

HEAD = struct.Struct("!IIQQ")  # magic, flow, number, nanoseconds since 1970
MAGIC = 0x41574E55
stop = False


def request_stop(*_):
    global stop
    stop = True


def tell(options, in_second, told, behind):
    """With --progress: a line for each second of sending that is over for so many seconds; the newest one told."""
    newest = int(time.time()) - behind
    for second in range(told + 1, newest + 1) if options.progress else ():
        print(json.dumps({"second": second, "packets": in_second[second]}), flush=True)
    return max(told, newest)


def send(options):
    family = socket.AF_INET6 if ":" in options.to else socket.AF_INET
    sockets = []
    for flow in range(options.flows):
        one = socket.socket(family, socket.SOCK_DGRAM)
        one.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", options.source_port + flow))
        if options.dscp:
            level, name = ((socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if family == socket.AF_INET6
                           else (socket.IPPROTO_IP, socket.IP_TOS))
            one.setsockopt(level, name, options.dscp << 2)
        one.connect((options.to, options.port))
        sockets.append(one)
    filler = bytes(max(0, options.size - HEAD.size))
    numbers = [0] * options.flows
    refused = sent = 0
    begin = last_turn = time.monotonic()
    longest_turn = 0.0
    gap, in_second, told = 1.0 / options.rate, collections.Counter(), int(time.time())
    while not stop and (options.seconds is None or time.monotonic() - begin < options.seconds):
        now = time.monotonic()
        longest_turn, last_turn = max(longest_turn, now - last_turn), now
        due = int((now - begin) / gap) + 1
        for _ in range(min(due - sent - refused, 200)):
            flow = (sent + refused) % options.flows
            try:
                now_ns = time.time_ns()
                sockets[flow].send(HEAD.pack(MAGIC, flow, numbers[flow], now_ns) + filler)
                in_second[now_ns // 10**9] += 1
                numbers[flow] += 1
                sent += 1
            except OSError:  # no buffer, or the network said no to an earlier one: this number goes with the next packet
                refused += 1
        told = tell(options, in_second, told, 1)
        time.sleep(0.001)
    print(json.dumps({"sent": sent, "refused": refused, "by_flow": numbers, "seconds": time.monotonic() - begin,
                      "in_second": in_second, "longest_turn_ms": round(longest_turn * 1000, 3)}))


def receive(options):
    family = socket.AF_INET6 if options.v6 else socket.AF_INET
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
    one.setsockopt(socket.SOL_SOCKET, 40, 1)  # SO_RXQ_OVFL: the kernel tells what it threw away
    one.bind(("::" if options.v6 else "0.0.0.0", options.port))
    one.setblocking(False)
    seen = {}  # flow -> bytearray, one byte a number
    received = duplicates = foreign = overflow = reordered = 0
    newest, last_arrival, longest_silence, delays = {}, None, 0.0, []
    of_second, told = collections.Counter(), int(time.time())
    poll = select.poll()
    poll.register(one, select.POLLIN)
    while True:
        told = tell(options, of_second, told, 3)
        if not poll.poll(100):
            if stop:
                break
            continue
        while True:
            try:
                data, extra, _, _ = one.recvmsg(2048, 64)
            except BlockingIOError:
                break
            for level, kind, value in extra:
                if level == socket.SOL_SOCKET and kind == 40:
                    overflow = struct.unpack("I", value)[0]
            if len(data) < HEAD.size:
                foreign += 1
                continue
            magic, flow, number, sent_ns = HEAD.unpack_from(data)
            if magic != MAGIC:
                foreign += 1
                continue
            now = time.time_ns()
            delays.append(now - sent_ns)
            of_second[sent_ns // 10**9] += 1
            if last_arrival is not None:
                longest_silence = max(longest_silence, (now - last_arrival) / 1e6)
            last_arrival = now
            marks = seen.setdefault(flow, bytearray())
            if number >= len(marks):
                marks.extend(bytes(number + 1 - len(marks)))
            if marks[number]:
                duplicates += 1
            marks[number] = 1
            if number < newest.get(flow, -1):
                reordered += 1
            newest[flow] = max(newest.get(flow, -1), number)
            received += 1
    delays.sort()
    print(json.dumps({
        "received": received, "distinct": sum(sum(marks) for marks in seen.values()), "duplicates": duplicates,
        "foreign": foreign, "receiver_drops": overflow, "reordered": reordered,
        "of_second": of_second, "longest_silence_ms": round(longest_silence, 3),
        "delay_ms_p50": round(delays[len(delays) // 2] / 1e6, 3) if delays else None,
        "delay_ms_max": round(delays[-1] / 1e6, 3) if delays else None,
        "missing": {flow: [number for number, mark in enumerate(marks) if not mark][:20]
                    for flow, marks in sorted(seen.items()) if not all(marks)},
        "by_flow": {flow: sum(marks) for flow, marks in sorted(seen.items())}}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sender = commands.add_parser("send")
    sender.add_argument("--to", required=True)
    sender.add_argument("--port", type=int, default=9000)
    sender.add_argument("--source-port", type=int, default=20000)
    sender.add_argument("--rate", type=float, required=True, help="packets a second")
    sender.add_argument("--size", type=int, default=200, help="bytes of UDP payload")
    sender.add_argument("--flows", type=int, default=64)
    sender.add_argument("--dscp", type=int, default=0)
    sender.add_argument("--seconds", type=float)
    receiver = commands.add_parser("receive")
    receiver.add_argument("--port", type=int, default=9000)
    receiver.add_argument("--v6", action="store_true")
    for one in (sender, receiver):
        one.add_argument("--progress", action="store_true", help="a line a second with the count so far")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    send(options) if options.command == "send" else receive(options)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
