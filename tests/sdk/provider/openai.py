"""OpenAI's formats, and those who speak them: Azure, Groq, Mistral."""

import itertools
import json
import re

from .reply import TEXT, WORDS, Reply, Request, json_reply, sse
from .usage import Used, draw, draw_input

_ids = itertools.count(1)
_background: dict[str, dict] = {}


def answer(request: Request) -> Reply | None:
    end = request.path
    if request.mount in ("cohere", "bedrock", "anthropic", "gemini", "vertex"):
        return None
    if end.endswith("/chat/completions"):
        return _chat(request)
    if end.endswith("/responses"):
        return _responses(request)
    if end.endswith("/responses/input_tokens"):
        return json_reply({"object": "response.input_tokens", "input_tokens": 18})
    if polled := re.search(r"/responses/(resp_\d+)$", end):
        return json_reply(_background[polled[1]])
    if end.endswith("/embeddings"):
        return _embeddings(request)
    if end.endswith("/images/generations"):
        return _image(request)
    if end.endswith("/audio/transcriptions"):
        return _transcription(request)
    if end.endswith("/models"):
        return json_reply({"object": "list", "data": [], "models": []})
    return None


def _model(request: Request) -> str:
    return request.body.get("model") or request.path.split("/deployments/")[1].split("/")[0]


# Chat completions


def _chat_usage(mount: str, used: Used) -> dict:
    usage = {"prompt_tokens": used.prompt, "completion_tokens": used.output, "total_tokens": used.total,
             "prompt_tokens_details": {"cached_tokens": used.cacheRead}}
    if mount in ("openai", "azure"):
        usage["prompt_tokens_details"]["audio_tokens"] = 0
    if used.cacheWrite is not None:
        usage["prompt_tokens_details"]["cache_write_tokens"] = used.cacheWrite
    if used.reasoning is not None:
        usage["completion_tokens_details"] = {"reasoning_tokens": used.reasoning, "audio_tokens": 0,
                                              "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
    if mount == "groq":
        usage |= {"queue_time": 0.01, "prompt_time": 0.02, "completion_time": 0.1, "total_time": 0.13}
    return usage


def _chat(request: Request) -> Reply:
    model, mount = _model(request), request.mount
    parts = ["cacheRead"] if mount == "mistral" else ["cacheRead", "reasoning"]
    used = draw(model, *parts, *(["cacheWrite"] if model.startswith("gpt-5.6") else []))
    request.used.append(used)
    usage = _chat_usage(mount, used)
    head = {"id": f"chatcmpl-{next(_ids)}", "object": "chat.completion", "created": 1_760_000_000, "model": model}
    if not request.streams:
        message = {"role": "assistant", "content": TEXT}
        return json_reply(head | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                                  "usage": usage}, x_request_id=head["id"])
    asked = (request.body.get("stream_options") or {}).get("include_usage")
    return sse(_chat_events(mount, head | {"object": "chat.completion.chunk"}, usage, asked))


def _chat_events(mount, head, usage, asked):
    def chunk(delta, finish=None, **more):
        return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | more

    null = {"usage": None} if asked else {}
    if mount == "azure":
        yield head | {"id": "", "model": "", "choices": [], "prompt_filter_results": []} | null
    yield chunk({"role": "assistant", "content": ""}, **null)
    for word in WORDS:
        yield chunk({"content": word}, **null)
    if mount == "mistral":
        yield chunk({"content": ""}, "stop", usage=usage)
    elif mount == "groq":
        yield chunk({}, "stop", x_groq={"id": head["id"], "usage": usage}, usage=usage)
    else:
        yield chunk({}, "stop", **null)
        if asked:
            yield head | {"choices": [], "usage": usage}
    yield "[DONE]"


# Responses


def _responses_usage(used: Used) -> dict:
    return {"input_tokens": used.prompt, "input_tokens_details": {"cached_tokens": used.cacheRead,
                                                                  "cache_write_tokens": used.cacheWrite},
            "output_tokens": used.output, "output_tokens_details": {"reasoning_tokens": used.reasoning},
            "total_tokens": used.total}


def _response(body: dict, used: Used) -> dict:
    """The finished response: text, or the call of a tool that the prompt asks for."""
    at = next(_ids)
    part = {"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": f"msg_{at}", "role": "assistant", "status": "completed", "content": [part]}
    if call := _tool_call(body):
        item = {"type": "function_call", "id": f"fc_{at}", "call_id": f"call_{at}", "status": "completed",
                "name": call["name"], "arguments": json.dumps(call["arguments"])}
    return {"id": f"resp_{at}", "object": "response", "created_at": 1_760_000_000, "status": "completed",
            "error": None, "incomplete_details": None, "instructions": None, "model": used.model,
            "output": [item], "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto",
            "tools": body.get("tools", []), "top_p": 1.0, "metadata": {}, "usage": _responses_usage(used)}


def _tool_call(body: dict) -> dict | None:
    """The call that the user's last words ask for after `TOOL `."""
    items = body.get("input")
    last = items[-1] if isinstance(items, list) and items else {}
    said = last.get("content") if last.get("role") == "user" else None
    text = said if isinstance(said, str) else "".join(part.get("text", "") for part in said or [])
    asked = re.search(r"TOOL (\{.*\})", text)
    return json.loads(asked[1]) if asked else None


def _response_events(whole: dict):
    numbers = itertools.count()
    empty = whole | {"status": "in_progress", "usage": None, "output": []}
    item = whole["output"][0]
    place = {"item_id": item["id"], "output_index": 0}

    def event(kind, **more):
        return {"type": kind, "sequence_number": next(numbers)} | more

    yield event("response.created", response=empty)
    yield event("response.in_progress", response=empty)
    if item["type"] == "message":
        part = item["content"][0]
        yield event("response.output_item.added", output_index=0, item=item | {"status": "in_progress", "content": []})
        yield event("response.content_part.added", content_index=0, part=part | {"text": ""}, **place)
        for word in WORDS:
            yield event("response.output_text.delta", content_index=0, delta=word, logprobs=[], **place)
        yield event("response.output_text.done", content_index=0, text=TEXT, logprobs=[], **place)
        yield event("response.content_part.done", content_index=0, part=part, **place)
    else:
        begun = item | {"status": "in_progress", "arguments": ""}
        yield event("response.output_item.added", output_index=0, item=begun)
        yield event("response.function_call_arguments.delta", delta=item["arguments"], **place)
        yield event("response.function_call_arguments.done", arguments=item["arguments"], name=item["name"], **place)
    yield event("response.output_item.done", output_index=0, item=item)
    yield event("response.completed", response=whole)


def _responses(request: Request) -> Reply:
    used = draw(request.body["model"], "cacheRead", "cacheWrite", "reasoning")
    request.used.append(used)
    whole = _response(request.body, used)
    if request.body.get("background"):
        _background[whole["id"]] = whole
        return json_reply(whole | {"status": "queued", "usage": None, "output": [], "background": True})
    if request.streams:
        return sse(_response_events(whole), named=True)
    return json_reply(whole, x_request_id=f"req_{whole['id']}")


# WebSockets


def talk(request: Request, heard):
    """Responses or Realtime over a WebSocket, by the path."""
    return _talk_responses(request, heard) if request.path.endswith("/responses") else _talk_realtime(request, heard)


def _talk_responses(request: Request, heard):
    for message in heard:
        if message["type"] != "response.create":
            continue
        used = draw(message["model"], "cacheRead", "cacheWrite", "reasoning")
        if message.get("generate") is False:
            # Codex warms the conversation up: it is read and nothing is written.
            used = Used(used.model, used.input, 0, 0, 0, 0)
            empty = _response(message, used) | {"output": []}
            request.used.append(used)
            yield {"type": "response.created", "response": empty | {"status": "in_progress", "usage": None}}
            yield {"type": "response.completed", "response": empty}
            continue
        whole = _response(message, used)
        request.used.append(used)
        yield from _response_events(whole)


def _talk_realtime(request: Request, heard):
    model = dict(pair.split("=") for pair in request.query.split("&"))["model"]
    events = itertools.count(1)

    def event(kind, **more):
        return {"type": kind, "event_id": f"event_{next(events)}"} | more

    yield event("session.created", session={"type": "realtime", "id": "sess_1", "object": "realtime.session",
                                            "model": model, "output_modalities": ["text"]})
    for message in heard:
        if message["type"] != "response.create":
            continue
        used = draw(model, "cacheRead")
        request.used.append(used)
        response = {"object": "realtime.response", "id": f"resp_{next(_ids)}", "status": "in_progress", "output": [],
                    "conversation_id": "conv_1", "output_modalities": ["text"], "metadata": None, "usage": None}
        yield event("response.created", response=response)
        place = {"response_id": response["id"], "item_id": "item_1", "output_index": 0, "content_index": 0}
        for word in WORDS:
            yield event("response.output_text.delta", delta=word, **place)
        yield event("response.output_text.done", text=TEXT, **place)
        usage = {"total_tokens": used.total, "input_tokens": used.prompt, "output_tokens": used.output,
                 "input_token_details": {"text_tokens": used.prompt, "audio_tokens": 0, "image_tokens": 0,
                                         "cached_tokens": used.cacheRead,
                                         "cached_tokens_details": {"text_tokens": used.cacheRead, "audio_tokens": 0,
                                                                   "image_tokens": 0}},
                 "output_token_details": {"text_tokens": used.output, "audio_tokens": 0}}
        yield event("response.done", response=response | {"status": "completed", "usage": usage})


# What generates no text


def _embeddings(request: Request) -> Reply:
    used = draw_input(_model(request))
    request.used.append(used)
    # Clients that ask for base64 get it.
    vector = "AACAPwAAAEAAAEBA" if request.body.get("encoding_format") == "base64" else [1.0, 2.0, 3.0]
    usage = {"prompt_tokens": used.input, "total_tokens": used.input}
    if request.mount == "mistral":
        usage["completion_tokens"] = 0
    return json_reply({"id": "e", "object": "list", "data": [{"object": "embedding", "index": 0, "embedding": vector}],
                       "model": used.model, "usage": usage})


def _image(request: Request) -> Reply:
    used = draw(request.body["model"])
    request.used.append(used)
    usage = {"input_tokens": used.input, "input_tokens_details": {"text_tokens": used.input, "image_tokens": 0},
             "output_tokens": used.output, "output_tokens_details": {"image_tokens": used.output, "text_tokens": 0},
             "total_tokens": used.total}
    return json_reply({"created": 1_760_000_000, "data": [{"b64_json": "iVBORw0KGgo="}], "usage": usage})


def _transcription(request: Request) -> Reply:
    model = re.search(rb'name="model"\r\n\r\n([^\r]+)', request.raw)[1].decode()
    used = draw(model)
    request.used.append(used)
    usage = {"type": "tokens", "input_tokens": used.input, "output_tokens": used.output, "total_tokens": used.total,
             "input_token_details": {"audio_tokens": used.input, "text_tokens": 0}}
    done = {"type": "transcript.text.done", "text": TEXT, "usage": usage}
    if b'name="stream"' in request.raw:
        events = [{"type": "transcript.text.delta", "delta": word} for word in WORDS]
        return sse([*events, done], line_end="\r\n")
    return json_reply({"text": TEXT, "usage": usage})
