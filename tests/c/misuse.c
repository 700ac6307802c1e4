/* Wrong use is an error with a number, never a crash. */

#include "given.h"

static segl_signer *signer;
static segl_client *client;
static segl_cancel *cancel;
static segl_transport *transport;
static segl_bytes out;
static segl_token token = {.struct_size = sizeof token};

static int32_t send_nothing(void *ctx, const segl_http_request *request, uint32_t timeout_ms, const segl_reply *reply,
                            const segl_fail *fail) {
  (void)ctx, (void)request, (void)timeout_ms;
  /* Each is the other's. */
  segl_reply_set((const segl_reply *)(const void *)fail, 200, NULL, 0, NULL, 0);
  segl_fail_set((const segl_fail *)(const void *)reply, SEGL_IO, SEGL_S("not for this"));
  return 0;
}

static segl_transport *new_transport(void) {
  segl_transport_vtable vtable = {sizeof vtable, NULL, send_nothing, NULL};
  segl_transport *made = NULL;
  CHECK_OK(segl_transport_from_vtable(&vtable, &made));
  return made;
}

/* A client that sends with it is made and ended. */
static segl_error *client_over(const segl_transport *over) {
  segl_client_params params = params_for(MASKINPORTEN, signer);
  segl_client *made = NULL;
  params.transport = over;
  segl_error *error = segl_client_new(&params, NULL, &made);
  CHECK((error == NULL) == (made != NULL));
  if (made != NULL) CHECK_CODE(SEGL_CALLBACK_FAILED, segl_client_token(made, NULL, 0, NULL, &token));
  segl_client_free(made);
  return error;
}

static void handles(void) {
  int local = 0;
  segl_signer *freed = open_pem("GIVEN_EC_PEM");
  segl_signer_free(freed);
  segl_signer_free(freed);
  segl_signer *const wrong[] = {
      freed,
      (segl_signer *)(void *)client,
      (segl_signer *)(void *)cancel,
      (segl_signer *)(void *)transport,
      (segl_signer *)(uintptr_t)1,
      (segl_signer *)~(uintptr_t)0,
      (segl_signer *)(void *)&local,
      (segl_signer *)((uintptr_t)signer ^ 1),
      (segl_signer *)((uintptr_t)signer + 8),
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    segl_signer *handle = wrong[i];
    segl_client *made = NULL;
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_sign(handle, SEGL_S("ES256"), NULL, 0, NULL, &out));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_describe(handle, &out));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_health(handle, &out));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_public_jwk(handle, &out));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_probe(handle, NULL));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_jws_sign(handle, SEGL_S("{\"alg\":\"ES256\"}"), NULL, 0, NULL, &out));
    CHECK_CODE(SEGL_INVALID_HANDLE, new_client(MASKINPORTEN, handle, &made));
    segl_signer_free(handle);
  }
  CHECK_OK(segl_signer_probe(signer, NULL));

  /* A freed handle does not come back, whatever takes its place. */
  for (int i = 0; i < 3; i++) {
    segl_signer *before = open_pem("GIVEN_EC_PEM");
    segl_signer_free(before);
    segl_signer *after = open_pem("GIVEN_EC_PEM");
    CHECK(before != after);
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_describe(before, &out));
    segl_signer_free(before);
    CHECK_OK(segl_signer_probe(after, NULL));
    segl_signer_free(after);
  }

  segl_client *other = NULL;
  CHECK_OK(new_client(MASKINPORTEN, signer, &other));
  segl_client_free(other);
  segl_client_free(other);
  segl_client *const no_client[] = {other, (segl_client *)(void *)signer, (segl_client *)(void *)transport,
                                    (segl_client *)(void *)&local};
  for (size_t i = 0; i < sizeof no_client / sizeof no_client[0]; i++) {
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_assertion(no_client[i], NULL, 0, NULL, &out));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_registration(no_client[i], NULL, &out));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_token(no_client[i], NULL, 0, NULL, &token));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_token_if_newer(no_client[i], NULL, 0, 1, NULL, &token));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_reject(no_client[i], NULL, 0, 1));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_forget(no_client[i], NULL, 0));
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_health(no_client[i], &out));
    CHECK(out.data == NULL && out.len == 0 && out.cap == 0);
    segl_client_free(no_client[i]);
  }

  segl_cancel *gone = NULL;
  CHECK_OK(segl_cancel_new(&gone));
  segl_cancel_free(gone);
  segl_cancel_free(gone);
  segl_cancel *const no_cancel[] = {gone, (segl_cancel *)(void *)signer, (segl_cancel *)(void *)transport,
                                    (segl_cancel *)(void *)&local};
  for (size_t i = 0; i < sizeof no_cancel / sizeof no_cancel[0]; i++) {
    segl_call call = {.struct_size = sizeof call, .cancel = no_cancel[i]};
    CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_probe(signer, &call));
    segl_cancel_trigger(no_cancel[i]);
    segl_cancel_free(no_cancel[i]);
  }
  segl_transport *ended = new_transport();
  segl_transport_free(ended);
  segl_transport *const no_transport[] = {ended, (segl_transport *)(void *)signer, (segl_transport *)(void *)client,
                                          (segl_transport *)(void *)cancel, (segl_transport *)(void *)&local};
  for (size_t i = 0; i < sizeof no_transport / sizeof no_transport[0]; i++) {
    CHECK_CODE(SEGL_INVALID_HANDLE, client_over(no_transport[i]));
    segl_transport_free(no_transport[i]);
    segl_reply_set((const segl_reply *)(void *)no_transport[i], 200, NULL, 0, NULL, 0);
  }
  segl_reply_set((const segl_reply *)(void *)transport, 200, NULL, 0, NULL, 0);
  segl_fail_set((const segl_fail *)(void *)transport, SEGL_IO, SEGL_S("no callback runs"));
  segl_signer_free((segl_signer *)(void *)transport);
  CHECK_OK(client_over(transport));
  segl_fail_set((const segl_fail *)(void *)signer, SEGL_IO, SEGL_S("no callback runs"));
  CHECK_OK(segl_signer_probe(signer, NULL));
}

static void nulls(void) {
  const uint8_t byte = 0;
  segl_signer *made = NULL;
  segl_client *made_client = NULL;
  segl_client_params params = {.struct_size = sizeof params};
  segl_signer_vtable vtable = {.struct_size = sizeof vtable};
  segl_log_sink sink = {.struct_size = sizeof sink};

  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_open(NULL, 0, NULL, 0, NULL, &made));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_open(SEGL_S("file:x"), NULL, 4, NULL, &made));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_open(SEGL_S("file:x"), NULL, 0, NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_from_bytes(NULL, 0, NULL, 0, &made));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_from_bytes(&byte, 1, NULL, 4, &made));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_from_bytes(&byte, 1, NULL, 0, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_describe(NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_describe(signer, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_health(NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_health(signer, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_public_jwk(NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_public_jwk(signer, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_sign(NULL, SEGL_S("RS256"), &byte, 1, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_sign(signer, NULL, 0, &byte, 1, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_sign(signer, SEGL_S("RS256"), NULL, 1, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_sign(signer, SEGL_S("RS256"), &byte, 1, NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_probe(NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_from_vtable(NULL, SEGL_S("{}"), &made));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_from_vtable(&vtable, NULL, 0, &made));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_from_vtable(&vtable, SEGL_S("{}"), NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_jws_sign(NULL, SEGL_S("{}"), &byte, 1, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_jws_sign(signer, NULL, 0, &byte, 1, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_jws_sign(signer, SEGL_S("{}"), NULL, 1, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_jws_sign(signer, SEGL_S("{}"), &byte, 1, NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_new(NULL, NULL, &made_client));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_new(&params, NULL, &made_client));
  CHECK_CODE(SEGL_NULL_ARGUMENT, new_client(MASKINPORTEN, signer, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_open(NULL, 0, SEGL_S("x"), NULL, &made_client));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_open(SEGL_S("x"), NULL, 0, NULL, &made_client));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_open(SEGL_S("x"), SEGL_S("x"), NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_assertion(NULL, NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_assertion(client, NULL, 1, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_assertion(client, NULL, 0, NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_registration(NULL, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_registration(client, NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_token(NULL, NULL, 0, NULL, &token));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_token(client, NULL, 1, NULL, &token));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_token(client, NULL, 0, NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_token_if_newer(NULL, NULL, 0, 1, NULL, &token));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_token_if_newer(client, NULL, 0, 1, NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_reject(NULL, NULL, 0, 1));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_reject(client, NULL, 1, 1));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_health(NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_health(client, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_forget(NULL, NULL, 0));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_forget(client, NULL, 1));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_cancel_new(NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_log_set(&sink, SEGL_LOG_INFO));
  CHECK_OK(segl_log_set(NULL, 99));
  segl_signer_free(NULL);
  segl_client_free(NULL);
  segl_cancel_free(NULL);
  segl_cancel_trigger(NULL);
  segl_bytes_free(NULL);
  segl_token_free(NULL);
  segl_fail_set(NULL, SEGL_IO, NULL, 7);
  CHECK(made == NULL && made_client == NULL && out.data == NULL);
}

static void lengths_and_text(void) {
  const char bad[] = "\xff\xfe";
  const size_t huge = SIZE_MAX, half = SIZE_MAX / 2 + 1;
  segl_signer *made = NULL;
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_open(NULL, huge, NULL, 0, NULL, &made));
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_signer_open("x", huge, NULL, 0, NULL, &made));
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_signer_from_bytes((const uint8_t *)"x", half, NULL, 0, &made));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_signer_from_bytes(NULL, half, NULL, 0, &made));
  CHECK_CODE(SEGL_INVALID_ARGUMENT,
             segl_signer_sign(signer, SEGL_S("RS256"), (const uint8_t *)"x", huge, NULL, &out));
  CHECK_CODE(SEGL_INVALID_UTF8, segl_signer_open(SEGL_S(bad), NULL, 0, NULL, &made));
  CHECK_CODE(SEGL_INVALID_UTF8, segl_signer_sign(signer, SEGL_S(bad), NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_INVALID_UTF8, segl_jws_sign(signer, SEGL_S(bad), NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_INVALID_UTF8, segl_client_assertion(client, SEGL_S(bad), NULL, &out));
  CHECK_CODE(SEGL_INVALID_UTF8, segl_client_forget(client, SEGL_S(bad)));
  segl_client *made_client = NULL;
  CHECK_CODE(SEGL_INVALID_UTF8, new_client(bad, signer, &made_client));
  CHECK_CODE(SEGL_INVALID_UTF8, segl_client_open(SEGL_S(bad), SEGL_S("x"), NULL, &made_client));
}

static void structs(void) {
  const size_t sizes[] = {0, 1, 7, 100000, SIZE_MAX};
  segl_signer *made = NULL;
  segl_client *made_client = NULL;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    segl_call call = {.struct_size = sizes[i]};
    segl_client_params params = {.struct_size = sizes[i],
                                 .config_json = MASKINPORTEN,
                                 .config_json_len = strlen(MASKINPORTEN),
                                 .signer = signer};
    segl_signer_vtable vtable = {.struct_size = sizes[i]};
    segl_log_sink sink = {.struct_size = sizes[i]};
    segl_token filled = {.struct_size = sizes[i], .flags = 7};
    CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_signer_probe(signer, &call));
    CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_new(&params, NULL, &made_client));
    CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_signer_from_vtable(&vtable, SEGL_S("{}"), &made));
    CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_log_set(&sink, SEGL_LOG_INFO));
    CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_token(client, NULL, 0, NULL, &filled));
    segl_token_free(&filled);
    CHECK(filled.struct_size == sizes[i] && filled.flags == 7);
  }
  /* A struct of an older header ends earlier; one of a newer header later. */
  segl_call older = {.struct_size = offsetof(segl_call, cancel), .cancel = (const segl_cancel *)(uintptr_t)1};
  CHECK_OK(segl_signer_probe(signer, &older));
  const segl_signer *wild = (const segl_signer *)(uintptr_t)1;
  segl_client_params first = {
      offsetof(segl_client_params, tls_signer), SEGL_S(MASKINPORTEN), signer, .tls_signer = wild, .dpop_signer = wild};
  CHECK_OK(segl_client_new(&first, NULL, &made_client));
  segl_client_free(made_client);
  first.dpop_signer = NULL;
  first.struct_size = sizeof first;
  CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_new(&first, NULL, &made_client));
  /* It is used: there is no certificate beside this key. */
  first.tls_signer = signer;
  CHECK_CODE(SEGL_CERTIFICATE, segl_client_new(&first, NULL, &made_client));
  struct {
    segl_call known;
    uint64_t more;
  } newer = {.known.struct_size = sizeof newer};
  CHECK_OK(segl_signer_probe(signer, &newer.known));
  segl_call flagged = {.struct_size = sizeof flagged, .flags = 1};
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_signer_probe(signer, &flagged));
  flagged.flags = UINT32_C(1) << 31;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_signer_probe(signer, &flagged));
  flagged.flags |= SEGL_CALL_RESPONSE_JSON;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_token(client, NULL, 0, &flagged, &token));
}

static void content(void) {
  segl_signer *made = NULL, *ec = open_pem("GIVEN_EC_PEM");
  segl_client *made_client = NULL;
  const char *const uris[] = {"", "nonsense", "pkcs11", "pkcs11:nonsense", "file:", "http://x", "file:\n"};
  for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
    CHECK_CODE(SEGL_KEY_URI, segl_signer_open(uris[i], strlen(uris[i]), NULL, 0, NULL, &made));
  }
  CHECK_CODE(SEGL_IO, segl_signer_open(SEGL_S("file:/no/such/key.pem"), NULL, 0, NULL, &made));
  CHECK_CODE(SEGL_KEY_FORMAT, segl_signer_from_bytes((const uint8_t *)"", 0, NULL, 0, &made));
  CHECK_CODE(SEGL_ALGORITHM, segl_signer_sign(signer, SEGL_S("none"), NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_ALGORITHM, segl_signer_sign(signer, SEGL_S("RS256\0"), NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_ALGORITHM, segl_signer_sign(signer, SEGL_S("ES256"), NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_jws_sign(signer, SEGL_S("[]"), NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_INVALID_ARGUMENT,
             segl_jws_sign(signer, SEGL_S("{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}"), NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_KEY_TYPE, new_client(MASKINPORTEN, ec, &made_client));
  CHECK_CODE(SEGL_CONFIG, new_client("", signer, &made_client));
  CHECK_CODE(SEGL_CONFIG, new_client("{\"unknown\":1}", signer, &made_client));
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_assertion(client, SEGL_S("{\"scopes\":[\"a:b,c:d\"]}"), NULL, &out));
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_assertion(client, SEGL_S("{\"unknown\":1}"), NULL, &out));
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_forget(client, SEGL_S("{")));
  segl_signer_free(ec);
  CHECK(made == NULL && made_client == NULL && out.data == NULL);
}

static void memory(void) {
  CHECK_OK(segl_signer_public_jwk(signer, &out));
  segl_bytes_free(&out);
  segl_bytes_free(&out);
  CHECK(out.data == NULL && out.len == 0 && out.cap == 0);

  segl_client *granted = open_client("maskinporten");
  CHECK_OK(segl_client_token(granted, NULL, 0, NULL, &token));
  segl_token_free(&token);
  segl_token_free(&token);
  CHECK(token.struct_size == sizeof token && token.access_token.data == NULL && token.response_json.data == NULL);
  segl_client_free(granted);
}

int main(void) {
  signer = open_pem("GIVEN_RSA_PEM");
  CHECK_OK(new_client(MASKINPORTEN, signer, &client));
  CHECK_OK(segl_cancel_new(&cancel));
  transport = new_transport();
  handles();
  nulls();
  lengths_and_text();
  structs();
  content();
  memory();
  segl_transport_free(transport);
  segl_cancel_free(cancel);
  segl_client_free(client);
  segl_signer_free(signer);
  return 0;
}
