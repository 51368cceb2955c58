"""Up to ten requests in one."""

import client
from check import holds, same


def run(world):
    exchange = world.exchange()
    names = [
        item["PrimarySmtpAddress"] for item in exchange.listing("Get-Mailbox", {"ResultSize": "Unlimited"}, 1000)
    ]
    wanted = {
        "0": ("Get-Mailbox", {"Identity": names[0]}, 200),
        "1": ("Get-Mailbox", {"Identity": "nobody@contoso.example"}, 404),
        "2": ("Get-Nonsense", {}, 403),
        "3": ("Get-Mailbox", {"Identty": names[0]}, 400),
        "4": ("Get-CASMailbox", {"Identity": names[1]}, 200),
        "5": ("Get-Mailbox", {"ResultSize": "Unlimited"}, 200),
        "6": ("Set-Mailbox", {"Identity": names[2], "CustomAttribute2": "in a batch", "Confirm": False}, 200),
        "7": ("Get-AcceptedDomain", {}, 200),
        "8": ("Get-TransportConfig", {}, 200),
        "9": ("Get-Mailbox", {"Identity": names[3]}, 200),
    }
    members = [
        exchange.member(number, cmdlet, parameters, page_size=20)
        for number, (cmdlet, parameters, _) in wanted.items()
    ]
    answer = exchange.batch(members)
    same("a batch of ten is answered 200, whatever is in it", 200, answer.status)
    responses = {response["id"]: response for response in answer.json["responses"]}
    same("every member has an answer", set(wanted), set(responses))
    same(
        "each has a status of its own",
        {number: status for number, (_, _, status) in wanted.items()},
        {number: response["status"] for number, response in responses.items()},
    )
    same("a member's objects are its own", names[3], responses["9"]["body"]["value"][0]["PrimarySmtpAddress"])
    holds("and it has headers", isinstance(responses["0"]["headers"], dict), responses["0"].get("headers"))
    error = responses["1"]["body"]["error"]
    holds(
        "a member that failed has the error of a single request",
        "ManagementObjectNotFoundException|" in error["details"][0]["message"],
        error,
    )
    written = exchange.read("Get-Mailbox", {"Identity": names[2]})[0]["CustomAttribute2"]
    same("a member that writes has written", "in a batch", written)

    page, link = responses["5"]["body"]["value"], responses["5"]["body"].get("@odata.nextLink")
    same("a member's Prefer is its own", 20, len(page))
    found = [item["PrimarySmtpAddress"] for item in page]
    while link:
        headers = exchange.headers(Prefer="odata.maxpagesize=20")
        following = exchange.post(link, members[5]["body"], headers)
        same("a member's link is followed by a plain POST", 200, following.status)
        found += [item["PrimarySmtpAddress"] for item in following.json["value"]]
        link = following.json.get("@odata.nextLink")
    same("to the whole listing", sorted(names), sorted(found))
    later = exchange.batch([dict(exchange.member(0, "Get-Mailbox", {"ResultSize": "Unlimited"}, page_size=20))]).json[
        "responses"
    ][0]
    next_page = dict(
        exchange.member(1, "Get-Mailbox", {"ResultSize": "Unlimited"}, page_size=20),
        url=later["body"]["@odata.nextLink"],
    )
    response = exchange.batch([next_page]).json["responses"][0]
    same("a link may be a member itself", (200, 20), (response["status"], len(response["body"].get("value", []))))

    orders = set()
    for _ in range(10):
        ten = [exchange.member(number, "Get-AcceptedDomain", {}) for number in range(10)]
        orders.add(tuple(response["id"] for response in exchange.batch(ten).json["responses"]))
    holds("answers come in any order", any(list(order) != sorted(order) for order in orders), orders)

    eleven = [exchange.member(number, "Get-AcceptedDomain", {}) for number in range(11)]
    answer = exchange.batch(eleven)
    holds("eleven are too many", 400 <= answer.status < 500, answer)

    world.faults("503:count=1:cmdlet=Get-CASMailbox")
    members = [
        exchange.member(0, "Get-CASMailbox", {"Identity": names[0]}),
        exchange.member(1, "Get-AcceptedDomain", {}),
    ]
    responses = {response["id"]: response for response in exchange.batch(members).json["responses"]}
    same(
        "a member can have a hiccup that its neighbour has not",
        (503, 200),
        (responses["0"]["status"], responses["1"]["status"]),
    )
    again = exchange.post(members[0]["url"], members[0]["body"], members[0]["headers"])
    same("and is repeated alone", 200, again.status)
    world.faults()
