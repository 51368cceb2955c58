"""Drives an emulator with the client beside this file, and says what it saw.

    python check.py GROUP..       one of the modules check_*.py, without `check_`

LOGIN_ENDPOINT, EXCHANGE_ENDPOINT      https://127.0.0.1:PORT of the services
COMPLIANCE_ENDPOINT, COMPLIANCE_REGION_ENDPOINT   the same for Security & Compliance; only its group needs them
CA_FILE                                the emulator's certificate authority (PEM)
CLIENT_SECRET                          path of a file that holds the secret
TENANT                                 the tenant's initial domain

It needs a fresh emulator with the default 50 mailboxes, and nobody else on it.
"""

import importlib
import os
import sys

import requests

import client
import wire


class Failed(Exception):
    """A check that found something else than the reference says."""


def holds(sentence, condition, saw):
    """Says the sentence if it holds, else what was seen instead."""
    if not condition:
        raise Failed(f"{sentence}: saw {saw}")
    print(f"ok    {sentence}", flush=True)


def same(sentence, expected, actual):
    holds(sentence, expected == actual, f"{actual!r} instead of {expected!r}")


class World:
    """The emulator as a stranger finds it: a tenant, a secret, and the control endpoint for faults."""

    def __init__(self):
        self.connection = wire.Wire()
        self.domain = os.environ["TENANT"]
        with open(os.environ["CLIENT_SECRET"], encoding="utf-8") as file:
            self.secret = file.read().strip()
        self.tenant_id = client.discover(self.connection, self.domain)

    def token(self, resource):
        answer = client.ask_token(self.connection, self.tenant_id, resource, self.secret)
        if answer.status != 200:
            raise Failed(f"no token for {resource}: {answer}")
        return answer.json["access_token"]

    def exchange(self):
        """A client of Exchange Online."""
        anchor = f"APP:{client.SYSTEM_MAILBOX}@{self.tenant_id}"
        return client.Client(self.connection, wire.EXCHANGE, self.tenant_id, self.token(wire.EXCHANGE), anchor)

    def control(self, path, body):
        """Asks the emulator to misbehave: the only thing here that is no part of the protocol."""
        url = f"{os.environ['EXCHANGE_ENDPOINT']}/_emulator/{path}"
        answer = self.connection.send("POST", url, body=body)
        if answer.status not in (200, 204):
            raise Failed(f"the control endpoint: {answer}")

    def faults(self, *faults):
        self.control("faults", {"replace": list(faults)})


def main(groups):
    wire.lead_to_loopback()
    try:
        world = World()
        for group in groups:
            importlib.import_module(f"check_{group}").run(world)
    except (Failed, client.Refused, requests.RequestException) as problem:
        print(f"FAIL  {problem}", file=sys.stderr)
        return 1
    print("all checks passed")
    return 0


if __name__ == "__main__":
    # The modules of the groups import this one by its name.
    sys.modules["check"] = sys.modules["__main__"]
    sys.exit(main(sys.argv[1:]))
