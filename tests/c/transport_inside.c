/* What a host's transport does while it sends: it calls segl, forks, frees the client
 * that it sends for, or does not come back. */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "given.h"
#include "http.h"

#define TOKEN "{\"access_token\":\"of-the-host\",\"token_type\":\"Bearer\",\"expires_in\":3600}"
#define SETTINGS                                                                         \
  "{\"profile\":\"generic\",\"client_id\":\"c\",\"audience\":\"https://a.example/\","    \
  "\"token_endpoint\":\"https://a.example/token\",\"apis\":[\"https://api.example/\"]," \
  "\"timeout_ms\":60000}"

enum mode { ANSWER, ASK, FREE, FORK, HANG, CANCEL, LINES, MANY_HEADERS };

static struct {
  enum mode mode;
  segl_client *client;
  segl_cancel *cancel;
  segl_error *inner;
  atomic_int inside;
  atomic_int destroyed;
  pthread_mutex_t gate;
} host = {.gate = PTHREAD_MUTEX_INITIALIZER};

static segl_error *ask(const segl_client *client, uint32_t timeout_ms) {
  segl_call call = {.struct_size = sizeof call, .timeout_ms = timeout_ms};
  segl_token token = {.struct_size = sizeof token};
  segl_error *error = segl_client_token(client, NULL, 0, &call, &token);
  CHECK((error == NULL) == (token.access_token.data != NULL));
  segl_token_free(&token);
  return error;
}

/* A child that leaves the fetch to its parent, and uses the client all the same. */
static void fork_here(const segl_reply *reply) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    segl_bytes jwt;
    host.mode = ANSWER;
    CHECK_OK(segl_client_assertion(host.client, NULL, 0, NULL, &jwt));
    CHECK_OK(ask(host.client, 20000));
    segl_reply_set(reply, 500, NULL, 0, NULL, 0);
    _Exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static int32_t many_headers(const segl_reply *reply) {
  static char headers[2000000];
  size_t at = 0;
  headers[at++] = '[';
  for (int i = 0; i < 50000; i++) at += (size_t)sprintf(headers + at, "%s[\"X-%d\",\"v\\r\\nSet: %d\"]", i ? "," : "", i, i);
  headers[at++] = ']';
  segl_reply_set(reply, 200, headers, at, NULL, 0);
  return 0;
}

static int32_t answer(void *ctx, const segl_http_request *request, uint32_t timeout_ms, const segl_reply *reply,
                      const segl_fail *fail) {
  CHECK(ctx == &host && timeout_ms > 0 && request->struct_size == sizeof *request);
  host.inside++;
  switch (host.mode) {
    case ASK:
      host.inner = ask(host.client, 300);
      break;
    case FREE:
      segl_client_free(host.client);
      CHECK_CODE(SEGL_INVALID_HANDLE, ask(host.client, 300));
      break;
    case FORK:
      fork_here(reply);
      break;
    case HANG:
      pthread_mutex_lock(&host.gate);
      pthread_mutex_unlock(&host.gate);
      break;
    case CANCEL:
      segl_cancel_trigger(host.cancel);
      break;
    case LINES:
      segl_fail_set(fail, SEGL_NETWORK, SEGL_S("first\nsecond\r\n\tthird\0fourth"));
      return 1;
    case MANY_HEADERS:
      return many_headers(reply);
    default:
      break;
  }
  segl_reply_set(reply, 200, NULL, 0, (const uint8_t *)SEGL_S(TOKEN));
  return 0;
}

static void destroy(void *ctx) {
  CHECK(ctx == &host);
  host.destroyed++;
}

/* The host's, with a client that nobody else has: its transport ends with it. */
static void begin(enum mode mode) {
  segl_transport_vtable vtable = {sizeof vtable, &host, answer, destroy};
  segl_transport *transport = NULL;
  CHECK_OK(segl_transport_from_vtable(&vtable, &transport));
  segl_signer *signer = open_pem("GIVEN_EC_PEM");
  segl_client_params params = params_for(SETTINGS, signer);
  params.transport = transport;
  host.mode = mode;
  host.inside = 0;
  host.destroyed = 0;
  host.inner = NULL;
  CHECK_OK(segl_client_new(&params, NULL, &host.client));
  segl_signer_free(signer);
  segl_transport_free(transport);
  CHECK(host.destroyed == 0);
}

static void end(void) {
  segl_client_free(host.client);
  for (int tries = 0; host.destroyed == 0 && tries < 2000; tries++)
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  CHECK(host.destroyed == 1);
}

static segl_error *get(uint32_t timeout_ms, segl_http_response *response) {
  segl_call call = {.struct_size = sizeof call, .timeout_ms = timeout_ms, .cancel = host.cancel};
  segl_http_request request = request_for("GET", "https://api.example/thing");
  return segl_client_send(host.client, &request, NULL, 0, &call, response);
}

static long resident_kib(void) {
  long size = 0, pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%ld %ld", &size, &pages) == 2);
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What a send is given ends with it. */
static void many_failures(int count) {
  segl_http_response response = no_response();
  for (int i = 0; i < count; i++) CHECK_CODE(SEGL_NETWORK, get(20000, &response));
}

int main(void) {
  segl_http_response response = no_response();

  /* The token that it waits for is the one that it is to fetch. */
  begin(ASK);
  CHECK_OK(ask(host.client, 20000));
  CHECK_CODE(SEGL_TIMEOUT, host.inner);
  CHECK(host.inside == 1);
  /* It is in the cache by now. */
  host.inner = NULL;
  CHECK_OK(get(20000, &response));
  CHECK_OK(host.inner);
  CHECK(host.inside == 2);
  segl_http_response_free(&response);
  end();

  begin(FREE);
  CHECK_OK(ask(host.client, 20000));
  end();

  begin(FORK);
  CHECK_OK(ask(host.client, 60000));
  CHECK(host.inside == 1);
  end();

  /* Who waits leaves in time, and the client can be freed. */
  pthread_mutex_lock(&host.gate);
  begin(HANG);
  CHECK_CODE(SEGL_TIMEOUT, ask(host.client, 100));
  segl_client_free(host.client);
  CHECK_CODE(SEGL_INVALID_HANDLE, ask(host.client, 100));
  CHECK(host.inside == 1 && host.destroyed == 0);
  pthread_mutex_unlock(&host.gate);
  end();

  /* An answer that came although the call was cancelled meanwhile is not lost. */
  begin(ANSWER);
  CHECK_OK(ask(host.client, 20000));
  CHECK_OK(segl_cancel_new(&host.cancel));
  host.mode = CANCEL;
  CHECK_OK(get(0, &response));
  CHECK(response.status == 200);
  segl_http_response_free(&response);
  CHECK_CODE(SEGL_CANCELLED, get(0, &response));
  CHECK(host.inside == 2 && is_empty(&response));
  segl_cancel_free(host.cancel);
  host.cancel = NULL;

  host.mode = LINES;
  segl_error *error = get(20000, &response);
  size_t len = 0;
  const char *message = segl_error_message(error, &len);
  CHECK(strlen(message) == len && strstr(message, "first second   third fourth") != NULL);
  CHECK_CODE(SEGL_NETWORK, error);

  /* Tools that watch memory keep some of what was freed. */
  if (rounds() >= 100) {
    many_failures(5000);
    long before = resident_kib();
    many_failures(20000);
    CHECK(resident_kib() - before < 1024);
  }

  host.mode = MANY_HEADERS;
  CHECK_OK(get(60000, &response));
  CHECK(strstr((const char *)response.headers_json.data, "[\"x-49999\",\"v\\r\\nSet: 49999\"]") != NULL);
  segl_http_response_free(&response);
  end();
  return 0;
}
