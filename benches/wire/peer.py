"""The peer of benches/wire.sh: what its jobs do, as a script with `requests` would do it.

    peer.py calls FOLDER TENANT           1,000 calls, one after the other, on one connection; prints their seconds
    peer.py five|full FOLDER TENANT FILE  all mailboxes, page by page, each one line of FILE

FOLDER is that of `exorun emulate --out`.
"""

import json
import pathlib
import sys
import time
import uuid

import requests

CLIENT_ID = "11111111-2222-3333-4444-555555555555"
FIVE = ("Identity", "DisplayName", "PrimarySmtpAddress", "RecipientTypeDetails", "EmailAddresses")


def signed_in(folder, tenant):
    """A session with a token, and the address of InvokeCommand."""
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
    return web, f"{exchange}/adminapi/beta/{tenant}/InvokeCommand"


def pages(web, url, cmdlet, parameters):
    """The items of each page."""
    body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
    while url:
        answer = web.post(url, json=body)
        answer.raise_for_status()
        page = answer.json()
        yield page["value"]
        url = page.get("@odata.nextLink")


def calls(web, api):
    select = "?$select=ExternalDirectoryObjectId"
    (mailboxes,) = pages(web, api + select, "Get-Mailbox", {"ResultSize": 1000})
    select = "?$select=Identity,MAPIEnabled,ImapEnabled"
    began = time.monotonic()
    seen = 0
    for mailbox in mailboxes:
        parameters = {"Identity": mailbox["ExternalDirectoryObjectId"]}
        for page in pages(web, api + select, "Get-CASMailbox", parameters):
            seen += len(page)
    print(f"{seen} {time.monotonic() - began:.3f}")


def listing(web, api, names, path):
    """Only one page is held at a time. Annotations (`X@data.type`) are left out."""
    if names:
        api += "?$select=" + ",".join(names)
    with open(path, "w", encoding="utf-8") as file:
        for page in pages(web, api, "Get-Mailbox", {"ResultSize": "Unlimited"}):
            for item in page:
                kept = {name: item[name] for name in names or item if "@" not in name}
                line = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
                file.write(line + "\n")


def main(what, folder, tenant, *path):
    web, api = signed_in(pathlib.Path(folder), tenant)
    if what == "calls":
        calls(web, api)
    else:
        listing(web, api, FIVE if what == "five" else (), *path)


main(*sys.argv[1:])
