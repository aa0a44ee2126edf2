"""Real, unmodified clients through the real proxy, with a scripted provider behind it.

Three things must be the same, part by part: what the provider sent, what the client was told, and what Moonlock says.

Usage: check.py MOONLOCK_BINARY WORK_DIRECTORY [PART [FILTER]], where PART is `python`, `node`, `programs` or `all`.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from programs import Programs
from provider import Provider, Used

HERE = Path(__file__).parent
MOUNTS = ["openai", "anthropic", "gemini", "vertex", "azure", "bedrock", "mistral", "cohere", "groq", "ollama"]
COUNTED = ["model", "input", "cacheRead", "cacheWrite", "output", "reasoning", "total"]


class Moonlock:
    """The program under test, on free ports, with every mount's upstream replaced by the provider."""

    def __init__(self, binary: str, provider: Provider, directory: str):
        upstreams = {f"MOONLOCK_UPSTREAM_{mount.upper()}": f"{provider.url}/{mount}" for mount in MOUNTS}
        environment = {"PATH": os.environ["PATH"], "HOME": directory, "DB_PATH": f"{directory}/moonlock.db",
                       "PORT": "0", "PROXY_PORT": "0", "MOONLOCK_CONFIG": f"{directory}/moonlock.toml", **upstreams,
                       "AWS_ACCESS_KEY_ID": "AKIAMOONLOCK", "AWS_SECRET_ACCESS_KEY": "test-key"}
        # What a client signs for Bedrock is signed anew.
        Path(directory, "moonlock.toml").write_text('[mounts.bedrock]\nsign = "aws"\n')
        self._process = subprocess.Popen([binary, "serve"], env=environment, stdout=subprocess.PIPE, text=True)
        self.dashboard = self._url("dashboard")
        self.proxy = self._url("proxy")
        self._seen = 0
        self._warm_up()

    def _warm_up(self):
        """The first call waits for the price list, for longer than a row is waited for in a debug build."""
        body = json.dumps({"model": "gpt-4o", "messages": []}).encode()
        request = urllib.request.Request(f"{self.proxy}/openai/v1/chat/completions", body)
        urllib.request.urlopen(request).read()
        deadline = time.monotonic() + 30
        while [row["outcome"] for row in self.rows()] != ["complete"]:
            assert time.monotonic() < deadline, "the first call has not become a row"
        self.new_rows()

    def _url(self, name: str) -> str:
        said, url = self._process.stdout.readline().split()
        assert said == name, f"{said} where {name} was expected"
        return url

    def rows(self) -> list[dict]:
        """All rows, oldest first."""
        with urllib.request.urlopen(f"{self.dashboard}/api/calls?limit=1000") as answer:
            return json.load(answer)["calls"][::-1]

    def new_rows(self) -> list[dict]:
        """The rows since the last time, oldest first."""
        rows = self.rows()
        new, self._seen = rows[self._seen:], len(rows)
        return new

    def say(self, method: str, path: str, body: dict) -> dict:
        """Asks the API."""
        request = urllib.request.Request(f"{self.dashboard}{path}", json.dumps(body).encode(), method=method,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    @contextlib.contextmanager
    def closed(self):
        """Within this, a budget is used up and every call is refused."""
        session = self.say("POST", "/api/sessions", {"name": "closed", "tokenBudget": 1, "atLimit": "block"})
        path = f"/api/sessions/{session['id']}"
        self.say("POST", f"{path}/tokens", {"tokensUsed": 2, "operation": "all that there was"})
        self.new_rows()
        yield
        self.say("PATCH", path, {"status": "completed"})

    def stop(self):
        self._process.terminate()
        self._process.wait(10)


class Checks:
    """Compares case after case, and prints a line for each."""

    def __init__(self, moonlock: Moonlock, provider: Provider):
        self.moonlock, self.provider = moonlock, provider
        self.passed = self.failed = 0
        self._sent = len(provider.sent)
        print(f"{'client':27} {'version':10} {'call':44} {'what':8}"
              f" {'input':>7} {'read':>7} {'write':>7} {'output':>7} {'reason':>7} {'total':>7}")

    def case(self, client: str, version: str, name: str, told: list[dict], *, failed=None, named=True,
             calls=None, conversation=None):
        """`told` has, for each row that is expected, what the client was told: in the words of /api/calls, and only
        what it was told; or, where it is known how many `calls` there are, the client's own sum over them. A client that
        is not `named` does not say which it is."""
        rows = self.moonlock.new_rows()
        sent, self._sent = self.provider.sent[self._sent:], len(self.provider.sent)
        misses = [f"the client failed: {failed}"] if failed else []
        if calls and told:
            sums = {part: sum(row[part] or 0 for row in rows) for part in told[0]}
            misses += [f"{part} sums to {sums[part]}, but told {told[0][part]}"
                       for part in told[0] if sums[part] != told[0][part]]
        expected = calls or len(told)
        if not failed and not len(sent) == expected == len(rows):
            misses.append(f"the provider sent {len(sent)}, {expected} are expected, there are {len(rows)} rows")
        for row, used, heard in zip(rows, sent, [{}] * calls if calls else told):
            misses += compare(row, used, heard, client if named else None)
            if conversation and row["conversation"] != conversation:
                misses.append(f"its conversation is {row['conversation']}, not {conversation}")
        self._print(client, version, name, told, rows, misses)
        self.passed, self.failed = self.passed + (not misses), self.failed + bool(misses)

    def _print(self, client, version, name, told, rows, misses):
        verdict = "; ".join(misses) or "ok"
        head = f"{client:27} {version:10} {name:44}"
        if not rows:
            print(f"{head} {'':8} {'':47}  {verdict}")
        for at, row in enumerate(rows):
            if at < len(told):
                print(f"{head} told     {numbers(told[at])}")
            print(f"{'':27} {'':10} {row['model'] or '?':44} counted  {numbers(row)}  {verdict}")


def numbers(of: dict) -> str:
    return " ".join(f"{'' if part not in of else '-' if of[part] is None else of[part]:>7}" for part in COUNTED[1:])


def compare(row: dict, used: Used, told: dict, client: str | None) -> list[str]:
    """What is not as it should be in a row."""
    misses = [f"{part} is {row[part]}, but told {told[part]}" for part in told if row[part] != told[part]]
    sent = {part: getattr(used, part) for part in COUNTED}
    misses += [f"{part} is {row[part]}, but sent {sent[part]}" for part in sent if row[part] != sent[part]]
    expected = {"outcome": "complete", "source": None if used.input is None else "exact", "client": client}
    return misses + [f"{what} is {row[what]}, not {value}" for what, value in expected.items() if row[what] != value]


def packages(checks: Checks, command: list[str], only: str):
    """Runs a script that says a line for each of its cases, and waits for one before the next."""
    arguments = [*command, checks.moonlock.proxy, *([only] if only else [])]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as script:
        for line in script.stdout:
            said = json.loads(line)
            checks.case(said["client"], said["version"], said["case"], said.get("told", []),
                        failed=said.get("failed"), named=said.get("named", True))
            script.stdin.write("\n")
            script.stdin.flush()
    if script.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {script.returncode}")


def main(binary: str, work: str, part: str = "all", only: str = ""):
    if part not in ("all", "python", "node", "programs"):
        raise SystemExit(f"there is no part `{part}`; there are: all, python, node, programs")
    with tempfile.TemporaryDirectory() as directory:
        provider = Provider()
        moonlock = Moonlock(binary, provider, directory)
        try:
            checks = Checks(moonlock, provider)
            if part in ("all", "python"):
                python = [sys.executable, "-W", "ignore"]
                packages(checks, [*python, str(HERE / "python_packages.py")], only)
                with moonlock.closed():
                    packages(checks, [*python, str(HERE / "python_refused.py")], only)
            if part in ("all", "node"):
                packages(checks, ["node", f"{work}/node/packages.mjs"], only)
            if part in ("all", "programs"):
                Programs(checks, Path(work, "programs/node_modules/.bin")).run(only)
        finally:
            moonlock.stop()
            provider.close()
    print(f"{checks.passed} passed, {checks.failed} failed")
    raise SystemExit(checks.failed > 0 or checks.passed == 0)


main(*sys.argv[1:])
