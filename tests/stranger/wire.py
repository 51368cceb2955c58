"""The transport: `requests`, with the service's real host names led to the emulator's ports on loopback.

Certificates are verified for the real names; only the TCP connection goes elsewhere. Nothing here leaves loopback: a
name that is not led anywhere cannot be connected to.
"""

import gzip
import json
import os
import zlib
from urllib.parse import urlsplit

import requests
from urllib3.util import connection as urllib3_connection

LOGIN = "https://login.microsoftonline.com"
EXCHANGE = "https://outlook.office365.com"
COMPLIANCE = "https://ps.compliance.protection.outlook.com"
COMPLIANCE_REGIONS = ".ps.compliance.protection.outlook.com"
EXCHANGE_REGIONS = ".outlook.office365.com"

# Seconds to connect, and to wait for bytes.
TIME_LIMITS = (5, 60)


def _port(variable):
    endpoint = os.environ.get(variable)
    return urlsplit(endpoint).port if endpoint else None


def _ways():
    """Where `host:443` really is, as a function of the host."""
    hosts = {
        urlsplit(LOGIN).hostname: _port("LOGIN_ENDPOINT"),
        urlsplit(COMPLIANCE).hostname: _port("COMPLIANCE_ENDPOINT"),
    }
    regions = {COMPLIANCE_REGIONS: _port("COMPLIANCE_REGION_ENDPOINT"), EXCHANGE_REGIONS: _port("EXCHANGE_ENDPOINT")}
    hosts[urlsplit(EXCHANGE).hostname] = regions[EXCHANGE_REGIONS]
    return lambda host: hosts.get(host) or next((port for end, port in regions.items() if host.endswith(end)), None)


def lead_to_loopback():
    """From here on, every connection of this process goes to loopback or fails."""
    way, connect = _ways(), urllib3_connection.create_connection

    def create_connection(address, *arguments, **named):
        host, port = address
        led = way(host) if port == 443 else None
        if led is not None:
            address = ("127.0.0.1", led)
        elif host != "127.0.0.1":
            raise OSError(f"{host}:{port} is not to be reached from here")
        return connect(address, *arguments, **named)

    urllib3_connection.create_connection = create_connection


class Answer:
    """One answer, its body as it came: what cannot be decoded is no reason to stop."""

    def __init__(self, response):
        self.status = response.status_code
        self.headers = response.headers
        self.raw = response.raw.read(decode_content=False)
        response.close()

    @property
    def body(self):
        """The body without its compression; as it is where it only says that it is compressed."""
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            try:
                return gzip.decompress(self.raw)
            except (OSError, EOFError, zlib.error):
                return self.raw
        return self.raw

    @property
    def text(self):
        return self.body.decode("utf-8", errors="replace")

    @property
    def json(self):
        """The body as JSON, or None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def __str__(self):
        return f"HTTP {self.status} {self.text[:600]!r}"


class Wire:
    """Keeps connections and cookies; follows no redirect and no proxy of the environment."""

    def __init__(self):
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = os.environ["CA_FILE"]
        self.session.headers["User-Agent"] = "stranger/1.0"
        self.session.headers["Accept-Encoding"] = "gzip"

    def send(self, method, url, *, headers=None, body=None, form=None):
        data = form if body is None else json.dumps(body).encode()
        return Answer(
            self.session.request(
                method, url, headers=headers, data=data, timeout=TIME_LIMITS, allow_redirects=False, stream=True
            )
        )
