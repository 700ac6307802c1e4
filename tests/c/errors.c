/* What an error says: number, name, message, fields. */

#include "given.h"

static const struct {
  int32_t number;
  const char *name;
} codes[] = {
/* {SEGL_PANIC, "PANIC"}, ...: tests/c_api.rs makes it of the header. */
#include "codes.inc"
};

static void no_error(void) {
  size_t len = 7;
  int64_t value = 7;
  CHECK(segl_error_code(NULL) == SEGL_OK);
  CHECK(strcmp(segl_error_message(NULL, &len), "") == 0 && len == 0);
  CHECK(strcmp(segl_error_message(NULL, NULL), "") == 0);
  CHECK(segl_error_int(NULL, SEGL_FIELD_RETRYABLE, &value) == 0 && value == 0);
  CHECK(segl_error_int(NULL, SEGL_FIELD_RETRYABLE, NULL) == 0);
  len = 7;
  CHECK(segl_error_str(NULL, SEGL_FIELD_CONFIG_PATH, &len) == NULL && len == 0);
  CHECK(segl_error_str(NULL, SEGL_FIELD_CONFIG_PATH, NULL) == NULL);
  segl_error_free(NULL);
}

static void names(void) {
  CHECK(sizeof codes / sizeof codes[0] > 40);
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    CHECK(strcmp(segl_error_name(codes[i].number), codes[i].name) == 0);
  }
  const int32_t unknown[] = {-1, 12, 99, 9999, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
    CHECK(strcmp(segl_error_name(unknown[i]), "UNKNOWN") == 0);
  }
}

/* Any error: a message, `retryable`, and nothing for what is no field. */
static void check_form(const segl_error *error) {
  size_t len = 0;
  const char *message = segl_error_message(error, &len);
  CHECK(len > 0 && message[len] == 0 && strlen(message) == len);
  CHECK(strcmp(message, segl_error_message(error, NULL)) == 0);
  int64_t value = 7;
  CHECK(segl_error_int(error, SEGL_FIELD_RETRYABLE, &value) == 1 && (value == 0 || value == 1));
  CHECK(segl_error_int(error, SEGL_FIELD_RETRYABLE, NULL) == 1);
  const int32_t no_int[] = {SEGL_FIELD_CK_FUNCTION, 0, -1, 99, INT32_MAX};
  for (size_t i = 0; i < sizeof no_int / sizeof no_int[0]; i++) {
    value = 7;
    CHECK(segl_error_int(error, no_int[i], &value) == 0 && value == 0);
  }
  const int32_t no_text[] = {SEGL_FIELD_RETRYABLE, 0, -1, 99, INT32_MAX};
  for (size_t i = 0; i < sizeof no_text / sizeof no_text[0]; i++) {
    len = 7;
    CHECK(segl_error_str(error, no_text[i], &len) == NULL && len == 0);
  }
}

static int is_text(const segl_error *error, int32_t field, const char *expected) {
  size_t len = 0;
  const char *text = segl_error_str(error, field, &len);
  return text != NULL && strlen(text) == len && strcmp(text, expected) == 0;
}

static int64_t integer(const segl_error *error, int32_t field) {
  int64_t value = -1;
  CHECK(segl_error_int(error, field, &value) == 1);
  return value;
}

static void of_a_configuration(void) {
  segl_client *client = (segl_client *)(uintptr_t)7;
  segl_error *error = new_client("{\"profile\":\"maskinporten\",\"client_id\":7}", NULL, &client);
  check_form(error);
  CHECK(client == NULL);
  CHECK(is_text(error, SEGL_FIELD_CONFIG_PATH, "client_id"));
  CHECK(segl_error_int(error, SEGL_FIELD_CK_RV, NULL) == 0);
  CHECK(segl_error_str(error, SEGL_FIELD_OAUTH_ERROR, NULL) == NULL);
  CHECK_CODE(SEGL_CONFIG, error);

  const char *path = given("GIVEN_CONFIG");
  client = (segl_client *)(uintptr_t)7;
  error = segl_client_open(path, strlen(path), SEGL_S("nobody"), NULL, &client);
  check_form(error);
  CHECK(client == NULL && strstr(segl_error_message(error, NULL), "nobody") != NULL);
  CHECK_CODE(SEGL_CONFIG, error);
  CHECK_CODE(SEGL_IO, segl_client_open(SEGL_S("/no/such/segl.toml"), SEGL_S("x"), NULL, &client));
}

/* CKR_PIN_INCORRECT is 0xa0. */
static void of_a_device(void) {
  const char *uri = given("GIVEN_WRONG_PIN_URI");
  segl_signer *signer = (segl_signer *)(uintptr_t)7;
  segl_error *error = segl_signer_open(uri, strlen(uri), (const uint8_t *)"not the pin", 11, NULL, &signer);
  check_form(error);
  CHECK(signer == NULL);
  CHECK(integer(error, SEGL_FIELD_CK_RV) == 0xa0);
  CHECK(is_text(error, SEGL_FIELD_CK_FUNCTION, "C_Login"));
  CHECK(integer(error, SEGL_FIELD_RETRYABLE) == 0);
  CHECK(strstr(segl_error_message(error, NULL), "not the pin") == NULL);
  CHECK_CODE(SEGL_PIN_INCORRECT, error);
}

static void of_a_token_endpoint(void) {
  segl_client *client = open_client("refused");
  segl_token token = {.struct_size = sizeof token, .access_token = {.len = 7}, .flags = 7, .expires_at_ms = 7};
  segl_error *error = segl_client_token(client, NULL, 0, NULL, &token);
  check_form(error);
  CHECK(token.struct_size == sizeof token && token.access_token.data == NULL && token.access_token.len == 0);
  CHECK(token.flags == 0 && token.expires_at_ms == 0);
  CHECK(is_text(error, SEGL_FIELD_OAUTH_ERROR, "invalid_grant"));
  CHECK(is_text(error, SEGL_FIELD_PROVIDER_CODE, "MP-100"));
  CHECK(segl_error_str(error, SEGL_FIELD_OAUTH_ERROR_DESCRIPTION, NULL) != NULL);
  CHECK(integer(error, SEGL_FIELD_HTTP_STATUS) == 400);
  CHECK(integer(error, SEGL_FIELD_RETRYABLE) == 0);
  CHECK_CODE(SEGL_TOKEN_CLIENT_UNKNOWN, error);
  segl_client_free(client);
}

static void outputs_are_zeroed(void) {
  segl_signer *signer = open_pem("GIVEN_EC_PEM");
  uint8_t byte = 7;
  segl_bytes out = {&byte, 7, 7};
  CHECK_CODE(SEGL_ALGORITHM, segl_signer_sign(signer, SEGL_S("HS256"), &byte, 1, NULL, &out));
  CHECK(out.data == NULL && out.len == 0 && out.cap == 0);
  out = (segl_bytes){&byte, 7, 7};
  CHECK_CODE(SEGL_ALGORITHM, segl_jws_sign(signer, SEGL_S("{\"alg\":\"RS256\"}"), &byte, 1, NULL, &out));
  CHECK(out.data == NULL && out.len == 0 && out.cap == 0);
  segl_signer_free(signer);
  out = (segl_bytes){&byte, 7, 7};
  CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_describe(signer, &out));
  CHECK(out.data == NULL && out.len == 0 && out.cap == 0);
  signer = (segl_signer *)(uintptr_t)7;
  CHECK_CODE(SEGL_KEY_FORMAT, segl_signer_from_bytes(&byte, 1, NULL, 0, &signer));
  CHECK(signer == NULL);
}

int main(void) {
  no_error();
  names();
  of_a_configuration();
  of_a_device();
  of_a_token_endpoint();
  outputs_are_zeroed();
  return 0;
}
