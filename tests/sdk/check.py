"""The official Python packages, unmodified, through the proxy: what they are told is what is counted.

Usage: check.py DASHBOARD_URL PROXY_URL, with `moonlock demo --no-calls --no-session` behind both.
Needs the packages openai, anthropic and google-genai.
"""

import json
import sys
import urllib.request

import anthropic
import openai
from google import genai

dashboard, proxy = sys.argv[1].rstrip("/"), sys.argv[2].rstrip("/")
PROMPT = "Why does the parser fail on nested calls? " * 300
said = []


def say(name, model, input, cache_read, cache_write, output, reasoning):
    """Keeps what the package was told, in the words of /api/calls."""
    total = sum(part or 0 for part in (input, cache_read, cache_write, output))
    said.append((name, model, input, cache_read, cache_write, output, reasoning, total))


def chat_usage(name, model, usage):
    cached = usage.prompt_tokens_details.cached_tokens
    reasoning = usage.completion_tokens_details.reasoning_tokens
    say(name, model, usage.prompt_tokens - cached, cached, None, usage.completion_tokens, reasoning)


def responses_usage(name, response):
    usage = response.usage
    cached = usage.input_tokens_details.cached_tokens
    reasoning = usage.output_tokens_details.reasoning_tokens
    say(name, response.model, usage.input_tokens - cached, cached, None, usage.output_tokens, reasoning)


def messages_usage(name, message):
    usage = message.usage
    say(name, message.model, usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens,
        usage.output_tokens, None)


def gemini_usage(name, reply):
    usage = reply.usage_metadata
    cached, thoughts = usage.cached_content_token_count, usage.thoughts_token_count
    say(name, reply.model_version, usage.prompt_token_count - cached, cached, None,
        usage.candidates_token_count + thoughts, thoughts)


client = openai.OpenAI(base_url=f"{proxy}/openai/v1", api_key="demo")
messages = [{"role": "user", "content": PROMPT}]
reply = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
chat_usage("openai chat", reply.model, reply.usage)
options = {"include_usage": True}
for chunk in client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True, stream_options=options):
    last = chunk
chat_usage("openai chat, streamed, usage asked", last.model, last.usage)
chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True))
assert all(chunk.choices for chunk in chunks), "the event that Moonlock asked for must not reach the client"
say("openai chat, streamed, usage not asked", chunks[-1].model, *said[-1][2:7])
responses_usage("openai responses", client.responses.create(model="gpt-5-mini", input=PROMPT))
with client.responses.stream(model="gpt-5-mini", input=PROMPT) as stream:
    responses_usage("openai responses, streamed", stream.get_final_response())
reply = client.embeddings.create(model="text-embedding-3-small", input=PROMPT)
say("openai embeddings", reply.model, reply.usage.prompt_tokens, None, None, 0, None)

client = anthropic.Anthropic(base_url=f"{proxy}/anthropic", api_key="demo")
arguments = {"model": "claude-sonnet-4-5", "max_tokens": 500, "messages": messages}
messages_usage("anthropic messages", client.messages.create(**arguments))
with client.messages.stream(**arguments) as stream:
    messages_usage("anthropic messages, streamed", stream.get_final_message())

client = genai.Client(api_key="demo", http_options={"base_url": f"{proxy}/gemini"})
gemini_usage("gemini generateContent",
             client.models.generate_content(model="gemini-2.5-flash", contents=PROMPT))
for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents=PROMPT):
    last = chunk
gemini_usage("gemini streamGenerateContent", last)

with urllib.request.urlopen(f"{dashboard}/api/calls?limit={len(said)}") as answer:
    calls = json.load(answer)["calls"][::-1]
wrong = 0
print(f"{'call':42} {'model':24} {'input':>7} {'read':>7} {'write':>7} {'output':>7} {'reason':>7} {'total':>7}")
for (name, *told), call in zip(said, calls, strict=True):
    counted = [call[key] for key in ("model", "input", "cacheRead", "cacheWrite", "output", "reasoning", "total")]
    right = counted == told and call["source"] == "exact" and call["outcome"] == "complete"
    wrong += not right
    numbers = " ".join(f"{'-' if number is None else number:>7}" for number in counted[1:])
    print(f"{name:42} {counted[0]:24} {numbers}  {call['client']}, {'equal' if right else f'TOLD {told}'}")
print(f"{len(said) - wrong} passed, {wrong} failed")
sys.exit(wrong > 0)
