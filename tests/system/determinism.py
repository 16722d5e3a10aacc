#!/usr/bin/env python3
"""Equal inputs give equal answers, whatever the number of threads; only times differ."""
from programs import (ProgramTest, main, replay, run, run_json, shared_data, take_program, temporary_folder, unpack_zoo,
                      without_times)

SIM = take_program()
COGENTCO, GRAPH, TRAFFIC = shared_data("topology-zoo/Cogentco.graphml", "abilene/abilene.graph", "abilene/traffic.csv")


class Determinism(ProgramTest):
    def solved(self, topology, demands, threads):
        """The result and the bytes of the plan, proof and all."""
        with temporary_folder() as folder:
            result = run_json(SIM, "solve", "--topology", topology, "--demands", demands, "--threads", threads,
                              "--plan-out", folder / "plan.json")
            return without_times(result), (folder / "plan.json").read_bytes()

    def same(self, topology, demands):
        first = self.solved(topology, demands, threads=1)
        self.assertIn("mlu", first[0])
        for threads in (1, 2):
            self.assertEqual(first, self.solved(topology, demands, threads), f"{threads} threads")
        return first

    def test_solve_gives_the_same_plan_again_and_with_two_threads(self):
        folder = self.enterContext(temporary_folder())
        unpack_zoo(folder, lambda name: name.split(".")[0] in ("UsCarrier", "Cogentco"))
        for name in ("UsCarrier", "Cogentco"):
            with self.subTest(name):
                self.same(folder / f"{name}.graph", folder / f"{name}.0000.demands")

    def test_gravity_demands_follow_from_their_seed_and_differ_between_seeds(self):
        first = self.same(COGENTCO, "gravity:7:0.8")
        other = self.solved(COGENTCO, "gravity:8:0.8", threads=1)
        self.assertNotEqual(first[0]["lower_bound"], other[0]["lower_bound"])
        self.assertNotEqual(first[1], other[1])

    def test_generated_traffic_follows_from_its_seed(self):
        with temporary_folder() as folder:
            def generated(seed):
                code, _, err = run(SIM, "generate", "--seed", seed, "--days", 1, "--topology-out", folder / "net.graph",
                                   "--traffic-out", folder / "day.csv")
                self.assertEqual(code, 0, err)
                return (folder / "net.graph").read_bytes(), (folder / "day.csv").read_bytes()
            first = generated(1)
            self.assertEqual(first, generated(1))
            self.assertNotEqual(first[1], generated(2)[1])

    def test_replay_decides_the_same_again_and_with_two_threads(self):
        def decided(threads):
            return without_times(replay(SIM, GRAPH, TRAFFIC, 2900, 2948, "--threads", threads))
        first = decided(1)
        self.assertEqual(len(first["intervals"]), 48)
        self.assertEqual(len(first["summary"]), 5)
        for threads in (1, 2):
            self.assertEqual(first, decided(threads), f"{threads} threads")


if __name__ == "__main__":
    main()
