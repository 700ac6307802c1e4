/* Calls end early: cancelled from another thread, from a callback, before they
 * begin, and by their deadline. */

#include <pthread.h>

#include "given.h"
#include "local_server.h"

static segl_signer *signer;
static segl_cancel *cancel;

/* A server that takes connections and never answers. */
static int silent_server(char *settings, size_t room) {
  char url[64];
  int server = listen_locally(url, sizeof url);
  int written = snprintf(settings, room,
                         "{\"profile\":\"generic\",\"client_id\":\"c\",\"audience\":\"https://a.example/\","
                         "\"token_endpoint\":\"%s/token\"}",
                         url);
  CHECK(written > 0 && (size_t)written < room);
  return server;
}

/* Triggers once the request has come, so the call is under way. */
static void *cancel_after_request(void *server) {
  int connection = accept_request(*(const int *)server);
  segl_cancel_trigger(cancel);
  segl_cancel_trigger(cancel);
  return (void *)(intptr_t)connection;
}

static int32_t cancel_and_refuse(void *ctx, const char *alg, size_t alg_len, const uint8_t *message,
                                 size_t message_len, uint8_t *sig, size_t *sig_len, const segl_fail *fail) {
  (void)ctx, (void)alg, (void)alg_len, (void)message, (void)message_len, (void)sig, (void)sig_len;
  segl_cancel_trigger(cancel);
  segl_fail_set(fail, SEGL_CANCELLED, SEGL_S("the user closed the dialogue"));
  return 1;
}

static void from_another_thread(const segl_client *client, int *server) {
  pthread_t thread;
  void *connection;
  CHECK_OK(segl_cancel_new(&cancel));
  CHECK(pthread_create(&thread, NULL, cancel_after_request, server) == 0);
  segl_call call = {.struct_size = sizeof call, .cancel = cancel};
  segl_token token = {.struct_size = sizeof token};
  CHECK_CODE(SEGL_CANCELLED, segl_client_token(client, NULL, 0, &call, &token));
  CHECK(pthread_join(thread, &connection) == 0);
  close((int)(intptr_t)connection);

  /* It stays triggered, and ends calls before they begin. */
  segl_bytes out = {0};
  CHECK_CODE(SEGL_CANCELLED, segl_client_token(client, NULL, 0, &call, &token));
  CHECK_CODE(SEGL_CANCELLED, segl_client_assertion(client, NULL, 0, &call, &out));
  CHECK_CODE(SEGL_CANCELLED, segl_signer_sign(signer, SEGL_S("ES256"), NULL, 0, &call, &out));
  CHECK_CODE(SEGL_CANCELLED, segl_signer_probe(signer, &call));
  const char *uri = given("GIVEN_HSM_URI");
  segl_signer *made = NULL;
  CHECK_CODE(SEGL_CANCELLED, segl_signer_open(uri, strlen(uri), NULL, 0, &call, &made));
  CHECK(made == NULL);
  segl_cancel_free(cancel);
  CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_probe(signer, &call));
}

static void by_the_deadline(const segl_client *client) {
  segl_call call = {.struct_size = sizeof call, .timeout_ms = 100};
  segl_token token = {.struct_size = sizeof token};
  segl_error *error = segl_client_token(client, NULL, 0, &call, &token);
  int64_t retryable = 0;
  CHECK(segl_error_int(error, SEGL_FIELD_RETRYABLE, &retryable) == 1 && retryable == 1);
  CHECK_CODE(SEGL_TIMEOUT, error);
}

static void from_a_callback(void) {
  segl_bytes jwk = {0}, out = {0};
  segl_signer_vtable vtable = {.struct_size = sizeof vtable, .sign = cancel_and_refuse};
  segl_signer *refuses = NULL;
  CHECK_OK(segl_cancel_new(&cancel));
  CHECK_OK(segl_signer_public_jwk(signer, &jwk));
  CHECK_OK(segl_signer_from_vtable(&vtable, (const char *)jwk.data, jwk.len, &refuses));
  segl_call call = {.struct_size = sizeof call, .cancel = cancel};
  CHECK_CODE(SEGL_CANCELLED, segl_signer_sign(refuses, SEGL_S("ES256"), NULL, 0, &call, &out));
  segl_bytes_free(&jwk);
  segl_signer_free(refuses);
  segl_cancel_free(cancel);
}

/* A token that is not triggered changes nothing, nor does a deadline far off. */
static void not_at_all(void) {
  segl_bytes out = {0};
  CHECK_OK(segl_cancel_new(&cancel));
  segl_call call = {.struct_size = sizeof call, .cancel = cancel, .timeout_ms = UINT32_MAX};
  CHECK_OK(segl_signer_sign(signer, SEGL_S("ES256"), NULL, 0, &call, &out));
  segl_bytes_free(&out);
  segl_cancel_free(cancel);
}

int main(void) {
  char settings[256];
  int server = silent_server(settings, sizeof settings);
  segl_client *client = NULL;
  signer = open_pem("GIVEN_EC_PEM");
  CHECK_OK(new_client(settings, signer, &client));
  from_another_thread(client, &server);
  by_the_deadline(client);
  from_a_callback();
  not_at_all();
  segl_client_free(client);
  segl_signer_free(signer);
  close(server);
  return 0;
}
