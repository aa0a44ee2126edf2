"""Bedrock: Converse, and Claude's own format through InvokeModel; streams are AWS event streams."""

import base64
import json
import re

from . import anthropic
from .reply import TEXT, WORDS, Reply, Request, aws_events, json_reply
from .usage import Used, draw


def answer(request: Request) -> Reply | None:
    called = re.search(r"/model/(.+)/(converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)$",
                       request.path)
    if request.mount != "bedrock" or not called:
        return None
    model, operation = called[1], called[2]
    if operation == "count-tokens":
        return json_reply({"inputTokens": 18})
    used = draw(model, "cacheRead", "cacheWrite")
    if operation == "converse":
        request.used.append(used)
        content = {"message": {"role": "assistant", "content": [{"text": TEXT}]}}
        return json_reply({"output": content, "stopReason": "end_turn", "usage": _usage(used),
                           "metrics": {"latencyMs": 12}}, x_amzn_requestid="r-1")
    if operation == "converse-stream":
        request.used.append(used)
        return aws_events(_converse_events(used))
    # Claude names itself in its own format, by a shorter name.
    used = Used(re.sub(r"^.*anthropic\.|-v\d:\d$", "", model), used.input, used.cacheRead, used.cacheWrite, used.output)
    request.used.append(used)
    whole = anthropic.message(request.body, used)
    if operation == "invoke":
        counts = {"x_amzn_bedrock_input_token_count": str(used.input),
                  "x_amzn_bedrock_output_token_count": str(used.output)}
        return json_reply(whole, **counts)
    return aws_events(_invoke_events(whole, used))


def _usage(used: Used) -> dict:
    """The wire has the cache's counts twice."""
    return {"inputTokens": used.input, "outputTokens": used.output, "totalTokens": used.total,
            "cacheReadInputTokens": used.cacheRead, "cacheWriteInputTokens": used.cacheWrite,
            "cacheReadInputTokenCount": used.cacheRead, "cacheWriteInputTokenCount": used.cacheWrite}


def _converse_events(used: Used):
    yield "messageStart", {"role": "assistant", "p": "abcd"}
    for word in WORDS:
        yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}, "p": "abc"}
    yield "contentBlockStop", {"contentBlockIndex": 0, "p": "ab"}
    yield "messageStop", {"stopReason": "end_turn", "p": "a"}
    yield "metadata", {"usage": _usage(used), "metrics": {"latencyMs": 12}, "p": "abcdef"}


def _invoke_events(whole: dict, used: Used):
    for event in anthropic.events(whole):
        if event["type"] == "message_stop":
            event["amazon-bedrock-invocationMetrics"] = {
                "inputTokenCount": used.input, "outputTokenCount": used.output, "invocationLatency": 12,
                "firstByteLatency": 3, "cacheReadInputTokenCount": used.cacheRead,
                "cacheWriteInputTokenCount": used.cacheWrite}
        yield "chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abcde"}
