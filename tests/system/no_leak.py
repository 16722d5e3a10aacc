#!/usr/bin/env python3
"""No controller knows the traffic that it decides for: changing a row and all after it changes no decision up to it."""
import random
from programs import (ProgramTest, main, read_traffic, replay, shared_data, take_program, temporary_folder,
                      write_traffic)

SIM = take_program()
GRAPH, TRAFFIC = shared_data("abilene/abilene.graph", "abilene/traffic.csv")
CONTROLLERS = ["ospf", "ecmp", "last", "forecast", "scenario"]
FIRST, CHANGED, END = 2990, 3020, 3050  # decided from, changed from, decided up to


class NoLeak(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(temporary_folder())
        cls.header, cls.rows = read_traffic(TRAFFIC)
        cls.original = cls.decisions(TRAFFIC)

    @staticmethod
    def decisions(traffic):
        """By row: by controller: what it decided."""
        result = replay(SIM, GRAPH, traffic, FIRST, END)
        return {at["row"]: {name: tuple(decided[key] for key in ("action", "reason", "lower_bound"))
                            for name, decided in at["controllers"].items()} for at in result["intervals"]}

    def same_until_changed(self, change):
        """Applies `change` to each rate from row CHANGED on; the decision for a row is made on the rows before it."""
        file = self.folder / "changed.csv"
        write_traffic(file, self.header, self.rows[:CHANGED] + [
            row[:1] + [repr(change(float(rate))) for rate in row[1:]] for row in self.rows[CHANGED:]])
        changed = self.decisions(file)
        self.assertEqual(sorted(changed), list(range(FIRST, END)))
        for row in range(FIRST, CHANGED + 1):
            self.assertEqual(sorted(changed[row]), sorted(CONTROLLERS))
            self.assertEqual(changed[row], self.original[row], f"row {row}")
        # The change reached the controllers that look at traffic at all, or the comparison above would prove nothing.
        for name in ("last", "forecast", "scenario"):
            self.assertNotEqual(changed[CHANGED + 1][name], self.original[CHANGED + 1][name], name)

    def test_random_noise_from_a_row_on(self):
        noise = random.Random(1)
        self.same_until_changed(lambda rate: rate * noise.uniform(0.5, 1.5))

    def test_all_traffic_scaled_from_a_row_on(self):
        self.same_until_changed(lambda rate: 1.3 * rate)


if __name__ == "__main__":
    main()
