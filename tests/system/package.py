#!/usr/bin/env python3
"""The Debian package: builds it, installs it into a root of its own, and uses what is there. `package.py BUILD_FOLDER`"""
import gzip, os, pathlib, re, shutil, subprocess, sys, unittest
from programs import main, run, temporary_folder

BUILD = pathlib.Path(sys.argv.pop(1)).resolve(strict=True)
PROGRAMS = {"usr/bin/aiwanctl": 1, "usr/bin/aiwan-sim": 1, "usr/bin/aiwan-models": 1, "usr/sbin/aiwand": 8,
            "usr/sbin/aiwan-dataplane": 8}
UNITS = ["aiwand.service", "aiwan-dataplane@.service"]
EXPOSURE_MAX = {"aiwand.service": 1.5, "aiwan-dataplane@.service": 2.5}  # of systemd-analyze security, 10 is no protection


def call(*command, **options):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, timeout=300, **options).stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(temporary_folder())
        call("cmake", "--build", BUILD, "--target", "package_files")
        call("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.folder / "cpack")
        (cls.deb,) = (cls.folder / "cpack").glob("aiwan_*_amd64.deb")
        cls.root = cls.folder / "root"
        for name in ("info", "updates", "triggers"):
            (cls.root / "var/lib/dpkg" / name).mkdir(parents=True)
        for name in ("status", "available"):
            (cls.root / "var/lib/dpkg" / name).touch()
        cls.dpkg("--install", cls.deb)

    @classmethod
    def dpkg(cls, *arguments):
        as_user = [] if os.geteuid() == 0 else ["--force-not-root"]
        return call("dpkg", f"--root={cls.root}", "--force-depends", "--force-script-chrootless", "--force-confold", *as_user,
                    f"--log={cls.folder}/dpkg.log", *arguments, env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"})

    def field(self, name):
        return call("dpkg-deb", "--field", self.deb, name).strip()

    def test_name_version_and_fields(self):
        version = call(self.root / "usr/bin/aiwanctl", "--version").split()[1]
        self.assertEqual(self.deb.name, f"aiwan_{version}_amd64.deb")
        self.assertEqual(self.field("Version"), version)
        self.assertEqual(call("dpkg-query", f"--admindir={self.root}/var/lib/dpkg", "-W", "-f=${Status}", "aiwan"),
                         "install ok installed")

    def test_every_program_runs_from_there(self):
        for program in PROGRAMS:
            code, out, err = run(self.root / program, "--help")
            self.assertEqual((code, err), (0, ""), program)
            self.assertIn("Usage: ", out)
            for command in re.findall(r"(?m)^  (\w+) ", out.split("Subcommands:")[1].split("\n\n")[0] if "Subcommands" in out else ""):
                self.assertEqual(run(self.root / program, command, "--help").code, 0, f"{program} {command}")

    def test_man_pages_name_every_command_and_option(self):
        for program, section in PROGRAMS.items():
            name = pathlib.Path(program).name
            page = gzip.decompress((self.root / f"usr/share/man/man{section}/{name}.{section}.gz").read_bytes()).decode()
            plain = page.replace(r"\-", "-")
            out = run(self.root / program, "--help").out
            commands = re.findall(r"(?m)^  (\w+) ", out.split("Subcommands:")[1].split("\n\n")[0]) if "Subcommands" in out else []
            helps = {"": out, **{command: run(self.root / program, command, "--help").out for command in commands}}
            for command, text in helps.items():
                section_text = plain if not command else re.search(rf'(?ms)^\.SS "{command}\b.*?(?=^\.S[SH]|\Z)', plain)[0]
                options = set(re.findall(r"(?m)^  (?:-\w,)?(--[\w-]+)", text)) - ({"--help"} if command else set())
                for option in options:
                    self.assertRegex(section_text, rf"(?m)^\\fB(-\w,)?{option}\b", f"{name} {command} {option}")
        for name in ("aiwand.yaml", "network.yaml", "node.yaml", "policies.yaml"):
            self.assertTrue((self.root / f"usr/share/man/man5/{name}.5.gz").is_file(), name)
        if shutil.which("mandoc"):
            for page in (self.root / "usr/share/man").rglob("*.gz"):
                found = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=gzip.decompress(page.read_bytes()),
                                       capture_output=True, timeout=60).stdout.decode()
                faults = [line for line in found.split("\n") if line and "missing date" not in line]
                self.assertEqual(faults, [], page)

    def test_the_configuration_that_comes_with_it_is_good(self):
        etc, examples = self.root / "etc/aiwan", self.root / "usr/share/doc/aiwan/examples"
        self.assertEqual(run(self.root / "usr/sbin/aiwand", "--config", etc / "aiwand.yaml", "--check").code, 0)
        self.assertEqual(run(self.root / "usr/sbin/aiwan-dataplane", "run", "--config", examples / "node-ams.yaml", "--check").code, 0)
        with_examples = self.folder / "aiwand.yaml"
        with_examples.write_text((etc / "aiwand.yaml").read_text().replace("network.yaml", f"{etc}/network.yaml")
                                 .replace(": policies.yaml", f": {examples}/policies.yaml"))
        self.assertIn(str(examples), with_examples.read_text())
        self.assertEqual(run(self.root / "usr/sbin/aiwand", "--config", with_examples, "--check").code, 0)

    def test_aiwanctl_links_neither_libtorch_nor_the_bus(self):
        needed = re.findall(r"NEEDED\s+(\S+)", call("objdump", "-p", self.root / "usr/bin/aiwanctl"))
        allowed = r"lib(cpp-httplib|yaml-cpp|pugixml|stdc\+\+|gcc_s|m|c|crypto|ssl)\.so.*"
        self.assertTrue(needed)
        for library in needed:
            self.assertRegex(library, allowed)

    def test_programs_are_stripped_and_their_libraries_depended_on(self):
        for program in PROGRAMS:
            self.assertNotIn(" .symtab ", call("readelf", "-SW", self.root / program), program)
        depends = self.field("Depends")
        for package in ("libtorch1.13", "libzmq5", "librte-eal23", "librte-net-af-packet23", "librte-mempool-ring23",
                        "libcpp-httplib0.11", "libc6"):
            self.assertRegex(depends, rf"\b{re.escape(package)}\b")

    def test_completions_and_documents_are_there(self):
        share = self.root / "usr/share"
        for shell, file in [("bash", "bash-completion/completions/aiwanctl"), ("zsh", "zsh/vendor-completions/_aiwanctl"),
                            ("fish", "fish/vendor_completions.d/aiwanctl.fish")]:
            self.assertEqual((share / file).read_text(), run(self.root / "usr/bin/aiwanctl", "completion", shell).out)
        for name in ("copyright", "changelog.gz", "changelog.Debian.gz", "examples/policies.yaml", "formats/policy.md"):
            self.assertTrue((share / "doc/aiwan" / name).is_file(), name)

    def test_units_are_sound_and_confined(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is absent")
        units = self.root / "usr/lib/systemd/system"
        for unit in UNITS:
            text = (units / unit).read_text()
            program = re.search(r"(?m)^ExecStart=(\S+)", text)[1]
            self.assertTrue((self.root / program.lstrip("/")).is_file(), unit)
            there = self.folder / unit.replace("@", "@a")  # as it would run here: the program is where the root is
            there.write_text(text.replace(f"ExecStart={program}", f"ExecStart={self.root}{program}"))
            checked = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", there], capture_output=True,
                                     text=True, timeout=60)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))
            rated = call("systemd-analyze", "security", "--offline=true", "--no-pager", there)
            exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", rated)[1])
            self.assertLessEqual(exposure, EXPOSURE_MAX[unit], rated)

    def test_what_the_operator_changed_survives_an_upgrade_and_goes_with_a_purge(self):
        root, self.__class__.root = self.root, self.folder / "second-root"
        self.addCleanup(setattr, self.__class__, "root", root)
        shutil.copytree(root, self.root)
        policies = self.root / "etc/aiwan/policies.yaml"
        policies.write_text("# mine\n")
        self.dpkg("--install", self.deb)
        self.assertEqual(policies.read_text(), "# mine\n")
        self.dpkg("--remove", "aiwan")
        self.assertEqual(policies.read_text(), "# mine\n")
        self.assertFalse((self.root / "usr/sbin/aiwand").exists())
        (self.root / "var/lib/aiwan").mkdir()
        self.dpkg("--purge", "aiwan")
        left = [path for path in self.root.rglob("*") if path.is_file() and "var/lib/dpkg" not in str(path)]
        self.assertEqual(left, [])
        self.assertFalse((self.root / "var/lib/aiwan").exists())


if __name__ == "__main__":
    main()
