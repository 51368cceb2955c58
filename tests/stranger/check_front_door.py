"""An Exchange Online that answers only by the name of a region."""

import client
import wire
from check import holds, same


def run(world):
    token = world.token(wire.EXCHANGE)
    anchor = f"APP:{client.SYSTEM_MAILBOX}@{world.tenant_id}"
    regions = client.Regions(world.connection, wire.EXCHANGE)
    base = regions.of(world.tenant_id, token, anchor)
    holds("the global host names a region", base != wire.EXCHANGE and base.endswith(wire.EXCHANGE_REGIONS), base)
    same("which is remembered", (base, 1), (regions.of(world.tenant_id, token, anchor), regions.probes))
    region = client.Client(world.connection, base, world.tenant_id, token, anchor)
    pages = list(region.pages("Get-Mailbox", {"ResultSize": "Unlimited"}, 20))
    same("it serves listings", [20, 20, 10], [len(page["value"]) for page in pages])
    links = [page["@odata.nextLink"] for page in pages[:-1]]
    holds("whose links stay there", all(link.startswith(f"{base}/") for link in links), links)
