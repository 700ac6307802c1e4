/* A program that ends without freeing anything ends well: threads of segl wait for
 * work, sessions are open, the module is initialised. */

#include <pthread.h>

#include "given.h"

static segl_signer *signer;

static void *sign(void *none) {
  for (int i = 0; i < rounds(); i++) {
    segl_bytes out = {0};
    CHECK_OK(segl_signer_sign(signer, "RS256", 5, (const uint8_t *)"m", 1, NULL, &out));
    CHECK(out.len == 256);
    segl_bytes_free(&out);
  }
  return none;
}

int main(void) {
  signer = open_uri("GIVEN_HSM_URI");
  segl_client *client = open_client("hsm");
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, sign, NULL) == 0);
  for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  segl_token token = {.struct_size = sizeof token};
  CHECK_OK(segl_client_token(client, NULL, 0, NULL, &token));
  segl_token_free(&token);
  return 0;
}
