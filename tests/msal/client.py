"""Microsoft's library for Python signs in to the emulator in every way it has.

    python client.py

Addresses and files come by the environment. Prints a line for each check; the last line is "all checks passed".
Each check has an application of its own, because the library keeps tokens and refusals.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path

import jwt
import msal
import requests

warnings.simplefilter("ignore")

LOGIN = os.environ["LOGIN_ENDPOINT"]
EXCHANGE = os.environ["EXCHANGE_ENDPOINT"]
CA = os.environ["CA_FILE"]
FOLDER = Path(os.environ["FOLDER"])
SECRET = os.environ["CLIENT_SECRET"]
PASSWORD = os.environ["USER_PASSWORD"]
TENANT = "contoso.onmicrosoft.com"
ADMIN = f"admin@{TENANT}"
CLIENT = "11111111-2222-3333-4444-555555555555"
EXO = ["https://outlook.office365.com/.default"]
SCC = ["https://ps.compliance.protection.outlook.com/.default"]

failed = []


def check(name, good, seen=None):
    print(("ok      " if good else "FAILED  ") + name, "" if good else f": {seen}")
    if not good:
        failed.append(name)


def is_token(name, answer):
    check(name, isinstance(answer, dict) and "access_token" in answer, answer)
    return answer


def is_refused(name, answer, error, code):
    good = answer.get("error") == error and answer.get("error_codes") == [code]
    check(f"{name}: {error} {code}", good and f"AADSTS{code}" in answer["error_description"], answer)


class Ports(requests.Session):
    """The library forgets the authority's port when it asks for the user realm; this puts it back."""

    def __init__(self):
        super().__init__()
        self.verify = CA
        self.trust_env = False
        self.asked = []

    def request(self, method, url, **more):
        if url.startswith("https://127.0.0.1/"):
            url = LOGIN + url.removeprefix("https://127.0.0.1")
        self.asked.append(url)
        return super().request(method, url, **more)


def application(kind, tenant=TENANT, client=CLIENT, http=None, **more):
    return kind(
        client, authority=f"{LOGIN}/{tenant}", http_client=http or Ports(), instance_discovery=False, **more
    )


def confidential(credential, **more):
    return application(msal.ConfidentialClientApplication, client_credential=credential, **more)


def public(**more):
    return application(msal.PublicClientApplication, **more)


def control(path, body):
    answer = requests.post(f"{LOGIN}/_emulator/{path}", data=body, verify=CA, timeout=20)
    assert answer.ok, (path, answer.status_code, answer.text)


def certificate(name, **more):
    return {"private_key": (FOLDER / f"{name}.key").read_text(), **more}


def applications():
    token = is_token("client secret", confidential(SECRET).acquire_token_for_client(EXO))
    body = {"CmdletInput": {"CmdletName": "Get-OrganizationConfig", "Parameters": {}}}
    answer = requests.post(
        f"{EXCHANGE}/adminapi/beta/{TENANT}/InvokeCommand",
        json=body,
        headers={"Authorization": "Bearer " + token["access_token"]},
        verify=CA,
        timeout=20,
    )
    check("the token opens Exchange Online", answer.status_code == 200, answer.text)
    wrong = confidential("wrong").acquire_token_for_client(EXO)
    is_refused("a wrong secret", wrong, "invalid_client", 7000215)
    is_refused(
        "an application at /common",
        confidential(SECRET, tenant="common").acquire_token_for_client(EXO),
        "invalid_request",
        9001023,
    )
    try:
        confidential(SECRET, tenant="nobody.example")
        check("an unknown tenant", False, "it was found")
    except ValueError as error:
        check("an unknown tenant is a ValueError", "Unable to get authority configuration" in str(error), error)

    public_certificate = (FOLDER / "own.pem").read_text()
    thumbprint = (FOLDER / "own.sha1").read_text()
    ps256 = certificate("own", public_certificate=public_certificate)
    is_token("certificate, PS256 with x5t#S256", confidential(ps256).acquire_token_for_client(EXO))
    rs256 = certificate("own", thumbprint=thumbprint)
    is_token("certificate, RS256 with x5t", confidential(rs256).acquire_token_for_client(EXO))
    chain = certificate("own", thumbprint=thumbprint, public_certificate=public_certificate)
    is_token("certificate, RS256 with x5t and x5c", confidential(chain).acquire_token_for_client(EXO))
    foreign = certificate("foreign", public_certificate=(FOLDER / "foreign.pem").read_text())
    answer = confidential(foreign).acquire_token_for_client(EXO)
    is_refused("a certificate that nobody registered", answer, "invalid_client", 700027)
    answer = confidential(certificate("foreign", thumbprint=thumbprint)).acquire_token_for_client(EXO)
    is_refused("another key under a registered thumbprint", answer, "invalid_client", 700027)
    control("certificates", (FOLDER / "foreign.pem").read_bytes())
    is_token("a certificate registered meanwhile", confidential(foreign).acquire_token_for_client(EXO))

    def federated(**changed):
        now = int(time.time())
        claims = {
            "iss": "https://oidc.cluster.example/",
            "sub": "system:serviceaccount:jobs:exorun",
            "aud": "api://AzureADTokenExchange",
            "nbf": now,
            "exp": now + 600,
            **changed,
        }
        assertion = jwt.encode(claims, (FOLDER / "own.key").read_text(), "RS256", headers={"kid": "cluster"})
        return confidential({"client_assertion": assertion}).acquire_token_for_client(EXO)

    is_token("workload identity federation", federated())
    is_refused("another issuer", federated(iss="https://other.example/"), "invalid_client", 700211)
    is_refused("another subject", federated(sub="system:other"), "invalid_client", 700213)


def device_codes():
    app = public()
    flow = app.initiate_device_flow(EXO)
    check("a device code says where to go", flow.get("verification_uri") in flow.get("message", ""), flow)
    # One poll finds it pending, and the library waits for the interval before the next.
    polled = app.acquire_token_by_device_flow(flow, exit_condition=lambda flow: True)
    is_refused("a device code before its approval", polled, "authorization_pending", 70016)
    time.sleep(flow["interval"])
    control(f"device/{flow['user_code']}", "approve")
    token = is_token("a device code after its approval", app.acquire_token_by_device_flow(flow))
    check("its ID token names the person", token["id_token_claims"]["preferred_username"] == ADMIN, token)
    keys = requests.get(f"{LOGIN}/common/discovery/v2.0/keys", verify=CA, timeout=20).json()
    key = jwt.PyJWK(keys["keys"][0])
    issuer = requests.get(f"{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration", verify=CA, timeout=20)
    jwt.decode(token["id_token"], key.key, ["ES256"], audience=CLIENT, issuer=issuer.json()["issuer"])
    check("its ID token is signed by the published key and the published issuer", True)

    [account] = app.get_accounts(ADMIN)
    silent = app.acquire_token_silent(EXO, account)
    check("a silent token comes from the cache", silent["access_token"] == token["access_token"], silent)
    renewed = is_token("a silent refresh", app.acquire_token_silent(EXO, account, force_refresh=True))
    check("a refreshed token is another", renewed["access_token"] != token["access_token"])
    other = is_token("a silent token for Security & Compliance", app.acquire_token_silent(SCC, account))
    audience = jwt.decode(other["access_token"], options={"verify_signature": False})["aud"]
    check("it is for Security & Compliance", SCC[0].startswith(audience), audience)
    control("signin-trouble", f"{ADMIN}=AADSTS50173")
    revoked = app.acquire_token_silent_with_error(EXO, account, force_refresh=True)
    is_refused("a revoked refresh token", revoked, "invalid_grant", 50173)
    control("signin-trouble", f"{ADMIN}=none")

    def finished(answer=None, **changed):
        app = public()
        flow = app.initiate_device_flow(EXO)
        if answer:
            control(f"device/{flow['user_code']}", answer)
        return app.acquire_token_by_device_flow({**flow, **changed})

    is_refused("a declined device code", finished("decline"), "authorization_declined", 65004)
    unknown = finished(device_code="made-up")
    is_refused("a device code that nobody was given", unknown, "bad_verification_code", 70018)
    control("signin-trouble", f"{ADMIN}=AADSTS53003")
    is_refused("an approval that a policy blocks", finished("approve"), "invalid_grant", 53003)
    control("signin-trouble", f"{ADMIN}=none")
    app = public()
    flow = app.initiate_device_flow(EXO)
    time.sleep(flow["expires_in"] + 1)
    late = app.acquire_token_by_device_flow({**flow, "expires_at": time.time() + 60})
    is_refused("an expired device code", late, "expired_token", 70019)


def passwords():
    def by_password(user=ADMIN, password=PASSWORD, **more):
        return public(**more).acquire_token_by_username_password(user, password, EXO)

    http = Ports()
    is_token("user name and password", by_password(http=http))
    check("the user realm was asked for", any("/common/userrealm/" in url for url in http.asked), http.asked)
    is_refused("a wrong password", by_password(password="wrong"), "invalid_grant", 50126)
    is_refused("an unknown person", by_password(f"nobody@{TENANT}"), "invalid_grant", 50034)
    is_refused("a password at /common", by_password(tenant="common"), "invalid_request", 9001023)
    for code in [50076, 50053, 53003]:
        control("signin-trouble", f"{ADMIN}=AADSTS{code}")
        is_refused("a person with trouble", by_password(), "invalid_grant", code)
    control("signin-trouble", f"{ADMIN}=none")


def codes():
    app = public()
    redirect = "http://localhost:41234"

    def answer(flow):
        location = requests.get(flow["auth_uri"], verify=CA, timeout=20, allow_redirects=False).headers["location"]
        query = requests.utils.urlparse(location).query
        return dict(part.split("=", 1) for part in requests.utils.unquote(query).split("&"))

    flow = app.initiate_auth_code_flow(EXO, redirect_uri=redirect, login_hint=ADMIN)
    back = answer(flow)
    is_token("an authorization code with PKCE and nonce", app.acquire_token_by_auth_code_flow(flow, back))
    again = app.acquire_token_by_auth_code_flow(flow, back)
    is_refused("an authorization code that was used", again, "invalid_grant", 54005)
    flow = app.initiate_auth_code_flow(EXO, redirect_uri=redirect)
    wrong = app.acquire_token_by_auth_code_flow({**flow, "code_verifier": "x" * 43}, answer(flow))
    is_refused("a wrong verifier", wrong, "invalid_grant", 501481)


def managed_identities():
    settings = dict(line.split("=", 1) for line in (FOLDER / "out/managed-identity.env").read_text().split())
    resource = "https://outlook.office365.com/"

    def token(identity=None):
        client = msal.ManagedIdentityClient(identity or msal.SystemAssignedManagedIdentity(), http_client=Ports())
        return client.acquire_token_for_client(resource=resource)

    os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = settings["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
    is_token("the managed identity of a machine", token())
    nobody = token(msal.UserAssignedManagedIdentity(client_id=CLIENT))
    check("an identity that is not assigned", nobody.get("error") == "invalid_request", nobody)
    os.environ["IDENTITY_ENDPOINT"] = settings["IDENTITY_ENDPOINT"]
    os.environ["IDENTITY_HEADER"] = settings["IDENTITY_HEADER"]
    is_token("the managed identity of App Service", token())
    os.environ["IDENTITY_HEADER"] = "wrong"
    check("App Service with a wrong header", "403" in token().get("error_description", ""))


for part in [applications, device_codes, passwords, codes, managed_identities]:
    part()
if failed:
    sys.exit(f"{len(failed)} checks failed: " + json.dumps(failed))
print("all checks passed")
