/* Gets an access token for a client that a configuration file names:
 *
 *     cc token.c -o token $(pkg-config --cflags --libs segl)
 *     ./token segl.toml bank
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <segl.h>

int main(int argc, char **argv) {
  const char *file = argc > 1 ? argv[1] : "segl.toml", *name = argc > 2 ? argv[2] : "bank";
  segl_token token = {.struct_size = sizeof token};
  segl_client *client = NULL;

  segl_error *error = segl_client_open(file, strlen(file), name, strlen(name), NULL, &client);
  if (error == NULL) error = segl_client_token(client, NULL, 0, NULL, &token);
  if (error == NULL)
    printf("a token of %zu bytes, valid until %" PRId64 " (ms since 1970)\n", token.access_token.len,
           token.expires_at_ms);
  else
    fprintf(stderr, "%s: %s\n", segl_error_name(segl_error_code(error)), segl_error_message(error, NULL));

  int failed = error != NULL;
  segl_error_free(error);
  segl_token_free(&token);
  segl_client_free(client);
  return failed;
}
