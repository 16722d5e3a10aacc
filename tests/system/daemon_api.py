"""The daemon's API over its UNIX socket, for tests that ask too often to start aiwanctl each time."""
import http.client, json, socket


class Api(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


def api_get(socket_path, what):
    """The JSON of `GET /v1/what`; raises ConnectionError or FileNotFoundError when no daemon answers."""
    api = Api(socket_path)
    try:
        api.request("GET", f"/v1/{what}")
        answer = api.getresponse()
        body = answer.read()
    finally:
        api.close()
    if answer.status != 200:
        raise RuntimeError(f"GET /v1/{what}: {answer.status} {body.decode(errors='replace')}")
    return json.loads(body)
