/* Signs one JWT with a signer whose callback is C code over libcrypto, and
 * prints it: interop KEY.pem PUBLIC_JWK ALG HEADER PAYLOAD
 *
 * tests/interop/main.rs runs it and gives the result to foreign verifiers. */

#include <stdio.h>
#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "segl.h"

/* A private key, and how many times it was given back. */
struct key {
  EVP_PKEY *pkey;
  int destroyed;
};

static const EVP_MD *digest_of(const char *alg) {
  if (strcmp(alg + 2, "256") == 0) return EVP_sha256();
  if (strcmp(alg + 2, "384") == 0) return EVP_sha384();
  return EVP_sha512();
}

/* DER (two numbers of any length) to R||S of `number_len` bytes each. */
static int der_to_jose(const uint8_t *der, size_t der_len, uint8_t *sig, int number_len) {
  ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
  if (numbers == NULL) return 0;
  int done = BN_bn2binpad(ECDSA_SIG_get0_r(numbers), sig, number_len) == number_len &&
             BN_bn2binpad(ECDSA_SIG_get0_s(numbers), sig + number_len, number_len) == number_len;
  ECDSA_SIG_free(numbers);
  return done;
}

static int sign_with(EVP_PKEY *pkey, const char *alg, const uint8_t *message, size_t message_len,
                     uint8_t *sig, size_t *sig_len) {
  uint8_t made[512];
  size_t made_len = sizeof made;
  EVP_PKEY_CTX *params = NULL;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  int done = ctx != NULL && EVP_DigestSignInit(ctx, &params, digest_of(alg), NULL, pkey) == 1;
  if (done && alg[0] == 'P') {
    done = EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(params, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  done = done && EVP_DigestSign(ctx, made, &made_len, message, message_len) == 1;
  EVP_MD_CTX_free(ctx);
  if (!done) return 0;

  int number_len = strcmp(alg, "ES256") == 0 ? 32 : 48;
  size_t jose_len = alg[0] == 'E' ? 2 * (size_t)number_len : made_len;
  if (jose_len > *sig_len) return 0;
  *sig_len = jose_len;
  if (alg[0] == 'E') return der_to_jose(made, made_len, sig, number_len);
  memcpy(sig, made, made_len);
  return 1;
}

static int32_t sign(void *ctx, const char *alg, size_t alg_len, const uint8_t *message,
                    size_t message_len, uint8_t *sig, size_t *sig_len,
                    const segl_fail *fail) {
  struct key *key = ctx;
  char name[8] = {0};
  if (alg_len < sizeof name) memcpy(name, alg, alg_len);
  if (alg_len == 5 && sign_with(key->pkey, name, message, message_len, sig, sig_len)) return 0;
  segl_fail_set(fail, SEGL_CALLBACK_FAILED, SEGL_S("libcrypto did not sign"));
  return 1;
}

static void destroy(void *ctx) {
  struct key *key = ctx;
  key->destroyed += 1;
}

static int report(const char *what, segl_error *error) {
  size_t len;
  const char *message = segl_error_message(error, &len);
  fprintf(stderr, "%s: %s: %.*s\n", what, segl_error_name(segl_error_code(error)), (int)len, message);
  segl_error_free(error);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: interop KEY.pem PUBLIC_JWK ALG HEADER PAYLOAD\n");
    return 2;
  }
  const char *jwk = argv[2], *header = argv[4], *payload = argv[5];
  struct key key = {NULL, 0};
  FILE *pem = fopen(argv[1], "r");
  if (pem != NULL) {
    key.pkey = PEM_read_PrivateKey(pem, NULL, NULL, NULL);
    fclose(pem);
  }
  if (key.pkey == NULL) {
    fprintf(stderr, "%s: no private key\n", argv[1]);
    return 1;
  }

  segl_signer_vtable vtable = {sizeof vtable, &key, sign, destroy};
  segl_signer *signer = NULL;
  segl_bytes jwt = {0};
  segl_error *error = segl_signer_from_vtable(&vtable, jwk, strlen(jwk), &signer);
  if (error == NULL) {
    error = segl_jws_sign(signer, header, strlen(header), (const uint8_t *)payload, strlen(payload), NULL,
                          &jwt);
  }
  int status = error != NULL ? report(argv[3], error) : 0;
  if (status == 0) puts((const char *)jwt.data);

  segl_bytes_free(&jwt);
  segl_signer_free(signer);
  EVP_PKEY_free(key.pkey);
  if (status == 0 && key.destroyed != 1) {
    fprintf(stderr, "destroy ran %d times, not once\n", key.destroyed);
    return 1;
  }
  return status;
}
