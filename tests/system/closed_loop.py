#!/usr/bin/env python3
"""How good the loop is on measured traffic, without a trained model, and what it does for a network in overload."""
from programs import ProgramTest, main, replay, shared_data, take_program

SIM = take_program()
ABILENE, ABILENE_TRAFFIC, GEANT, GEANT_TRAFFIC = shared_data(
    "abilene/abilene.graph", "abilene/traffic.csv", "geant/geant.graph", "geant/traffic.csv")


class ClosedLoop(ProgramTest):
    def near_the_optimum(self, result, mean_max, p99_max):
        scenario = result["summary"]["scenario"]
        print(f"mean {scenario['ratio_mean']:.4f}, p99 {scenario['ratio_p99']:.4f} of the exact optimum; "
              f"{scenario['decide_ms_p50']:.1f} ms a decision")
        self.assertGreaterEqual(scenario["ratio_mean"], 1.0)
        self.assertLessEqual(scenario["ratio_mean"], mean_max)
        self.assertLessEqual(scenario["ratio_p99"], p99_max)

    def test_two_days_of_abilene(self):
        result = replay(SIM, ABILENE, ABILENE_TRAFFIC, 2880, 3456, "--controllers", "scenario")
        self.near_the_optimum(result, mean_max=1.03, p99_max=1.12)

    def test_the_last_twenty_hours_of_geant(self):
        result = replay(SIM, GEANT, GEANT_TRAFFIC, 400, 480, "--controllers", "scenario")
        self.near_the_optimum(result, mean_max=1.04, p99_max=1.10)

    def test_overload_is_a_tenth_of_what_shortest_paths_suffer_at_little_delay(self):
        summary = replay(SIM, ABILENE, ABILENE_TRAFFIC, 2880, 3456, "--scale", 13,
                         "--controllers", "ospf,scenario")["summary"]
        before, after = summary["ospf"], summary["scenario"]
        print(f"overloaded link-minutes {before['overload_link_minutes']} -> {after['overload_link_minutes']}, "
              f"delay stretch {after['delay_stretch_mean']:.4f}, delivered {after['delivered_share']:.6f}")
        self.assertGreater(before["overload_link_minutes"], 0.0)
        self.assertLessEqual(after["overload_link_minutes"], 0.1 * before["overload_link_minutes"])
        self.assertLessEqual(after["delay_stretch_mean"], 1.2)
        self.assertGreaterEqual(after["delivered_share"], before["delivered_share"])


if __name__ == "__main__":
    main()
