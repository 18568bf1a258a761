"""A real server on a real socket that does what servers and the things before them do on a bad day."""

import contextlib
import socket
import socketserver
import struct
import threading

HTML = "<html><body>Bad Gateway</body></html>"


def whole(status, body, kind="application/json", **headers):
    """The bytes of a whole answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join([*lines, "Connection: close", "", ""]) + body).encode()


class Faulty(socketserver.ThreadingTCPServer):
    """Answers with each of `script` in turn, then with the last for ever.

    A step is bytes to send before closing; "reset", which sends nothing and resets the connection; a pair of bytes and
    "reset" or "stall" for what comes after them.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *script, tls=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.script = list(script)
        self.seen = []
        self.over = threading.Event()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def step(self):
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        first = self.rfile.readline().decode().split()
        if not first:
            return
        length = 0
        while (line := self.rfile.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self.rfile.read(length)
        self.server.seen.append((first[0], first[1]))
        step = self.server.step()
        data, then = step if isinstance(step, tuple) else (b"", step) if isinstance(step, str) else (step, "close")
        self.wfile.write(data)
        self.wfile.flush()
        if then == "stall":
            self.server.over.wait(10)
        if then == "reset":  # no time to linger: the system sends RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()


@contextlib.contextmanager
def faulty(*script, tls=None):
    """Such a server, for as long as it is needed."""
    with Faulty(*script, tls=tls) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            made.over.set()
            made.shutdown()
            thread.join()


def closed_port():
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
