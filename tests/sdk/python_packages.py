"""The official Python packages, unmodified: one case after the other, each telling what its package was told.

Usage: python_packages.py PROXY_URL [FILTER]. The words in which they tell it are those of `told` in check.py.
"""

import asyncio
import importlib.metadata
import io
import json
import sys

import anthropic
import boto3
import botocore
import botocore.config
import cohere
import groq
import mistralai.client
import ollama
import openai
from google import genai

proxy = sys.argv[1].rstrip("/")
only = sys.argv[2] if len(sys.argv) > 2 else ""
PROMPT = "Why does the parser fail on nested calls?"
MESSAGES = [{"role": "user", "content": PROMPT}]
cases = []


def case(client, package, name):
    """A function that makes calls and returns, for each row that they leave, what the package was told."""
    def keep(function):
        cases.append((client, package, name, function))
        return function
    return keep


# OpenAI, and who speaks its chat completions.


def chat(usage, model):
    """`prompt_tokens` holds what the cache served and kept."""
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    written = getattr(prompt, "cache_write_tokens", None)
    told = {"model": model, "input": usage.prompt_tokens - prompt.cached_tokens - (written or 0),
            "cacheRead": prompt.cached_tokens, "cacheWrite": written, "output": usage.completion_tokens,
            "total": usage.total_tokens}
    return told | ({"reasoning": completion.reasoning_tokens} if completion else {})


def responses(response):
    usage = response.usage
    details = usage.input_tokens_details
    written = details.cache_write_tokens
    return {"model": response.model, "input": usage.input_tokens - details.cached_tokens - written,
            "cacheRead": details.cached_tokens, "cacheWrite": written, "output": usage.output_tokens,
            "reasoning": usage.output_tokens_details.reasoning_tokens, "total": usage.total_tokens}


def media(usage, model):
    return {"model": model, "input": usage.input_tokens, "output": usage.output_tokens, "total": usage.total_tokens}


def openai_client():
    return openai.OpenAI(base_url=f"{proxy}/openai/v1", api_key="test-key")


def azure_client():
    return openai.AzureOpenAI(azure_endpoint=f"{proxy}/azure/mine", api_key="test-key",
                              api_version="2025-04-01-preview")


def streamed_chat(client, model, **options):
    """The chunks of a stream, and that none is there which the client did not ask for."""
    chunks = list(client.chat.completions.create(model=model, messages=MESSAGES, stream=True, **options))
    if not options:
        assert not any(chunk.usage for chunk in chunks), "the usage that Moonlock asked for has reached the client"
        assert all(chunk.choices for chunk in chunks), "an event has reached the client that it did not ask for"
    return chunks


@case("OpenAI Python", "openai", "chat")
def _():
    reply = openai_client().chat.completions.create(model="gpt-5.6-mini", messages=MESSAGES)
    return [chat(reply.usage, reply.model)]


@case("OpenAI Python", "openai", "chat, streamed, usage asked")
def _():
    chunks = streamed_chat(openai_client(), "gpt-4o-mini", stream_options={"include_usage": True})
    return [chat(chunks[-1].usage, chunks[-1].model)]


@case("OpenAI Python", "openai", "chat, streamed, usage not asked")
def _():
    # Moonlock asks in its place and keeps the answer from it.
    return [{"model": streamed_chat(openai_client(), "gpt-4o-mini")[-1].model}]


@case("OpenAI Python", "openai", "chat, async, streamed by the helper")
def _():
    async def run():
        client = openai.AsyncOpenAI(base_url=f"{proxy}/openai/v1", api_key="test-key")
        options = {"include_usage": True}
        async with client.chat.completions.stream(model="gpt-4o", messages=MESSAGES, stream_options=options) as stream:
            final = await stream.get_final_completion()
        return [chat(final.usage, final.model)]
    return asyncio.run(run())


@case("OpenAI Python", "openai", "responses")
def _():
    return [responses(openai_client().responses.create(model="gpt-5-mini", input=PROMPT))]


@case("OpenAI Python", "openai", "responses, streamed")
def _():
    with openai_client().responses.stream(model="gpt-5-mini", input=PROMPT) as stream:
        return [responses(stream.get_final_response())]


@case("OpenAI Python", "openai", "responses, over a WebSocket, two turns")
def _():
    told = []
    with openai_client().responses.connect() as socket:
        for _ in range(2):
            socket.response.create(model="gpt-5-mini", input=PROMPT)
            for event in socket:
                if event.type == "response.completed":
                    told.append(responses(event.response))
                    break
    return told


@case("OpenAI Python", "openai", "responses.input_tokens: no row")
def _():
    openai_client().responses.input_tokens.count(model="gpt-5-mini", input=PROMPT)
    return []


@case("OpenAI Python", "openai", "realtime, two turns")
def _():
    told = []
    with openai_client().realtime.connect(model="gpt-realtime") as socket:
        for _ in range(2):
            socket.conversation.item.create(item={"type": "message", "role": "user",
                                                  "content": [{"type": "input_text", "text": PROMPT}]})
            socket.response.create()
            for event in socket:
                if event.type == "response.done":
                    usage = event.response.usage
                    cached = usage.input_token_details.cached_tokens
                    told.append({"model": "gpt-realtime", "input": usage.input_tokens - cached, "cacheRead": cached,
                                 "output": usage.output_tokens, "total": usage.total_tokens})
                    break
    return told


@case("OpenAI Python", "openai", "embeddings")
def _():
    reply = openai_client().embeddings.create(model="text-embedding-3-small", input=PROMPT)
    return [{"model": reply.model, "input": reply.usage.prompt_tokens, "total": reply.usage.total_tokens}]


@case("OpenAI Python", "openai", "images.generate")
def _():
    return [media(openai_client().images.generate(model="gpt-image-1", prompt=PROMPT).usage, "gpt-image-1")]


@case("OpenAI Python", "openai", "audio.transcriptions")
def _():
    reply = openai_client().audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", io.BytesIO(b"RIFF")))
    return [media(reply.usage, "gpt-4o-transcribe")]


@case("OpenAI Python", "openai", "audio.transcriptions, streamed")
def _():
    stream = openai_client().audio.transcriptions.create(
        model="gpt-4o-transcribe", file=("a.wav", io.BytesIO(b"RIFF")), stream=True)
    return [media(list(stream)[-1].usage, "gpt-4o-transcribe")]


@case("OpenAI Python", "openai", "Azure: chat at a deployment")
def _():
    reply = azure_client().chat.completions.create(model="gpt-4o", messages=MESSAGES)
    return [chat(reply.usage, reply.model)]


@case("OpenAI Python", "openai", "Azure: chat at a deployment, streamed, usage asked")
def _():
    chunks = streamed_chat(azure_client(), "gpt-4o", stream_options={"include_usage": True})
    return [chat(chunks[-1].usage, chunks[-1].model)]


@case("Groq Python", "groq", "chat")
def _():
    client = groq.Groq(base_url=f"{proxy}/groq", api_key="test-key")
    reply = client.chat.completions.create(model="openai/gpt-oss-20b", messages=MESSAGES)
    return [chat(reply.usage, reply.model)]


@case("Groq Python", "groq", "chat, streamed")
def _():
    client = groq.Groq(base_url=f"{proxy}/groq", api_key="test-key")
    chunks = list(client.chat.completions.create(model="openai/gpt-oss-20b", messages=MESSAGES, stream=True))
    return [chat(chunks[-1].x_groq.usage, chunks[-1].model)]


def mistral():
    return mistralai.client.Mistral(server_url=f"{proxy}/mistral", api_key="test-key")


def mistral_chat(reply):
    usage = reply.usage
    return {"model": reply.model, "output": usage.completion_tokens, "total": usage.total_tokens}


@case("Mistral Python", "mistralai", "chat")
def _():
    return [mistral_chat(mistral().chat.complete(model="mistral-small-latest", messages=MESSAGES))]


@case("Mistral Python", "mistralai", "chat, streamed")
def _():
    with mistral().chat.stream(model="mistral-small-latest", messages=MESSAGES) as stream:
        return [mistral_chat(list(stream)[-1].data)]


@case("Mistral Python", "mistralai", "embeddings")
def _():
    reply = mistral().embeddings.create(model="mistral-embed", inputs=[PROMPT])
    return [{"model": reply.model, "input": reply.usage.prompt_tokens, "total": reply.usage.total_tokens}]


# Anthropic, at home, on Bedrock and on Vertex AI.


def message(message):
    usage = message.usage
    parts = {"input": usage.input_tokens, "cacheRead": usage.cache_read_input_tokens,
             "cacheWrite": usage.cache_creation_input_tokens, "output": usage.output_tokens}
    return {"model": message.model} | parts


def ask(client, model):
    return [message(client.messages.create(model=model, max_tokens=500, messages=MESSAGES))]


def ask_streamed(client, model):
    with client.messages.stream(model=model, max_tokens=500, messages=MESSAGES) as stream:
        return [message(stream.get_final_message())]


def anthropic_client():
    return anthropic.Anthropic(base_url=f"{proxy}/anthropic", api_key="test-key")


def anthropic_bedrock():
    return anthropic.AnthropicBedrock(base_url=f"{proxy}/bedrock/us-east-1", api_key="test-key", aws_region="us-east-1")


def anthropic_vertex():
    return anthropic.AnthropicVertex(base_url=f"{proxy}/vertex/us-east5/v1", access_token="test-token",
                                     project_id="mine", region="us-east5")


CLAUDE_ON_BEDROCK = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@case("Anthropic Python", "anthropic", "messages")
def _():
    return ask(anthropic_client(), "claude-sonnet-4-5")


@case("Anthropic Python", "anthropic", "messages, streamed")
def _():
    return ask_streamed(anthropic_client(), "claude-sonnet-4-5")


@case("Anthropic Python", "anthropic", "beta messages")
def _():
    reply = anthropic_client().beta.messages.create(model="claude-sonnet-4-5", max_tokens=500, messages=MESSAGES)
    return [message(reply)]


@case("Anthropic Python", "anthropic", "messages.count_tokens: no row")
def _():
    anthropic_client().messages.count_tokens(model="claude-sonnet-4-5", messages=MESSAGES)
    return []


@case("Anthropic Python", "anthropic", "Bedrock: messages")
def _():
    return ask(anthropic_bedrock(), CLAUDE_ON_BEDROCK)


@case("Anthropic Python", "anthropic", "Bedrock: messages, streamed")
def _():
    return ask_streamed(anthropic_bedrock(), CLAUDE_ON_BEDROCK)


@case("Anthropic Python", "anthropic", "Vertex AI: messages")
def _():
    return ask(anthropic_vertex(), "claude-sonnet-4-5@20250929")


@case("Anthropic Python", "anthropic", "Vertex AI: messages, streamed")
def _():
    return ask_streamed(anthropic_vertex(), "claude-sonnet-4-5@20250929")


# Google.


def content(reply):
    usage = reply.usage_metadata
    cached, thoughts = usage.cached_content_token_count, usage.thoughts_token_count
    return {"model": reply.model_version, "input": usage.prompt_token_count - cached, "cacheRead": cached,
            "output": usage.candidates_token_count + thoughts, "reasoning": thoughts, "total": usage.total_token_count}


def gemini():
    return genai.Client(api_key="test-key", http_options={"base_url": f"{proxy}/gemini"})


@case("Google GenAI", "google-genai", "generateContent")
def _():
    with gemini() as client:
        return [content(client.models.generate_content(model="gemini-2.5-flash", contents=PROMPT))]


@case("Google GenAI", "google-genai", "streamGenerateContent")
def _():
    with gemini() as client:
        return [content(list(client.models.generate_content_stream(model="gemini-2.5-flash", contents=PROMPT))[-1])]


@case("Google GenAI", "google-genai", "embedContent")
def _():
    with gemini() as client:
        client.models.embed_content(model="gemini-embedding-001", contents=PROMPT)
    return [{"model": "gemini-embedding-001"}]


@case("Google GenAI", "google-genai", "countTokens: no row")
def _():
    with gemini() as client:
        client.models.count_tokens(model="gemini-2.5-flash", contents=PROMPT)
    return []


# Live is left out: the package insists on TLS for its WebSocket, whatever the base URL says.


# Cohere. The parts are those of `tokens`; what is billed leaves the provider's template out.


def cohere_chat(tokens):
    return {"model": "command-a-03-2025", "output": int(tokens.output_tokens),
            "total": int(tokens.input_tokens + tokens.output_tokens)}


def cohere_v1():
    return cohere.Client(base_url=f"{proxy}/cohere", api_key="test-key")


def cohere_v2():
    return cohere.ClientV2(base_url=f"{proxy}/cohere", api_key="test-key")


@case("Cohere Python", "cohere", "v1 chat")
def _():
    return [cohere_chat(cohere_v1().chat(model="command-a-03-2025", message=PROMPT).meta.tokens)]


@case("Cohere Python", "cohere", "v1 chat, streamed")
def _():
    last = list(cohere_v1().chat_stream(model="command-a-03-2025", message=PROMPT))[-1]
    return [cohere_chat(last.response.meta.tokens)]


@case("Cohere Python", "cohere", "v2 chat")
def _():
    return [cohere_chat(cohere_v2().chat(model="command-a-03-2025", messages=MESSAGES).usage.tokens)]


@case("Cohere Python", "cohere", "v2 chat, streamed")
def _():
    last = list(cohere_v2().chat_stream(model="command-a-03-2025", messages=MESSAGES))[-1]
    return [cohere_chat(last.delta.usage.tokens)]


@case("Cohere Python", "cohere", "v2 embed")
def _():
    reply = cohere_v2().embed(model="embed-v4.0", texts=[PROMPT], input_type="search_query", embedding_types=["float"])
    return [{"model": "embed-v4.0", "input": int(reply.meta.billed_units.input_tokens)}]


@case("Cohere Python", "cohere", "v2 rerank: search units, no tokens")
def _():
    cohere_v2().rerank(model="rerank-v3.5", query=PROMPT, documents=["a"])
    return [{"model": "rerank-v3.5", "total": None}]


# Ollama.


def ollama_client():
    return ollama.Client(host=f"{proxy}/ollama")


def ollama_reply(reply):
    return {"model": reply.model, "input": reply.prompt_eval_count, "output": reply.eval_count}


@case("Ollama Python", "ollama", "chat")
def _():
    return [ollama_reply(ollama_client().chat(model="llama3.2", messages=MESSAGES))]


@case("Ollama Python", "ollama", "chat, streamed")
def _():
    return [ollama_reply(list(ollama_client().chat(model="llama3.2", messages=MESSAGES, stream=True))[-1])]


@case("Ollama Python", "ollama", "generate")
def _():
    return [ollama_reply(ollama_client().generate(model="llama3.2", prompt=PROMPT))]


@case("Ollama Python", "ollama", "generate, streamed")
def _():
    return [ollama_reply(list(ollama_client().generate(model="llama3.2", prompt=PROMPT, stream=True))[-1])]


@case("Ollama Python", "ollama", "embed")
def _():
    reply = ollama_client().embed(model="nomic-embed-text", input=PROMPT)
    return [{"model": reply.model, "input": reply.prompt_eval_count}]


# AWS. Boto3 refuses to send `AWS_BEARER_TOKEN_BEDROCK` without TLS, so a key has to be put into the header by hand.


def bedrock(**options):
    endpoint = f"{proxy}/bedrock/us-east-1"
    return boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=endpoint, **options)


def bedrock_with_key():
    client = bedrock(config=botocore.config.Config(signature_version=botocore.UNSIGNED))
    client.meta.events.register("before-send.bedrock-runtime", lambda request, **_: request.headers.update(
        Authorization="Bearer test-key"))
    return client


def bedrock_signed():
    return bedrock(aws_access_key_id="AKIATEST", aws_secret_access_key="test-key")


def converse(usage, model):
    return {"model": model, "input": usage["inputTokens"], "cacheRead": usage["cacheReadInputTokens"],
            "cacheWrite": usage["cacheWriteInputTokens"], "output": usage["outputTokens"],
            "total": usage["totalTokens"]}


CONVERSATION = [{"role": "user", "content": [{"text": PROMPT}]}]
CLAUDE_BODY = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 500, "messages": MESSAGES})


@case("Boto3", "boto3", "converse, signed")
def _():
    reply = bedrock_signed().converse(modelId="us.amazon.nova-lite-v1:0", messages=CONVERSATION)
    return [converse(reply["usage"], "us.amazon.nova-lite-v1:0")]


@case("Boto3", "boto3", "converse_stream, signed")
def _():
    reply = bedrock_signed().converse_stream(modelId="us.amazon.nova-lite-v1:0", messages=CONVERSATION)
    [metadata] = [event["metadata"] for event in reply["stream"] if "metadata" in event]
    return [converse(metadata["usage"], "us.amazon.nova-lite-v1:0")]


def claude_in_boto3(usage, model):
    return {"model": model, "input": usage["input_tokens"], "cacheRead": usage["cache_read_input_tokens"],
            "cacheWrite": usage["cache_creation_input_tokens"], "output": usage["output_tokens"]}


@case("Boto3", "boto3", "invoke_model, with a key")
def _():
    body = json.load(bedrock_with_key().invoke_model(modelId=CLAUDE_ON_BEDROCK, body=CLAUDE_BODY)["body"])
    return [claude_in_boto3(body["usage"], body["model"])]


@case("Boto3", "boto3", "invoke_model_with_response_stream, with a key")
def _():
    reply = bedrock_with_key().invoke_model_with_response_stream(modelId=CLAUDE_ON_BEDROCK, body=CLAUDE_BODY)
    events = [json.loads(event["chunk"]["bytes"]) for event in reply["body"]]
    [begun] = [event["message"] for event in events if event["type"] == "message_start"]
    [usage] = [event["usage"] for event in events if event["type"] == "message_delta"]
    return [claude_in_boto3(usage, begun["model"])]


for client, package, name, function in cases:
    if only.lower() not in f"{client} {name}".lower():
        continue
    try:
        said = {"told": function()}
    except Exception as error:  # Whatever it is, the case has failed and the next one can be tried.
        said = {"failed": f"{type(error).__name__}: {error}"}
    version = importlib.metadata.version(package)
    print(json.dumps({"client": client, "version": version, "case": name} | said), flush=True)
    # The rows are looked at before the next case begins.
    sys.stdin.readline()
