// What scripts/setup installs into build/oidc-provider.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(new URL('../../build/oidc-provider/package.json', import.meta.url))
const provided = (path) => import(pathToFileURL(require.resolve(`oidc-provider${path}`)))

export const { exportJWK, generateKeyPair, jwtVerify } = require('jose')
export const { default: Provider, errors } = await provided('')
export const { default: MemoryAdapter } = await provided('/lib/adapters/memory_adapter.js')
export const { default: certificateThumbprint } = await provided('/lib/helpers/certificate_thumbprint.js')
export const { default: validateDpop, DPOP_OK_WINDOW } = await provided('/lib/helpers/validate_dpop.js')
