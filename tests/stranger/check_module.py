"""What a caller may run, and parameters that travel encrypted."""

import client
from check import holds, same

# Source: protocol reference, 2.1.
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
SECRET = "Correct-Horse-1 \u2713 \u00e4"


def run(world):
    exchange = world.exchange()
    answer = exchange.module_file()
    same("the module file is answered", 200, answer.status)
    module = answer.json["value"][0]
    exported = module["exportedCmdlets"].split(",")
    holds(
        "it names the cmdlets of this caller",
        {"Get-Mailbox", "Set-Mailbox", "Get-CASMailbox"} <= set(exported),
        exported[:10],
    )
    few = exchange.module_file("Get-Mailbox,Set-CASMailbox").json["value"][0]["exportedCmdlets"]
    same("CommandName restricts them", {"Get-Mailbox", "Set-CASMailbox"}, set(few.split(",")))

    key = client.public_key(answer.json)
    same("$PublicKey has 2048 bits and the usual exponent", (2048, 65537), (key[0].bit_length(), key[1]))
    reads_only(world)
    mailbox = exchange.read("Get-Mailbox", {"RecipientTypeDetails": ["UserMailbox"], "ResultSize": "1"})[0]

    def set_password(text):
        return exchange.invoke("Set-Mailbox", {"Identity": mailbox["Guid"], "Password": text, "Confirm": False})

    same("a password under this key is taken", 200, set_password(client.encrypt(key, SECRET)).status)
    same("the same password looks different every time", 200, set_password(client.encrypt(key, SECRET)).status)
    same("what is empty stays empty", "", client.encrypt(key, ""))
    same("a password as it is is refused", 400, set_password(SECRET).status)
    foreign = (key[0] - 2, key[1])
    same("a password under another key is refused", 400, set_password(client.encrypt(foreign, SECRET)).status)
    world.control("rotate-key", "")
    newer = client.public_key(exchange.module_file().json)
    holds("the key rotates", newer != key, key)
    same("a password under the new one is taken", 200, set_password(client.encrypt(newer, SECRET)).status)
    same("and under the one before", 200, set_password(client.encrypt(key, SECRET)).status)
    same("245 bytes fit", 200, set_password(client.encrypt(key, "x" * 245)).status)
    try:
        client.encrypt(key, "x" * 246)
    except ValueError as problem:
        holds("246 do not", "too long" in str(problem), problem)
    else:
        holds("246 do not", False, "they did")


def reads_only(world):
    """The same application as a Global Reader: what it may not run is not there."""
    world.control("roles", {client.APPLICATION: ["GlobalReader"]})
    reader = world.exchange()
    same("a Global Reader's token names its role", [GLOBAL_READER], client.claims(reader.token)["wids"])
    exported = reader.module_file().json["value"][0]["exportedCmdlets"].split(",")
    holds(
        "it may run Get-Mailbox and not Set-Mailbox",
        "Get-Mailbox" in exported and "Set-Mailbox" not in exported,
        exported,
    )
    same("Get-Mailbox runs", 200, reader.invoke("Get-Mailbox", {"ResultSize": "1"}).status)
    answer = reader.invoke("Set-Mailbox", {"Identity": "anybody", "Confirm": False})
    holds("Set-Mailbox is as unknown to it as any word", answer.status == 403 and answer.json is None, answer)
