"""Cohere in both versions, and Ollama."""

from .reply import TEXT, WORDS, Reply, Request, json_reply, ndjson, sse
from .usage import Used, draw, draw_input


def answer(request: Request) -> Reply | None:
    if request.mount == "cohere":
        return _cohere(request)
    if request.mount == "ollama":
        return _ollama(request)
    return None


def _cohere(request: Request) -> Reply | None:
    model = request.body.get("model") if request.raw else None
    if request.path.endswith("/chat"):
        # The prompt's count is on the scale of `tokens`; what is billed leaves the template out.
        used = draw(model, "cacheRead")
        request.used.append(used)
        return _cohere_v2(request, used) if request.path == "/v2/chat" else _cohere_v1(request, used)
    if request.path.endswith("/embed"):
        used = draw_input(model)
        request.used.append(used)
        return json_reply({"id": "e", "texts": ["a"], "response_type": "embeddings_by_type",
                           "embeddings": {"float": [[1.0, 2.0]]},
                           "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": used.input}}})
    if request.path.endswith("/rerank"):
        # Search units are no tokens: a row without numbers.
        request.used.append(Used(model))
        return json_reply({"id": "r", "results": [{"index": 0, "relevance_score": 0.9}],
                           "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}})
    return None


def _cohere_usage(used: Used) -> dict:
    return {"billed_units": {"input_tokens": 3, "output_tokens": used.output},
            "tokens": {"input_tokens": used.prompt, "output_tokens": used.output}, "cached_tokens": used.cacheRead}


def _cohere_v2(request: Request, used: Used) -> Reply:
    usage = _cohere_usage(used)
    if not request.streams:
        message = {"role": "assistant", "content": [{"type": "text", "text": TEXT}]}
        return json_reply({"id": "c", "finish_reason": "COMPLETE", "message": message, "usage": usage})

    def events():
        yield {"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant", "content": []}}}
        yield {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}
        for word in WORDS:
            yield {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": word}}}}
        yield {"type": "content-end", "index": 0}
        yield {"type": "message-end", "id": "c", "delta": {"finish_reason": "COMPLETE", "usage": usage}}

    return sse(events(), named=True)


def _cohere_v1(request: Request, used: Used) -> Reply:
    whole = {"response_id": "c", "generation_id": "g", "text": TEXT, "finish_reason": "COMPLETE", "chat_history": [],
             "meta": {"api_version": {"version": "1"}} | _cohere_usage(used)}
    if not request.streams:
        return json_reply(whole)
    return ndjson([
        {"is_finished": False, "event_type": "stream-start", "generation_id": "g"},
        *({"is_finished": False, "event_type": "text-generation", "text": word} for word in WORDS),
        {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": whole},
    ], "application/stream+json")


def _ollama(request: Request) -> Reply | None:
    operation = request.path.removeprefix("/api/")
    if operation not in ("chat", "generate", "embed"):
        return None
    if operation == "embed":
        used = draw_input(request.body["model"])
        request.used.append(used)
        return json_reply({"model": used.model, "embeddings": [[1.0, 2.0]], "prompt_eval_count": used.input})
    used = draw(request.body["model"])
    request.used.append(used)
    head = {"model": used.model, "created_at": "2026-08-01T00:00:00Z"}

    def line(text, **more):
        said = {"message": {"role": "assistant", "content": text}} if operation == "chat" else {"response": text}
        return head | said | {"done": False} | more

    last = {"done": True, "done_reason": "stop", "total_duration": 9, "load_duration": 1,
            "prompt_eval_count": used.input, "prompt_eval_duration": 3, "eval_count": used.output, "eval_duration": 5}
    if request.body.get("stream", True):
        return ndjson([*(line(word) for word in WORDS), line("", **last)])
    return json_reply(line(TEXT, **last))
