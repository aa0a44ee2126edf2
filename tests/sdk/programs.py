"""Claude Code, Codex and Gemini CLI, run without a terminal: their own sums against the rows of their calls.

The scripted provider does what a prompt says after `TOOL `: so a turn with a tool is two calls.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

NOTE = "note.txt"


class Programs:
    """Runs programs out of one `node_modules/.bin`, each in a home of its own."""

    def __init__(self, checks, binaries: Path):
        self.checks, self.binaries = checks, binaries
        self.proxy, self.provider = checks.moonlock.proxy, checks.provider

    def run(self, only: str):
        for client, name, calls, function in (
            ("Claude Code", "-p", 1, lambda home: self.claude(home, "Say it.")),
            ("Claude Code", "-p, with a tool", 2, lambda home: self.claude(home, tool("Read", "input", {
                "file_path": f"{home}/{NOTE}"}))),
            ("Codex", "exec, over its WebSocket, with a tool", 3, self.codex),
            ("Codex", "exec, over HTTP where a WebSocket is refused", 2, self.codex_refused),
            ("Codex", "exec, with a provider of its own", 2, self.codex_provider),
            ("Gemini CLI", "-p", 1, lambda home: self.gemini(home, "Say it.")),
            ("Gemini CLI", "-p, with a tool", 2, lambda home: self.gemini(home, tool("read_file", "args", {
                "file_path": NOTE}))),
        ):
            if only.lower() in f"{client} {name}".lower():
                self._case(client, name, calls, function)

    def _case(self, client, name, calls, function):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            Path(home, NOTE).write_text("hello\n")
            version = self._run(home, [PROGRAMS[client], "--version"]).split()
            version = next(word for word in version if word[0].isdigit())
            try:
                said = function(home)
            except Exception as error:  # Whatever it is, the case has failed and the next one can be tried.
                said = {"failed": f"{type(error).__name__}: {error}"}
            self.checks.case(client, version, name, calls=calls, **({"told": []} | said))

    def _run(self, home: str, command: list[str], told: str = "", **variables: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "dumb", **variables}
        done = subprocess.run([f"{self.binaries}/{command[0]}", *command[1:]], cwd=home, env=environment, input=told,
                              capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"it ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
        return done.stdout

    def claude(self, home, prompt):
        out = self._run(home, ["claude", "-p", prompt, "--output-format", "json", "--allowedTools", "Read"],
                        ANTHROPIC_BASE_URL=f"{self.proxy}/anthropic", ANTHROPIC_API_KEY="test-key",
                        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1", DISABLE_AUTOUPDATER="1")
        result = json.loads(out)
        used = list(result["modelUsage"].values())
        told = {part: sum(model[name] for model in used) for part, name in (
            ("input", "inputTokens"), ("cacheRead", "cacheReadInputTokens"),
            ("cacheWrite", "cacheCreationInputTokens"), ("output", "outputTokens"))}
        # It prices the tokens itself.
        told["costNanoUsd"] = round(result["total_cost_usd"] * 1e9)
        return {"told": [told], "conversation": result["session_id"]}

    def codex(self, home):
        Path(home, "codex").mkdir()
        Path(home, "codex/config.toml").write_text(f'openai_base_url = "{self.proxy}/openai/v1"\n')
        self._run(home, ["codex", "login", "--with-api-key"], told="test-key", CODEX_HOME=f"{home}/codex")
        return self._codex(home, [])

    def codex_refused(self, home):
        self.provider.refuses_websockets = True
        try:
            return self.codex(home)
        finally:
            self.provider.refuses_websockets = False

    def codex_provider(self, home):
        Path(home, "codex").mkdir()
        provider = f'{{name="mine",base_url="{self.proxy}/openai/v1",env_key="MY_KEY",wire_api="responses"}}'
        return self._codex(home, ["-c", "model_provider=mine", "-c", f"model_providers.mine={provider}"])

    def _codex(self, home, options):
        before = len(self.provider.sent)
        command = ["codex", "exec", "--json", "--skip-git-repo-check", *options,
                   tool("exec_command", "arguments", {"cmd": f"cat {NOTE}"})]
        lines = [json.loads(line) for line in
                 self._run(home, command, CODEX_HOME=f"{home}/codex", MY_KEY="test-key").splitlines()]
        [usage] = [line["usage"] for line in lines if line["type"] == "turn.completed"]
        [thread] = [line["thread_id"] for line in lines if line["type"] == "thread.started"]
        read, written = usage["cached_input_tokens"], usage["cache_write_input_tokens"]
        told = {"input": usage["input_tokens"] - read - written, "cacheRead": read, "cacheWrite": written,
                "output": usage["output_tokens"], "reasoning": usage["reasoning_output_tokens"]}
        # Over a WebSocket it first has the conversation read and nothing written. OpenAI counts what was read, and so
        # does Moonlock; Codex leaves it out of its sum.
        told["input"] += sum(used.input for used in self.provider.sent[before:] if used.output == 0)
        return {"told": [told], "conversation": thread}

    def gemini(self, home, prompt):
        Path(home, ".gemini").mkdir(exist_ok=True)
        Path(home, ".gemini/settings.json").write_text('{"security": {"auth": {"selectedType": "gemini-api-key"}}}')
        out = self._run(home, ["gemini", "-p", prompt, "-m", "gemini-2.5-flash", "--output-format", "json",
                               "--skip-trust"],
                        GEMINI_API_KEY="test-key", GOOGLE_GEMINI_BASE_URL=f"{self.proxy}/gemini")
        used = [model["tokens"] for model in json.loads(out)["stats"]["models"].values()]
        told = {part: sum(tokens[name] for tokens in used) for part, name in (
            ("input", "input"), ("cacheRead", "cached"), ("reasoning", "thoughts"), ("total", "total"))}
        told["output"] = sum(tokens["candidates"] + tokens["thoughts"] for tokens in used)
        return {"told": [told]}


PROGRAMS = {"Claude Code": "claude", "Codex": "codex", "Gemini CLI": "gemini"}


def tool(name: str, key: str, arguments: dict) -> str:
    """A prompt that the scripted provider answers with the use of a tool."""
    return f"Look. TOOL {json.dumps({'name': name, key: arguments})}"
