"""A made-up network of five nodes and its traffic, for tests that must run without the real data."""
import datetime, math, random
from programs import write_traffic

NODES = ["Alpha", "Bravo", "Charlie", "Delta", "Echo"]
SPANS = [(0, 1, 10), (1, 2, 10), (2, 3, 10), (3, 4, 10), (4, 0, 10), (1, 3, 2.5)]  # ends, Gbit/s; both directions
ROWS = 300
INTERVAL = datetime.timedelta(minutes=15)


def write_small_network(folder, seed=1):
    """Gives the .graph, the .demands and the .csv file: ROWS intervals with a daily rhythm and some noise."""
    noise = random.Random(seed)
    graph, demands, traffic = folder / "small.graph", folder / "small.demands", folder / "small.csv"
    links = [(a, b, gbps) for a, b, gbps in SPANS] + [(b, a, gbps) for a, b, gbps in SPANS]
    graph.write_text(f"NODES {len(NODES)}\nlabel x y\n"
                     + "".join(f"{name} {i} {i * i}\n" for i, name in enumerate(NODES))
                     + f"\nEDGES {len(links)}\nlabel src dest weight bw delay\n"
                     + "".join(f"link_{i} {a} {b} 1 {int(1e6 * gbps)} 1000\n" for i, (a, b, gbps) in enumerate(links)))
    pairs = [(a, b) for a in range(len(NODES)) for b in range(len(NODES)) if a != b]
    mean = [noise.uniform(50.0, 1500.0) for _ in pairs]  # Mbit/s
    demands.write_text(f"DEMANDS {len(pairs)}\nlabel src dest bw\n"
                       + "".join(f"demand_{i} {a} {b} {int(1e3 * mean[i])}\n" for i, (a, b) in enumerate(pairs)))
    start, rows = datetime.datetime(2026, 3, 2), []
    for row in range(ROWS):
        at = start + row * INTERVAL
        rhythm = 1.0 + 0.4 * math.sin(2.0 * math.pi * (at.hour + at.minute / 60.0 - 14.0) / 24.0)
        rows.append([at.strftime("%Y-%m-%dT%H:%M:%SZ")]
                    + [f"{rate * rhythm * noise.uniform(0.9, 1.1):.6g}" for rate in mean])
    write_traffic(traffic, ["time"] + [f"{NODES[a]}>{NODES[b]}" for a, b in pairs], rows)
    return graph, demands, traffic
