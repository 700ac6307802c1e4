/* Eight threads share a signer, a key in a token and a client, and have their
 * own too. */

#include <pthread.h>

#include "given.h"

#define THREADS 8

static segl_signer *file_key, *hsm_key;
static segl_client *client;

static void sign(const segl_signer *signer, const char *alg, size_t expected) {
  segl_bytes out = {0};
  CHECK_OK(segl_signer_sign(signer, alg, strlen(alg), (const uint8_t *)"m", 1, NULL, &out));
  CHECK(out.len == expected);
  segl_bytes_free(&out);
}

static void *work(void *unused) {
  for (int i = 0; i < rounds(); i++) {
    sign(file_key, "ES256", 64);
    sign(hsm_key, "RS256", 256);
    segl_bytes jwt = {0};
    CHECK_OK(segl_client_assertion(client, NULL, 0, NULL, &jwt));
    segl_bytes_free(&jwt);
    segl_token token = {.struct_size = sizeof token};
    CHECK_OK(segl_client_token(client, NULL, 0, NULL, &token));
    segl_token_free(&token);

    segl_signer *own = open_pem("GIVEN_EC_PEM");
    sign(own, "ES256", 64);
    segl_signer_free(own);
    own = open_uri("GIVEN_HSM_URI");
    segl_signer_free(own);
  }
  return unused;
}

int main(void) {
  pthread_t threads[THREADS];
  file_key = open_uri("GIVEN_FILE_URI");
  hsm_key = open_uri("GIVEN_HSM_URI");
  client = open_client("maskinporten");
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  segl_client_free(client);
  segl_signer_free(hsm_key);
  segl_signer_free(file_key);
  CHECK_OK(segl_shutdown());
  return 0;
}
