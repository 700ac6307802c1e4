/* A request to an API with the client's token, and what comes back. */

#include "given.h"
#include "http.h"

static int has(segl_bytes bytes, const char *text) {
  return bytes.data != NULL && bytes.data[bytes.len] == 0 && strstr((const char *)bytes.data, text) != NULL;
}

static void every_status_is_an_answer(const segl_client *client, const char *api) {
  segl_http_request request = request_for("GET", api);
  segl_http_response response = no_response();
  CHECK_OK(send_it(client, &request, &response));
  CHECK(response.status == 200);
  CHECK(has(response.body, "\"method\":\"GET\"") && has(response.body, "\"client_id\":\"file\""));
  CHECK(has(response.headers_json, "[[\"") && has(response.headers_json, "[\"content-type\",\"application/json\"]"));
  segl_http_response_free(&response);
  CHECK(is_empty(&response));
  segl_http_response_free(&response);

  char url[512];
  CHECK(snprintf(url, sizeof url, "%s?scope=not:had", api) < (int)sizeof url);
  request = request_for("DELETE", url);
  CHECK_OK(send_it(client, &request, &response));
  CHECK(response.status == 403 && has(response.body, "insufficient_scope"));
  segl_http_response_free(&response);

  /* Another token: the token request counts. */
  request = request_for("GET", api);
  CHECK_CODE(SEGL_TOKEN_SCOPE_NOT_ON_CLIENT,
             segl_client_send(client, &request, SEGL_S("{\"scopes\":[\"x:y\"]}"), NULL, &response));
  CHECK(is_empty(&response));
}

/* The simulator's administration takes JSON that says it is JSON. */
static void headers_and_body_arrive(const segl_client *client) {
  char url[512];
  CHECK(snprintf(url, sizeof url, "%s/maskinporten/clients", given("GIVEN_ADMIN")) < (int)sizeof url);
  const char *body = "{\"client_id\":\"by-c\",\"orgno\":\"910753614\",\"scopes\":[]}";
  segl_http_request request = request_for("POST", url);
  request.body = (const uint8_t *)body;
  request.body_len = strlen(body);
  segl_http_response response = no_response();
  CHECK_OK(send_it(client, &request, &response));
  CHECK(response.status == 400 && has(response.body, "Content-Type"));
  segl_http_response_free(&response);

  const char *headers = "[[\"Content-Type\",\"application/json\"],[\"X-Request-ID\",\"1\"]]";
  request.headers_json = headers;
  request.headers_json_len = strlen(headers);
  CHECK_OK(send_it(client, &request, &response));
  CHECK(response.status == 201 && has(response.body, "by-c"));
  segl_http_response_free(&response);
}

static void what_cannot_be_sent_is_refused(const segl_client *client, const char *api) {
  segl_http_response response = no_response();
  segl_http_request request = request_for("get", api);
  CHECK_CODE(SEGL_INVALID_ARGUMENT, send_it(client, &request, &response));
  CHECK(is_empty(&response));
  request = request_for("GET", "http://api.example/");
  CHECK_CODE(SEGL_URL, send_it(client, &request, &response));
  request = request_for("GET", api);
  request.body = (const uint8_t *)"x";
  request.body_len = 1;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, send_it(client, &request, &response));

  const char *bad[] = {"[[\"Authorization\",\"Bearer x\"]]",
                       "[[\"dpop\",\"x\"]]",
                       "[[\"Host\",\"x\"]]",
                       "[[\"Content-Length\",\"1\"]]",
                       "[[\"X-A\",\"1\\r\\nX-B: 2\"]]",
                       "[[\"X-A\"]]",
                       "{\"X-A\":\"1\"}",
                       "[[\"X-A\",\"secret-value\"",
                       ""};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    request = request_for("GET", api);
    request.headers_json = bad[i];
    request.headers_json_len = strlen(bad[i]);
    segl_error *error = send_it(client, &request, &response);
    CHECK(error != NULL && strstr(segl_error_message(error, NULL), "secret-value") == NULL);
    CHECK_CODE(SEGL_INVALID_ARGUMENT, error);
    CHECK(is_empty(&response));
  }
}

static void wrong_use_is_an_error(const char *api) {
  segl_client *client = open_client("maskinporten");
  segl_http_request request = request_for("GET", api);
  segl_http_response response = no_response();
  CHECK_CODE(SEGL_NULL_ARGUMENT, send_it(NULL, &request, &response));
  segl_signer *signer = open_pem("GIVEN_RSA_PEM");
  CHECK_CODE(SEGL_INVALID_HANDLE, send_it((const segl_client *)signer, &request, &response));
  segl_signer_free(signer);
  CHECK_CODE(SEGL_NULL_ARGUMENT, send_it(client, NULL, &response));
  CHECK_CODE(SEGL_NULL_ARGUMENT, send_it(client, &request, NULL));
  request.url = NULL;
  CHECK_CODE(SEGL_NULL_ARGUMENT, send_it(client, &request, &response));
  request = request_for("GET", api);
  request.struct_size = 0;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, send_it(client, &request, &response));
  request.struct_size = sizeof request;
  response.struct_size = sizeof response - 1;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, send_it(client, &request, &response));
  segl_http_response_free(&response);
  segl_http_response_free(NULL);
  response = no_response();
  segl_call call;
  memset(&call, 0, sizeof call);
  call.struct_size = sizeof call;
  call.flags = SEGL_CALL_RESPONSE_JSON;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_client_send(client, &request, NULL, 0, &call, &response));
  segl_cancel *cancel = NULL;
  CHECK_OK(segl_cancel_new(&cancel));
  segl_cancel_trigger(cancel);
  call.flags = 0;
  call.cancel = cancel;
  CHECK_CODE(SEGL_CANCELLED, segl_client_send(client, &request, NULL, 0, &call, &response));
  segl_cancel_free(cancel);
  segl_client_free(client);
  CHECK_CODE(SEGL_INVALID_HANDLE, send_it(client, &request, &response));
  CHECK(is_empty(&response));
}

/* Texts are what their length says, and UTF-8. */
static void texts_are_read_to_their_length(const segl_client *client, const char *api) {
  segl_http_response response = no_response();
  segl_http_request request = request_for("GET", api);
  request.method = "GETX";
  request.method_len = 3;
  CHECK_OK(send_it(client, &request, &response));
  CHECK(response.status == 200);
  segl_http_response_free(&response);

  const char not_utf8[] = "[[\"X-A\",\"\xff\"]]";
  request.headers_json = not_utf8;
  request.headers_json_len = sizeof not_utf8 - 1;
  CHECK_CODE(SEGL_INVALID_UTF8, send_it(client, &request, &response));
  request = request_for("GET", api);
  request.url = "http://127.0.0.1/\xff";
  request.url_len = strlen(request.url);
  CHECK_CODE(SEGL_INVALID_UTF8, send_it(client, &request, &response));
  request = request_for("GE\xff", api);
  CHECK_CODE(SEGL_INVALID_UTF8, send_it(client, &request, &response));
  request = request_for("GET", api);
  request.method_len = 4;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, send_it(client, &request, &response));
  request = request_for("GET", api);
  CHECK_CODE(SEGL_INVALID_UTF8, segl_client_send(client, &request, SEGL_S("{\"scopes\":[\"\xff\"]}"), NULL, &response));

  /* A NUL, as such and as JSON writes it. */
  const char *zeros[] = {"[[\"X-A\",\"a\\u0000b\"]]", "[[\"X\\u0000A\",\"a\"]]"};
  for (size_t i = 0; i < 2; i++) {
    request = request_for("GET", api);
    request.headers_json = zeros[i];
    request.headers_json_len = strlen(zeros[i]);
    CHECK_CODE(SEGL_INVALID_ARGUMENT, send_it(client, &request, &response));
  }
  request = request_for("GET", api);
  request.headers_json = NULL;
  request.headers_json_len = 2;
  CHECK_CODE(SEGL_NULL_ARGUMENT, send_it(client, &request, &response));
  request = request_for("POST", api);
  request.body_len = 2;
  CHECK_CODE(SEGL_NULL_ARGUMENT, send_it(client, &request, &response));
  const uint8_t body[] = "a";
  request.body = body;
  request.body_len = SIZE_MAX;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, send_it(client, &request, &response));
  CHECK(is_empty(&response));
}

/* Members can come behind those of today, for those who know them and those who do not. */
static void structs_may_grow(const segl_client *client, const char *api) {
  struct {
    segl_http_request known;
    uint64_t later;
  } request;
  struct {
    segl_http_response known;
    uint64_t later;
  } response;
  memset(&request, 0, sizeof request);
  request.known = request_for("GET", api);
  request.known.struct_size = sizeof request;
  memset(&response, 0xff, sizeof response);
  response.known.struct_size = sizeof response;
  CHECK_OK(send_it(client, &request.known, &response.known));
  CHECK(response.known.status == 200 && response.known.struct_size == sizeof response && response.later == 0);
  segl_http_response_free(&response.known);
  CHECK(response.known.body.data == NULL && response.known.struct_size == sizeof response);
  request.later = 1;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, send_it(client, &request.known, &response.known));
}

static void tokens_stay_with_the_apis_of_the_settings(const char *api) {
  segl_signer *signer = open_pem("GIVEN_RSA_PEM");
  segl_client *client = NULL;
  CHECK_OK(new_client("{\"profile\":\"maskinporten\",\"environment\":\"test\",\"client_id\":\"c\",\"kid\":\"k\","
                      "\"apis\":[\"https://api.example/v1/\"]}",
                      signer, &client));
  segl_http_request request = request_for("GET", api);
  segl_http_response response = no_response();
  segl_error *error = send_it(client, &request, &response);
  const char *path = segl_error_str(error, SEGL_FIELD_CONFIG_PATH, NULL);
  CHECK(path != NULL && strcmp(path, "apis") == 0);
  CHECK_CODE(SEGL_API_NOT_ALLOWED, error);
  segl_client_free(client);
  segl_signer_free(signer);
}

int main(void) {
  const char *api = given("GIVEN_API");
  segl_client *client = open_client("maskinporten");
  for (int i = 0; i < rounds(); i++) every_status_is_an_answer(client, api);
  headers_and_body_arrive(client);
  what_cannot_be_sent_is_refused(client, api);
  texts_are_read_to_their_length(client, api);
  structs_may_grow(client, api);
  segl_client_free(client);
  wrong_use_is_an_error(api);
  tokens_stay_with_the_apis_of_the_settings(api);
  return 0;
}
