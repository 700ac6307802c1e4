/* A key in AWS KMS: credentials beside the URI, how the key is doing, and a fork while
 * another thread waits for credentials. */

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "given.h"

static segl_signer *signer;

static segl_error *open_with(const char *credentials, segl_signer **out) {
  const char *uri = given("GIVEN_KMS_URI");
  size_t len = credentials == NULL ? 0 : strlen(credentials);
  return segl_signer_open(uri, strlen(uri), (const uint8_t *)credentials, len, NULL, out);
}

static void sign(void) {
  segl_bytes out = {0};
  CHECK_OK(segl_signer_sign(signer, "ES256", 5, (const uint8_t *)"m", 1, NULL, &out));
  CHECK(out.len == 64);
  segl_bytes_free(&out);
}

static void *sign_in_thread(void *unused) {
  (void)unused;
  sign();
  return NULL;
}

static void check_health(const char *part) {
  segl_bytes json = {0};
  char text[4096] = {0};
  CHECK_OK(segl_signer_health(signer, &json));
  CHECK(json.len < sizeof text);
  memcpy(text, json.data, json.len);
  if (strstr(text, part) == NULL) fprintf(stderr, "%s\n", text);
  CHECK(strstr(text, part) != NULL);
  segl_bytes_free(&json);
}

static void with_credentials_beside_the_uri(void) {
  CHECK_OK(open_with(given("GIVEN_KMS_CREDENTIALS"), &signer));
  check_health("\"signatures\":0");
  sign();
  check_health("\"signatures\":1");
  check_health("\"state\":\"ready\"");
  segl_signer_free(signer);

  segl_signer *none = NULL;
  segl_error *error = open_with("{\"AccessKeyId\":\"hidden", &none);
  CHECK(segl_error_code(error) == SEGL_KMS_CREDENTIALS && none == NULL);
  CHECK(strstr(segl_error_message(error, NULL), "hidden") == NULL);
  segl_error_free(error);
}

/* The container's credentials have expired as soon as they come, so that each
 * signature asks for new ones; they come late. */
static void fork_while_credentials_are_fetched(void) {
  CHECK_OK(open_with(NULL, &signer));
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, sign_in_thread, NULL) == 0);
  const struct timespec pause = {.tv_nsec = 300000000};
  nanosleep(&pause, NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(30); /* less than a caller waits for another's fetch */
    sign();
    check_health("\"signatures\":1");
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  sign();
  segl_signer_free(signer);
}

int main(void) {
  with_credentials_beside_the_uri();
  fork_while_credentials_are_fetched();
  CHECK_OK(segl_shutdown());
  return 0;
}
