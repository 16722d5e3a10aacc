#!/usr/bin/env python3
"""`aiwan-sim failures` on measured traffic: figures, disconnections by name, and the same answer from several ranks."""
import json, os, shutil, subprocess
from programs import (ProgramTest, main, read_graph, read_traffic, run, run_json, shared_data, take_program,
                      temporary_folder, without_times)

SIM = take_program()
ABILENE, ABILENE_TRAFFIC, GEANT, GEANT_TRAFFIC = shared_data(
    "abilene/abilene.graph", "abilene/traffic.csv", "geant/geant.graph", "geant/traffic.csv")
MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe"]


def mpirun(*groups, seconds=120):
    """Each group: number of ranks, arguments of the program."""
    command = list(MPIRUN)
    for number, (ranks, arguments) in enumerate(groups):
        command += ([":"] if number else []) + ["-n", str(ranks), SIM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL,
                          env={**os.environ, "OMPI_MCA_btl_vader_single_copy_mechanism": "none"})
    return done.returncode, done.stdout, done.stderr


def failures(graph, traffic, row, *options):
    return run_json(SIM, "failures", "--topology", graph, "--demands", f"{traffic}@{row}", *options)


class Failures(ProgramTest):
    def check_figures(self, graph, traffic, rows, count):
        protection = []
        for row in rows:
            result = failures(graph, traffic, row, "--exact")
            self.assertEqual(len(result["failures"]), count)
            self.assertEqual(result["reference"], "optimum")
            for one in result["failures"]:
                with self.subTest(row=row, failure=one["failure"]):
                    self.assertTrue(one["verified"])
                    self.assertLessEqual(one["lower_bound"], one["optimum"] * (1 + 1e-9))
                    self.assertLessEqual(one["optimum"], one["mlu"] * (1 + 1e-9))
                    self.assertLessEqual(one["ratio"], 1.005)
                    self.assertLessEqual(one["optimum"], one["protection"]["mlu"] * (1 + 1e-9))
                    self.assertAlmostEqual(one["ratio"], one["mlu"] / one["optimum"], 9)
                    self.assertEqual(len(one["links"]), 2)
            protection += [one["protection"]["ratio"] for one in result["failures"]]
        protection.sort()
        mean = sum(protection) / len(protection)
        print(f"{graph.parent.name}: instant protection over {len(protection)} failures: mean {mean:.3f}, "
              f"max {protection[-1]:.3f}")
        self.assertLessEqual(mean, 1.10)
        self.assertLessEqual(protection[int(0.99 * len(protection)) - 1], 1.5)

    def test_abilene_is_reoptimised_and_protected(self):
        self.check_figures(ABILENE, ABILENE_TRAFFIC, (300, 1150), 15)

    def test_geant_is_reoptimised_and_protected(self):
        self.check_figures(GEANT, GEANT_TRAFFIC, (50,), 36)

    def test_the_one_cut_that_disconnects_abilene_names_every_demand(self):
        header, rows = read_traffic(ABILENE_TRAFFIC)
        sent = {pair: float(mbps) for pair, mbps in zip(header[1:], rows[700][1:])
                if float(mbps) > 0 and "ATLA-M5" in pair.split(">")}
        result = failures(ABILENE, ABILENE_TRAFFIC, 700)
        (cut,) = [one for one in result["failures"] if one["lost"]]
        self.assertEqual(cut["failure"], "ATLA-M5<>ATLAng")
        lost = {f"{one['from']}>{one['to']}": one["mbps"] for one in cut["lost"]}
        self.assertEqual(set(lost), set(sent))
        for pair, mbps in sent.items():
            self.assertAlmostEqual(lost[pair], mbps, 6)
        self.assertAlmostEqual(cut["lost_mbps"], sum(sent.values()), 6)
        self.assertEqual(result["failures"][0], cut)  # the worst comes first

    def test_a_node_takes_its_own_demands_with_it(self):
        graph = read_graph(ABILENE)
        result = failures(ABILENE, ABILENE_TRAFFIC, 700, "--node", "--no-link")
        self.assertEqual({one["failure"] for one in result["failures"]}, set(graph.nodes))
        for one in result["failures"]:
            with self.subTest(one["failure"]):
                self.assertEqual(one["kind"], "node")
                touching = sum(1 for link in graph.links
                               if one["failure"] in (graph.nodes[link[0]], graph.nodes[link[1]]))
                self.assertEqual(len(one["links"]), touching)
                if one["failure"] != "ATLAng":  # ATLA-M5 hangs on it
                    self.assertTrue(all(one["failure"] in (lost["from"], lost["to"]) for lost in one["lost"]))

    def test_groups_come_from_a_file(self):
        with temporary_folder() as folder:
            (folder / "groups.json").write_text(json.dumps({"south": ["ATLAng<>HSTNng", "LOSAng>HSTNng"]}))
            result = failures(ABILENE, ABILENE_TRAFFIC, 700, "--srlg-file", folder / "groups.json", "--no-link")
        (group,) = result["failures"]
        self.assertEqual((group["failure"], group["kind"], len(group["links"])), ("south", "srlg", 4))
        self.assertTrue(all("HSTNng" in (lost["from"], lost["to"]) for lost in group["lost"]))

    def test_files_hold_backups_that_keep_what_they_promise(self):
        """Loads, recomputed from base plan and backup splits as an operator's own script would."""
        header, rows = read_traffic(ABILENE_TRAFFIC)
        sent = {pair: float(mbps) for pair, mbps in zip(header[1:], rows[1500][1:])}
        graph = read_graph(ABILENE)
        with temporary_folder() as folder:
            result = failures(ABILENE, ABILENE_TRAFFIC, 1500, "--out", folder / "plans")
            def splits(name):
                plan = json.loads((folder / "plans" / name).read_text())
                return plan, {(d["from"], d["to"]): d["paths"] for d in plan["demands"]}
            plan, base = splits("base.plan.json")
            names, links = plan["nodes"], [link["name"] for link in plan["links"]]
            for one in result["failures"]:
                down = {links.index(name) for name in one["links"]}
                backups = splits(f"{one['number']:03}.backups.json")[1]
                replanned = splits(f"{one['number']:03}.plan.json")[1]
                lost = {(names.index(lost["from"]), names.index(lost["to"])) for lost in one["lost"]}
                self.assertEqual(one["protection"]["demands"], len(backups))
                for answer, mlu in (({**base, **backups}, one["protection"]["mlu"]), (replanned, one["mlu"])):
                    load = [0.0] * len(links)
                    for (start, end), paths in answer.items():
                        if (start, end) in lost:
                            continue
                        if sent.get(f"{names[start]}>{names[end]}", 0.0) == 0 and down & {l for p in paths for l in p["links"]}:
                            continue  # cut off, and nobody misses it
                        self.assertAlmostEqual(sum(path["fraction"] for path in paths), 1.0, 9)
                        for path in paths:
                            self.assertFalse(down & set(path["links"]), (one["failure"], start, end))
                            for link in path["links"]:
                                load[link] += sent.get(f"{names[start]}>{names[end]}", 0.0) * path["fraction"]
                    highest = max(at / link[2] for at, link in zip(load, graph.links))
                    self.assertAlmostEqual(highest / mlu, 1.0, 8, one["failure"])

    def test_what_is_wrong_is_told_in_one_line(self):
        self.refused(run(SIM, "failures", "--topology", ABILENE, "--demands", f"{ABILENE_TRAFFIC}@1", "--srlg"),
                     "abilene.graph", "--srlg-file")
        self.refused(run(SIM, "failures", "--topology", "absent.graph", "--demands", "x"), "absent.graph")
        self.assertEqual(run(SIM, "failures", "--topology", ABILENE).code, 2)


class Ranks(ProgramTest):
    ARGUMENTS = ["failures", "--topology", GEANT, "--demands", f"{GEANT_TRAFFIC}@90", "--exact", "--rows", "0"]

    def setUp(self):
        if not shutil.which("mpirun"):
            self.skipTest("mpirun is absent")

    def test_several_ranks_give_what_one_process_gives(self):
        alone = run_json(SIM, *self.ARGUMENTS)
        with temporary_folder() as folder:
            for ranks in (2, 3):
                file = folder / f"{ranks}.json"
                code, out, err = mpirun((ranks, [*self.ARGUMENTS, "--json", file]))
                self.assertEqual((code, err), (0, ""), f"{ranks} ranks")
                self.assertEqual(without_times(json.loads(file.read_text())), without_times(alone), f"{ranks} ranks")
                self.assertEqual(out.count("all verified"), 1)

    def test_tables_differ_in_times_only(self):
        def table(text):
            kept = []
            for line in text.splitlines():
                words = line.split()
                if words[:1] in (["ms"], ["ms,"]):
                    continue
                if line.startswith("without failure"):
                    words = words[:-2]
                elif len(words) >= 8 and words[-7] in ("link", "node"):  # a failure: name, kind, ..., ms, lost
                    words = words[:-2] + words[-1:]
                kept.append(words)
            return kept
        code, out, _ = mpirun((2, self.ARGUMENTS))
        self.assertEqual(code, 0)
        self.assertEqual(table(out), table(run(SIM, *self.ARGUMENTS).out))

    def test_one_rank_that_cannot_read_ends_all_with_one_line_of_ours(self):
        wrong = ["failures", "--topology", "absent.graph", "--demands", "x"]
        for groups in (((1, self.ARGUMENTS), (1, wrong)), ((1, wrong), (1, self.ARGUMENTS)), ((2, wrong),)):
            code, out, err = mpirun(*groups)
            self.assertEqual((code, out), (1, ""), err)
            self.assertEqual([line for line in err.splitlines() if line.startswith("aiwan-sim")],
                             ["aiwan-sim failures: absent.graph: no such file"])

    def test_ranks_with_different_work_are_refused(self):
        other = [f"{GEANT_TRAFFIC}@91" if argument == f"{GEANT_TRAFFIC}@90" else argument for argument in self.ARGUMENTS]
        code, out, err = mpirun((1, self.ARGUMENTS), (1, other))
        self.assertEqual((code, out), (1, ""))
        self.assertIn("rank 1 was given another network", err)

    def test_wrong_usage_stays_wrong_usage(self):
        self.assertEqual(mpirun((2, ["failures", "--topology", GEANT]))[0], 2)

    def test_without_mpirun_no_mpi_is_loaded(self):
        code, _, err = run(SIM, *self.ARGUMENTS, env={**os.environ, "LD_DEBUG": "files"})
        self.assertEqual(code, 0)
        self.assertIn("libstdc++", err)
        self.assertNotIn("libmpi", err)


if __name__ == "__main__":
    main()
