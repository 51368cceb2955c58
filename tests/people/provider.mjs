// An authorization server that nobody here wrote: `oidc-provider`, at the addresses that Entra has.
//
//     node provider.mjs NODE_MODULES CERTIFICATE.json
//
// CERTIFICATE.json is the public key of the confidential client, as a JWK. Prints `listening ADDRESS`. Everything that
// is checked here (codes, assertions, rotation, reuse) is the library's own work; only addresses and the claims that
// make a token one of Exchange's are set.

import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, keyFile] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const TENANT = '3b0cf5d5-0d9e-4d4e-9d5e-0000000000aa';
const RESOURCE = 'https://outlook.office365.com';
const PERSON = 'navin@contoso.onmicrosoft.com';

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const base = `http://127.0.0.1:${server.address().port}`;
const mount = `/${TENANT}`;

const provider = new Provider(`${base}${mount}/v2.0`, {
  clients: [
    {
      client_id: 'fb78d390-0c51-40cd-8e17-fdbfab77341b',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: '11111111-2222-3333-4444-555555555555',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'PS256',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      jwks: { keys: [JSON.parse(readFileSync(keyFile, 'utf8'))] },
    },
  ],
  // As Entra spells them; the mount is the tenant.
  routes: {
    token: '/oauth2/v2.0/token',
    device_authorization: '/oauth2/v2.0/devicecode',
    revocation: '/oauth2/v2.0/revoke',
    code_verification: '/device',
  },
  scopes: ['openid', 'offline_access', 'profile'],
  claims: { openid: ['sub'], profile: ['preferred_username'] },
  clientAuthMethods: ['none', 'private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['PS256'] },
  features: {
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    revocation: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: `${RESOURCE}/.default`,
        audience: RESOURCE,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 3600,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: PERSON }) }),
  issueRefreshToken: (ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  // Used twice, a refresh token ends the whole grant: stricter than Entra.
  rotateRefreshToken: true,
  extraTokenClaims: (ctx, token) => (token.kind === 'ClientCredentials'
    ? { tid: TENANT, oid: 'o-app', appid: token.clientId, roles: ['Exchange.ManageAsApp'] }
    : { tid: TENANT, oid: 'o-person', appid: token.clientId, upn: PERSON, scp: 'AdminApi.AccessAsUser.All' }),
});

const answer = provider.callback();
server.on('request', (request, response) => {
  request.originalUrl = request.url;
  if (!request.url.startsWith(`${mount}/`)) {
    response.writeHead(404).end();
    return;
  }
  // Entra has the discovery document below the version.
  request.url = request.url.slice(mount.length).replace(/^\/v2\.0\/\.well-known\//, '/.well-known/');
  request.originalUrl = `${mount}${request.url}`;
  answer(request, response);
});
console.log(`listening ${base} ${TENANT}`);
