#!/usr/bin/env python3
"""aiwanctl by itself: what it sends, what it makes of every kind of answer, its exit codes, its help and man page.

The server of this test speaks HTTP and nothing else: it gives the answers that a test tells it to. How aiwanctl gets on
with the real daemon stands in aiwanctl_daemon.py.
"""
import contextlib, fcntl, json, os, pty, re, select, shutil, socket, subprocess, termios, threading, time
from programs import ROOT, ProgramTest, main, run, take_program, temporary_folder

CTL = take_program()
MAN = ROOT / "docs" / "man"
DONE, ERROR, CHANGES, WRONG_USAGE, NOT_REACHED, CONFLICT, NOT_FOUND = range(7)
STATE = "0123456789abcdef"
SAVED = {"format": "aiwan-saved-plan-1", "state": STATE, "network": "n", "policy_text": "classes: [{name: gold}]\n",
         "policy_name": "p.yaml", "created": "2026-11-22T05:00:00Z", "policy_changes": ["class gold is new"], "changes": [],
         "max_utilization_before": 0.9, "max_utilization_after": 0.6, "moved_share": 0.25}
NO_CHANGES = SAVED | {"policy_changes": []}
EVERY_CALL = [  # a call of each command that reaches the daemon, and what must go out
    (["get", "nodes"], "GET /v1/nodes", None), (["get", "links"], "GET /v1/links", None),
    (["get", "demands"], "GET /v1/demands", None), (["get", "plans"], "GET /v1/plans", None),
    (["get", "decisions", "--limit", 7], "GET /v1/decisions?limit=7", None), (["get", "alarms"], "GET /v1/alarms", None),
    (["get", "policies"], "GET /v1/policies", None), (["get", "status"], "GET /v1/status", None),
    (["describe", "node", "ams"], "GET /v1/nodes/ams", None),
    (["describe", "link", "west-1/ams-core7"], "GET /v1/links/west-1%2Fams-core7", None),
    (["describe", "plan", "12"], "GET /v1/plans/12", None), (["describe", "decision", "40"], "GET /v1/decisions/40", None),
    (["top", "--once"], "GET /v1/status", None), (["explain", "40"], "GET /v1/decisions/40/explanation", None),
    (["approve", "40"], "POST /v1/decisions/40/approve", {}), (["mode", "auto"], "POST /v1/mode", {"mode": "auto"}),
    (["pause", "--for", "2h"], "POST /v1/pause", {"for_s": 7200}), (["pause"], "POST /v1/pause", {}),
    (["resume"], "POST /v1/resume", {}),
    (["plan", "-f", "p.yaml"], "POST /v1/policies/check", {"text": "classes: []\n", "name": "p.yaml"}),
    (["diff", "-f", "p.yaml"], "POST /v1/policies/check", {"text": "classes: []\n", "name": "p.yaml"}),
    (["apply", "-f", "p.yaml", "--confirm-within", "5m"], "POST /v1/policies/apply",
     {"text": "classes: []\n", "name": "p.yaml", "confirm_within_s": 300}),
    (["apply", "saved.plan"], "POST /v1/policies/apply",
     {"text": SAVED["policy_text"], "name": "p.yaml", "state": STATE}),
    (["confirm"], "POST /v1/policies/confirm", {}), (["rollback"], "POST /v1/policies/rollback", {}),
    (["rollback", "--to", 3], "POST /v1/policies/rollback", {"to": 3}),
    (["drain", "west-1"], "POST /v1/drain", {"target": "west-1"}),
    (["undrain", "west-1"], "POST /v1/undrain", {"target": "west-1"}),
    (["simulate", "-f", "p.yaml", "--down", "a", "--down", "b", "--scale", 1.5, "--demand", "ams:fra:gold=20Mbit/s"],
     "POST /v1/simulate", {"text": "classes: []\n", "name": "p.yaml", "down": ["a", "b"], "scale": 1.5,
                           "demands": [{"from": "ams", "to": "fra", "class": "gold", "rate_bps": 2e7}]}),
]


def http(status, body, content_type="application/json"):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n").encode() + body


class Server:
    """Gives every request the next answer, the last one again and again: bytes, or a function of the connection."""

    def __init__(self, family, address):
        self.listener = socket.socket(family)
        self.listener.bind(address)
        self.listener.listen(16)
        self.answers, self.requests = [b""], []
        self.stopping = False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def give(self, *answers):
        self.answers, self.requests = list(answers), []

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                if self.stopping:
                    return
                connection.settimeout(20)
                with contextlib.suppress(OSError):
                    self.answer(connection)

    def answer(self, connection):
        received = b""
        while b"\r\n\r\n" not in received:
            more = connection.recv(65536)
            if not more:
                return
            received += more
        head, body = received.split(b"\r\n\r\n", 1)
        length = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
        while len(body) < length:
            body += connection.recv(65536)
        self.requests.append((head.split(b" HTTP/")[0].decode(), json.loads(body) if body else None))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer(connection) if callable(answer) else connection.sendall(answer)

    def stop(self):
        self.stopping = True
        with socket.socket(self.listener.family) as wake:
            wake.connect(self.listener.getsockname())
        self.thread.join()
        self.listener.close()


def wait_until_closed(connection):
    while connection.recv(4096):
        pass


class Terminal:
    """A program that has a terminal of its own; what it draws is in `drawn`."""

    def __init__(self, command, env, cwd=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, b"\x28\x00\xa0\x00\x00\x00\x00\x00")  # 40 lines of 160 columns
        self.program = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=cwd, close_fds=True,
                                        start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.drawn = b""

    def read(self):
        """More of what is drawn; nothing once the program has let go of the terminal."""
        if not select.select([self.master], [], [], 20)[0]:
            self.program.kill()
            raise AssertionError(f"nothing more is drawn after {self.drawn[-2000:]!r}")
        try:
            more = os.read(self.master, 65536)
        except OSError:
            more = b""
        self.drawn += more
        return more

    def expect(self, text, since=0):
        while text not in self.drawn[since:]:
            if not self.read():
                raise AssertionError(f"{text!r} is not in {self.drawn!r}")

    def type(self, keys):
        os.write(self.master, keys)

    def finish(self):
        while self.read():
            pass
        os.close(self.master)
        return self.program.wait(timeout=60), self.drawn


class Aiwanctl(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(temporary_folder())
        cls.enterClassContext(contextlib.chdir(cls.folder))
        cls.socket = cls.folder / "d.sock"
        cls.server = Server(socket.AF_UNIX, str(cls.socket))
        cls.addClassCleanup(cls.server.stop)
        (cls.folder / "p.yaml").write_text("classes: []\n")
        (cls.folder / "saved.plan").write_text(json.dumps(SAVED))

    def ctl(self, *arguments, server=None, env=None):
        return run(CTL, *arguments, env={**os.environ, "AIWAN_SERVER": server or f"unix:{self.socket}", **(env or {})})

    def failed(self, outcome, code, *words):
        """One line that says what, where and what next, and nothing on standard output."""
        self.assertEqual((outcome.code, outcome.out), (code, ""), outcome)
        self.assertRegex(outcome.err, r"\Aaiwanctl: [^\n\r\x1b]+; next: [^\n\r\x1b]+\n\Z")
        for word in words:
            self.assertIn(word, outcome.err)

    def test_every_command_asks_the_daemon_for_what_it_should(self):
        for arguments, request, body in EVERY_CALL:
            with self.subTest(" ".join(map(str, arguments))):
                self.server.give(http(200, {"items": []}))
                outcome = self.ctl(*arguments)
                self.assertEqual(outcome.code, DONE, outcome.err)
                self.assertEqual(self.server.requests[0], (request, body))

    def test_an_error_of_the_daemon_becomes_an_exit_code_and_keeps_its_advice(self):
        for status, code in [(400, ERROR), (404, NOT_FOUND), (409, CONFLICT), (422, ERROR), (500, ERROR), (503, ERROR)]:
            answer = {"error": {"code": "x", "message": "what is wrong", "next": "what to do"}}
            for arguments, *_ in EVERY_CALL:
                with self.subTest(f"{status} {arguments}"):
                    self.server.give(http(status, answer))
                    self.failed(self.ctl(*arguments), code, "what is wrong", "; next: what to do")

    def test_an_answer_that_is_not_the_daemons_is_an_error(self):
        deep = b'{"items":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        for answer in [http(200, b"not json"), http(200, b""), http(200, b'{"a": 1'), http(200, b"[]"), http(200, b"3"),
                       http(200, b'{"name": "\xff"}'), http(200, deep), http(200, b"<html>", "text/html"),
                       http(404, b"<html>"), http(404, b"{}"), http(302, b"{}"), http(500, b"x"), http(503, b"[1]"),
                       http(204, b"")]:
            for arguments in (["get", "status"], ["get", "links"], ["mode", "auto"], ["plan", "-f", "p.yaml"]):
                with self.subTest(f"{answer[:200]} {arguments}"):
                    self.server.give(answer)
                    self.failed(self.ctl(*arguments), ERROR, "not aiwand's", str(self.socket))
        self.server.give(http(200, {"things": []}))
        self.failed(self.ctl("get", "links"), ERROR, "no list of items")

    def test_an_answer_over_64_MiB_is_not_swallowed(self):
        self.server.give(http(200, b'{"items": ["' + b"x" * (65 << 20) + b'"]}'))
        self.failed(self.ctl("get", "links"), ERROR, "64 MiB")

    def test_an_answer_that_breaks_off_is_no_answer(self):
        whole = http(200, {"items": [{"name": "x" * 200}]})
        for end in (0, 1, 9, 20, len(whole) // 2, len(whole) - 1):
            for arguments in (["get", "links"], ["confirm"]):
                with self.subTest(f"{end} bytes, {arguments}"):
                    self.server.give(whole[:end])
                    self.failed(self.ctl(*arguments), NOT_REACHED)
        self.server.give(b"\x00\xff garbage\r\n\r\n")
        self.failed(self.ctl("get", "links"), NOT_REACHED)

    def test_a_slow_answer_ends_at_the_timeout(self):
        whole = http(200, {"items": []})

        def drip(connection):
            for byte in whole * 100:
                connection.sendall(bytes([byte]))
                if select.select([connection], [], [], 0.05)[0]:
                    return

        for answer in (wait_until_closed, drip):
            for arguments, hint in ((["get", "links"], "--timeout"), (["apply", "saved.plan"], "aiwanctl get status")):
                with self.subTest(f"{answer.__name__} {arguments}"):
                    self.server.give(answer)
                    began = time.monotonic()
                    outcome = self.ctl(*arguments, "--timeout", "300ms")
                    self.failed(outcome, NOT_REACHED, "within 300 ms", hint)
                    self.assertLess(time.monotonic() - began, 10)  # the server alone would take far longer

    def test_no_daemon_is_told_with_the_reason(self):
        self.failed(self.ctl("get", "links", server=f"unix:{self.folder}/absent.sock"), NOT_REACHED, "no such socket",
                    "systemctl status aiwand")
        self.failed(self.ctl("get", "links", server=f"unix:{self.folder}/p.yaml"), NOT_REACHED, "no socket")
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(str(self.folder / "deaf.sock"))
            self.failed(self.ctl("get", "links", server=f"unix:{self.folder}/deaf.sock"), NOT_REACHED, "refused")
        with socket.socket() as port:  # taken, and nobody listens
            port.bind(("127.0.0.1", 0))
            self.failed(self.ctl("get", "links", server=f"http://127.0.0.1:{port.getsockname()[1]}"), NOT_REACHED)

    def test_http_over_tcp_works_too(self):
        server = Server(socket.AF_INET, ("127.0.0.1", 0))
        port = server.listener.getsockname()[1]
        self.addCleanup(server.stop)
        server.give(http(200, {"items": []}))
        self.assertEqual(run(CTL, "get", "links", "--server", f"http://127.0.0.1:{port}", "-o", "json").code, DONE)
        self.assertEqual(self.ctl("get", "links", server=f"http://localhost:{port}").code, DONE)

    def test_plan_and_diff_tell_changes_by_their_exit_code(self):
        would_move_anyhow = NO_CHANGES | {"changes": [{}]}
        for command, answer, code in [("plan", SAVED, CHANGES), ("plan", NO_CHANGES, DONE), ("plan", would_move_anyhow, CHANGES),
                                      ("diff", SAVED, CHANGES), ("diff", NO_CHANGES, DONE), ("diff", would_move_anyhow, DONE)]:
            self.server.give(http(200, answer))
            outcome = self.ctl(command, "-f", "p.yaml")
            self.assertEqual(outcome.code, code)
            self.assertEqual(outcome.out == "no changes\n", code == DONE)

    def test_a_plan_is_saved_as_the_daemon_gave_it_and_applied_with_its_state(self):
        saved = self.folder / "night.plan"
        self.server.give(http(200, SAVED))
        outcome = self.ctl("plan", "-f", "p.yaml", "-o", saved)
        self.assertEqual(outcome.code, CHANGES)
        self.assertIn(f"aiwanctl apply {saved}", outcome.err)
        self.assertEqual(json.loads(saved.read_text()), SAVED)
        self.server.give(http(200, {"version": 4, "decision": 41, "confirm_until": None}))
        self.assertIn("version 4", self.ctl("apply", saved).out)
        self.assertEqual(self.server.requests[0][1]["state"], STATE)

    def test_explain_latest_asks_for_the_newest_decision_first(self):
        self.server.give(http(200, {"items": [{"id": 41}]}), http(200, {}))
        self.assertEqual(self.ctl("explain", "latest").code, DONE)
        self.assertEqual([request for request, _ in self.server.requests],
                         ["GET /v1/decisions?limit=1", "GET /v1/decisions/41/explanation"])
        self.server.give(http(200, {"items": []}))
        self.failed(self.ctl("explain", "latest"), NOT_FOUND, "no decision yet")

    def test_json_is_the_answer_and_yaml_the_same(self):
        import yaml
        answer = {"items": [{"name": "west-1/ams-core7", "utilization": None, "metric": 10, "srlgs": [], "drops": {},
                             "state": "up", "text": "a: b\n  c\n", "no": "yes", "rate_bps": 1.25e+30}]}
        self.server.give(http(200, answer))
        self.assertEqual(json.loads(self.ctl("get", "links", "-o", "json").out), answer)
        self.assertEqual(yaml.safe_load(self.ctl("get", "links", "-o", "yaml").out), answer)
        self.assertEqual(self.ctl("get", "links", "-o", "names").out, "west-1/ams-core7\n")

    def test_names_of_what_has_no_name_field(self):
        for kind, item, name in [("demands", {"class": "gold", "from": "a", "to": "b"}, "gold:a:b"),
                                 ("plans", {"epoch": 12}, "12"), ("decisions", {"id": 40}, "40"),
                                 ("alarms", {"id": 3}, "3")]:
            self.server.give(http(200, {"items": [item]}))
            self.assertEqual(self.ctl("get", kind, "-o", "names").out, name + "\n")

    def test_a_terminal_is_not_steered_by_an_answer(self):
        self.server.give(http(200, {"items": [{"name": "\x1b[2J\r\nx", "srlgs": ["\x07"]}]}))
        for form in ("table", "wide", "names", "json", "yaml"):
            self.assertNotRegex(self.ctl("get", "links", "-o", form).out, r"[\x00-\x09\x0b-\x1f\x7f]")

    def test_wrong_usage(self):
        for arguments, words in [([], "command"), (["frobnicate"], "frobnicate"), (["get"], "KIND"), (["get", "foo"], "foo"),
                                 (["get", "links", "-o", "xml"], "xml"), (["get", "links", "--no-such"], "--no-such"),
                                 (["describe", "link"], "NAME"), (["mode", "manual"], "manual"),
                                 (["pause", "--for", "2"], "2"), (["pause", "--for", "-1s"], "-1s"),
                                 (["plan"], "--file"), (["plan", "-f", "p.yaml", "-o", "json"], "--output json"),
                                 (["apply"], "nothing to apply"), (["apply", "saved.plan", "-f", "p.yaml"], "together"),
                                 (["apply", "-f", "p.yaml", "--confirm-within", "x"], "x"), (["rollback", "--to", "x"], "x"),
                                 (["drain"], "TARGET"), (["simulate"], "nothing"), (["simulate", "--scale", "-1"], "-1"),
                                 (["simulate", "--demand", "a:b=1"], "FROM:TO:CLASS"), (["completion", "tcsh"], "tcsh"),
                                 (["get", "links", "--timeout", "0s"], "0s"), (["get", "decisions", "--limit", 0], "limit"),
                                 (["get", "links", "nodes"], "nodes")]:
            with self.subTest(" ".join(map(str, arguments))):
                self.server.give(http(200, {"items": []}))
                self.failed(self.ctl(*arguments), WRONG_USAGE, words, "aiwanctl")
                self.assertEqual(self.server.requests, [], "it asked the daemon all the same")
        for server in ("nonsense", "https://x", "unix:", "http://x:99999"):
            self.failed(self.ctl("get", "links", server=server), WRONG_USAGE, "unix:PATH")

    def test_bad_input(self):
        (self.folder / "binary.yaml").write_bytes(b"\xff\xfe\x00")
        (self.folder / "large.yaml").write_bytes(b"#" * ((1 << 20) + 1))
        (self.folder / "old.plan").write_text(json.dumps(SAVED | {"format": "aiwan-saved-plan-0"}))
        for arguments, words in [(["plan", "-f", "absent.yaml"], "absent.yaml"), (["diff", "-f", "."], "folder"),
                                 (["plan", "-f", "binary.yaml"], "UTF-8"), (["apply", "-f", "large.yaml"], "large.yaml"),
                                 (["apply", "absent.plan"], "absent.plan"), (["apply", "p.yaml"], "no saved plan"),
                                 (["apply", "old.plan"], "another version"),
                                 (["simulate", "-f", "absent.yaml"], "absent.yaml")]:
            with self.subTest(" ".join(arguments)):
                self.server.give(http(200, {"items": []}))
                self.failed(self.ctl(*arguments), ERROR, words)
                self.assertEqual(self.server.requests, [])
        self.server.give(http(200, SAVED))
        self.failed(self.ctl("plan", "-f", "p.yaml", "-o", "absent/x.plan"), ERROR, "absent/x.plan")

    def test_a_full_disk_or_closed_pipe_is_an_error(self):
        self.server.give(http(200, {"items": []}))
        for command in (["get", "links"], ["--help"], ["version"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([CTL, *command, "--server", f"unix:{self.socket}"], stdout=full, stderr=subprocess.PIPE,
                                      text=True, timeout=60)
            self.assertEqual(done.returncode, ERROR)
            self.assertRegex(done.stderr, r"\Aaiwanctl: cannot write to standard output")

    def on_terminal(self, *arguments, env=None, keys=b"", until=b"LINK"):
        """Runs at a terminal of its own; types `keys` once `until` was drawn. Gives exit code and what was drawn."""
        terminal = Terminal([CTL, *arguments], {**os.environ, "AIWAN_SERVER": f"unix:{self.socket}", **(env or {})})
        if keys:
            terminal.expect(until)
            terminal.type(keys)
        return terminal.finish()

    def test_colour_only_at_a_terminal_and_without_NO_COLOR(self):
        answer = http(200, {"items": [{"name": "a", "state": "up", "utilization": 1.2}]})
        self.server.give(answer)
        self.assertNotIn("\x1b", self.ctl("get", "links").out)
        plain = {"NO_COLOR": ""}
        self.assertIn(b"\x1b[31m", self.on_terminal("get", "links", env=plain)[1])
        self.assertNotIn(b"\x1b", self.on_terminal("get", "links", env={"NO_COLOR": "1"})[1])

    def test_top_draws_at_a_terminal_until_q_and_puts_it_back(self):
        self.server.give(http(200, {"items": [{"name": "west", "state": "up", "utilization": 0.5}], "mode": "auto",
                                    "interval_s": 0.2}))
        code, drawn = self.on_terminal("top", keys=b"q")
        self.assertEqual(code, DONE)
        self.assertTrue(drawn.startswith(b"\x1b[?1049h"), drawn[:80])
        self.assertTrue(drawn.endswith(b"\x1b[?1049l"), drawn[-80:])
        self.assertIn("█".encode(), drawn)
        code, drawn = self.on_terminal("top", keys=b"\x03")  # Ctrl-C
        self.assertEqual(code, DONE)
        self.assertTrue(drawn.endswith(b"\x1b[?1049l"))

    def test_top_outlives_the_daemon_and_finds_it_again(self):
        good = http(200, {"items": [{"name": "west"}], "mode": "auto"})
        refused = http(503, {"error": {"code": "not_ready", "message": "still starting", "next": "wait"}})
        self.server.give(good, good, good, refused, http(200, {"items": [{"name": "east"}], "mode": "auto"}))
        code, drawn = self.on_terminal("top", "--interval", "50ms", keys=b"q", until=b"east")
        self.assertEqual(code, DONE)
        self.assertLess(drawn.index(b"west"), drawn.index(b"still starting"))

    def test_help_shows_examples_and_the_man_page_every_option(self):
        page = subprocess.run(["/usr/bin/python3", "-B", MAN / "program_page.py", CTL, "1", "0", MAN / "aiwanctl.extra"],
                              check=True, capture_output=True, text=True, timeout=60).stdout.replace(r"\-", "-")
        code, out, err = run(CTL, "--help")
        self.assertEqual((code, err), (DONE, ""))
        for digit in range(7):
            self.assertRegex(out, rf"(?m)^  {digit}  ")
            self.assertRegex(page, rf"(?m)^\.B {digit}$")
        commands = re.findall(r"(?m)^  (\w+) ", out.split("Subcommands:")[1].split("\n\n")[0])
        self.assertGreater(len(commands), 15)
        for name in commands:
            code, out, err = run(CTL, name, "--help")
            self.assertEqual((code, err), (DONE, ""))
            self.assertRegex(out, rf"Examples:\n(  [^\n]*\n)*  [^\n]*aiwanctl {name}\b", name)
            section = re.search(rf'(?ms)^\.SS "?{name}\b.*?(?=^\.S[SH]|\Z)', page)
            self.assertTrue(section, f"{name} is not in the man page")
            for option in set(re.findall(r"(?m)^  (?:-\w,)?(--[\w-]+)", out)) - {"--help"}:
                self.assertRegex(section[0], rf"(?m)^\\fB(-\w,)?{option}\b", f"{name} {option} is not in the man page")
        for option in ("--server", "--timeout", "--version", "AIWAN_SERVER", "NO_COLOR"):
            self.assertIn(option, page)

    def test_version(self):
        for arguments in (["--version"], ["version"]):
            self.assertRegex(run(CTL, *arguments).out, r"\Aaiwanctl \d+\.\d+\.\d+\n\Z")
        self.assertRegex(json.loads(run(CTL, "version", "-o", "json").out)["version"], r"\A\d+\.\d+\.\d+\Z")

    def test_shells_complete_commands_options_and_live_names(self):
        names = http(200, {"items": [{"name": "west-1/ams-core7"}]})
        self.server.give(names)
        environment = {**os.environ, "AIWAN_SERVER": f"unix:{self.socket}", "HOME": str(self.folder),
                       "PATH": f"{os.path.dirname(CTL)}:{os.environ['PATH']}"}
        lines = {"aiwanctl des": "describe", "aiwanctl get lin": "links", "aiwanctl apply --conf": "--confirm-within",
                 "aiwanctl get links -o js": "json", "aiwanctl get links --output=js": "json",
                 "aiwanctl describe link west": "west-1/ams-core7", "aiwanctl apply saved.p": "saved.plan"}
        for line, expected in lines.items():
            with self.subTest("bash: " + line):
                found = subprocess.run(
                    ["bash", "--norc", "-c", 'source <(aiwanctl completion bash); COMP_LINE=$1; COMP_POINT=${#1}\n'
                     'read -ra COMP_WORDS <<<"${1//=/ = }"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n'
                     '_aiwanctl; printf "%s\\n" "${COMPREPLY[@]}"', "bash", line],
                    env=environment, capture_output=True, text=True, timeout=60, cwd=self.folder)
                self.assertIn(expected, found.stdout.split("\n"), found.stderr)
            if shutil.which("fish"):
                with self.subTest("fish: " + line):
                    found = subprocess.run(["fish", "--no-config", "-c", "aiwanctl completion fish | source; complete -C $argv[1]",
                                            line], env=environment, capture_output=True, text=True, timeout=60, cwd=self.folder)
                    candidates = [got.split("\t")[0].removeprefix("--output=") for got in found.stdout.split("\n")]
                    self.assertIn(expected, candidates, found.stderr)
        if shutil.which("zsh"):
            self.complete_in_zsh(environment, lines)

    def complete_in_zsh(self, environment, lines):
        """zsh completes only at a terminal: types each line and TAB, and waits for the whole word."""
        (self.folder / ".zshrc").write_text("PS1='ready> '; setopt nobeep; autoload -Uz compinit; compinit -u; source <(aiwanctl completion zsh)\n")
        shell = Terminal(["zsh", "-i"], {**environment, "TERM": "dumb", "ZDOTDIR": str(self.folder)}, cwd=self.folder)
        shell.expect(b"ready> ")
        for line, expected in lines.items():
            with self.subTest("zsh: " + line):
                begin = len(shell.drawn)
                shell.type(f"{line}\t".encode())
                shell.expect(expected.encode(), begin)
                begin = len(shell.drawn)
                shell.type(b"\x15echo done\n")  # throws the line away
                shell.expect(b"\ndone", begin)
        shell.type(b"exit\n")
        shell.finish()


if __name__ == "__main__":
    main()
