#!/usr/bin/env python3
"""A model is trained, judged and used; scoring it on what it was trained on is refused."""
import math
from programs import ProgramTest, main, run, run_json, take_program, temporary_folder
from small_network import ROWS, write_small_network

SIM, MODELS = take_program(), take_program()
TRAINED = 240  # rows
CONTESTANTS = ["model", "last", "ewma", "ar12"]


class TrainedModel(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(temporary_folder())
        graph, _, traffic = write_small_network(cls.folder)
        cls.inputs = ["--topology", graph, "--traffic", traffic]
        cls.model = cls.folder / "model"
        cls.trained = cls.train(cls.model)

    @classmethod
    def train(cls, out, *options):
        return run_json(MODELS, "train", *cls.inputs, "--to", TRAINED, "--seed", 3, "--out", out, *options)

    def test_training_tells_what_it_did_and_gives_the_same_model_again(self):
        self.assertEqual(self.trained["trained_rows"], TRAINED)
        self.assertEqual(sorted(self.trained["validation"]["nmae"]), sorted(CONTESTANTS))
        again = self.train(self.folder / "again")
        self.assertEqual(again["weights_digest"], self.trained["weights_digest"])
        other = self.train(self.folder / "other", "--epochs", 2)
        self.assertNotEqual(other["weights_digest"], self.trained["weights_digest"])

    def test_evaluation_scores_the_model_beside_its_baselines(self):
        scores = run_json(MODELS, "evaluate", *self.inputs, "--model", self.model, "--score-from", TRAINED)
        self.assertEqual(scores["rows"], ROWS - TRAINED)
        self.assertEqual(sorted(scores["nmae"]), sorted(CONTESTANTS))
        for name, nmae in scores["nmae"].items():
            self.assertTrue(math.isfinite(nmae) and 0.0 < nmae < 0.2, f"{name} {nmae}")
        # Traffic is a daily rhythm with independent noise: who averages beats who repeats the last value.
        self.assertLess(scores["nmae"]["model"], scores["nmae"]["last"])

    def test_replay_forecasts_by_the_model(self):
        result = run_json(SIM, "replay", *self.inputs, "--model", self.model, "--score-from", TRAINED)
        self.assertNotEqual(result["forecaster"], "ewma")
        self.assertEqual(len(result["intervals"]), ROWS - TRAINED)
        reasons = [at["controllers"]["forecast"]["reason"] for at in result["intervals"]]
        self.assertTrue(all(result["forecaster"] in reason for reason in reasons), reasons[0])
        self.assertLess(result["summary"]["scenario"]["ratio_mean"], 1.2)

    def test_scoring_trained_rows_is_refused(self):
        for program, name in [(SIM, "replay"), (MODELS, "evaluate")]:
            for first in (TRAINED - 1, TRAINED - 30):
                with self.subTest(f"{name} from {first}"):
                    outcome = run(program, name, *self.inputs, "--model", self.model, "--score-from", first)
                    self.refused(outcome, f"{name}: ", "trained", f"row {first}")

    def test_a_model_of_another_network_or_a_damaged_one_is_refused(self):
        other = self.folder / "other-network"
        other.mkdir()
        graph, _, traffic = write_small_network(other)
        graph.write_text(graph.read_text().replace("Alpha", "Zulu"))
        traffic.write_text(traffic.read_text().replace("Alpha", "Zulu"))
        self.refused(run(SIM, "replay", "--topology", graph, "--traffic", traffic, "--model", self.model,
                         "--score-from", TRAINED))
        for file in sorted(self.model.iterdir()):
            with self.subTest(file.name):
                whole = file.read_bytes()
                try:
                    file.write_bytes(whole[:len(whole) // 2])
                    self.refused(run(SIM, "replay", *self.inputs, "--model", self.model, "--score-from", TRAINED))
                finally:
                    file.write_bytes(whole)


if __name__ == "__main__":
    main()
