"""Judges captured requests by the protocol reference: python3 check.py SCHEMA REQUESTS

REQUESTS holds one JSON object a line: service (exo or scc), call (which call it belongs to), method, target,
headers (names in lower case), body. What one request alone shows is in the schema; what hangs together is here.
Every problem is a line on standard output; the exit code is 1 if there is one.
"""

import json
import re
import sys

import jsonschema

TABLES = "#Collection(Exchange.GenericHashTable)"
BYTES = "#Collection(Exchange.ByteArrayType)"
# Cmdlets whose switch UseCustomRouting is listed in 3.3.
ROUTED = {
    "Get-InboxRule", "Get-MailboxAutoReplyConfiguration", "Get-MailboxCalendarFolder", "Get-MailboxFolderPermission",
    "Get-MailboxFolderStatistics", "Get-MailboxMessageConfiguration", "Get-MailboxPermission",
    "Get-MailboxRegionalConfiguration", "Set-MailboxRegionalConfiguration", "Get-MailboxStatistics",
    "Get-MobileDeviceStatistics", "Remove-CalendarEvents", "Get-Clutter", "Set-Clutter", "Get-FocusedInbox",
    "Set-FocusedInbox",
}
# Parameters of 3.9 that change from page to page, by cmdlet.
PAGED = {
    "Get-QuarantineMessage": {"Page"},
    "Get-MessageTrace": {"Page"},
    "Get-MessageTraceV2": {"StartingRecipientAddress", "EndDate", "ResultSize"},
    "Get-InboxRule": {"SkipCount"},
    "Get-MailboxFolderPermission": {"SkipCount"},
}


def members(table, depth):
    """Annotations beside lists, tags in tables, and the depth, of a body's object and all below it."""
    if depth > 10:
        yield "nested deeper than 10 levels"
    for name, value in table.items():
        if name.endswith("@odata.type") and name != "@odata.type":
            if not isinstance(table.get(name[: -len("@odata.type")]), list):
                yield f"{name} stands beside no list"
        elif isinstance(value, dict):
            if "@odata.type" not in value:
                yield f"{name} is an object without a type"
            yield from members(value, depth + 1)
        elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
            said = table.get(f"{name}@odata.type")
            if said not in (TABLES, BYTES):
                yield f"{name} is a list of objects without {name}@odata.type"
            for entry in value:
                if not isinstance(entry, dict):
                    yield f"{name} mixes objects and others"
                elif said == BYTES and (set(entry) - {"@odata.type"} != {"Data"} or not is_bytes(entry["Data"])):
                    yield f"{name} holds what is no byte array"
                elif said == TABLES:
                    yield from members(entry, depth + 2)


def is_bytes(data):
    return isinstance(data, list) and all(type(byte) is int and 0 <= byte <= 255 for byte in data)


def together(request):
    """What hangs together within one request."""
    headers = request["headers"]
    if request["method"] == "GET":
        return
    if "requests" in request["body"]:
        yield from batch(request)
        return
    cmdlet, parameters = (request["body"]["CmdletInput"][key] for key in ("CmdletName", "Parameters"))
    yield from members(parameters, 3)
    if headers.get("x-cmdletname", cmdlet) != cmdlet:
        yield "X-CmdletName names another cmdlet"
    anchor = headers.get("x-anchormailbox", "")
    is_routed = anchor.startswith(("SMTP:", "MBX:"))
    if is_routed != ("parameter-based-routing" in headers):
        yield "parameter-based-routing goes with the anchor of a mailbox, and only with it"
    if is_routed and cmdlet not in ROUTED:
        yield f"{cmdlet} has no UseCustomRouting"
    reads = cmdlet.startswith(("Get-", "Search-", "Test-"))
    if not reads and not anchor:
        yield "a write without an anchor"
    if not reads and "prefer" in headers:
        yield "a write has no pages"
    if cmdlet == "Set-AdminAuditLogConfig" and "8cc370d3-822a-4ab8-a926-bb94bd0641a9" not in anchor:
        yield "Set-AdminAuditLogConfig belongs to its arbitration mailbox"
    if request["service"] == "scc" and not re.search(r"@[a-z0-9-]+\.onmicrosoft\.(com|us)$", anchor):
        yield "Security & Compliance wants the initial domain in the anchor"
    if cmdlet.startswith("Remove-") and "Confirm" not in parameters:
        yield "a Remove cmdlet without Confirm would wait for an answer"


def batch(request):
    """What hangs together between a batch and its members. Source: 3.12."""
    ids = [member["id"] for member in request["body"]["requests"]]
    if len(set(ids)) != len(ids):
        yield "two members have one id"
    for member in request["body"]["requests"]:
        headers = {name.lower(): value for name, value in member["headers"].items()}
        if f"https://{request['headers']['host']}/" not in member["url"]:
            yield "a member goes to another host than its batch"
        for name in ("authorization", "connection-id"):
            if headers[name] != request["headers"][name]:
                yield f"a member has another {name} than its batch"
        cmdlet = member["body"]["CmdletInput"]["CmdletName"]
        if not cmdlet.startswith(("Get-", "Search-", "Test-")):
            yield f"{cmdlet} writes, and a batch that is lost says nothing of its members"
        if cmdlet in ROUTED:
            yield f"{cmdlet} goes to a mailbox's own server"
        yield from together({**member, "headers": headers, "service": request["service"]})


def follow(first, next_one):
    """What a later request of the same call keeps of the first."""
    if "POST" not in (first["method"], next_one["method"]) or first["method"] != next_one["method"]:
        return
    cmdlet = first["body"]["CmdletInput"]["CmdletName"]
    for name in ("client-request-id", "connection-id", "authorization"):
        if first["headers"].get(name) != next_one["headers"].get(name):
            yield f"a further page with another {name}"
    is_other_route = "parameter-based-routing" in next_one["headers"]
    if first["headers"].get("x-anchormailbox") != next_one["headers"].get("x-anchormailbox") and not is_other_route:
        yield "a further page with another anchor"
    if "cookie" not in next_one["headers"]:
        yield "a further page without the cookie that was set"
    changed = PAGED.get(cmdlet, set())
    plain = [
        {name: value for name, value in request["body"]["CmdletInput"]["Parameters"].items() if name not in changed}
        for request in (first, next_one)
    ]
    if plain[0] != plain[1]:
        yield "a further page with another body"


def main(schema_file, requests_file):
    with open(schema_file, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    problems, first_of = [], {}
    with open(requests_file, encoding="utf-8") as file:
        requests = [json.loads(line) for line in file]
    for number, request in enumerate(requests, 1):
        found = [error.message[:300] for error in validator.iter_errors(request)]
        if not found:
            found.extend(together(request))
            first = first_of.setdefault(request["call"], request)
            if first is not request:
                found.extend(follow(first, request))
        problems.extend(f"request {number} ({request['call']}): {problem}" for problem in found)
    print("\n".join(problems) if problems else f"{len(requests)} requests are in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
