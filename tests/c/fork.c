/* Handles work in a forked child and in its child, and the parent goes on. A key
 * with fork=refuse works in the parent only.
 *
 * Each fork happens while no thread is inside segl: a vendor's PKCS#11 library
 * has locks of its own, and one held at the fork stays held in the child. */

#include <sys/stat.h>
#include <unistd.h>

#include "forking.h"
#include "given.h"

#define MAX_JWT 4096
#define JTI_LEN 36

static segl_signer *signers[2];
static const char *const algs[2] = {"ES256", "RS256"};
static segl_signer *refusing;
static segl_client *client;

static void sign_with_all(void) {
  for (int i = 0; i < 2; i++) {
    segl_bytes out = {0};
    CHECK_OK(segl_signer_sign(signers[i], algs[i], 5, (const uint8_t *)"m", 1, NULL, &out));
    CHECK(out.len == (i == 0 ? 64u : 256u));
    segl_bytes_free(&out);
    CHECK_OK(segl_signer_probe(signers[i], NULL));
  }
}

static void get_token(uint32_t flags) {
  segl_token token = {.struct_size = sizeof token};
  CHECK_OK(segl_client_token(client, NULL, 0, NULL, &token));
  CHECK(token.flags == flags);
  segl_token_free(&token);
}

static int base64url_digit(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const char *digit = c == 0 ? NULL : strchr(digits, c);
  return digit == NULL ? -1 : (int)(digit - digits);
}

/* The jti of a new assertion: 36 characters. A server refuses one that was used
 * before, so parent and child must not draw the same. */
static void new_jti(char jti[JTI_LEN + 1]) {
  segl_bytes jwt = {0};
  char claims[MAX_JWT] = {0};
  CHECK_OK(segl_client_assertion(client, NULL, 0, NULL, &jwt));
  CHECK(jwt.len < MAX_JWT);
  const char *part = strchr((const char *)jwt.data, '.') + 1;
  unsigned bits = 0;
  for (int i = 0, out = 0, digit; (digit = base64url_digit(part[i])) >= 0; i++) {
    bits = bits << 6 | (unsigned)digit;
    if (i % 4 != 0) claims[out++] = (char)(bits >> (6 - i % 4 * 2));
  }
  const char *found = strstr(claims, "\"jti\":\"");
  CHECK(found != NULL && strlen(found) > 7 + JTI_LEN);
  memcpy(jti, found + 7, JTI_LEN);
  jti[JTI_LEN] = 0;
  segl_bytes_free(&jwt);
}

static int open_sockets(void) {
  int sockets = 0;
  struct stat status;
  for (int fd = 0; fd < 256; fd++) sockets += fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
  return sockets;
}

/* A connection is made anew: requests of two processes on one would mix. */
static void get_token_in_child(void) {
  int before = open_sockets();
  CHECK_OK(segl_client_forget(client, NULL, 0));
  get_token(0);
  CHECK(open_sockets() == before + 1);
}

static void run_grandchild(void) {
  sign_with_all();
  get_token_in_child();
  segl_client_free(client);
  CHECK_OK(segl_shutdown());
}

/* Sends a jti, then uses everything, before and after a fork of its own. */
static void run_child(int pipe_end) {
  char jti[JTI_LEN + 1];
  new_jti(jti);
  CHECK_CODE(SEGL_FORKED, segl_signer_probe(refusing, NULL));
  CHECK(write(pipe_end, jti, JTI_LEN) == JTI_LEN);
  sign_with_all();
  get_token_in_child();
  pid_t child = fork_quietly();
  CHECK(child >= 0);
  if (child == 0) {
    run_grandchild();
    _exit(0);
  }
  CHECK(succeeded(child));
  sign_with_all();
  segl_signer *own = open_uri("GIVEN_HSM_URI");
  CHECK_OK(segl_signer_probe(own, NULL));
  segl_signer_free(own);
}

int main(void) {
  signers[0] = open_uri("GIVEN_FILE_URI");
  signers[1] = open_uri("GIVEN_HSM_URI");
  refusing = open_uri("GIVEN_REFUSING_URI");
  client = open_client("maskinporten");
  sign_with_all();
  get_token(0);

  /* The parent keeps a connection, which the children inherit. */
  int connections = open_sockets();
  CHECK_OK(segl_client_forget(client, NULL, 0));
  get_token(0);
  CHECK(connections > 0 && open_sockets() == connections);

  int ends[2];
  CHECK(pipe(ends) == 0);
  pid_t child = fork_quietly();
  CHECK(child >= 0);
  if (child == 0) {
    close(ends[0]);
    run_child(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  sign_with_all();
  get_token(SEGL_TOKEN_FROM_CACHE);
  char ours[JTI_LEN + 1], theirs[JTI_LEN + 1] = {0};
  new_jti(ours);
  CHECK(read(ends[0], theirs, JTI_LEN) == JTI_LEN);
  close(ends[0]);
  CHECK(strcmp(ours, theirs) != 0);
  CHECK(succeeded(child));

  /* What the children ended is still there for the parent. */
  sign_with_all();
  CHECK_OK(segl_signer_probe(refusing, NULL));
  CHECK_OK(segl_client_forget(client, NULL, 0));
  get_token(0);
  segl_client_free(client);
  segl_signer_free(refusing);
  for (int i = 0; i < 2; i++) segl_signer_free(signers[i]);
  CHECK_OK(segl_shutdown());
  return 0;
}
