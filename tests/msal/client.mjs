// Microsoft's library for Node signs in to the emulator in every way it has.
//
//   node client.mjs FOLDER_OF_NODE_MODULES
//
// Addresses and files come by the environment. Prints a line for each check; the last line is "all checks passed".
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.argv[2] + "/");
const msal = require("@azure/msal-node");
const {
  LOGIN_ENDPOINT: login,
  FOLDER: folder,
  CLIENT_SECRET: secret,
  USER_PASSWORD: password,
} = process.env;

const tenant = "contoso.onmicrosoft.com";
const admin = `admin@${tenant}`;
const clientId = "11111111-2222-3333-4444-555555555555";
const exo = ["https://outlook.office365.com/.default"];
const scc = ["https://ps.compliance.protection.outlook.com/.default"];
const failed = [];

function check(name, good, seen) {
  console.log(`${good ? "ok      " : "FAILED  "}${name}${good ? "" : `: ${seen}`}`);
  if (!good) failed.push(name);
}

async function isToken(name, asked) {
  try {
    const answer = await asked;
    check(name, typeof answer?.accessToken === "string" && answer.accessToken !== "", JSON.stringify(answer));
    return answer;
  } catch (error) {
    check(name, false, error);
    return undefined;
  }
}

async function isRefused(name, asked, ...said) {
  try {
    check(name, false, JSON.stringify(await asked));
  } catch (error) {
    const text = `${error.errorCode} ${error.subError} ${error.errorMessage} ${error.message}`;
    check(`${name}: ${said.join(" ")}`, said.every((part) => text.includes(part)), text);
  }
}

const file = (name) => readFileSync(`${folder}/${name}`, "utf8");
const auth = (more = {}) => {
  const { at = tenant, ...rest } = more;
  return { auth: { clientId, authority: `${login}/${at}`, knownAuthorities: [new URL(login).host], ...rest } };
};
const confidential = (more) => new msal.ConfidentialClientApplication(auth(more));
const app = (more, scopes = exo) => confidential(more).acquireTokenByClientCredential({ scopes });
const persons = () => new msal.PublicClientApplication(auth());

async function control(path, body) {
  const answer = await fetch(`${login}/_emulator/${path}`, { method: "POST", body });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

async function applications() {
  await isToken("client secret", app({ clientSecret: secret }));
  await isRefused("a wrong secret", app({ clientSecret: "wrong" }), "invalid_client", "7000215");
  await isRefused("an unknown tenant", app({ at: "nobody.example", clientSecret: secret }), "endpoints_resolution_error");
  const privateKey = file("own.key");
  const sha256 = { thumbprintSha256: file("own.sha256"), privateKey };
  const keeping = confidential({ clientCertificate: sha256 });
  await isToken(
    "certificate, PS256 with x5t#S256",
    keeping.acquireTokenByClientCredential({ scopes: exo }),
  );
  // The library sends the same assertion again while it lives.
  await isToken(
    "the same assertion for another resource",
    keeping.acquireTokenByClientCredential({ scopes: scc }),
  );
  const sha1 = { thumbprint: file("own.sha1"), privateKey };
  await isToken("certificate, RS256 with x5t", app({ clientCertificate: sha1 }));
  await isToken("certificate with x5c", app({ clientCertificate: { ...sha256, x5c: file("own.pem") } }));
  const foreign = { thumbprintSha256: file("foreign.sha256"), privateKey: file("foreign.key") };
  await isRefused("a certificate that nobody registered", app({ clientCertificate: foreign }), "invalid_client", "700027");
  const mixed = { ...sha256, privateKey: file("foreign.key") };
  await isRefused("another key under a registered thumbprint", app({ clientCertificate: mixed }), "invalid_client", "700027");
}

function deviceCode(client, answer, changed = {}) {
  let told;
  const asked = client.acquireTokenByDeviceCode({
    scopes: exo,
    deviceCodeCallback: (code) => {
      Object.assign(code, changed);
      told = answer && control(`device/${code.userCode}`, answer);
    },
  });
  return asked.finally(() => told);
}

async function people() {
  const client = persons();
  const token = await isToken("a device code", deviceCode(client, "approve"));
  check("its account is the person", token?.account?.username === admin, token?.account?.username);
  check("its account has the tenant", token?.account?.tenantId === token?.tenantId && token?.tenantId !== "", token?.tenantId);
  const account = (await client.getTokenCache().getAllAccounts())[0];
  const silent = await isToken("a silent token", client.acquireTokenSilent({ account, scopes: exo }));
  check("it comes from the cache", silent?.fromCache && silent?.accessToken === token?.accessToken, silent?.fromCache);
  const renewed = await isToken(
    "a silent refresh",
    client.acquireTokenSilent({ account, scopes: exo, forceRefresh: true }),
  );
  check("a refreshed token is another", renewed?.accessToken !== token?.accessToken, "it is the same");
  const other = await isToken("a silent token for Security & Compliance", client.acquireTokenSilent({ account, scopes: scc }));
  check("it is for Security & Compliance", JSON.parse(atob(other.accessToken.split(".")[1])).aud + "/.default" === scc[0], other);
  await control("signin-trouble", `${admin}=AADSTS50076`);
  await isRefused(
    "a refresh that wants a second factor",
    client.acquireTokenSilent({ account, scopes: exo, forceRefresh: true }),
    "AADSTS50076",
    "basic_action",
  );
  await control("signin-trouble", `${admin}=none`);
  await isRefused("a declined device code", deviceCode(persons(), "decline"), "authorization_declined");
  await isRefused("a device code that nobody was given", deviceCode(persons(), null, { deviceCode: "made-up" }), "bad_verification_code");

  const byPassword = (username, word) =>
    persons().acquireTokenByUsernamePassword({ scopes: exo, username, password: word });
  await isToken("user name and password", byPassword(admin, password));
  await isRefused("a wrong password", byPassword(admin, "wrong"), "invalid_grant", "50126");
  await isRefused("an unknown person", byPassword(`nobody@${tenant}`, password), "invalid_grant", "50034");
  await control("signin-trouble", `${admin}=AADSTS50053`);
  await isRefused("a locked person", byPassword(admin, password), "invalid_grant", "50053");
  await control("signin-trouble", `${admin}=none`);
}

async function codes() {
  const redirectUri = "http://localhost:41234";
  const { verifier, challenge } = await new msal.CryptoProvider().generatePkceCodes();
  const client = persons();
  const url = await client.getAuthCodeUrl({
    scopes: exo,
    redirectUri,
    loginHint: admin,
    codeChallenge: challenge,
    codeChallengeMethod: "S256",
  });
  const answer = await fetch(url, { redirect: "manual" });
  const code = new URL(answer.headers.get("location")).searchParams.get("code");
  const redeem = (more) =>
    persons().acquireTokenByCode({ scopes: exo, redirectUri, code, codeVerifier: verifier, ...more });
  await isRefused("a wrong verifier", redeem({ codeVerifier: challenge }), "invalid_grant", "501481");
  await isRefused("another redirect", redeem({ redirectUri: "http://localhost:1" }), "invalid_grant", "50011");
  await isToken("an authorization code with PKCE", redeem({}));
  await isRefused("an authorization code that was used", redeem({}), "invalid_grant", "54005");
  // The library listens on a port of its own, and opens what it takes for a browser.
  await isToken(
    "an interactive sign-in",
    persons().acquireTokenInteractive({
      scopes: exo,
      openBrowser: async (address) => {
        const sent = await fetch(address, { redirect: "manual" });
        await fetch(sent.headers.get("location"));
      },
    }),
  );
}

async function managedIdentities() {
  const settings = Object.fromEntries(file("out/managed-identity.env").trim().split("\n").map((line) => line.split("=")));
  process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = settings.AZURE_POD_IDENTITY_AUTHORITY_HOST;
  const resource = "https://outlook.office365.com/";
  const identity = (more = {}) => new msal.ManagedIdentityApplication(more);
  await isToken("the managed identity of a machine", identity().acquireToken({ resource }));
  await isRefused(
    "an identity that is not assigned",
    identity({ managedIdentityIdParams: { userAssignedClientId: clientId } }).acquireToken({ resource }),
    "invalid_request",
  );
  Object.assign(process.env, settings);
  await isToken("the managed identity of App Service", identity().acquireToken({ resource }));
}

for (const part of [applications, people, codes, managedIdentities]) await part();
if (failed.length > 0) {
  console.log(`${failed.length} checks failed`);
  process.exit(1);
}
console.log("all checks passed");
