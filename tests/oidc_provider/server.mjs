// panva's oidc-provider with the clients of one test, and an API behind its tokens
// (api.mjs).
//
// The first line of the input is an object:
//   clients  in the words of RFC 7591
//   tls      optional: key and certificate (PEM) of both servers, which ask for a
//            client certificate and take any; maxVersion, for example "TLSv1.2"
//   nonces   optional: whether DPoP proofs need a nonce
// The first line of the output is {"issuer": …, "api": …, "refusals": …}: the URL of
// each server. The last one, always plain http, answers with the reasons of the
// refusals by the other two, which the provider keeps from clients. Ends when the
// input does.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as http from 'node:http'
import * as https from 'node:https'
import { createInterface } from 'node:readline'

import { api, JWT_API, OPAQUE_API } from './api.mjs'
import { errors, exportJWK, generateKeyPair, MemoryAdapter, Provider } from './packages.mjs'

const signing = await generateKeyPair('ES256', { extractable: true })
const signingJwk = { ...(await exportJWK(signing.privateKey)), alg: 'ES256', use: 'sig' }

async function main() {
  const input = createInterface({ input: process.stdin })
  input.on('close', () => process.exit())
  const [line] = await once(input, 'line')
  const settings = JSON.parse(line)

  const tokens = await listen(settings.tls)
  const resource = await listen(settings.tls)
  const told = await listen()
  const refusals = { issuer: [], api: [] }

  const provider = new Provider(tokens.url, configuration(settings))
  provider.on('grant.error', (_context, error) =>
    refusals.issuer.push(error.error_detail ?? error.error_description),
  )
  tokens.server.on('request', provider.callback())
  // Tokens are where every provider of this process finds them; nonces are not.
  const checker = new Provider(resource.url, configuration({ ...settings, clients: [] }))
  resource.server.on('request', api(checker, provider.issuer, signing.publicKey, refusals.api))
  told.server.on('request', (_request, answer) => answer.end(JSON.stringify(refusals)))
  console.log(JSON.stringify({ issuer: tokens.url, api: resource.url, refusals: told.url }))
}

/** A server on a free port of loopback. */
async function listen(tls) {
  const server = tls
    ? https.createServer({
        key: tls.key,
        cert: tls.certificate,
        maxVersion: tls.maxVersion,
        requestCert: true,
        rejectUnauthorized: false,
      })
    : http.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}` }
}

function configuration({ clients, nonces = false }) {
  return {
    clients: clients.map((client) => ({
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      ...client,
    })),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clientAuthMethods: ['private_key_jwt', 'self_signed_tls_client_auth'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384'],
      dPoPSigningAlgValues: ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384'],
    },
    adapter: class extends MemoryAdapter {},
    jwks: { keys: [signingJwk] },
    cookies: { keys: ['the cookies of nobody'] },
    scopes: ['read', 'write'],
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (context) => context.socket.getPeerX509Certificate?.(),
      },
      dPoP: {
        enabled: true,
        nonceSecret: randomBytes(32),
        requireNonce: () => nonces,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: (_context, indicator) => resourceServer(indicator),
      },
    },
  }
}

function resourceServer(indicator) {
  switch (indicator) {
    case JWT_API:
      return { scope: 'read write', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }
    case OPAQUE_API:
      return { scope: 'read write', accessTokenFormat: 'opaque' }
    default:
      throw new errors.InvalidTarget()
  }
}

await main()
