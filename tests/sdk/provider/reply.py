"""A request as the formats see it, and the kinds of replies that they give."""

import binascii
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

WORDS = ["It ", "fails ", "on ", "nested ", "calls: ", "“”", " … ", "done."]
TEXT = "".join(WORDS)


@dataclass
class Request:
    method: str
    mount: str
    path: str
    """Behind the mount, without the query."""
    query: str
    headers: dict[str, str]
    """By lower-case names."""
    raw: bytes
    used: list = field(default_factory=list)
    """What the reply says that it used; the format puts it here."""

    @property
    def body(self) -> dict:
        return json.loads(self.raw)

    @property
    def streams(self) -> bool:
        return bool(self.body.get("stream"))


@dataclass
class Reply:
    content_type: str
    body: bytes | None = None
    pieces: Iterable[bytes] = ()
    """What is streamed, piece by piece, where there is no `body`."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def json_reply(value, status=200, **headers) -> Reply:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply("application/json", json.dumps(value).encode(), status=status, headers=names)


def sse(events: Iterable[dict | str], line_end="\n", named=False) -> Reply:
    """Server-sent events; `named` writes each one's `type` into its `event` field."""

    def pieces():
        for event in events:
            name = f"event: {event['type']}{line_end}" if named else ""
            data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
            yield f"{name}data: {data}{line_end}{line_end}".encode()

    return Reply("text/event-stream; charset=utf-8", pieces=pieces())


def ndjson(lines: Iterable[dict], content_type="application/x-ndjson") -> Reply:
    return Reply(content_type, pieces=(json.dumps(line).encode() + b"\n" for line in lines))


def aws_events(messages: Iterable[tuple[str, dict]]) -> Reply:
    """An AWS event stream: each message is its `:event-type` and its JSON."""
    return Reply("application/vnd.amazon.eventstream", pieces=(_aws_frame(*message) for message in messages))


def _aws_frame(kind: str, value: dict) -> bytes:
    payload = json.dumps(value).encode()
    headers = b"".join(
        bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(text)) + text
        for name, text in ((b":event-type", kind.encode()), (b":content-type", b"application/json"),
                           (b":message-type", b"event")))
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    frame = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return frame + struct.pack(">I", binascii.crc32(frame))
