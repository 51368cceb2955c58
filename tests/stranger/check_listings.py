"""Listings in pages, links that expire, and the kinds of values in them."""

import datetime
import json
import re
import uuid

import client
from check import holds, same

ALL = {"ResultSize": "Unlimited"}
ALWAYS = (
    "Identity Id Name Guid ExchangeObjectId DistinguishedName WhenCreated WhenCreatedUTC WhenChanged WhenChangedUTC "
    "ObjectClass ObjectState IsValid OrganizationId OriginatingServer"
).split()
SIZES = "IssueWarningQuota ProhibitSendQuota ProhibitSendReceiveQuota MaxSendSize MaxReceiveSize".split()
UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def run(world):
    exchange = world.exchange()
    everything = exchange.listing("Get-Mailbox", ALL, 1000)
    paging(world, exchange, everything)
    expiry(world, exchange, everything)
    values(exchange, everything)


def paging(world, exchange, everything):
    pages = list(exchange.pages("Get-Mailbox", ALL, 10))
    sizes = [len(page["value"]) for page in pages]
    holds(
        "a listing comes in the pages that Prefer asks for",
        len(sizes) > 2 and set(sizes[:-1]) == {10} and 0 < sizes[-1] <= 10,
        sizes,
    )
    links = [page["@odata.nextLink"] for page in pages[:-1]]
    holds(
        "links lead to the host that was used",
        all(link.lower().startswith(f"{exchange.base}/adminapi/") for link in links),
        links[0],
    )
    holds("the last page has none", "@odata.nextLink" not in pages[-1], list(pages[-1]))
    guids = [item["Guid"] for page in pages for item in page["value"]]
    same("no object comes twice", len(guids), len(set(guids)))
    same("the pages are the listing in one page", {item["Guid"] for item in everything}, set(guids))
    some = [len(page["value"]) for page in exchange.pages("Get-Mailbox", {"ResultSize": "15"}, 10, most=15)]
    same("a number of results is full pages and a rest", [10, 5], some)

    other = {"CmdletInput": {"CmdletName": "Get-Recipient", "Parameters": ALL}}
    same("a link is no link for another cmdlet", 400, exchange.post(links[0], other, exchange.headers()).status)
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": ALL}}
    strange = exchange.headers(X_AnchorMailbox="UPN:nobody@contoso.example")
    same("nor with another anchor", 400, exchange.post(links[0], body, strange).status)

    same(
        "a filter that finds nothing is an empty listing",
        [],
        exchange.listing("Get-Mailbox", {**ALL, "Filter": "Alias -eq 'nobody at all'"}, 10),
    )
    shared = exchange.listing("Get-Mailbox", {**ALL, "RecipientTypeDetails": ["SharedMailbox"]}, 10)
    kinds = {item["RecipientTypeDetails"] for item in shared}
    holds(
        "a kind of mailbox is a part of all", kinds == {"SharedMailbox"} and 0 < len(shared) < len(everything), kinds
    )
    chosen = exchange.read("Get-Mailbox", {"ResultSize": "1"}, select=["Guid", "PrimarySmtpAddress"])[0]
    properties = {name for name in chosen if "@" not in name}
    same("$select leaves what it names", {"Guid", "PrimarySmtpAddress"}, properties)


def expiry(world, exchange, everything):
    # The second request is the first to a link.
    world.faults("badpage:nth=2")
    sent = exchange.requests
    found = exchange.listing("Get-Mailbox", ALL, 20)
    same(
        "an expired link costs a second start and nothing else",
        {item["Guid"] for item in everything},
        {item["Guid"] for item in found},
    )
    same("what came twice is there once", len(everything), len(found))
    pages = -(-len(everything) // 20)
    same("and it was one second start", 1 + 1 + pages, exchange.requests - sent)
    world.faults("badpage")
    try:
        found = exchange.listing("Get-Mailbox", ALL, 20)
    except client.Refused as refused:
        holds("a link that always expires is an error, with the time in it", "00:30:00" in str(refused), refused)
    else:
        holds("a link that always expires is an error", False, f"{len(found)} objects")
    world.faults()


def values(exchange, everything):
    for item in everything:
        for name, value in item.items():
            typed(item, name, value)
    holds(f"{len(everything)} mailboxes have values of the types they name", True, None)
    missing = {name for item in everything for name in ALWAYS if name not in item}
    same("what is always present is present", set(), missing)
    for item in everything:
        uuid.UUID(item["Guid"])
        date(item["WhenChangedUTC"])
        for name in SIZES:
            size(name, item[name])
    holds("GUIDs, dates and sizes can be read", True, None)
    one = everything[0]
    same(
        "a GUID has its type twice", ("System.Guid", "#Guid"), (one.get("Guid@data.type"), one.get("Guid@odata.type"))
    )
    same("a date has its type", "System.DateTime", one.get("WhenChangedUTC@data.type"))
    same("a list has its type", "#Collection(String)", one.get("EmailAddresses@odata.type"))
    span = one["RetainDeletedItemsFor"]
    holds("a time span is days and a clock", re.fullmatch(r"(\d+\.)?\d\d:\d\d:\d\d", span), span)
    limits = {item["RecipientLimits"] for item in everything}
    holds("a number that may be Unlimited is a text", all(isinstance(limit, str) for limit in limits), limits)
    addresses = [address for item in everything for address in item["EmailAddresses"]]
    holds(
        "one address of each mailbox is primary",
        sum(address.startswith("SMTP:") for address in addresses) == len(everything),
        addresses[:4],
    )

    target = one["PrimarySmtpAddress"]
    routed = exchange.headers(X_AnchorMailbox=f"SMTP:{target}", parameter_based_routing="true")
    body = {"CmdletInput": {"CmdletName": "Get-MailboxStatistics", "Parameters": {"Identity": target}}}
    answer = exchange.post(f"{exchange.api}/InvokeCommand", body, routed)
    same("statistics are routed to the mailbox they are of", 200, answer.status)
    statistics = answer.json["value"][0]
    holds(
        "a count is a number with its type",
        isinstance(statistics["ItemCount"], int)
        and re.fullmatch(r"System\.U?Int(16|32|64)", statistics.get("ItemCount@data.type", "")),
        json.dumps(statistics)[:400],
    )
    size("TotalItemSize", statistics["TotalItemSize"])
    holds("a size of statistics can be read", True, None)


def typed(item, name, value):
    """An annotation belongs to a property; a type is not named for what JSON says itself."""
    if "@" in name:
        plain = name.split("@")[0]
        holds_quietly(name, plain in item, "an annotation of nothing")
        return
    kind = item.get(f"{name}@data.type")
    if value is None or isinstance(value, bool):
        holds_quietly(name, kind is None, f"{value!r} has the type {kind}")
    elif isinstance(value, int):
        holds_quietly(name, kind is not None, f"{value!r} has no type")
    elif kind == "System.Guid":
        uuid.UUID(value)
    elif kind == "System.DateTime":
        date(value)
    elif isinstance(value, list) and value and all(isinstance(entry, str) for entry in value):
        same_type = item.get(f"{name}@odata.type")
        holds_quietly(name, same_type == "#Collection(String)", f"{value!r} has the type {same_type}")


def holds_quietly(name, condition, saw):
    if not condition:
        holds(f"the property {name} is typed as the reference says", False, saw)


def date(text):
    """Both forms: `2022-09-21T08:07:47.0000000+00:00` and `…Z`."""
    parts = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?", text)
    holds_quietly("of a date", parts, text)
    return datetime.datetime.fromisoformat(parts.group(1))


def size(name, text):
    """Bytes of `99 GB (106,300,440,576 bytes)`, which must be what the words before them say."""
    if text == "Unlimited":
        return
    parts = re.fullmatch(r"([\d.]+) ([KMGT]?B) \(([\d,]+) bytes\)", text)
    holds_quietly(name, parts, text)
    exact, said = int(parts.group(3).replace(",", "")), float(parts.group(1)) * UNITS[parts.group(2)]
    holds_quietly(name, abs(exact - said) <= max(said * 0.01, UNITS[parts.group(2)] * 0.005 + 1), text)
