/* An operation of an API that segl knows, over a transport of the host. */

#include "given.h"

#define SETTINGS                                                                      \
  "{\"profile\":\"generic\",\"client_id\":\"c\",\"audience\":\"https://a.example/\"," \
  "\"token_endpoint\":\"https://a.example/token\",\"services\":%s}"
#define ALTINN "{\"altinn\":{\"base_url\":\"https://altinn.example\"}}"
#define TOKEN "{\"access_token\":\"of-the-host\",\"token_type\":\"Bearer\",\"expires_in\":3600}"
#define EXCHANGED "eyJhIjoxfQ.eyJiIjoyfQ.c2ln"

struct host {
  int status;
  int tokens;
  int calls;
};

static int has(const char *text, size_t len, const char *part) {
  size_t part_len = strlen(part);
  for (size_t at = 0; at + part_len <= len; at++)
    if (memcmp(text + at, part, part_len) == 0) return 1;
  return 0;
}

static int is(const char *text, size_t len, const char *expected) {
  return len == strlen(expected) && memcmp(text, expected, len) == 0;
}

static int32_t answer(void *ctx, const segl_http_request *request, uint32_t timeout_ms, const segl_reply *reply,
                      const segl_fail *fail) {
  struct host *host = ctx;
  (void)fail;
  CHECK(timeout_ms > 0);
  if (is(request->url, request->url_len, "https://a.example/token")) {
    host->tokens++;
    segl_reply_set(reply, 200, SEGL_S("[[\"Content-Type\",\"application/json\"]]"), (const uint8_t *)SEGL_S(TOKEN));
    return 0;
  }
  host->calls++;
  CHECK(is(request->method, request->method_len, "GET"));
  CHECK(is(request->url, request->url_len, "https://altinn.example/authentication/api/v1/exchange/maskinporten"));
  CHECK(has(request->headers_json, request->headers_json_len, "\"Bearer of-the-host\"]"));
  segl_reply_set(reply, host->status, SEGL_S("[[\"Content-Type\",\"text/plain\"]]"),
                 (const uint8_t *)SEGL_S(EXCHANGED));
  return 0;
}

static void destroy(void *ctx) { (void)ctx; }

static segl_client *client_with(struct host *host, const char *services) {
  segl_transport_vtable vtable = {sizeof vtable, host, answer, destroy};
  segl_transport *transport = NULL;
  CHECK_OK(segl_transport_from_vtable(&vtable, &transport));
  char settings[512];
  CHECK(snprintf(settings, sizeof settings, SETTINGS, services) < (int)sizeof settings);
  segl_signer *signer = open_pem("GIVEN_EC_PEM");
  segl_client_params params = params_for(settings, signer);
  params.transport = transport;
  segl_client *client = NULL;
  CHECK_OK(segl_client_new(&params, NULL, &client));
  segl_signer_free(signer);
  segl_transport_free(transport);
  return client;
}

static segl_error *exchange(const segl_client *client, const char *input, segl_bytes *out) {
  return segl_client_call_api(client, SEGL_S("altinn.exchange_token"), input, strlen(input), NULL, 0, NULL, out);
}

static int is_empty(const segl_bytes *bytes) { return bytes->data == NULL && bytes->len == 0 && bytes->cap == 0; }

static void the_answer_is_json(struct host *host, const segl_client *client) {
  segl_bytes out;
  memset(&out, 0xff, sizeof out);
  host->status = 200;
  CHECK_OK(exchange(client, "{}", &out));
  CHECK(is((const char *)out.data, out.len, "{\"token\":\"" EXCHANGED "\"}") && out.data[out.len] == 0);
  segl_bytes_free(&out);
  CHECK(is_empty(&out));
  segl_call call = {.struct_size = sizeof call, .timeout_ms = 5000};
  CHECK_OK(segl_client_call_api(client, SEGL_S("altinn.exchange_token"), SEGL_S("{}"), SEGL_S("{\"scopes\":[\"a:b\"]}"),
                                &call, &out));
  segl_bytes_free(&out);
  CHECK(host->tokens == 2);
}

static void a_refusal_has_its_number(struct host *host, const segl_client *client) {
  segl_bytes out;
  memset(&out, 0xff, sizeof out);
  host->status = 403;
  segl_error *error = exchange(client, "{}", &out);
  int64_t status = 0;
  CHECK(segl_error_int(error, SEGL_FIELD_HTTP_STATUS, &status) == 1 && status == 403);
  CHECK(strstr(segl_error_message(error, NULL), "altinn.exchange_token") != NULL);
  CHECK_CODE(SEGL_API_FORBIDDEN, error);
  CHECK(is_empty(&out));
}

/* Nothing is sent, and nothing of the input is in the error, for it may be about a person. */
static void what_is_no_input_is_not_repeated(struct host *host, const segl_client *client) {
  const char *bad[] = {"{\"a\":\"12345678901\"}", "[\"12345678901\"]", "\"12345678901\"", "{\"a\":\"12345678901\"", "", "{}{}"};
  int tokens = host->tokens, calls = host->calls;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    segl_bytes out;
    memset(&out, 0xff, sizeof out);
    segl_error *error = exchange(client, bad[i], &out);
    CHECK(error != NULL && strstr(segl_error_message(error, NULL), "12345678901") == NULL);
    CHECK_CODE(SEGL_INVALID_ARGUMENT, error);
    CHECK(is_empty(&out));
  }
  segl_bytes out;
  segl_error *error = segl_client_call_api(client, SEGL_S("altinn.exchange"), SEGL_S("{}"), NULL, 0, NULL, &out);
  CHECK(error != NULL && strstr(segl_error_message(error, NULL), "altinn.exchange_token") != NULL);
  CHECK_CODE(SEGL_INVALID_ARGUMENT, error);
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_call_api(client, SEGL_S("altinn.exchange_token"), SEGL_S("{}"),
                                                         SEGL_S("{\"scope\":1}"), NULL, &out));
  CHECK_CODE(SEGL_INVALID_UTF8,
             segl_client_call_api(client, SEGL_S("altinn.\xff"), SEGL_S("{}"), NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_INVALID_UTF8, exchange(client, "{\"\xff\":1}", &out));
  CHECK(host->tokens == tokens && host->calls == calls);
}

static void a_setting_at_fault_is_named(struct host *host) {
  segl_client *client = client_with(host, "{}");
  segl_bytes out;
  int tokens = host->tokens;
  segl_error *error = exchange(client, "{}", &out);
  const char *path = segl_error_str(error, SEGL_FIELD_CONFIG_PATH, NULL);
  CHECK(path != NULL && strstr(path, "services") != NULL);
  CHECK_CODE(SEGL_CONFIG, error);
  CHECK(is_empty(&out) && host->tokens == tokens);
  segl_client_free(client);
}

static void wrong_use_is_an_error(struct host *host) {
  segl_client *client = client_with(host, ALTINN);
  segl_bytes out;
  CHECK_CODE(SEGL_NULL_ARGUMENT, exchange(NULL, "{}", &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_call_api(client, NULL, 3, SEGL_S("{}"), NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT,
             segl_client_call_api(client, SEGL_S("altinn.exchange_token"), NULL, 0, NULL, 0, NULL, &out));
  CHECK_CODE(SEGL_NULL_ARGUMENT,
             segl_client_call_api(client, SEGL_S("altinn.exchange_token"), SEGL_S("{}"), NULL, 0, NULL, NULL));
  segl_signer *signer = open_pem("GIVEN_EC_PEM");
  CHECK_CODE(SEGL_INVALID_HANDLE, exchange((const segl_client *)signer, "{}", &out));
  segl_signer_free(signer);
  segl_cancel *cancel = NULL;
  CHECK_OK(segl_cancel_new(&cancel));
  segl_cancel_trigger(cancel);
  segl_call call = {.struct_size = sizeof call, .cancel = cancel};
  CHECK_CODE(SEGL_CANCELLED, segl_client_call_api(client, SEGL_S("altinn.exchange_token"), SEGL_S("{}"), NULL, 0, &call,
                                                  &out));
  call.flags = SEGL_CALL_RESPONSE_JSON;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_call_api(client, SEGL_S("altinn.exchange_token"), SEGL_S("{}"), NULL, 0,
                                                         &call, &out));
  segl_cancel_free(cancel);
  segl_client_free(client);
  memset(&out, 0xff, sizeof out);
  CHECK_CODE(SEGL_INVALID_HANDLE, exchange(client, "{}", &out));
  CHECK(is_empty(&out));
}

int main(void) {
  struct host host = {200, 0, 0};
  segl_client *client = client_with(&host, ALTINN);
  the_answer_is_json(&host, client);
  for (int i = 0; i < rounds(); i++) {
    host.status = 200;
    segl_bytes out;
    CHECK_OK(exchange(client, "{}", &out));
    segl_bytes_free(&out);
  }
  a_refusal_has_its_number(&host, client);
  what_is_no_input_is_not_repeated(&host, client);
  segl_client_free(client);
  a_setting_at_fault_is_named(&host);
  wrong_use_is_an_error(&host);
  return 0;
}
