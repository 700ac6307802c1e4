// panva's oidc-provider with the clients of one test, and an API behind its tokens.
//
// The first line of the input is {"clients": […]}, in the words of RFC 7591. The
// first line of the output is the issuer. Ends when the input does.
//
// GET /resource answers with what the access token says, or 401.
// GET /refusals answers with the reasons of the provider's refusals, which it keeps
// from clients.
//
// The packages live in build/oidc-provider, where scripts/setup puts them.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const require = createRequire(new URL('../../build/oidc-provider/package.json', import.meta.url))
const { exportJWK, generateKeyPair, jwtVerify } = require('jose')
const provided = (path) => import(pathToFileURL(require.resolve(path)))
const { default: Provider, errors } = await provided('oidc-provider')
const { default: MemoryAdapter } = await provided('oidc-provider/lib/adapters/memory_adapter.js')

/** What tokens are for; those for the first one are JWTs (RFC 9068), the others opaque. */
const JWT_API = 'https://jwt.api.example'
const OPAQUE_API = 'https://opaque.api.example'

const signing = await generateKeyPair('ES256', { extractable: true })
const signingJwk = { ...(await exportJWK(signing.privateKey)), alg: 'ES256', use: 'sig' }

async function main() {
  const input = createInterface({ input: process.stdin })
  input.on('close', () => process.exit())
  const [line] = await once(input, 'line')
  const { clients } = JSON.parse(line)

  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${server.address().port}`

  const provider = new Provider(issuer, configuration(clients))
  const refusals = []
  provider.on('grant.error', (_context, error) => refusals.push(error.error_detail ?? error.error_description))
  provider.use(async (context, next) => {
    switch (context.path) {
      case '/resource':
        return resource(provider, context)
      case '/refusals':
        context.body = refusals
        return undefined
      default:
        return next()
    }
  })
  server.on('request', provider.callback())
  console.log(issuer)
}

function configuration(clients) {
  return {
    clients: clients.map((client) => ({
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      ...client,
    })),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384'] },
    adapter: class extends MemoryAdapter {},
    jwks: { keys: [signingJwk] },
    cookies: { keys: ['the cookies of nobody'] },
    scopes: ['read', 'write'],
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
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

/** An API as RFC 6750 wants it. */
async function resource(provider, context) {
  try {
    const [scheme, token] = context.get('authorization').split(' ')
    if (scheme !== 'Bearer') {
      throw new Error('no Bearer token')
    }
    context.body = { method: context.method, ...(await granted(provider, token)) }
  } catch (error) {
    context.status = 401
    context.set('WWW-Authenticate', `Bearer error="invalid_token", error_description="${error.message}"`)
    context.body = { error: error.message }
  }
}

/** What the provider granted with `token`. */
async function granted(provider, token) {
  if (token.split('.').length === 3) {
    const { payload } = await jwtVerify(token, signing.publicKey, {
      audience: JWT_API,
      issuer: provider.issuer,
      typ: 'at+jwt',
    })
    return { client_id: payload.client_id, scope: payload.scope, form: 'jwt' }
  }
  const found = await provider.ClientCredentials.find(token)
  if (!found?.isValid || found.aud !== OPAQUE_API) {
    throw new Error('the token is not known')
  }
  return { client_id: found.clientId, scope: found.scope, form: 'opaque' }
}

await main()
