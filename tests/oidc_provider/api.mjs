// An API that takes tokens as RFC 6750, RFC 8705 and RFC 9449 want it, with the
// provider's own means.
//
// It answers with what the token grants, or 401.

import { certificateThumbprint, DPOP_OK_WINDOW, jwtVerify, validateDpop } from './packages.mjs'

/** What tokens are for; those for the first one are JWTs (RFC 9068), the others opaque. */
export const JWT_API = 'https://jwt.api.example'
export const OPAQUE_API = 'https://opaque.api.example'

/**
 * Answers requests, and notes in `refusals` why it refused one. `checker` is a provider of
 * the API's own, which finds tokens and checks proofs.
 */
export function api(checker, issuer, publicKey, refusals) {
  checker.use(async (context) => {
    // So that the next request shows whether a session can be resumed.
    context.set('Connection', 'close')
    const [scheme, value] = context.get('authorization').split(' ')
    try {
      const token = await granted(checker, issuer, publicKey, value ?? '')
      requireCertificate(context, token)
      await requireProof(checker, context, scheme, value, token)
      context.body = {
        method: context.method,
        client_id: token.client_id,
        scope: token.scope,
        form: token.form,
        tls: context.socket.getProtocol?.() ?? null,
        resumed: context.socket.isSessionReused?.() ?? null,
      }
    } catch (error) {
      refuse(context, scheme, error)
      refusals.push(error.error_description ?? error.message)
    }
  })
  return checker.callback()
}

function refuse(context, scheme, error) {
  const code = error.error ?? 'invalid_token'
  context.status = 401
  context.set('WWW-Authenticate', `${scheme === 'DPoP' ? 'DPoP' : 'Bearer'} error="${code}"`)
  context.body = { error: code }
}

/** What the provider granted with a token. */
async function granted(checker, issuer, publicKey, value) {
  if (value.split('.').length === 3) {
    const { payload } = await jwtVerify(value, publicKey, { audience: JWT_API, issuer, typ: 'at+jwt' })
    const { client_id, scope, cnf } = payload
    return { client_id, scope, form: 'jwt', x5t: cnf?.['x5t#S256'], jkt: cnf?.jkt }
  }
  const found = await checker.ClientCredentials.find(value)
  if (!found?.isValid || found.aud !== OPAQUE_API) {
    throw new Error('the token is not known')
  }
  const { clientId: client_id, scope, jkt } = found
  return { client_id, scope, form: 'opaque', x5t: found['x5t#S256'], jkt }
}

/** RFC 8705 section 3. */
function requireCertificate(context, token) {
  if (token.x5t === undefined) {
    return
  }
  const certificate = context.socket.getPeerX509Certificate?.()
  if (!certificate) {
    throw new Error('there is no client certificate')
  }
  if (certificateThumbprint(certificate) !== token.x5t) {
    throw new Error('the token is bound to another certificate')
  }
}

/** RFC 9449 section 7. */
async function requireProof(checker, context, scheme, value, token) {
  if (scheme !== (token.jkt === undefined ? 'Bearer' : 'DPoP')) {
    throw new Error(`a token is not taken as ${scheme}`)
  }
  if (token.jkt === undefined) {
    return
  }
  // What the provider's check reads of a request to one of its own endpoints.
  context.oidc = { provider: checker, urlFor: () => context.origin + context.path }
  const proof = await validateDpop(context, value)
  if (proof?.thumbprint !== token.jkt) {
    throw new Error('there is no proof, or it is of another key')
  }
  const until = Math.floor(Date.now() / 1000) + DPOP_OK_WINDOW
  if (!(await checker.ReplayDetection.unique(token.client_id, proof.jti, until))) {
    throw new Error('the proof was used before')
  }
}
