"""The peer of benches/memory.sh: the same listing and the same loop, as a script with `requests` would do it.

    peer.py FOLDER TENANT      FOLDER is that of `exorun emulate --out`

It signs in, gets all pages of the listing with the same two properties (asked for with $select), then reads one
mailbox after the other on one kept-alive connection, and prints how many it has seen.
"""

import pathlib
import sys
import uuid

import requests

CLIENT_ID = "11111111-2222-3333-4444-555555555555"


def main(folder, tenant):
    settings = dict(
        line.split(": ", 1) for line in (folder / "settings.yaml").read_text().splitlines()
    )
    login, exchange = (settings[key].strip('"') for key in ("login_endpoint", "exchange_endpoint"))
    web = requests.Session()
    web.verify = str(folder / "ca.pem")
    # An environment's proxy is no way to loopback.
    web.trust_env = False
    answer = web.post(
        f"{login}/{tenant}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": (folder / "client-secret").read_text(),
            "scope": "https://outlook.office365.com/.default",
        },
    )
    answer.raise_for_status()
    web.headers.update(
        {
            "Authorization": "Bearer " + answer.json()["access_token"],
            "X-AnchorMailbox": f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant}",
            "connection-id": str(uuid.uuid4()),
            "Prefer": "odata.maxpagesize=1000",
        }
    )
    api = f"{exchange}/adminapi/beta/{tenant}/InvokeCommand"

    def call(cmdlet, parameters, select):
        body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
        url, items = f"{api}?$select={select}", []
        while url:
            answer = web.post(url, json=body)
            answer.raise_for_status()
            page = answer.json()
            items += page["value"]
            url = page.get("@odata.nextLink")
        return items

    right = 0
    mailboxes = call("Get-Mailbox", {"ResultSize": "Unlimited"}, "ExternalDirectoryObjectId")
    for mailbox in mailboxes:
        identity = mailbox["ExternalDirectoryObjectId"]
        right += call("Get-CASMailbox", {"Identity": identity}, "Identity,MAPIEnabled")[0]["MAPIEnabled"]
    print(f"{len(mailboxes)} mailboxes, {right} as declared")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2])
