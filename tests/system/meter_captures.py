#!/usr/bin/env python3
"""Every real capture, the malformed ones too, goes through meter: no crash, no report of a sanitizer, sums that agree.

Runs on the sanitizer build as well.
"""
import json
import ipfix_messages
from programs import ProgramTest, main, run, shared_data, take_program, temporary_folder

DATAPLANE = take_program()
(CAPTURES,) = shared_data("pcap")


class Captures(ProgramTest):
    def test_every_capture(self):
        files = sorted(file for file in CAPTURES.rglob("*") if file.is_file() and file.name not in ("SOURCE.txt", "README.md"))
        self.assertGreater(len(files), 150)
        packets = read = 0
        with temporary_folder() as folder:
            for file in files:
                with self.subTest(file.relative_to(CAPTURES)):
                    (folder / "flows").unlink(missing_ok=True)
                    options = ["--idle-timeout", 15, "--active-timeout", 60, "--memory", "64 KiB"]
                    done = run(DATAPLANE, "meter", "--pcap", file, "--json", "-", "--ipfix-out", folder / "flows", *options)
                    self.assertIn(done.code, (0, 1), done.err)
                    if done.code == 1:
                        self.refused(done, file.name)
                    if not done.out:
                        continue
                    result = json.loads(done.out)
                    stream = ipfix_messages.read_file(folder / "flows") if result["records"] else ipfix_messages.Stream()
                    self.assertEqual(len(stream.records), result["records"])
                    self.assertEqual(sum(record["packets"] for record in stream.records), result["packets"])
                    self.assertEqual(sum(record["ip_bytes"] for record in stream.records), result["ip_bytes"])
                    packets += result["packets"]
                    read += 1
        print(f"{read} of {len(files)} files are captures, with {packets} IP packets")
        self.assertGreater(read, 150)
        self.assertGreater(packets, 1000)


if __name__ == "__main__":
    main()
