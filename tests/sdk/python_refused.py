"""The official Python packages against a budget that is used up: each must raise its own error for a rate limit, and
say what Moonlock says.

Usage: python_refused.py PROXY_URL [FILTER]. Each case ends in no call: nothing is sent, and no row is left.
"""

import asyncio
import importlib.metadata
import json
import sys

import anthropic
import boto3
import botocore.config
import botocore.exceptions
import cohere
import groq
import mistralai.client
import mistralai.client.errors
import ollama
import openai
from google import genai
from google.genai import errors as genai_errors

proxy = sys.argv[1].rstrip("/")
only = sys.argv[2] if len(sys.argv) > 2 else ""
PROMPT = "Why does the parser fail on nested calls?"
MESSAGES = [{"role": "user", "content": PROMPT}]
cases = []


def case(client, package, name, error):
    """A function that makes a call, and the error that it must raise: its class, and what else holds for it."""
    def keep(function):
        cases.append((client, package, name, error, function))
        return function
    return keep


def status(code):
    return lambda error: getattr(error, "status_code", getattr(error, "code", None)) == code


OPENAI = (openai.RateLimitError, lambda error: error.status_code == 429 and error.code == "insufficient_quota")
ANTHROPIC = (anthropic.RateLimitError, lambda error: error.body["error"]["type"] == "rate_limit_error")
GENAI = (genai_errors.ClientError, lambda error: error.code == 429 and error.status == "RESOURCE_EXHAUSTED")
BOTO3 = (botocore.exceptions.ClientError, lambda error: error.response["Error"]["Code"] == "ThrottlingException")


def openai_client(kind=openai.OpenAI):
    return kind(base_url=f"{proxy}/openai/v1", api_key="test-key")


@case("OpenAI Python", "openai", "chat", OPENAI)
def _():
    openai_client().chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)


@case("OpenAI Python", "openai", "chat, streamed", OPENAI)
def _():
    list(openai_client().chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True))


@case("OpenAI Python", "openai", "responses, async, streamed", OPENAI)
def _():
    async def run():
        async with openai_client(openai.AsyncOpenAI).responses.stream(model="gpt-5-mini", input=PROMPT) as stream:
            await stream.get_final_response()
    asyncio.run(run())


@case("OpenAI Python", "openai", "embeddings", OPENAI)
def _():
    openai_client().embeddings.create(model="text-embedding-3-small", input=PROMPT)


@case("OpenAI Python", "openai", "Azure", OPENAI)
def _():
    client = openai.AzureOpenAI(azure_endpoint=f"{proxy}/azure/mine", api_key="test-key",
                                api_version="2025-04-01-preview")
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)


@case("Anthropic Python", "anthropic", "messages", ANTHROPIC)
def _():
    anthropic.Anthropic(base_url=f"{proxy}/anthropic", api_key="test-key").messages.create(
        model="claude-sonnet-4-5", max_tokens=500, messages=MESSAGES)


@case("Anthropic Python", "anthropic", "messages, streamed", ANTHROPIC)
def _():
    client = anthropic.Anthropic(base_url=f"{proxy}/anthropic", api_key="test-key")
    with client.messages.stream(model="claude-sonnet-4-5", max_tokens=500, messages=MESSAGES) as stream:
        stream.get_final_message()


def genai_client():
    """To be kept while it is used: it closes its connections when nobody has it."""
    return genai.Client(api_key="test-key", http_options={"base_url": f"{proxy}/gemini"})


@case("Google GenAI", "google-genai", "generate_content", GENAI)
def _():
    client = genai_client()
    client.models.generate_content(model="gemini-2.5-flash", contents=PROMPT)


@case("Google GenAI", "google-genai", "generate_content_stream", GENAI)
def _():
    client = genai_client()
    list(client.models.generate_content_stream(model="gemini-2.5-flash", contents=PROMPT))


@case("Boto3", "boto3", "converse", BOTO3)
def _():
    client = boto3.client("bedrock-runtime", endpoint_url=f"{proxy}/bedrock/us-east-1", region_name="us-east-1",
                          aws_access_key_id="AKIATEST", aws_secret_access_key="test-key",
                          config=botocore.config.Config(retries={"total_max_attempts": 1}))
    client.converse(modelId="us.amazon.nova-lite-v1:0", messages=[{"role": "user", "content": [{"text": PROMPT}]}])


@case("Groq Python", "groq", "chat", (groq.RateLimitError, status(429)))
def _():
    groq.Groq(base_url=f"{proxy}/groq", api_key="test-key").chat.completions.create(
        model="llama-3.3-70b-versatile", messages=MESSAGES)


@case("Mistral Python", "mistralai", "chat", (mistralai.client.errors.SDKError, status(429)))
def _():
    mistralai.client.Mistral(server_url=f"{proxy}/mistral", api_key="test-key").chat.complete(
        model="mistral-small-latest", messages=MESSAGES)


@case("Cohere Python", "cohere", "chat", (cohere.TooManyRequestsError, status(429)))
def _():
    cohere.ClientV2(base_url=f"{proxy}/cohere", api_key="test-key").chat(model="command-a-03-2025", messages=MESSAGES)


@case("Ollama Python", "ollama", "chat", (ollama.ResponseError, status(429)))
def _():
    ollama.Client(host=f"{proxy}/ollama").chat(model="llama3.2", messages=MESSAGES)


def refused(function, kind, holds):
    """What is not as it should be, if anything."""
    try:
        function()
    except kind as error:
        if not holds(error):
            return f"{type(error).__name__} is not what a rate limit is: {error}"
        if "is used up" not in str(error):
            return f"it does not say what Moonlock says: {error}"
        return None
    return "nothing was raised"


for client, package, name, (kind, holds), function in cases:
    if only.lower() not in f"{client} refused: {name}".lower():
        continue
    try:
        failed = refused(function, kind, holds)
    except Exception as error:  # Whatever it is, the case has failed and the next one can be tried.
        failed = f"{type(error).__name__}: {error}"
    said = {"failed": failed} if failed else {"told": []}
    version = importlib.metadata.version(package)
    print(json.dumps({"client": client, "version": version, "case": f"refused: {name}"} | said), flush=True)
    # The rows are looked at before the next case begins.
    sys.stdin.readline()
