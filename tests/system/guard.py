#!/usr/bin/env python3
"""Broken measurements are held back, for the right reason, and cost next to nothing on the intervals they spare.

The decision for a row is made on the rows before it, so a broken row r shows in the decision for row r + 1.
"""
import statistics
from programs import (ProgramTest, main, ratios, read_traffic, replay, shared_data, take_program, temporary_folder,
                      write_traffic)

SIM = take_program()
FILES = shared_data("abilene/abilene.graph", "abilene/traffic.csv", "geant/geant.graph", "geant/traffic.csv")
RATIO_CHANGE_MAX = 0.005
SPIKE = 1000.0


class Case:
    """A real series, what the loop makes of it, and what it makes of a damaged copy."""

    def __init__(self, graph, traffic, first, end):
        self.graph, self.window = graph, (first, end)
        self.header, self.rows = read_traffic(traffic)
        self.clean = self.played(self.rows)

    def played(self, rows):
        """What replay says of the window with these rows instead."""
        first, end = self.window
        with temporary_folder() as folder:
            write_traffic(folder / "traffic.csv", self.header, rows)
            return replay(SIM, self.graph, folder / "traffic.csv", first, end - (len(self.rows) - len(rows)),
                          "--controllers", "scenario")

    def columns_by_size(self, rows):
        """The largest, the middle and the smallest of the columns that carry something in at least two of the rows."""
        size = {c: sum(float(row[c]) for row in self.rows[:self.window[0]]) for c in range(1, len(self.header))}
        carrying = sorted((c for c in size if sum(float(self.rows[r][c]) > 0.0 for r in rows) >= 2), key=size.get)
        return {"large": carrying[-1], "median": carrying[len(carrying) // 2], "small": carrying[0]}

    def columns_of(self, node, received=False):
        ends = [(c, *name.split(">")) for c, name in enumerate(self.header) if ">" in name]
        return [c for c, src, dst in ends if src == node or received and dst == node]

    def damaged(self, change, rows):
        """A copy in which `change(row, before)` has edited each of the rows, `before` being the row above the first."""
        copy = [list(row) for row in self.rows]
        for r in rows:
            change(copy[r], self.rows[min(rows) - 1])
        return copy


class Guard(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.abilene = Case(FILES[0], FILES[1], 2880, 3024)
        cls.geant = Case(FILES[2], FILES[3], 400, 480)

    def held(self, case, rows, damaged_rows, cause, decisions=None):
        """Every decision that follows a damaged row is a hold or a fallback because of `cause`; other rows fare well."""
        result = case.played(rows)
        decided = {at["time"]: at["controllers"]["scenario"] for at in result["intervals"]}
        for time in decisions or [case.rows[r + 1][0] for r in damaged_rows]:
            with self.subTest(time):
                self.assertIn(decided[time]["action"], ("hold", "fallback"), decided[time]["reason"])
                self.assertIn(cause, decided[time]["reason"])
        touched = {case.rows[r][0] for r in damaged_rows}
        clean, now = [dict(zip([at["time"] for at in of["intervals"]], ratios(of).values()))
                      for of in (case.clean, result)]
        spared = [time for time in now if time not in touched]
        change = statistics.mean(now[time] for time in spared) - statistics.mean(clean[time] for time in spared)
        print(f"{self.id().split('.')[-1]}: {len(touched)} rows damaged, mean ratio of the others {change:+.5f}")
        self.assertLessEqual(abs(change), RATIO_CHANGE_MAX)

    def spikes(self, case, rows):
        for size, column in case.columns_by_size(rows).items():
            with self.subTest(size, column=case.header[column]):
                def spike(row, _):
                    row[column] = repr(float(row[column]) * SPIKE)
                highest = max(float(row[column]) for row in case.rows[:case.window[0]])
                # A reading as high as one before is no spike to anybody.
                spikes = [r for r in rows if float(case.rows[r][column]) * SPIKE > highest]
                self.assertTrue(spikes)
                pair = case.header[column].replace(">", " > ")
                self.held(case, case.damaged(spike, spikes), spikes, f"spike: {pair}")

    def test_spikes_on_abilene(self):
        self.spikes(self.abilene, [2890, 2911, 2912, 2950, 2990])

    def test_spikes_on_geant(self):
        self.spikes(self.geant, [402, 420, 421, 455, 470])

    def test_a_frozen_hour(self):
        def freeze(row, before):
            row[1:] = before[1:]
        rows = range(2940, 2952)
        self.held(self.abilene, self.abilene.damaged(freeze, rows), rows, "frozen: 12 of 12 nodes")

    def test_a_frozen_node(self):
        node = "NYCMng"

        def freeze(row, before):
            for column in self.abilene.columns_of(node):
                row[column] = before[column]
        rows = range(2940, 2952)
        self.held(self.abilene, self.abilene.damaged(freeze, rows), rows, f"frozen: 1 of 12 nodes ({node})")

    def test_a_zeroed_node(self):
        node = "CHINng"

        def silence(row, _):
            for column in self.abilene.columns_of(node, received=True):
                row[column] = "0"
        rows = range(2940, 2952)
        self.held(self.abilene, self.abilene.damaged(silence, rows), rows, f"zeroed node: {node}")

    def test_a_gap_in_the_series_makes_the_newest_matrix_stale(self):
        gap = range(2940, 2952)
        rows = self.abilene.rows[:gap.start] + self.abilene.rows[gap.stop:]
        self.held(self.abilene, rows, gap, "stale", decisions=[self.abilene.rows[gap.stop][0]])


if __name__ == "__main__":
    main()
