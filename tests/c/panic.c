/* A panic inside segl is an error with its message, and segl works after it. */

#include "given.h"

/* Only in a library with the feature test-hooks. */
segl_error *segl_test_panic(int32_t how);

int main(void) {
  const char *const messages[] = {"the test asked for it", "the test asked for number 1", "no message", "no message"};
  segl_signer *signer = open_pem("GIVEN_EC_PEM");
  for (int32_t how = 0; how < 4; how++) {
    segl_error *error = segl_test_panic(how);
    CHECK(strstr(segl_error_message(error, NULL), messages[how]) != NULL);
    CHECK_CODE(SEGL_PANIC, error);
    CHECK_OK(segl_signer_probe(signer, NULL));
  }
  segl_signer_free(signer);
  return 0;
}
