/* Threads sign while another frees and remakes the handle: a signature or
 * SEGL_INVALID_HANDLE, nothing else. */

#include <pthread.h>
#include <stdatomic.h>

#include "given.h"

#define THREADS 4

static _Atomic(segl_signer *) shared_signer;
static _Atomic(segl_client *) shared_client;
static atomic_int done, signatures, refusals;

static void count(segl_error *error, segl_bytes *out) {
  if (error == NULL) {
    CHECK(out->len > 0);
    atomic_fetch_add(&signatures, 1);
  } else {
    CHECK(out->data == NULL && out->len == 0);
    atomic_fetch_add(&refusals, 1);
    CHECK_CODE(SEGL_INVALID_HANDLE, error);
  }
  segl_bytes_free(out);
}

static void *use(void *unused) {
  while (!atomic_load(&done)) {
    segl_bytes out = {0};
    count(segl_signer_sign(atomic_load(&shared_signer), SEGL_S("ES256"), NULL, 0, NULL, &out), &out);
    count(segl_client_assertion(atomic_load(&shared_client), NULL, 0, NULL, &out), &out);
  }
  return unused;
}

static segl_client *client_of(const segl_signer *signer) {
  segl_client *client = NULL;
  CHECK_OK(new_client("{\"profile\":\"generic\",\"client_id\":\"c\",\"audience\":\"https://a.example/\","
                      "\"token_endpoint\":\"https://a.example/token\"}",
                      signer, &client));
  return client;
}

int main(void) {
  pthread_t threads[THREADS];
  atomic_store(&shared_signer, open_pem("GIVEN_EC_PEM"));
  atomic_store(&shared_client, client_of(atomic_load(&shared_signer)));
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, use, NULL) == 0);

  /* Both outcomes must have been seen, however the threads are scheduled. */
  for (int i = 0; i < rounds() || atomic_load(&signatures) == 0 || atomic_load(&refusals) == 0; i++) {
    segl_signer *signer = atomic_load(&shared_signer);
    segl_client *client = atomic_load(&shared_client);
    segl_signer_free(signer);
    segl_client_free(client);
    segl_bytes out = {0};
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_describe(signer, &out));
    atomic_store(&shared_signer, open_pem("GIVEN_EC_PEM"));
    atomic_store(&shared_client, client_of(atomic_load(&shared_signer)));
  }
  atomic_store(&done, 1);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  segl_client_free(atomic_load(&shared_client));
  segl_signer_free(atomic_load(&shared_signer));
  return 0;
}
