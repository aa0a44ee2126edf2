"""Anthropic's messages: at Anthropic, on Bedrock and on Vertex AI."""

import itertools
import json
import re

from .reply import TEXT, WORDS, Reply, Request, json_reply, sse
from .usage import Used, draw

_ids = itertools.count(1)


def answer(request: Request) -> Reply | None:
    if request.path.endswith("/messages/count_tokens") or "/count-tokens:" in request.path:
        return json_reply({"input_tokens": 14})
    on_vertex = re.search(r"/publishers/anthropic/models/([^/]+):(rawPredict|streamRawPredict)$", request.path)
    if on_vertex:
        return _messages(request, on_vertex[1])
    if request.mount != "anthropic":
        return None
    if request.path.endswith("/messages"):
        return _messages(request, request.body["model"])
    if request.path.endswith("/models"):
        return json_reply({"data": [], "has_more": False, "first_id": None, "last_id": None})
    if request.path.endswith("/api/hello"):
        return json_reply({"message": "hello"})
    return None


def usage(used: Used) -> dict:
    return {"input_tokens": used.input, "cache_creation_input_tokens": used.cacheWrite,
            "cache_read_input_tokens": used.cacheRead,
            "cache_creation": {"ephemeral_5m_input_tokens": used.cacheWrite, "ephemeral_1h_input_tokens": 0},
            "output_tokens": used.output, "service_tier": "standard"}


def message(body: dict, used: Used) -> dict:
    """The finished message: text, or the use of a tool that the prompt asks for."""
    content, stop = {"type": "text", "text": TEXT}, "end_turn"
    if tool := _tool_use(body):
        content, stop = {"type": "tool_use", "id": f"toolu_{next(_ids):06}"} | tool, "tool_use"
    return {"id": f"msg_{next(_ids):06}", "type": "message", "role": "assistant", "model": used.model,
            "content": [content], "stop_reason": stop, "stop_sequence": None, "usage": usage(used)}


def _tool_use(body: dict) -> dict | None:
    """The use of a tool that the user's last words ask for after `TOOL `."""
    # Claude Code puts messages of the system behind the user's.
    said = [message["content"] for message in body["messages"] if message["role"] == "user"][-1]
    texts = [said] if isinstance(said, str) else [block.get("text", "") for block in said]
    asked = re.search(r"TOOL (\{.*\})", "\n".join(texts))
    tool = json.loads(asked[1]) if asked else None
    offered = [offer.get("name") for offer in body.get("tools", [])]
    return tool if tool and tool["name"] in offered else None


def events(whole: dict):
    """The stream of a message. Its usage grows: the first event knows the input, the last the output."""
    content = whole["content"][0]
    begun = whole["usage"] | {"output_tokens": 1}
    yield {"type": "message_start", "message": whole | {"content": [], "stop_reason": None, "usage": begun}}
    empty = {"text": ""} if content["type"] == "text" else {"input": {}}
    yield {"type": "content_block_start", "index": 0, "content_block": content | empty}
    yield {"type": "ping"}
    if content["type"] == "text":
        deltas = [{"type": "text_delta", "text": word} for word in WORDS]
    else:
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(content["input"])}]
    for delta in deltas:
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    final = {key: whole["usage"][key] for key in ("input_tokens", "cache_creation_input_tokens",
                                                  "cache_read_input_tokens", "output_tokens")}
    yield {"type": "message_delta", "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
           "usage": final}
    yield {"type": "message_stop"}


def _messages(request: Request, model: str) -> Reply:
    used = draw(model, "cacheRead", "cacheWrite")
    request.used.append(used)
    whole = message(request.body, used)
    request_id = f"req_{whole['id']}"
    if request.streams:
        reply = sse(events(whole), named=True)
        reply.headers["request-id"] = request_id
        return reply
    return json_reply(whole, request_id=request_id)
