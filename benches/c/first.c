/* The first ES256 signature through segl: first URI PIN. */
#include <segl.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  segl_signer *signer = NULL;
  segl_bytes signature = {NULL, 0, 0};
  if (argc != 3) { fputs("usage: first URI PIN\n", stderr); return 1; }
  segl_error *error = segl_signer_open(argv[1], strlen(argv[1]), (const uint8_t *)argv[2],
                                       strlen(argv[2]), NULL, &signer);
  if (error == NULL)
    error = segl_signer_sign(signer, SEGL_S("ES256"), (const uint8_t *)"message", 7, NULL, &signature);
  if (error != NULL) {
    fprintf(stderr, "%s\n", segl_error_message(error, NULL));
    return 1;
  }
  return signature.len == 64 ? 0 : 1;
}
