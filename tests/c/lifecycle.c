/* A whole life: keys, clients, assertions, tokens, shutdown, and anew. */

#include "given.h"

static void versions(void) {
  CHECK(segl_abi_version() >> 16 == SEGL_ABI_VERSION >> 16);
  CHECK(segl_abi_version() >= SEGL_ABI_VERSION);
  CHECK(strchr(segl_version(), '.') != NULL);
}

static int contains(const segl_bytes *text, const char *part) {
  CHECK(text->data != NULL && text->data[text->len] == 0);
  CHECK(strlen((const char *)text->data) == text->len);
  return strstr((const char *)text->data, part) != NULL;
}

static void sign_and_describe(segl_signer *signer, const char *alg, size_t signature_len) {
  segl_bytes out = {0};
  CHECK_OK(segl_signer_describe(signer, &out));
  CHECK(contains(&out, "\"thumbprint\":\"") && contains(&out, alg));
  segl_bytes_free(&out);
  CHECK(out.data == NULL && out.len == 0 && out.cap == 0);

  CHECK_OK(segl_signer_health(signer, &out));
  CHECK(contains(&out, "\"state\":\"ready\"") && contains(&out, "\"problem\":null"));
  segl_bytes_free(&out);

  CHECK_OK(segl_signer_public_jwk(signer, &out));
  CHECK(contains(&out, "\"kid\":\"") && contains(&out, "\"use\":\"sig\"") && !contains(&out, "\"d\":"));
  segl_bytes_free(&out);

  CHECK_OK(segl_signer_sign(signer, alg, strlen(alg), (const uint8_t *)"abc", 3, NULL, &out));
  CHECK(out.len == signature_len && out.data[out.len] == 0);
  segl_bytes_free(&out);
  CHECK_OK(segl_signer_sign(signer, alg, strlen(alg), NULL, 0, NULL, &out));
  CHECK(out.len == signature_len);
  segl_bytes_free(&out);

  segl_call call = {.struct_size = sizeof call, .timeout_ms = 30000};
  CHECK_OK(segl_signer_probe(signer, &call));

  char header[64];
  snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", alg);
  CHECK_OK(segl_jws_sign(signer, header, strlen(header), (const uint8_t *)"{}", 2, &call, &out));
  CHECK(contains(&out, ".e30."));
  segl_bytes_free(&out);
  CHECK_OK(segl_jws_sign(signer, header, strlen(header), NULL, 0, NULL, &out));
  CHECK(contains(&out, ".."));
  segl_bytes_free(&out);
}

static void keys(void) {
  segl_signer *ec = open_pem("GIVEN_EC_PEM"), *rsa = open_pem("GIVEN_RSA_PEM");
  segl_signer *file = open_uri("GIVEN_FILE_URI"), *hsm = open_uri("GIVEN_HSM_URI");
  sign_and_describe(ec, "ES256", 64);
  sign_and_describe(rsa, "RS256", 256);
  sign_and_describe(rsa, "PS256", 256);
  sign_and_describe(file, "ES256", 64);
  sign_and_describe(hsm, "RS256", 256);
  segl_signer_free(ec);
  segl_signer_free(rsa);
  segl_signer_free(file);
  segl_signer_free(hsm);
}

static void client_with_a_signer(void) {
  segl_signer *signer = open_pem("GIVEN_RSA_PEM");
  segl_client *client = NULL;
  CHECK_OK(new_client(MASKINPORTEN, signer, &client));
  segl_signer_free(signer);

  segl_bytes jwt = {0};
  CHECK_OK(segl_client_assertion(client, NULL, 0, NULL, &jwt));
  CHECK(contains(&jwt, "."));
  segl_bytes_free(&jwt);
  CHECK_OK(segl_client_assertion(client, SEGL_S("{\"scopes\":[\"c:d\"]}"), NULL, &jwt));
  segl_bytes_free(&jwt);
  CHECK_CODE(SEGL_UNSUPPORTED, segl_client_registration(client, NULL, &jwt));
  segl_client_free(client);
}

static int occurrences(const segl_bytes *text, const char *part) {
  int found = 0;
  for (const char *at = (const char *)text->data; (at = strstr(at, part)) != NULL; at++) found++;
  return found;
}

static void health(void) {
  segl_signer *signer = open_pem("GIVEN_RSA_PEM");
  segl_client *client = NULL;
  segl_bytes json = {0};
  CHECK_OK(new_client(MASKINPORTEN, signer, &client));
  CHECK_OK(segl_client_health(client, &json));
  CHECK(contains(&json, "\"name\":\"signer\"") && occurrences(&json, "\"opened\":true") == 1);
  segl_bytes_free(&json);
  segl_client_free(client);
  segl_signer_free(signer);

  client = open_client("two_keys");
  CHECK_OK(segl_client_health(client, &json));
  CHECK(contains(&json, "\"keys\":[") && contains(&json, "\"name\":\"keys[0]\""));
  CHECK(contains(&json, "\"name\":\"keys[1]\"") && occurrences(&json, "\"state\":\"ready\"") == 2);
  segl_bytes_free(&json);
  segl_client_free(client);
}

static void registration(void) {
  segl_client *client = open_client("dnb");
  segl_bytes jwt = {0};
  CHECK_OK(segl_client_registration(client, NULL, &jwt));
  CHECK(contains(&jwt, "."));
  segl_bytes_free(&jwt);
  segl_client_free(client);
}

/* Returns the token's generation. */
static uint64_t get(const segl_client *client, uint32_t flags) {
  segl_token token = {.struct_size = sizeof token};
  segl_call call = {.struct_size = sizeof call, .flags = SEGL_CALL_RESPONSE_JSON};
  CHECK_OK(segl_client_token(client, NULL, 0, &call, &token));
  CHECK(token.struct_size == sizeof token && token.flags == flags && token.reserved == 0);
  CHECK(contains(&token.access_token, "."));
  CHECK(contains(&token.response_json, (const char *)token.access_token.data));
  CHECK(contains(&token.response_json, "\"expires_in\""));
  CHECK(token.expires_at_ms > INT64_C(1700000000000));
  uint64_t generation = token.generation;
  CHECK(generation != 0);
  segl_token_free(&token);
  CHECK(token.struct_size == sizeof token && token.access_token.data == NULL && token.expires_at_ms == 0);
  CHECK(token.generation == 0);
  CHECK_OK(segl_client_token(client, NULL, 0, NULL, &token));
  CHECK(contains(&token.access_token, ".") && token.response_json.data == NULL);
  CHECK(token.generation == generation);
  segl_token_free(&token);
  return generation;
}

static void tokens(const char *name) {
  segl_client *client = open_client(name);
  uint64_t first = get(client, 0);
  CHECK(get(client, SEGL_TOKEN_FROM_CACHE) == first);
  CHECK_OK(segl_client_forget(client, NULL, 0));
  uint64_t second = get(client, 0);
  CHECK(second != first);
  CHECK_OK(segl_client_forget(client, SEGL_S("{\"scopes\":[\"another:scope\"]}")));
  CHECK(get(client, SEGL_TOKEN_FROM_CACHE) == second);
  segl_client_free(client);
}

/* A caller who holds a token hears that it is unchanged, and drops it when an API
 * rejects it. */
static void generations(const char *name, const char *json, size_t json_len) {
  segl_client *client = open_client(name);
  segl_token held = {.struct_size = sizeof held}, other = {.struct_size = sizeof other};
  CHECK_OK(segl_client_token_if_newer(client, json, json_len, 0, NULL, &held));
  CHECK(held.flags == 0 && contains(&held.access_token, "."));
  for (int i = 0; i < 2; i++) {
    CHECK_OK(segl_client_token_if_newer(client, json, json_len, held.generation, NULL, &other));
    CHECK(other.flags == (SEGL_TOKEN_FROM_CACHE | SEGL_TOKEN_UNCHANGED));
    CHECK(other.access_token.data == NULL && other.generation == held.generation);
    CHECK(other.expires_at_ms == held.expires_at_ms);
    segl_token_free(&other);
  }
  CHECK_OK(segl_client_token_if_newer(client, json, json_len, held.generation + 1, NULL, &other));
  CHECK(other.flags == SEGL_TOKEN_FROM_CACHE && other.access_token.len == held.access_token.len);
  segl_token_free(&other);

  /* A rejection of another token drops nothing. */
  CHECK_OK(segl_client_reject(client, json, json_len, held.generation + 1));
  CHECK_OK(segl_client_token_if_newer(client, json, json_len, held.generation, NULL, &other));
  CHECK(other.flags == (SEGL_TOKEN_FROM_CACHE | SEGL_TOKEN_UNCHANGED));
  CHECK_OK(segl_client_reject(client, json, json_len, held.generation));
  CHECK_OK(segl_client_token_if_newer(client, json, json_len, held.generation, NULL, &other));
  CHECK(other.flags == 0 && other.generation != held.generation && contains(&other.access_token, "."));
  CHECK_OK(segl_client_reject(client, json, json_len, held.generation));
  segl_token_free(&held);
  CHECK_OK(segl_client_token_if_newer(client, json, json_len, other.generation, NULL, &held));
  CHECK(held.flags == (SEGL_TOKEN_FROM_CACHE | SEGL_TOKEN_UNCHANGED));
  segl_token_free(&other);
  segl_token_free(&held);
  segl_client_free(client);
}

int main(void) {
  versions();
  keys();
  client_with_a_signer();
  health();
  registration();
  tokens("maskinporten");
  generations("maskinporten", NULL, 0);
  generations("maskinporten", SEGL_S("{\"resource\":[\"https://api.example\"]}"));
  tokens("dnb");
  tokens("two_keys");
  tokens("hsm");

  segl_signer *left = open_uri("GIVEN_HSM_URI");
  segl_client *left_too = open_client("hsm");
  CHECK_OK(segl_shutdown());
  segl_bytes out = {0};
  CHECK_CODE(SEGL_INVALID_HANDLE, segl_signer_describe(left, &out));
  CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_assertion(left_too, NULL, 0, NULL, &out));
  keys();
  tokens("hsm");
  CHECK_OK(segl_shutdown());
  CHECK_OK(segl_shutdown());
  return 0;
}
