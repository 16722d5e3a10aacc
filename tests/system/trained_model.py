#!/usr/bin/env python3
"""A model is trained, judged and used; scoring it on what it was trained on is refused."""
import math, shutil
from programs import ProgramTest, main, run, run_json, take_program, temporary_folder
from small_network import ROWS, write_small_network

SIM, MODELS = take_program(), take_program()
TRAINED = 240  # rows
VALIDATED = ["ar12", "ewma", "last", "model"]
CONTESTANTS = sorted(VALIDATED + ["ewma_0.3", "ewma_0.5", "ewma_0.7", "mean_12", "peak_12", "day_before", "vector_ar3"])


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
        self.assertEqual(sorted(self.trained["validation"]["nmae"]), VALIDATED)
        again = self.train(self.folder / "again")
        self.assertEqual(again["weights_digest"], self.trained["weights_digest"])
        other = self.train(self.folder / "other", "--epochs", 2)
        self.assertNotEqual(other["weights_digest"], self.trained["weights_digest"])

    def test_evaluation_scores_the_model_beside_its_baselines(self):
        scores = run_json(MODELS, "evaluate", *self.inputs, "--model", self.model, "--score-from", TRAINED)
        self.assertEqual(scores["rows"], ROWS - TRAINED)
        self.assertEqual(sorted(scores["nmae"]), CONTESTANTS)
        for name, nmae in scores["nmae"].items():
            self.assertTrue(math.isfinite(nmae) and 0.0 < nmae < 2.0, f"{name} {nmae}")
        # Traffic is a daily rhythm with independent noise: who averages beats who repeats the last value.
        self.assertLess(scores["nmae"]["model"], scores["nmae"]["last"])

    def test_evaluation_covers_horizons_significance_and_bands(self):
        scores = run_json(MODELS, "evaluate", *self.inputs, "--model", self.model, "--score-from", TRAINED,
                          "--horizons", "1,4,12")
        self.assertEqual([at["intervals_ahead"] for at in scores["horizons"]], [1, 4, 12])
        for at in scores["horizons"]:
            contestants = {one["name"]: one for one in at["contestants"]}
            self.assertEqual(sorted(contestants), CONTESTANTS)
            for one in contestants.values():
                self.assertLessEqual(one["row_error"]["p50"], one["row_error"]["p99"])
            baselines = {name: one["nmae"] for name, one in contestants.items() if name != "model"}
            self.assertEqual(at["best_baseline"], min(baselines, key=baselines.get))
            self.assertAlmostEqual(at["model_over_best"],
                                   contestants["model"]["nmae"] / min(baselines.values()), places=9)
            for name in baselines:
                test = contestants[name]["model_minus_this"]
                self.assertAlmostEqual(test["mean"], contestants["model"]["nmae"] - baselines[name], places=9)
                self.assertTrue(0.0 <= test["p_value"] <= 1.0)
            self.assertTrue(0.8 < at["bands"]["coverage"] < 0.97, at["bands"])
            self.assertGreater(at["bands"]["width"], 0.0)
        nearest = {one["name"]: one for one in scores["horizons"][0]["contestants"]}
        self.assertLess(nearest["last"]["model_minus_this"]["p_value"], 0.05)
        for wrong in ("0", "13", "1,x"):
            self.assertEqual(run(MODELS, "evaluate", *self.inputs, "--model", self.model, "--score-from", TRAINED,
                                 "--horizons", wrong).code, 2)

    def test_replay_forecasts_by_the_model(self):
        result = run_json(SIM, "replay", *self.inputs, "--model", self.model, "--score-from", TRAINED)
        self.assertNotEqual(result["forecaster"], "ewma")
        self.assertEqual(len(result["intervals"]), ROWS - TRAINED)
        reasons = [at["controllers"]["forecast"]["reason"] for at in result["intervals"]]
        self.assertTrue(all(result["forecaster"] in reason for reason in reasons), reasons[0])
        self.assertLess(result["summary"]["scenario"]["ratio_mean"], 1.2)

    def test_training_goes_on_with_more_rows_the_same_way_each_time(self):
        later = TRAINED + 24
        digests = []
        for name in ("grown", "grown-again"):
            grown = run_json(MODELS, "train", *self.inputs, "--to", later, "--resume", self.model, "--seed", 3,
                             "--out", self.folder / name)
            digests.append(grown["weights_digest"])
        self.assertEqual(digests[0], digests[1])
        self.assertNotEqual(digests[0], self.trained["weights_digest"])
        self.assertEqual(grown["resumed_from"], self.trained["weights_digest"])
        self.assertEqual((grown["trained_rows"], grown["validation"]["rows"]), (later, later - TRAINED))
        scores = run_json(MODELS, "evaluate", *self.inputs, "--model", self.folder / "grown", "--score-from", later)
        self.assertLess(scores["nmae"]["model"], scores["nmae"]["last"])
        self.refused(run(MODELS, "train", *self.inputs, "--to", TRAINED, "--resume", self.model, "--out",
                         self.folder / "stale"), "train: ", "there are 240 and 0")

    def test_a_model_of_the_first_format_is_refused_with_what_to_do(self):
        old = self.folder / "old"
        shutil.copytree(self.model, old)
        card = old / "card.json"
        card.write_text(card.read_text().replace('"format_version": 3', '"format_version": 1'))
        self.refused(run(MODELS, "evaluate", *self.inputs, "--model", old, "--score-from", TRAINED), "format version is 1",
                     "train the model again")

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
