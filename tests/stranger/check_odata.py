"""The older entity sets, by GET, and the service document."""

import base64
import urllib.parse

from check import holds, same


def run(world):
    exchange = world.exchange()

    def get(path, **headers):
        url = path if path.startswith("https:") else f"{exchange.api}/{path}"
        return exchange.connection.send("GET", url, headers=exchange.headers(**headers))

    classic = exchange.listing("Get-Mailbox", {"ResultSize": "Unlimited"}, 1000)
    found, link, pages = [], "Mailbox", 0
    while link:
        answer = get(link, Prefer="odata.maxpagesize=20")
        same("a page of mailboxes by GET", 200, answer.status)
        found += answer.json["value"]
        pages += 1
        link = answer.json.get("@odata.nextLink")
    same("links are followed by GET, too", -(-len(classic) // 20), pages)
    identities = {item["ExternalDirectoryObjectId"] for item in classic}
    same("it is the listing of the cmdlet", identities, {item["ExternalDirectoryObjectId"] for item in found})
    typed = [name for item in found for name in item if name.endswith("@data.type")]
    same("OData's properties have no @data.type", [], typed)

    address = classic[0]["PrimarySmtpAddress"]
    encoded = base64.b64encode(address.encode()).decode()
    for path in (f"Mailbox('{address}')", f"Mailbox('{encoded}')?isEncoded=true"):
        answer = get(path)
        same(f"{path.split('(')[0]} by its key is answered", 200, answer.status)
        said = answer.json
        item = said["value"][0] if isinstance(said.get("value"), list) else said
        same("and is the one that was asked for", address, item["PrimarySmtpAddress"])

    query = urllib.parse.urlencode(
        {
            "$filter": "RecipientTypeDetails eq 'SharedMailbox'",
            "$select": "PrimarySmtpAddress,RecipientTypeDetails",
            "$top": "3",
        },
        quote_via=urllib.parse.quote,
    )
    shared = get(f"Mailbox?{query}").json["value"]
    same("$top is obeyed", 3, len(shared))
    same("$filter is obeyed", {"SharedMailbox"}, {item["RecipientTypeDetails"] for item in shared})
    properties = {name for item in shared for name in item if "@" not in name}
    holds("$select is obeyed", properties == {"PrimarySmtpAddress", "RecipientTypeDetails"}, properties)
    same(
        "statistics are a function of the mailbox",
        200,
        get(f"Mailbox('{address}')/Exchange.GetMailboxStatistics()").status,
    )

    sets = {entry["name"] for entry in get("").json["value"]}
    holds("the service document names the entity sets", {"Mailbox", "CasMailbox", "Recipient"} <= sets, sets)
    metadata = get("$metadata").text
    holds(
        "the metadata describe InvokeCommand",
        'Name="InvokeCommand"' in metadata and "CmdletInvokeInputType" in metadata,
        metadata[:300],
    )
