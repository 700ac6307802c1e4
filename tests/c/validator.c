/* Access tokens that an API receives: who is let in, what is answered to others, and how the
 * issuer's keys are read. */

#include <pthread.h>
#include <string.h>

#include "forking.h"
#include "given.h"

static segl_validator *open_validator(void) {
  const char *path = given("GIVEN_CONFIG");
  segl_validator_params params;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.config_path = path;
  params.config_path_len = strlen(path);
  params.validator_name = "maskinporten";
  params.validator_name_len = strlen(params.validator_name);
  segl_validator *validator = NULL;
  CHECK_OK(segl_validator_new(&params, &validator));
  return validator;
}

static segl_error *new_validator(const char *settings, const segl_transport *transport, segl_validator **out) {
  segl_validator_params params;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.config_json = settings;
  params.config_json_len = strlen(settings);
  params.transport = transport;
  return segl_validator_new(&params, out);
}

static segl_error *check(const segl_validator *validator, const char *token, const char *requirements, segl_bytes *out) {
  return segl_validator_check(validator, token, strlen(token), requirements,
                              requirements == NULL ? 0 : strlen(requirements), NULL, out);
}

/* A call that must be refused, with what the API answers. */
static void refused(int32_t code, int64_t status, const char *oauth_error, segl_error *error) {
  CHECK(segl_error_code(error) == code);
  int64_t found = 0;
  CHECK(segl_error_int(error, SEGL_FIELD_HTTP_STATUS, &found) == 1 && found == status);
  const char *text = segl_error_str(error, SEGL_FIELD_OAUTH_ERROR, NULL);
  CHECK(oauth_error == NULL ? text == NULL : text != NULL && strcmp(text, oauth_error) == 0);
  segl_error_free(error);
}

static segl_token fetch(void) {
  segl_client *client = open_client("maskinporten");
  segl_token token;
  memset(&token, 0, sizeof token);
  token.struct_size = sizeof token;
  CHECK_OK(segl_client_token(client, NULL, 0, NULL, &token));
  segl_client_free(client);
  return token;
}

static void checks(const segl_validator *validator, const char *token) {
  segl_bytes json = {0};
  CHECK_OK(check(validator, token, NULL, &json));
  CHECK(json.len == strlen((const char *)json.data));
  CHECK(strstr((const char *)json.data, "\"orgno\":\"910753614\"") != NULL);
  segl_bytes_free(&json);
  CHECK_OK(check(validator, token, "{\"consumer\":\"910753614\",\"supplier\":null}", &json));
  segl_bytes_free(&json);

  refused(SEGL_ACCESS_TOKEN_SCOPE, 403, "insufficient_scope", check(validator, token, "{\"scopes\":[\"c:d\"]}", &json));
  CHECK(json.data == NULL && json.len == 0);
  refused(SEGL_ACCESS_TOKEN_CONSUMER, 403, "insufficient_scope",
          check(validator, token, "{\"consumer\":\"974760673\"}", &json));
  refused(SEGL_ACCESS_TOKEN_AUDIENCE, 401, "invalid_token",
          check(validator, token, "{\"audience\":\"https://api.example\"}", &json));
  refused(SEGL_ACCESS_TOKEN_MALFORMED, 401, "invalid_token", check(validator, "not.a-token", NULL, &json));
  refused(SEGL_ACCESS_TOKEN_MALFORMED, 401, "invalid_token", check(validator, "", NULL, &json));
}

static void changed(const segl_validator *validator, const char *token) {
  char copy[MAX_FILE];
  size_t len = strlen(token);
  CHECK(len < sizeof copy);
  memcpy(copy, token, len + 1);
  size_t at = len - 20;
  copy[at] = copy[at] == 'A' ? 'B' : 'A';
  segl_bytes json = {0};
  refused(SEGL_ACCESS_TOKEN_SIGNATURE, 401, "invalid_token", check(validator, copy, NULL, &json));
}

static void misuse(segl_validator *validator, const char *token) {
  segl_bytes json = {(uint8_t *)"x", 1, 1};
  CHECK_CODE(SEGL_INVALID_ARGUMENT, check(validator, token, "{\"scope\":\"a:b\"}", &json));
  CHECK(json.data == NULL && json.len == 0);
  CHECK_CODE(SEGL_INVALID_ARGUMENT, check(validator, token, "[]", &json));
  CHECK_CODE(SEGL_NULL_ARGUMENT, check(NULL, token, NULL, &json));
  CHECK_CODE(SEGL_NULL_ARGUMENT, check(validator, token, NULL, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_validator_check(validator, NULL, 0, NULL, 0, NULL, &json));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_validator_check(validator, token, strlen(token), NULL, 1, NULL, &json));
  CHECK_CODE(SEGL_INVALID_UTF8, segl_validator_check(validator, "\xff", 1, NULL, 0, NULL, &json));

  segl_validator *none = validator;
  CHECK_CODE(SEGL_CONFIG, new_validator("{\"environment\":\"test\",\"algorithms\":[\"HS256\"]}", NULL, &none));
  CHECK(none == NULL);
  CHECK_CODE(SEGL_CONFIG, new_validator("{}", NULL, &none));
  CHECK_CODE(SEGL_INVALID_HANDLE,
             new_validator("{\"environment\":\"test\"}", (const segl_transport *)validator, &none));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_validator_new(NULL, &none));
  segl_validator_params params;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_validator_new(&params, &none));
  params.config_path = given("GIVEN_CONFIG");
  params.config_path_len = strlen(params.config_path);
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_validator_new(&params, &none));
  params.validator_name = "nobody";
  params.validator_name_len = strlen(params.validator_name);
  CHECK_CODE(SEGL_CONFIG, segl_validator_new(&params, &none));
  params.config_json = "{}";
  params.config_json_len = 2;
  CHECK_CODE(SEGL_INVALID_ARGUMENT, segl_validator_new(&params, &none));
}

struct host {
  volatile int requests, destroyed;
};

static int32_t fail(void *ctx, const segl_http_request *request, uint32_t timeout_ms, const segl_reply *reply,
                    const segl_fail *fail) {
  (void)request, (void)timeout_ms, (void)reply;
  ((struct host *)ctx)->requests++;
  segl_fail_set(fail, SEGL_NETWORK, SEGL_S("no route"));
  return 1;
}

static void destroy(void *ctx) { ((struct host *)ctx)->destroyed++; }

/* Without keys nobody can tell; the issuer is not hammered. */
static void without_keys(const char *token) {
  static struct host host;
  segl_transport_vtable vtable = {sizeof vtable, &host, fail, destroy};
  segl_transport *transport = NULL;
  CHECK_OK(segl_transport_from_vtable(&vtable, &transport));
  segl_validator *validator = NULL;
  CHECK_OK(new_validator("{\"environment\":\"test\"}", transport, &validator));
  segl_transport_free(transport);
  segl_bytes json = {0};
  segl_error *error = check(validator, token, NULL, &json);
  int64_t retryable = 0;
  CHECK(segl_error_int(error, SEGL_FIELD_RETRYABLE, &retryable) == 1 && retryable == 1);
  refused(SEGL_JWKS_UNAVAILABLE, 503, NULL, error);
  refused(SEGL_JWKS_UNAVAILABLE, 503, NULL, check(validator, token, NULL, &json));
  CHECK(host.requests == 1);
  segl_validator_free(validator);
  segl_validator_free(validator);
  segl_validator_free(NULL);
  CHECK_CODE(SEGL_INVALID_HANDLE, check(validator, token, NULL, &json));
  const struct timespec pause = {.tv_nsec = 10000000};
  for (int tries = 0; host.destroyed == 0 && tries < 500; tries++) nanosleep(&pause, NULL);
  CHECK(host.destroyed == 1);
}

struct crew {
  const segl_validator *validator;
  const char *token;
};

static void *work(void *ctx) {
  const struct crew *crew = ctx;
  for (int round = 0; round < rounds(); round++) {
    segl_bytes json = {0};
    CHECK_OK(check(crew->validator, crew->token, NULL, &json));
    segl_bytes_free(&json);
  }
  return NULL;
}

/* All of them wait for the first reading of the keys. */
static void threads(const char *token) {
  segl_validator *validator = open_validator();
  struct crew crew = {validator, token};
  pthread_t members[8];
  for (int index = 0; index < 8; index++) CHECK(pthread_create(&members[index], NULL, work, &crew) == 0);
  for (int index = 0; index < 8; index++) CHECK(pthread_join(members[index], NULL) == 0);
  segl_validator_free(validator);
}

/* The child has the keys of its parent, and reads others. */
static void forked(const segl_validator *validator, const char *token) {
  segl_validator *unused = open_validator();
  pid_t child = fork_quietly();
  CHECK(child >= 0);
  if (child == 0) {
    checks(validator, token);
    checks(unused, token);
    _exit(0);
  }
  checks(validator, token);
  CHECK(succeeded(child));
  checks(unused, token);
  segl_validator_free(unused);
}

int main(void) {
  segl_token token = fetch();
  const char *text = (const char *)token.access_token.data;
  segl_validator *validator = open_validator();
  checks(validator, text);
  changed(validator, text);
  misuse(validator, text);
  without_keys(text);
  threads(text);
  forked(validator, text);
  segl_validator_free(validator);
  segl_token_free(&token);
  return 0;
}
