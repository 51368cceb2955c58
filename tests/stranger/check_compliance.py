"""Security & Compliance: another host, another audience, and the way to the region that serves the tenant."""

import client
import wire
from check import holds, same


def run(world):
    token = world.token(wire.COMPLIANCE)
    same("the token is for Security & Compliance", wire.COMPLIANCE, client.claims(token)["aud"])
    anchor = f"APP:{client.SYSTEM_MAILBOX}@{world.domain}"
    regions = client.Regions(world.connection, wire.COMPLIANCE)
    base = regions.of(world.tenant_id, token, anchor)
    holds(
        "the global host names a region on a port that is not to be reached",
        base.endswith(wire.COMPLIANCE_REGIONS),
        base,
    )
    same("which is remembered", (base, 1), (regions.of(world.tenant_id, token, anchor), regions.probes))

    region = client.Client(world.connection, base, world.tenant_id, token, anchor)
    answer = region.invoke("Get-User", {"ResultSize": "1"})
    same("the region's own host serves", 200, answer.status)
    same(
        "with its name in the context",
        f"{base}/adminapi/beta",
        answer.json["@odata.context"].lower().rsplit("/", 2)[0],
    )

    answer = region.invoke("Get-CASMailbox")
    error = answer.json["error"]
    same("a cmdlet of Exchange alone is 403 Forbidden here", (403, "Forbidden"), (answer.status, error["code"]))
    text = client.error_text(answer)
    holds("in words, as JSON", "is not allowed to call" in text and "Get-CASMailbox" in text, text)

    by_guid = f"APP:{client.SYSTEM_MAILBOX}@{world.tenant_id}"
    answer = client.Client(world.connection, base, world.tenant_id, token, by_guid).invoke(
        "Get-User", {"ResultSize": "1"}
    )
    holds("an anchor with the tenant's GUID fails", answer.status >= 400, answer)
    answer = client.Client(world.connection, wire.COMPLIANCE, world.tenant_id, token, anchor).invoke(
        "Get-User", {"ResultSize": "1"}
    )
    holds("the global host runs no cmdlet", answer.status != 200, answer)
    exchange = world.token(wire.EXCHANGE)
    same(
        "a token for compliance is none for Exchange",
        401,
        client.Client(world.connection, wire.EXCHANGE, world.tenant_id, token, anchor).invoke("Get-User").status,
    )
    holds("both can be had side by side", exchange != token, "the same token")
