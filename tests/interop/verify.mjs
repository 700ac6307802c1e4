// Verifies compact JWTs with jose (npm). Input, output and exit status are those
// of verify.py. The packages live in build/interop, where scripts/setup puts them.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { isDeepStrictEqual } from 'node:util'

const require = createRequire(new URL('../../build/interop/package.json', import.meta.url))
const { compactVerify, importJWK, importX509 } = require('jose')

async function main() {
  console.log(`jose ${installedVersion()}, node ${process.versions.node}`)
  let passed = 0
  let failed = 0
  for await (const line of createInterface({ input: process.stdin })) {
    const testCase = JSON.parse(line)
    try {
      await verify(testCase)
      passed += 1
    } catch (error) {
      failed += 1
      console.log(`FAILED ${testCase.name}: ${error.name}: ${error.message.slice(0, 300)}`)
    }
  }
  console.log(`${passed} passed, ${failed} failed`)
  return passed > 0 && failed === 0 ? 0 : 1
}

async function verify(testCase) {
  await verifyWith(testCase, await importJWK(testCase.jwk, testCase.alg))

  if (testCase.certificate === null) {
    expect('x5c', testCase.header.x5c, undefined)
    return
  }
  const leaf = requireChain(testCase.header.x5c, testCase.certificate)
  await verifyWith(testCase, await importX509(leaf.toString(), testCase.alg))
}

async function verifyWith(testCase, key) {
  const { payload, protectedHeader } = await compactVerify(testCase.jwt, key, {
    algorithms: [testCase.alg],
  })
  expect('the header', protectedHeader, testCase.header)
  expect('the claims', JSON.parse(new TextDecoder().decode(payload)), testCase.claims)
}

/** The first certificate of x5c; each of the others must have issued the one before it. */
function requireChain(x5c, expectedPem) {
  const chain = x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64')))
  const expected = new X509Certificate(expectedPem)
  if (!chain[0].raw.equals(expected.raw)) {
    throw new Error('the first certificate of x5c is not the expected one')
  }
  chain.slice(1).forEach((issuer, index) => {
    if (!chain[index].verify(issuer.publicKey)) {
      throw new Error(`certificate ${index} of x5c was not issued by the next one`)
    }
  })
  return chain[0]
}

function expect(what, actual, expected) {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`)
  }
}

function installedVersion() {
  return JSON.parse(
    readFileSync(new URL('../../build/interop/node_modules/jose/package.json', import.meta.url)),
  ).version
}

process.exitCode = await main()
