"""A client of Exchange Online's admin protocol, in Python.

Written from the protocol reference alone, by someone who has not read the client in Rust: where the two disagree with
the emulator, somebody misread. The comments name the section of the reference.
"""

import base64
import json
import os
import re
import time
import uuid
import xml.etree.ElementTree as xml
from urllib.parse import urlsplit

import wire

SYSTEM_MAILBOX = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
APPLICATION = "11111111-2222-3333-4444-555555555555"
TRIES = 6
PAUSE_FIRST = 0.1
TRANSIENT = (
    "ADTransientException",
    "SuitabilityDirectoryException",
    "DCOverloadedException",
    "ServerInMMException",
    "ADServerSettingsChangedException",
    "StorageTransientException",
)


class Refused(Exception):
    """The service said no. Its text is the one for people, by the rule of precedence (3.10)."""

    def __init__(self, answer):
        super().__init__(f"HTTP {answer.status}: {error_text(answer)}")
        self.answer = answer


def discover(connection, domain):
    """The tenant's GUID, from the issuer (1.1)."""
    answer = connection.send("GET", f"{wire.LOGIN}/{domain}/v2.0/.well-known/openid-configuration")
    return re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.json["issuer"]).group()


def ask_token(connection, tenant, resource, secret, challenge=None):
    """A token for an application by its secret (2.2), and in answer to a claims challenge (2.11)."""
    form = {
        "grant_type": "client_credentials",
        "client_id": APPLICATION,
        "client_secret": secret,
        "scope": f"{resource}/.default",
    }
    if challenge:
        wanted = json.loads(challenge)
        wanted.setdefault("access_token", {})["xms_cc"] = {"values": ["cp1"]}
        form["claims"] = json.dumps(wanted)
    return connection.send("POST", f"{wire.LOGIN}/{tenant}/oauth2/v2.0/token", form=form)


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def claims_challenge(answer):
    """The claims that a 401 wants in the next token, as JSON text; None if it wants none (2.11)."""
    header = answer.headers.get("WWW-Authenticate", "")
    found = re.search(r'claims="([^"]+)"', header) if 'error="insufficient_claims"' in header else None
    return base64.b64decode(found.group(1)).decode() if found else None


def hashtable(**members):
    """A hashtable as a parameter's value (3.4)."""
    return {"@odata.type": "#Exchange.GenericHashTable", **members}


def error_text(answer):
    """What to tell people of an error: `details[0]`, the inner exception, `error.message`, the bare text (3.10)."""
    said = answer.json
    error = said.get("error") if isinstance(said, dict) else None
    if not isinstance(error, dict):
        return answer.text
    details = error.get("details") or [{}]
    if message := details[0].get("message"):
        return _serialized_exception(message) or message
    inner = (error.get("innererror") or {}).get("internalexception") or {}
    message = inner.get("message")
    if message and not re.fullmatch(r"\S*DirectInvokeCmdletExecutionException\S*", message):
        return message
    return error.get("message") or answer.text


def _serialized_exception(message):
    try:
        exception = json.loads(message)
        return f"{exception['localizedString']['stringId']}|{exception['ClassName']}|{exception['Message']}"
    except (ValueError, KeyError, TypeError):
        return None


def same_object(item):
    """By what an object of a listing is known again (3.9)."""
    return item.get("ExchangeObjectId") or item.get("Guid") or json.dumps(item, sort_keys=True)


class Client:
    """Calls of one connection: one `connection-id`, one token, one anchor, one cookie jar."""

    def __init__(self, connection, base, tenant_id, token, anchor):
        self.connection = connection
        self.base = base
        self.tenant_id = tenant_id
        self.token = token
        self.anchor = anchor
        self.connection_id = str(uuid.uuid4())
        self.requests = 0

    @property
    def api(self):
        return f"{self.base}/adminapi/beta/{self.tenant_id}"

    def headers(self, **more):
        """Those of every request (3.2)."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "X-AnchorMailbox": self.anchor,
            "X-ResponseFormat": "json",
            "client-request-id": str(uuid.uuid4()),
            "connection-id": self.connection_id,
        }
        headers.update({name.replace("_", "-"): value for name, value in more.items()})
        return headers

    def post(self, url, body, headers):
        """One POST, repeated as 3.11 advises: what changes something only after a 429, which did nothing."""
        cmdlet = body.get("CmdletInput", {}).get("CmdletName", "")
        reads = cmdlet.startswith("Get-")
        for attempt in range(TRIES):
            self.requests += 1
            answer = self.connection.send(
                "POST", url, headers={**headers, "Content-Type": "application/json"}, body=body
            )
            again = answer.status == 429 or (
                reads
                and (
                    answer.status in (408, 502, 503, 504)
                    or (answer.status == 500 and any(name in error_text(answer) for name in TRANSIENT))
                )
            )
            if not again or attempt + 1 == TRIES:
                return answer
            time.sleep(float(answer.headers.get("Retry-After", PAUSE_FIRST * 2**attempt)))

    def invoke(self, cmdlet, parameters=None, *, select=None, **headers):
        """InvokeCommand (3.2, 3.4)."""
        url = f"{self.api}/InvokeCommand" + (f"?$select={','.join(select)}" if select else "")
        body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters or {}}}
        return self.post(url, body, self.headers(**headers))

    def read(self, cmdlet, parameters=None, **more):
        """The objects of a cmdlet that is asked for one page."""
        answer = self.invoke(cmdlet, parameters, **more)
        if answer.status != 200:
            raise Refused(answer)
        return answer.json["value"]

    def pages(self, cmdlet, parameters, page_size, most=None):
        """The pages of a listing: the same body and headers by POST to each link (3.9)."""
        url = f"{self.api}/InvokeCommand"
        body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
        headers = self.headers()
        got = 0
        while url:
            size = page_size if most is None else min(page_size, most - got)
            headers["Prefer"] = f"odata.maxpagesize={size}"
            answer = self.post(url, body, headers)
            if answer.status != 200:
                raise Refused(answer)
            page = answer.json
            got += len(page["value"])
            yield page
            more = most is None or (len(page["value"]) == size and got < most)
            url = page.get("@odata.nextLink") if more else None

    def listing(self, cmdlet, parameters, page_size):
        """A complete listing, or an error: a link that expired is a reason to begin again, once (3.9)."""
        found = {}
        for last_try in (False, True):
            try:
                for page in self.pages(cmdlet, parameters, page_size):
                    for item in page["value"]:
                        found[same_object(item)] = item
                return list(found.values())
            except Refused as refused:
                expired = refused.answer.status == 400 and "Expired or Invalid pagination request" in str(refused)
                if last_try or not expired:
                    raise
        raise AssertionError("the second try returns or raises")

    def member(self, number, cmdlet, parameters, page_size=1000):
        """One request of a batch (3.12)."""
        headers = self.headers(Prefer=f"odata.maxpagesize={page_size};odata.continue-on-error")
        return {
            "id": str(number),
            "method": "POST",
            "url": f"{self.api}/InvokeCommand",
            "headers": {**headers, "Content-Type": "application/json"},
            "body": {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}},
        }

    def batch(self, members):
        """Up to ten requests in one (3.12)."""
        headers = self.headers(Prefer="odata.continue-on-error")
        return self.post(f"{self.api}/$batch", {"requests": members}, headers)

    def module_file(self, commands="*"):
        """What this caller may run, and the key for secrets (3.13)."""
        url = f"{self.base}/AdminApi/v1.0/{self.tenant_id}/EXOModuleFile?Version=3.9.2"
        headers = {"ps-version": "7.6", "exomodule-version": "3.9.2", "is-cloud-shell-environment": "False"}
        return self.connection.send("GET", url, headers={**self.headers(CommandName=commands), **headers})


def public_key(module_file):
    """Modulus and exponent of `$PublicKey`, wherever in the answer the module's text is (3.6, 3.13)."""
    for text in module_file["value"][0].values():
        found = isinstance(text, str) and re.search(
            r"\$PublicKey\s*=\s*['\"]?(<RSAKeyValue>.*?</RSAKeyValue>)", text, re.S
        )
        if found:
            key = xml.fromstring(found.group(1))
            return tuple(
                int.from_bytes(base64.b64decode(key.findtext(part)), "big") for part in ("Modulus", "Exponent")
            )
    raise LookupError("the module file has no $PublicKey")


def encrypt(key, secret):
    """RSA PKCS#1 v1.5 of UTF-8 bytes, as Base64; what is empty stays empty (3.6)."""
    if not secret:
        return ""
    modulus, exponent = key
    size, message = (modulus.bit_length() + 7) // 8, secret.encode()
    if len(message) > size - 11:
        raise ValueError(f"{len(message)} bytes are too long for the key")
    filling = b""
    while len(filling) < size - 3 - len(message):
        filling += os.urandom(1).strip(b"\0")
    block = b"\0\x02" + filling + b"\0" + message
    return base64.b64encode(pow(int.from_bytes(block, "big"), exponent, modulus).to_bytes(size, "big")).decode()


class Regions:
    """Global hosts only say which region serves a tenant: Security & Compliance always, Exchange sometimes (1.2)."""

    def __init__(self, connection, base):
        self.connection = connection
        self.base = base
        self.known = {}
        self.probes = 0

    def of(self, tenant_id, token, anchor):
        """The base to use from now on, remembered for each tenant."""
        if tenant_id not in self.known:
            self.probes += 1
            answer = Client(self.connection, self.base, tenant_id, token, anchor).module_file()
            self.known[tenant_id] = self.base if answer.status == 200 else self._place(answer)
        return self.known[tenant_id]

    def _place(self, answer):
        host = urlsplit(answer.headers.get("Location", "")).hostname or ""
        region, _, domain = host.partition(".")
        if answer.status != 302:
            raise Refused(answer)
        if self.base == wire.COMPLIANCE and domain == "admin.protection.outlook.com":
            # It names port 446, which is not to be reached from outside.
            return f"https://{region}{wire.COMPLIANCE_REGIONS}"
        if self.base == wire.EXCHANGE and f".{domain}" == wire.EXCHANGE_REGIONS:
            return f"https://{host}"
        raise Refused(answer)
