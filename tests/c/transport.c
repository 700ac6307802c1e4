/* An HTTP transport that the host implements: what it is asked to send, what it may
 * answer, how it fails, and when it is destroyed. */

#define _POSIX_C_SOURCE 200809L

#include <time.h>

#include "given.h"
#include "http.h"

#define TOKEN "{\"access_token\":\"of-the-host\",\"token_type\":\"Bearer\",\"expires_in\":3600}"
#define SETTINGS                                                                         \
  "{\"profile\":\"generic\",\"client_id\":\"c\",\"audience\":\"https://a.example/\","    \
  "\"token_endpoint\":\"https://a.example/token\",\"apis\":[\"https://api.example/\"]%s}"

enum mode { ANSWER, TWICE, FAIL, BROKEN, SLOW, MUTE, LATE, NO_ANSWER, BAD_STATUS, BAD_HEADERS, BAD_TEXT, EMPTY, LONG };

struct host {
  enum mode mode;
  int tokens;
  int calls;
  volatile int destroyed;
  uint32_t timeout_ms;
  const segl_reply *kept;
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

static void token_request(const segl_http_request *request) {
  CHECK(request->struct_size == sizeof *request);
  CHECK(is(request->method, request->method_len, "POST"));
  CHECK(is(request->url, request->url_len, "https://a.example/token"));
  CHECK(has(request->headers_json, request->headers_json_len, "\"application/x-www-form-urlencoded\"]"));
  CHECK(has((const char *)request->body, request->body_len, "assertion=ey"));
}

static int32_t answer_api(struct host *host, const segl_http_request *request, const segl_reply *reply,
                          const segl_fail *fail) {
  static const uint8_t body[] = {'b', 0, 0xff};
  static uint8_t many[5000];
  CHECK(is(request->url, request->url_len, "https://api.example/thing?a=b"));
  CHECK(has(request->headers_json, request->headers_json_len, "\"Bearer of-the-host\"]"));
  const char *headers = "[[\"X-One\",\"1\"],[\"X-one\",\"2\"]]";
  switch (host->mode) {
    case TWICE:
      segl_reply_set(reply, 500, NULL, 0, NULL, 0);
      break;
    case FAIL:
      segl_fail_set(fail, SEGL_TLS, SEGL_S("the proxy's certificate is bl\xc3\xa5"));
      return 1;
    case BROKEN:
      /* An answer beside a failure does not count. */
      segl_reply_set(reply, 200, NULL, 0, NULL, 0);
      segl_fail_set(fail, SEGL_NETWORK, SEGL_S("connection reset"));
      return -1;
    case SLOW:
      segl_fail_set(fail, SEGL_TIMEOUT, SEGL_S("no answer in time"));
      return 1;
    case MUTE:
      return 42;
    case LATE:
      host->kept = reply;
      return 0;
    case NO_ANSWER:
      return 0;
    case BAD_STATUS:
      segl_reply_set(reply, 99, NULL, 0, NULL, 0);
      return 0;
    case BAD_HEADERS:
      segl_reply_set(reply, 200, SEGL_S("{\"a\":\"secret\"}"), NULL, 0);
      return 0;
    case BAD_TEXT:
      segl_reply_set(reply, 200, SEGL_S("[[\"a\",\"\xff\"]]"), NULL, 0);
      return 0;
    case EMPTY:
      segl_reply_set(reply, 204, NULL, 0, NULL, 0);
      return 0;
    case LONG:
      segl_reply_set(reply, 200, NULL, 0, many, sizeof many);
      return 0;
    default:
      break;
  }
  segl_reply_set(reply, 201, headers, strlen(headers), body, sizeof body);
  return 0;
}

static int32_t answer(void *ctx, const segl_http_request *request, uint32_t timeout_ms, const segl_reply *reply,
                      const segl_fail *fail) {
  struct host *host = ctx;
  CHECK(timeout_ms > 0);
  host->timeout_ms = timeout_ms;
  if (has(request->url, request->url_len, "/token")) {
    token_request(request);
    host->tokens++;
    segl_reply_set(reply, 200, SEGL_S("[[\"CONTENT-TYPE\",\"application/json\"]]"), (const uint8_t *)SEGL_S(TOKEN));
    return 0;
  }
  host->calls++;
  return answer_api(host, request, reply, fail);
}

static void destroy(void *ctx) {
  struct host *host = ctx;
  host->destroyed++;
}

static segl_transport *make(struct host *host) {
  segl_transport_vtable vtable = {sizeof vtable, host, answer, destroy};
  segl_transport *transport = NULL;
  CHECK_OK(segl_transport_from_vtable(&vtable, &transport));
  memset(&vtable, 0, sizeof vtable);
  return transport;
}

static segl_client *client_with(const segl_transport *transport, const char *more) {
  char settings[512];
  CHECK(snprintf(settings, sizeof settings, SETTINGS, more) < (int)sizeof settings);
  segl_signer *signer = open_pem("GIVEN_EC_PEM");
  segl_client_params params = params_for(settings, signer);
  params.transport = transport;
  segl_client *client = NULL;
  CHECK_OK(segl_client_new(&params, NULL, &client));
  segl_signer_free(signer);
  return client;
}

static segl_error *get(const segl_client *client, uint32_t timeout_ms, segl_http_response *response) {
  segl_call call = {.struct_size = sizeof call, .timeout_ms = timeout_ms};
  segl_http_request request = request_for("GET", "https://api.example/thing?a=b");
  return segl_client_send(client, &request, NULL, 0, timeout_ms == 0 ? NULL : &call, response);
}

static void check_failure(struct host *host, const segl_client *client, enum mode mode, int32_t code, int64_t retryable,
                          const char *part) {
  segl_http_response response = no_response();
  host->mode = mode;
  int calls = host->calls;
  segl_error *error = get(client, 0, &response);
  const char *message = segl_error_message(error, NULL);
  int64_t field = -1;
  CHECK(strstr(message, part) != NULL && strstr(message, "secret") == NULL);
  CHECK(strstr(message, "GET https://api.example/thing: ") != NULL);
  CHECK(segl_error_int(error, SEGL_FIELD_RETRYABLE, &field) == 1 && field == retryable);
  CHECK_CODE(code, error);
  CHECK(host->calls > calls && is_empty(&response));
}

static void failures(struct host *host, const segl_client *client) {
  check_failure(host, client, FAIL, SEGL_TLS, 0, "the proxy's certificate is bl\xc3\xa5");
  check_failure(host, client, BROKEN, SEGL_NETWORK, 1, "connection reset");
  check_failure(host, client, SLOW, SEGL_TIMEOUT, 1, "no answer in time");
  check_failure(host, client, MUTE, SEGL_CALLBACK_FAILED, 0, "42");
  check_failure(host, client, LATE, SEGL_CALLBACK_FAILED, 0, "segl_reply_set");
  segl_reply_set(host->kept, 200, NULL, 0, NULL, 0);
  check_failure(host, client, NO_ANSWER, SEGL_CALLBACK_FAILED, 0, "segl_reply_set");
  check_failure(host, client, BAD_STATUS, SEGL_CALLBACK_FAILED, 0, "99 is no HTTP status");
  check_failure(host, client, BAD_HEADERS, SEGL_CALLBACK_FAILED, 0, "headers_json is no JSON array");
  check_failure(host, client, BAD_TEXT, SEGL_CALLBACK_FAILED, 0, "UTF-8");
  check_failure(host, client, LONG, SEGL_RESPONSE_TOO_LARGE, 0, "4096 bytes");
}

static void works(struct host *host, const segl_client *client) {
  segl_http_response response = no_response();
  host->mode = ANSWER;
  CHECK_OK(get(client, 0, &response));
  CHECK(response.status == 201 && response.body.len == 3 && memcmp(response.body.data, "b\0\xff", 3) == 0);
  CHECK(is((const char *)response.headers_json.data, response.headers_json.len, "[[\"x-one\",\"1\"],[\"x-one\",\"2\"]]"));
  segl_http_response_free(&response);
  CHECK(host->timeout_ms <= 1500 && host->timeout_ms > 1000);

  host->mode = TWICE;
  CHECK_OK(get(client, 700, &response));
  CHECK(response.status == 201 && host->timeout_ms <= 700);
  segl_http_response_free(&response);

  host->mode = EMPTY;
  CHECK_OK(get(client, 0, &response));
  CHECK(response.status == 204 && response.body.len == 0);
  segl_http_response_free(&response);
}

/* Where the host itself may send the client's tokens. */
static void allowed(const segl_client *client) {
  CHECK_OK(segl_client_require_allowed(client, SEGL_S("https://api.example/thing?pid=secret")));
  const char *others[] = {"https://api.example.evil/thing?pid=secret", "https://other.example/"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    segl_error *error = segl_client_require_allowed(client, others[i], strlen(others[i]));
    CHECK(strstr(segl_error_message(error, NULL), "secret") == NULL);
    CHECK_CODE(SEGL_API_NOT_ALLOWED, error);
  }
  CHECK_CODE(SEGL_URL, segl_client_require_allowed(client, SEGL_S("http://api.example/thing")));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_require_allowed(client, NULL, 0));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_require_allowed(NULL, SEGL_S("https://api.example/")));
}

static void tokens(struct host *host, const segl_client *client) {
  segl_token token = {.struct_size = sizeof token};
  CHECK_OK(segl_client_token(client, NULL, 0, NULL, &token));
  CHECK(is((const char *)token.access_token.data, token.access_token.len, "of-the-host"));
  segl_token_free(&token);
  CHECK(host->tokens == 1);
}

/* What was not made is not destroyed, and what is freed is no transport. */
static void not_made(void) {
  struct host host = {0};
  segl_transport_vtable vtable = {sizeof vtable, &host, NULL, destroy};
  segl_transport *transport = NULL;
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_transport_from_vtable(&vtable, &transport));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_transport_from_vtable(NULL, &transport));
  vtable.send = answer;
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_transport_from_vtable(&vtable, NULL));
  vtable.struct_size = 0;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_transport_from_vtable(&vtable, &transport));
  CHECK(transport == NULL && host.destroyed == 0);
  segl_reply_set(NULL, 200, NULL, 0, NULL, 0);
  segl_transport_free(NULL);

  transport = make(&host);
  segl_transport_free(transport);
  segl_transport_free(transport);
  CHECK(host.destroyed == 1);
  segl_client_params params = params_for(MASKINPORTEN, NULL);
  params.transport = transport;
  segl_client *client = NULL;
  CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_new(&params, NULL, &client));
  CHECK(client == NULL);
}

/* A client from a file, with what a file cannot say. */
static void from_a_file(void) {
  const char *path = given("GIVEN_CONFIG");
  segl_client_params params;
  segl_client *client = NULL;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_new(&params, NULL, &client));
  params.config_path = path;
  params.config_path_len = strlen(path);
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_new(&params, NULL, &client));
  params.client_name = "nobody";
  params.client_name_len = 6;
  CHECK_CODE(SEGL_CONFIG, segl_client_new(&params, NULL, &client));
  params.client_name = "maskinporten";
  params.client_name_len = 12;
  CHECK_OK(segl_client_new(&params, NULL, &client));
  segl_client_free(client);

  segl_signer *signer = open_pem("GIVEN_RSA_PEM");
  params.signer = signer;
  segl_error *error = segl_client_new(&params, NULL, &client);
  size_t len = 0;
  const char *setting = segl_error_str(error, SEGL_FIELD_CONFIG_PATH, &len);
  CHECK(setting != NULL && is(setting, len, "clients.maskinporten.key"));
  CHECK_CODE(SEGL_CONFIG, error);
  params.config_json = MASKINPORTEN;
  params.config_json_len = sizeof MASKINPORTEN - 1;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_new(&params, NULL, &client));
  params.client_name = NULL;
  params.client_name_len = 0;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_new(&params, NULL, &client));
  params.config_path = NULL;
  params.config_path_len = 0;
  params.client_name = "maskinporten";
  params.client_name_len = 12;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_new(&params, NULL, &client));
  CHECK(client == NULL);
  segl_signer_free(signer);
}

/* The thread that fetched the token may be the last user. */
static void wait_until_destroyed(const struct host *host) {
  for (int tries = 0; host->destroyed == 0 && tries < 1000; tries++) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  CHECK(host->destroyed == 1);
}

int main(void) {
  struct host host = {0};
  segl_transport *transport = make(&host);
  segl_client *client = client_with(transport, ",\"timeout_ms\":1500,\"max_response_bytes\":4096");
  segl_client *other = client_with(transport, "");
  segl_transport_free(transport);
  tokens(&host, client);
  allowed(client);
  works(&host, client);
  failures(&host, client);
  works(&host, client);
  CHECK(host.tokens == 1 && host.destroyed == 0);
  segl_client_free(client);
  CHECK(host.destroyed == 0);
  segl_client_free(other);
  wait_until_destroyed(&host);
  not_made();
  from_a_file();
  return 0;
}
