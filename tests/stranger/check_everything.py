"""Every cmdlet that the module file says this caller may run to read: what it answers, and the types of its values."""

import client
import wire
from check import holds
from check_listings import typed

# A cmdlet may want parameters that nobody here knows; it says so in a way that 3.10 knows.
WANTS_MORE = (400, 404)


def run(world):
    exchange = world.exchange()
    token = world.token(wire.COMPLIANCE)
    anchor = f"APP:{client.SYSTEM_MAILBOX}@{world.domain}"
    base = client.Regions(world.connection, wire.COMPLIANCE).of(world.tenant_id, token, anchor)
    region = client.Client(world.connection, base, world.tenant_id, token, anchor)
    for name, service in (("Exchange", exchange), ("Security & Compliance", region)):
        exported = service.module_file().json["value"][0]["exportedCmdlets"].split(",")
        reads = [cmdlet for cmdlet in exported if cmdlet.startswith("Get-")]
        answered = [cmdlet for cmdlet in reads if objects(service, cmdlet)]
        holds(f"{len(reads)} cmdlets of {name} that read answer as the reference says", reads, exported)
        holds(f"{len(answered)} of them with objects", answered, reads)


def objects(service, cmdlet):
    """How many objects a cmdlet returns; every value of theirs is looked at."""
    answer = service.invoke(cmdlet)
    if answer.status in WANTS_MORE:
        text = client.error_text(answer)
        holds_for(cmdlet, text.count("|") >= 2 or "Exception" in str(answer.json), text)
        return 0
    holds_for(cmdlet, answer.status == 200, answer)
    said = answer.json
    holds_for(cmdlet, isinstance(said["@adminapi.warnings"], list) and "@odata.context" in said, said)
    items = said.get("value") or []
    for item in items:
        for name, value in item.items():
            typed(item, name, value)
    return len(items)


def holds_for(cmdlet, condition, saw):
    if not condition:
        holds(f"{cmdlet} answers as the reference says", False, saw)
