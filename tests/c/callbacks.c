/* A signer that the host implements: what it may do, how it fails, and when it
 * is destroyed. */

#include "given.h"

enum { SIGN, FAIL, FAIL_TWICE, FAIL_UNKNOWN, FAIL_MUTE, FAIL_NO_TEXT, FAIL_BAD_TEXT, FAIL_LATE, FORGE, TOO_LONG, NOTHING };

struct host {
  int mode;
  int calls;
  int destroyed;
  const segl_signer *inner;
  const segl_fail *kept;
};

static int32_t sign(void *ctx, const char *alg, size_t alg_len, const uint8_t *message, size_t message_len,
                    uint8_t *sig, size_t *sig_len, const segl_fail *fail) {
  struct host *host = ctx;
  segl_bytes out = {0};
  host->calls++;
  CHECK(fail != NULL && *sig_len >= 1024 && alg_len == 5 && memcmp(alg, "ES256", 5) == 0);
  switch (host->mode) {
    case FAIL:
      segl_fail_set(fail, SEGL_DEVICE, SEGL_S("the vault is sealed: blåbær"));
      return 1;
    case FAIL_TWICE:
      segl_fail_set(fail, SEGL_DEVICE, SEGL_S("first"));
      segl_fail_set(fail, SEGL_NETWORK, SEGL_S("second"));
      return -7;
    case FAIL_UNKNOWN:
      segl_fail_set(fail, 99999, SEGL_S("a number of the host"));
      return 1;
    case FAIL_MUTE:
      return 42;
    case FAIL_NO_TEXT:
      segl_fail_set(fail, SEGL_PIN_LOCKED, NULL, 0);
      return 1;
    case FAIL_BAD_TEXT:
      segl_fail_set(fail, SEGL_DEVICE, SEGL_S("vault \xff sealed"));
      return 1;
    case FAIL_LATE:
      host->kept = fail;
      return 42;
    case FORGE:
      memset(sig, 1, 64);
      *sig_len = 64;
      return 0;
    case TOO_LONG:
      *sig_len = *sig_len + 1;
      return 0;
    case NOTHING:
      *sig_len = 0;
      return 0;
    default:
      /* segl within a callback of segl. */
      CHECK_OK(segl_signer_sign(host->inner, alg, alg_len, message, message_len, NULL, &out));
      memcpy(sig, out.data, out.len);
      *sig_len = out.len;
      segl_bytes_free(&out);
      /* A reason without a failure does not count. */
      segl_fail_set(fail, SEGL_DEVICE, SEGL_S("not so"));
      return 0;
  }
}

static void destroy(void *ctx) {
  struct host *host = ctx;
  host->destroyed++;
}

static segl_error *make(struct host *host, segl_signer **out) {
  segl_bytes jwk = {0};
  CHECK_OK(segl_signer_public_jwk(host->inner, &jwk));
  segl_signer_vtable vtable = {sizeof vtable, host, sign, destroy};
  segl_error *error = segl_signer_from_vtable(&vtable, (const char *)jwk.data, jwk.len, out);
  memset(&vtable, 0, sizeof vtable);
  segl_bytes_free(&jwk);
  return error;
}

static void check_failure(struct host *host, const segl_signer *signer, int mode, int32_t code, const char *part) {
  segl_bytes out = {0};
  int calls = host->calls;
  host->mode = mode;
  segl_error *error = segl_signer_sign(signer, SEGL_S("ES256"), (const uint8_t *)"m", 1, NULL, &out);
  CHECK(strstr(segl_error_message(error, NULL), part) != NULL);
  CHECK_CODE(code, error);
  CHECK(host->calls == calls + 1 && out.data == NULL);
}

static void failures(struct host *host, const segl_signer *signer) {
  check_failure(host, signer, FAIL, SEGL_DEVICE, "the vault is sealed: blåbær");
  check_failure(host, signer, FAIL_TWICE, SEGL_NETWORK, "second");
  check_failure(host, signer, FAIL_UNKNOWN, SEGL_CALLBACK_FAILED, "a number of the host");
  check_failure(host, signer, FAIL_MUTE, SEGL_CALLBACK_FAILED, "42");
  check_failure(host, signer, FAIL_NO_TEXT, SEGL_PIN_LOCKED, "callback");
  check_failure(host, signer, FAIL_BAD_TEXT, SEGL_DEVICE, "vault \xef\xbf\xbd sealed");
  check_failure(host, signer, FAIL_LATE, SEGL_CALLBACK_FAILED, "42");
  segl_fail_set(host->kept, SEGL_DEVICE, SEGL_S("too late"));
  check_failure(host, signer, FAIL_MUTE, SEGL_CALLBACK_FAILED, "42");
  check_failure(host, signer, FORGE, SEGL_SIGNATURE_FAULT, "");
  check_failure(host, signer, NOTHING, SEGL_SIGNATURE_FAULT, "");
  check_failure(host, signer, TOO_LONG, SEGL_CALLBACK_FAILED, "1025");
  host->mode = SIGN;
}

static void works(const segl_signer *signer) {
  segl_bytes out = {0};
  CHECK_OK(segl_signer_sign(signer, SEGL_S("ES256"), (const uint8_t *)"m", 1, NULL, &out));
  CHECK(out.len == 64);
  segl_bytes_free(&out);
  CHECK_OK(segl_jws_sign(signer, SEGL_S("{\"alg\":\"ES256\"}"), NULL, 0, NULL, &out));
  segl_bytes_free(&out);
  CHECK_OK(segl_signer_describe(signer, &out));
  segl_bytes_free(&out);
  CHECK_OK(segl_signer_probe(signer, NULL));
}

/* The client keeps the key after its handle is freed. */
static void in_a_client(const segl_signer *inner) {
  struct host host = {.inner = inner};
  segl_signer *signer = NULL;
  segl_client *client = NULL;
  segl_bytes jwt = {0};
  CHECK_OK(make(&host, &signer));
  CHECK_OK(new_client("{\"profile\":\"generic\",\"client_id\":\"c\",\"audience\":\"https://a.example/\","
                      "\"token_endpoint\":\"https://a.example/token\"}",
                      signer, &client));
  segl_signer_free(signer);
  CHECK(host.destroyed == 0);
  CHECK_OK(segl_client_assertion(client, NULL, 0, NULL, &jwt));
  segl_bytes_free(&jwt);
  host.mode = FAIL;
  CHECK_CODE(SEGL_DEVICE, segl_client_assertion(client, NULL, 0, NULL, &jwt));
  segl_client_free(client);
  CHECK(host.destroyed == 1);
  segl_client_free(client);
  CHECK(host.destroyed == 1);
}

/* What was not made is not destroyed. */
static void not_made(const segl_signer *inner) {
  struct host host = {.inner = inner};
  segl_signer_vtable vtable = {sizeof vtable, &host, sign, destroy};
  segl_signer *signer = NULL;
  CHECK_CODE(SEGL_KEY_FORMAT, segl_signer_from_vtable(&vtable, SEGL_S("{"), &signer));
  CHECK_CODE(SEGL_KEY_FORMAT, segl_signer_from_vtable(&vtable, SEGL_S("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), &signer));
  CHECK_CODE(SEGL_KEY_TYPE,
             segl_signer_from_vtable(&vtable, SEGL_S("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"), &signer));
  CHECK_CODE(SEGL_INVALID_UTF8, segl_signer_from_vtable(&vtable, SEGL_S("\xff"), &signer));
  CHECK_CODE(SEGL_NULL_ARGUMENT, make(&host, NULL));
  vtable.sign = NULL;
  segl_bytes jwk = {0};
  CHECK_OK(segl_signer_public_jwk(inner, &jwk));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_from_vtable(&vtable, (const char *)jwk.data, jwk.len, &signer));
  CHECK(signer == NULL && host.destroyed == 0 && host.calls == 0);

  vtable = (segl_signer_vtable){.struct_size = sizeof vtable, .ctx = &host, .sign = sign};
  CHECK_OK(segl_signer_from_vtable(&vtable, (const char *)jwk.data, jwk.len, &signer));
  works(signer);
  segl_signer_free(signer);
  CHECK(host.destroyed == 0);
  segl_bytes_free(&jwk);
}

int main(void) {
  segl_signer *inner = open_pem("GIVEN_EC_PEM"), *signer = NULL;
  struct host host = {.inner = inner};
  CHECK_OK(make(&host, &signer));
  works(signer);
  failures(&host, signer);
  works(signer);
  CHECK(host.destroyed == 0);
  segl_signer_free(signer);
  CHECK(host.destroyed == 1);
  segl_signer_free(signer);
  CHECK(host.destroyed == 1);

  CHECK_OK(make(&host, &signer));
  CHECK_OK(segl_shutdown());
  CHECK(host.destroyed == 2);

  inner = open_pem("GIVEN_EC_PEM");
  in_a_client(inner);
  not_made(inner);
  segl_signer_free(inner);
  return 0;
}
