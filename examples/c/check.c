/* May the sender of a request do this? Checks the access token on standard input, and prints what
 * an API answers:
 *
 *     cc check.c -o check $(pkg-config --cflags --libs segl)
 *     ./check segl.toml api <token
 */
#include <stdio.h>
#include <string.h>

#include <segl.h>

/* Status and header of a refusal (RFC 6750 section 3). The message is for the API's own log. */
static void refuse(const segl_error *error) {
  int64_t status = 0;
  size_t len = 0;
  /* Only what is about the token has one. */
  if (!segl_error_int(error, SEGL_FIELD_HTTP_STATUS, &status)) status = 500;
  const char *word = segl_error_str(error, SEGL_FIELD_OAUTH_ERROR, &len);
  printf("%d\n", (int)status);
  if (word != NULL) printf("WWW-Authenticate: Bearer error=\"%.*s\"\n", (int)len, word);
  fprintf(stderr, "%s: %s\n", segl_error_name(segl_error_code(error)), segl_error_message(error, NULL));
}

int main(int argc, char **argv) {
  const char *file = argc > 1 ? argv[1] : "segl.toml", *name = argc > 2 ? argv[2] : "api";
  const char *wanted = "{\"supplier\": null}";
  char token[32 * 1024 + 1];
  size_t len = fread(token, 1, sizeof token, stdin);
  while (len > 0 && token[len - 1] == '\n') len--;

  /* Once, when the program starts. All threads may share it. */
  segl_validator *validator = NULL;
  segl_validator_params params = {.struct_size = sizeof params,
                                  .config_path = file,
                                  .config_path_len = strlen(file),
                                  .validator_name = name,
                                  .validator_name_len = strlen(name)};
  segl_error *error = segl_validator_new(&params, &validator);

  /* For each request. The claims are JSON, and may be about a person. */
  segl_bytes claims = {0};
  if (error == NULL) error = segl_validator_check(validator, token, len, wanted, strlen(wanted), NULL, &claims);
  if (error == NULL)
    puts("200");
  else
    refuse(error);

  int failed = error != NULL;
  segl_error_free(error);
  segl_bytes_free(&claims);
  segl_validator_free(validator);
  return failed;
}
