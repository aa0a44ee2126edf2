"""The provider's door: HTTP/1.1 with keep-alive, gzip where it is accepted, and WebSockets, on a free port."""

import gzip
import json
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import zstandard
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Opcode
from websockets.server import ServerProtocol

from . import anthropic, bedrock, google, openai, others
from .reply import Request, json_reply
from .usage import Used

_FORMATS = [openai, anthropic, google, bedrock, others]
_DECODERS = {"gzip": gzip.decompress, "deflate": zlib.decompress,
             "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body)}


class Provider:
    """Serves until it is closed."""

    def __init__(self):
        self.sent: list[Used] = []
        """What each reply said that it used, in the order in which they were made."""
        self.refuses_websockets = False
        """Answer 426 where a WebSocket is asked for."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.provider = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _request(self) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        mount, _, path = path.lstrip("/").partition("/")
        raw = self._body(headers)
        for coding in filter(None, headers.get("content-encoding", "").split(",")):
            raw = _DECODERS[coding.strip()](raw)
        return Request(self.command, mount, "/" + unquote(path), query, headers, raw)

    def _body(self, headers) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _answer(self):
        request = self._request()
        if request.headers.get("upgrade", "").lower() == "websocket":
            self._websocket(request)
            return
        found = (module.answer(request) for module in _FORMATS)
        reply = next(filter(None, found), None) or json_reply(
            {"error": {"message": f"nothing at {request.path}", "type": "not_found"}}, status=404)
        self.server.provider.sent += request.used
        self.send_response(reply.status)
        self.send_header("content-type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.body is not None:
            body = reply.body
            if "gzip" in request.headers.get("accept-encoding", ""):
                body = gzip.compress(body)
                self.send_header("content-encoding", "gzip")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if request.method != "HEAD":
                self.wfile.write(body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in reply.pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_HEAD = do_DELETE = _answer

    def _websocket(self, request: Request):
        self.close_connection = True
        if self.server.provider.refuses_websockets:
            self.send_response(426)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        protocol = ServerProtocol(extensions=[ServerPerMessageDeflateFactory()], max_size=2**26)
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        protocol.receive_data(f"{self.requestline}\r\n{head}\r\n".encode())
        [handshake] = protocol.events_received()
        protocol.send_response(protocol.accept(handshake))
        talk = google.talk if "BidiGenerateContent" in request.path else openai.talk
        messages = []
        said = self._heard(protocol, messages)
        for message in talk(request, said):
            text = json.dumps(message)
            if "BidiGenerateContent" in request.path:
                # Google's are binary.
                protocol.send_binary(text.encode())
            else:
                protocol.send_text(text.encode())
            self.server.provider.sent += request.used
            request.used.clear()
            self._flush(protocol)

    def _flush(self, protocol):
        for data in protocol.data_to_send():
            if data:
                self.wfile.write(data)

    def _heard(self, protocol, parts):
        """The client's messages, until it leaves."""
        while True:
            self._flush(protocol)
            data = self.connection.recv(65536)
            if not data:
                return
            protocol.receive_data(data)
            for frame in protocol.events_received():
                if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                    parts.append(frame.data)
                    if frame.fin:
                        yield json.loads(b"".join(parts))
                        parts.clear()
                elif frame.opcode is Opcode.CLOSE:
                    self._flush(protocol)
                    return
