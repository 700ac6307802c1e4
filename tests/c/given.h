/* What tests/c_api.rs gives to each program through the environment. */

#ifndef GIVEN_H
#define GIVEN_H

#include <string.h>

#include "check.h"

#define MAX_FILE 8192

/* A variable of the environment: GIVEN_EC_PEM and GIVEN_RSA_PEM are paths,
 * GIVEN_DPOP_URL is a server that binds tokens to keys,
 * GIVEN_FILE_URI, GIVEN_HSM_URI and GIVEN_REFUSING_URI name keys, GIVEN_CONFIG is a segl.toml,
 * GIVEN_API and GIVEN_ADMIN are addresses of the simulator; GIVEN_DNB and GIVEN_DNB_BARE are settings of a
 * client of its DNB over https, with and without a certificate, GIVEN_DNB_API is DNB's API there, and
 * GIVEN_DNB_THUMBPRINT what the API says of the certificate. */
static inline const char *given(const char *name) {
  const char *value = getenv(name);
  if (value == NULL) {
    fprintf(stderr, "%s is not set; run the program through tests/c_api.rs\n", name);
    _Exit(2);
  }
  return value;
}

/* How often to repeat; less under valgrind. */
static inline int rounds(void) { return atoi(given("GIVEN_ROUNDS")); }

static inline segl_signer *open_pem(const char *variable) {
  char pem[MAX_FILE];
  FILE *file = fopen(given(variable), "rb");
  CHECK(file != NULL);
  size_t len = fread(pem, 1, sizeof pem, file);
  fclose(file);
  CHECK(len > 0 && len < sizeof pem);
  segl_signer *signer = NULL;
  CHECK_OK(segl_signer_from_bytes((const uint8_t *)pem, len, NULL, 0, &signer));
  CHECK(signer != NULL);
  return signer;
}

static inline segl_signer *open_uri(const char *variable) {
  const char *uri = given(variable);
  segl_signer *signer = NULL;
  CHECK_OK(segl_signer_open(uri, strlen(uri), NULL, 0, NULL, &signer));
  CHECK(signer != NULL);
  return signer;
}

static inline segl_client *open_client(const char *name) {
  const char *path = given("GIVEN_CONFIG");
  segl_client *client = NULL;
  CHECK_OK(segl_client_open(path, strlen(path), name, strlen(name), NULL, &client));
  CHECK(client != NULL);
  return client;
}

static inline segl_client_params params_for(const char *settings, const segl_signer *signer) {
  segl_client_params params;
  memset(&params, 0, sizeof params);
  params.struct_size = sizeof params;
  params.config_json = settings;
  params.config_json_len = strlen(settings);
  params.signer = signer;
  return params;
}

static inline segl_error *new_client(const char *settings, const segl_signer *signer, segl_client **out) {
  segl_client_params params = params_for(settings, signer);
  return segl_client_new(&params, NULL, out);
}

#define MASKINPORTEN                                                                                \
  "{\"profile\":\"maskinporten\",\"environment\":\"test\",\"client_id\":\"c\",\"kid\":\"k\"," \
  "\"scopes\":[\"a:b\"]}"

#endif
