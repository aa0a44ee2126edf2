"""Gemini's formats: generateContent, both framings of its stream, embeddings, and Live."""

import json
import re

from .reply import TEXT, WORDS, Reply, Request, json_reply, sse
from .usage import Used, draw, draw_input


def answer(request: Request) -> Reply | None:
    if request.mount not in ("gemini", "vertex"):
        return None
    called = re.search(r"/models/([^/:]+):(\w+)$", request.path)
    if not called:
        return None
    model, verb = called[1], called[2]
    if verb == "countTokens":
        return json_reply({"totalTokens": 5})
    if verb in ("generateContent", "streamGenerateContent"):
        used = draw(model, "cacheRead", "reasoning")
        request.used.append(used)
        if verb == "generateContent":
            return json_reply(_chunk(_parts(request.body), used, "STOP"))
        return _stream(request, used)
    if verb in ("embedContent", "batchEmbedContents"):
        used = draw_input(model)
        request.used.append(used)
        values = {"values": [1.0, 2.0]}
        vectors = {"embedding": values} if verb == "embedContent" else {"embeddings": [values]}
        return json_reply(vectors | {"usageMetadata": {"promptTokenCount": used.input}})
    return None


def _usage(used: Used) -> dict:
    """The prompt includes what the cache served; the candidates exclude the thoughts."""
    return {"promptTokenCount": used.prompt, "cachedContentTokenCount": used.cacheRead,
            "candidatesTokenCount": used.output - used.reasoning, "thoughtsTokenCount": used.reasoning,
            "totalTokenCount": used.total,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": used.prompt}]}


def _chunk(parts: list[dict], used: Used, finish=None) -> dict:
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": _usage(used), "modelVersion": used.model, "responseId": "r1"}


def _parts(body: dict) -> list[dict]:
    """Text, or the call of a tool that the user's last words ask for after `TOOL `."""
    last = body["contents"][-1]
    text = "\n".join(part.get("text", "") for part in last["parts"])
    offered = json.dumps(body.get("tools", []))
    if (asked := re.search(r"TOOL (\{.*\})", text)) and f'"{json.loads(asked[1])["name"]}"' in offered:
        return [{"functionCall": json.loads(asked[1])}]
    return [{"text": TEXT}]


def _stream(request: Request, used: Used) -> Reply:
    parts = _parts(request.body)
    first = Used(used.model, 7, 0, None, 1, 0)
    words = [{"text": word} for word in WORDS] if "text" in parts[0] else parts
    chunks = [*(_chunk([word], first) for word in words), _chunk([{"text": ""}], used, "STOP")]
    if "alt=sse" in request.query:
        return sse(chunks, line_end="\r\n")
    return Reply("application/json", pieces=[
        *((b"," if at else b"[") + json.dumps(chunk).encode() + b"\r\n" for at, chunk in enumerate(chunks)), b"]"])


def talk(request: Request, heard):
    """Live: the model is named once, then each turn has its usage."""
    model = None
    for message in heard:
        if "setup" in message:
            model = message["setup"]["model"].rsplit("/", 1)[-1]
            yield {"setupComplete": {}}
        turn = message.get("clientContent") or message.get("client_content")
        if not turn or not (turn.get("turnComplete") or turn.get("turn_complete")):
            continue
        used = draw(model, "cacheRead", "reasoning")
        request.used.append(used)
        for word in WORDS:
            yield {"serverContent": {"modelTurn": {"role": "model", "parts": [{"text": word}]}}}
        yield {"serverContent": {"generationComplete": True}}
        yield {"serverContent": {"turnComplete": True}, "usageMetadata": {
            "promptTokenCount": used.prompt, "cachedContentTokenCount": used.cacheRead,
            "responseTokenCount": used.output - used.reasoning, "thoughtsTokenCount": used.reasoning,
            "totalTokenCount": used.total - used.reasoning}}
