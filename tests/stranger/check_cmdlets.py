"""Sign-in, cmdlets, errors, edits, Confirm and WhatIf."""

import time

import client
import wire
from check import holds, same

PATIENCE = 10


def run(world):
    sign_in(world)
    exchange = world.exchange()
    requests_and_answers(exchange)
    errors(exchange)
    edits(exchange)
    confirmation(exchange)
    hiccups(world, exchange)
    challenge(world, exchange)


def sign_in(world):
    wrong = client.ask_token(world.connection, world.tenant_id, wire.EXCHANGE, "wrong")
    said = wrong.json
    same(
        "a wrong secret is 401 invalid_client 7000215",
        (401, "invalid_client", [7000215]),
        (wrong.status, said["error"], said["error_codes"]),
    )
    holds("with the code in its description", said["error_description"].startswith("AADSTS7000215: "), said)
    holds("and ids to ask support with", said["trace_id"] and said["correlation_id"] and said["timestamp"], said)
    right = client.ask_token(world.connection, world.tenant_id, wire.EXCHANGE, world.secret)
    said = right.json
    same("the right secret gets a bearer token", (200, "Bearer"), (right.status, said["token_type"]))
    holds(
        "that lives for seconds, as a number",
        isinstance(said["expires_in"], int) and said["expires_in"] > 0,
        said["expires_in"],
    )
    holds("without a refresh token", "refresh_token" not in said, list(said))
    claims = client.claims(said["access_token"])
    same(
        "it is for Exchange, this tenant and its application",
        (wire.EXCHANGE, world.tenant_id, client.APPLICATION, ["Exchange.ManageAsApp"]),
        (claims["aud"], claims["tid"], claims["appid"], claims["roles"]),
    )


def requests_and_answers(exchange):
    answer = exchange.invoke("Get-OrganizationConfig")
    same("a cmdlet is answered", 200, answer.status)
    kind = answer.headers["Content-Type"].replace(" ", "").lower()
    holds("with OData's content type", kind.startswith("application/json;odata.metadata=minimal"), kind)
    same("of OData 4.0", "4.0", answer.headers.get("OData-Version"))
    holds("and a Request-Id", answer.headers.get("Request-Id"), dict(answer.headers))
    context = answer.json["@odata.context"]
    same(
        "the context echoes the host that was used",
        f"{exchange.api}/$metadata#Collection(Exchange.GenericHashTable)".lower(),
        context.lower(),
    )
    same("warnings are a list", [], answer.json["@adminapi.warnings"])
    body = {"CmdletInput": {"CmdletName": "Get-AcceptedDomain", "Parameters": {}}}
    for path in ("AdminApi/beta", "adminapi/v1.0"):
        url = f"{exchange.base}/{path}/{exchange.tenant_id}/InvokeCommand"
        same(f"/{path} is the same door", 200, exchange.post(url, body, exchange.headers()).status)
    bare = {name: exchange.headers()[name] for name in ("Authorization", "X-AnchorMailbox")}
    same("no other header is needed", 200, exchange.post(f"{exchange.api}/InvokeCommand", body, bare).status)
    missing = exchange.post(f"{exchange.api}/InvokeCommand", body, {"X-AnchorMailbox": exchange.anchor})
    same("without a token it is 401", 401, missing.status)
    holds(
        "with a Bearer challenge",
        missing.headers.get("WWW-Authenticate", "").startswith("Bearer"),
        dict(missing.headers),
    )
    body["CmdletInput"]["Parameters"] = None
    same(
        "parameters that are null are refused",
        400,
        exchange.post(f"{exchange.api}/InvokeCommand", body, exchange.headers()).status,
    )


def errors(exchange):
    answer = exchange.invoke("Get-Mailbox", {"Identity": "nobody@contoso.example"})
    same("an unknown identity is 404 NotFound", (404, "NotFound"), (answer.status, answer.json["error"]["code"]))
    text = client.error_text(answer)
    number, kind, words = text.split("|", 2)
    holds(
        "its text is id, exception and words",
        number.startswith("Ex") and kind.endswith(".ManagementObjectNotFoundException"),
        text,
    )
    holds(
        "the words name what was not found",
        "'nobody@contoso.example'" in words and "couldn't be found" in words,
        words,
    )
    holds(
        "while error.message says nothing",
        answer.json["error"]["message"] not in text,
        answer.json["error"]["message"],
    )

    answer = exchange.invoke("Get-Mailbox", {"Identty": "x"})
    same("an unknown parameter is 400 BadRequest", (400, "BadRequest"), (answer.status, answer.json["error"]["code"]))
    text = client.error_text(answer)
    holds(
        "an ambiguous parameter set that names it",
        "AmbiguousParameterSetException|Parameter set cannot be resolved" in text and "Identty" in text,
        text,
    )

    answer = exchange.invoke(
        "Set-Mailbox", {"Identity": any_mailbox(exchange)["Guid"], "Type": "Bureau", "Confirm": False}
    )
    error = answer.json["error"]
    same("an unknown word of an enumeration is 400 BadRequest", (400, "BadRequest"), (answer.status, error["code"]))
    outside = str({name: value for name, value in error.items() if name != "innererror"})
    inner = error["innererror"]["internalexception"]
    holds(
        "its exception is only in the inner one",
        "ParameterTransformationException" in str(inner) and "ParameterTransformationException" not in outside,
        error,
    )
    holds(
        "its text lists the words there are",
        all(word in client.error_text(answer) for word in ("Regular", "Shared", "Room")),
        client.error_text(answer),
    )

    for cmdlet in ("Get-Nonsense", "Invoke-Everything"):
        answer = exchange.invoke(cmdlet)
        same(f"the unknown cmdlet {cmdlet} is 403", 403, answer.status)
        holds("with a body that says nothing", answer.json is None, answer)
    answer = exchange.invoke("Get-TransportConfig", {"Confirm": False})
    same("Confirm is unknown to a cmdlet that changes nothing", 400, answer.status)


def any_mailbox(exchange):
    return exchange.read("Get-Mailbox", {"RecipientTypeDetails": ["UserMailbox"], "ResultSize": "1"})[0]


def written(exchange, cmdlet, parameters):
    """Writes, and returns the answer of a write that worked."""
    answer = exchange.invoke(cmdlet, {**parameters, "Confirm": False})
    if answer.status != 200 or answer.json.get("@adminapi.errors"):
        raise client.Refused(answer)
    return answer.json


def read_until(read, wanted):
    """Reads until `wanted` is to be seen: a read after a write may meet another domain controller (3.12)."""
    until = time.monotonic() + PATIENCE
    while (found := read()) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    return found


def edits(exchange):
    mailbox = any_mailbox(exchange)
    identity = {"Identity": mailbox["Guid"]}
    original = sorted(mailbox["EmailAddresses"])
    name = mailbox["PrimarySmtpAddress"].split("@")
    extra = [f"smtp:{name[0]}.{number}@{name[1]}" for number in (1, 2, 3)]

    def addresses():
        return sorted(exchange.read("Get-Mailbox", identity)[0]["EmailAddresses"])

    said = written(exchange, "Set-Mailbox", {**identity, "EmailAddresses": client.hashtable(add=extra[:2])})
    same(
        "adding two addresses returns no objects and no warning",
        ([], []),
        (said["value"], said["@adminapi.warnings"]),
    )
    wanted = sorted(original + extra[:2])
    same("both are read back, the others are untouched", wanted, read_until(addresses, wanted))
    edit = client.hashtable(Remove=extra[0], Add=[extra[2]])
    written(exchange, "Set-Mailbox", {**identity, "EmailAddresses": edit})
    wanted = sorted(original + extra[1:])
    same(
        "add and remove in one edit, whatever the keys' case, one value without a list",
        wanted,
        read_until(addresses, wanted),
    )
    written(exchange, "Set-Mailbox", {**identity, "EmailAddresses": original})
    same("a plain list replaces them all", original, read_until(addresses, original))
    written(exchange, "Set-Mailbox", {**identity, "CustomAttribute1": "by a stranger"})
    warnings = written(exchange, "Set-Mailbox", {**identity, "CustomAttribute1": "by a stranger"})[
        "@adminapi.warnings"
    ]
    holds(
        "the same again is a warning that nothing was modified",
        any("no settings of" in warning for warning in warnings),
        warnings,
    )
    written(exchange, "Set-Mailbox", {**identity, "CustomAttribute1": None})

    def attribute():
        return exchange.read("Get-Mailbox", identity)[0]["CustomAttribute1"]

    same("null clears a scalar", "", read_until(attribute, ""))


def confirmation(exchange):
    identity = {"Identity": any_mailbox(exchange)["Guid"]}

    def state():
        return exchange.read("Get-CASMailbox", identity)[0]["PopEnabled"]

    before = state()
    change = {**identity, "PopEnabled": not before}
    for switch in ("WhatIf", "Confirm"):
        answer = exchange.invoke("Set-CASMailbox", {**change, switch: True})
        same(f"{switch} is answered", 200, answer.status)
        message = answer.json.get("@adminapi.confirmationmessage")
        holds("with a message to confirm", isinstance(message, str) and message, answer)
        same("and changes nothing", before, state())
    written(exchange, "Set-CASMailbox", change)
    same("without a question it is done", not before, read_until(state, not before))


def hiccups(world, exchange):
    for fault, seconds in (
        ("429:count=1:retry_after=0.7", 0.7),
        ("503:count=2", 0),
        ("504:count=1", 0),
        ("500:exception=DCOverloadedException:count=1", 0),
    ):
        world.faults(fault)
        began, sent = time.monotonic(), exchange.requests
        exchange.read("Get-AcceptedDomain")
        holds(
            f"{fault} is repeated",
            exchange.requests - sent > 1 and time.monotonic() - began >= seconds,
            exchange.requests - sent,
        )
    world.faults("429:count=1:retry_after=0.3")
    answer = exchange.connection.send(
        "POST",
        f"{exchange.api}/InvokeCommand",
        headers=exchange.headers(),
        body={"CmdletInput": {"CmdletName": "Get-AcceptedDomain", "Parameters": {}}},
    )
    holds(
        "throttling speaks plain text",
        answer.status == 429 and answer.headers["Content-Type"].startswith("text/plain") and answer.json is None,
        answer,
    )
    world.faults("html502:count=1")
    exchange.read("Get-AcceptedDomain")
    world.faults("errors:text=half of it:count=1")
    answer = exchange.invoke("Get-AcceptedDomain")
    same(
        "errors beside a good status are told apart",
        (200, ["half of it"]),
        (answer.status, answer.json.get("@adminapi.errors")),
    )
    world.faults()


def challenge(world, exchange):
    """A token is refused until one comes that was asked for with the claims of the refusal (2.11)."""
    world.faults("cae")
    answer = exchange.invoke("Get-AcceptedDomain")
    wanted = client.claims_challenge(answer)
    holds(
        "a challenge is 401 and says what it wants",
        answer.status == 401 and "access_token" in wanted,
        dict(answer.headers),
    )
    same("the same token is refused again", 401, exchange.invoke("Get-AcceptedDomain").status)
    answer = client.ask_token(world.connection, world.tenant_id, wire.EXCHANGE, world.secret, wanted)
    exchange.token = answer.json["access_token"]
    same("a token for these claims is taken", 200, exchange.invoke("Get-AcceptedDomain").status)
    world.faults()
