/* A request to an API while it is under way: cancelled, late, its client freed,
 * beside seven others, with large bodies. */

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "given.h"
#include "http.h"
#include "local_server.h"

#define THREADS 8
#define LARGE (4 * 1024 * 1024)
/* The most that an answer may have, unless the settings say otherwise. */
#define MOST (1024 * 1024)

static segl_client *client;
static int server;
static char server_url[64];

static void *cancel_after_request(void *cancel) {
  int connection = accept_request(server);
  segl_cancel_trigger((segl_cancel *)cancel);
  return (void *)(intptr_t)connection;
}

static void it_can_be_cancelled(void) {
  pthread_t thread;
  void *connection;
  segl_cancel *cancel = NULL;
  CHECK_OK(segl_cancel_new(&cancel));
  CHECK(pthread_create(&thread, NULL, cancel_after_request, cancel) == 0);
  segl_call call;
  memset(&call, 0, sizeof call);
  call.struct_size = sizeof call;
  call.cancel = cancel;
  segl_http_request request = request_for("GET", server_url);
  segl_http_response response = no_response();
  CHECK_CODE(SEGL_CANCELLED, segl_client_send(client, &request, NULL, 0, &call, &response));
  CHECK(is_empty(&response));
  CHECK(pthread_join(thread, &connection) == 0);
  segl_cancel_free(cancel);
  close((int)(intptr_t)connection);
}

static void it_ends_in_time(void) {
  segl_call call;
  memset(&call, 0, sizeof call);
  call.struct_size = sizeof call;
  call.timeout_ms = 200;
  char silent_url[64];
  int silent = listen_locally(silent_url, sizeof silent_url);
  segl_http_request request = request_for("GET", silent_url);
  segl_http_response response = no_response();
  segl_error *error = segl_client_send(client, &request, NULL, 0, &call, &response);
  int64_t retryable = 0;
  CHECK(segl_error_int(error, SEGL_FIELD_RETRYABLE, &retryable) == 1 && retryable == 1);
  CHECK_CODE(SEGL_TIMEOUT, error);
  CHECK(is_empty(&response));
  close(silent);
}

static void *free_after_request(void *own) {
  int connection = accept_request(server);
  segl_client_free((segl_client *)own);
  const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate";
  write_all(connection, answer, sizeof answer - 1);
  return (void *)(intptr_t)connection;
}

static void it_outlives_its_client(void) {
  pthread_t thread;
  void *connection;
  segl_client *own = open_client("maskinporten");
  CHECK(pthread_create(&thread, NULL, free_after_request, own) == 0);
  segl_http_request request = request_for("GET", server_url);
  segl_http_response response = no_response();
  CHECK_OK(send_it(own, &request, &response));
  CHECK(response.status == 200 && response.body.len == 4 && memcmp(response.body.data, "late", 4) == 0);
  segl_http_response_free(&response);
  CHECK(pthread_join(thread, &connection) == 0);
  CHECK_CODE(SEGL_INVALID_HANDLE, send_it(own, &request, &response));
  close((int)(intptr_t)connection);
}

/* Where the head ends that `text` begins with, or 0. */
static size_t end_of_head(const char *text, size_t len) {
  for (size_t i = 4; i <= len; i++) {
    if (memcmp(text + i - 4, "\r\n\r\n", 4) == 0) return i;
  }
  return 0;
}

/* Takes one request, and answers with a body of so many zeros when the request's is LARGE bytes, its byte i
 * being i modulo 251. */
static void *take_large(void *answer_len) {
  size_t room = LARGE + 8192, got = 0, head = 0;
  char *text = (char *)malloc(room);
  int connection = accept(server, NULL, NULL);
  CHECK(connection >= 0 && text != NULL);
  while (head == 0 || got < head + LARGE) {
    ssize_t more = recv(connection, text + got, room - got, 0);
    CHECK(more > 0);
    got += (size_t)more;
    if (head == 0) head = end_of_head(text, got);
  }
  CHECK(got == head + LARGE);
  for (size_t i = 0; i < LARGE; i++) CHECK((unsigned char)text[head + i] == i % 251);
  size_t len = *(const size_t *)answer_len;
  int written = snprintf(text, room, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", len);
  write_all(connection, text, (size_t)written);
  memset(text, 0, len);
  /* The client may have seen enough and gone. */
  for (size_t sent = 0; sent < len;) {
    ssize_t more = send(connection, text + sent, len - sent, MSG_NOSIGNAL);
    if (more <= 0) break;
    sent += (size_t)more;
  }
  free(text);
  return (void *)(intptr_t)connection;
}

static void large_bodies_come_and_go_whole(size_t answer_len, int32_t code) {
  pthread_t thread;
  void *connection;
  CHECK(pthread_create(&thread, NULL, take_large, &answer_len) == 0);
  uint8_t *body = (uint8_t *)malloc(LARGE);
  CHECK(body != NULL);
  for (size_t i = 0; i < LARGE; i++) body[i] = (uint8_t)(i % 251);
  segl_http_request request = request_for("POST", server_url);
  request.body = body;
  request.body_len = LARGE;
  segl_http_response response = no_response();
  CHECK_CODE(code, send_it(client, &request, &response));
  free(body);
  if (code == SEGL_OK) {
    CHECK(response.body.len == answer_len && response.body.data[answer_len] == 0);
    CHECK(response.body.data[0] == 0 && memcmp(response.body.data, response.body.data + 1, answer_len) == 0);
  } else {
    CHECK(is_empty(&response));
  }
  segl_http_response_free(&response);
  CHECK(pthread_join(thread, &connection) == 0);
  close((int)(intptr_t)connection);
}

static _Atomic(segl_client *) shared;
static atomic_int answers, refusals;

static void *send_often(void *unused) {
  const char *api = given("GIVEN_API");
  while (atomic_load(&refusals) == 0) {
    segl_http_request request = request_for("GET", api);
    segl_http_response response = no_response();
    segl_error *error = send_it(atomic_load(&shared), &request, &response);
    if (error == NULL) {
      CHECK(response.status == 200 && strstr((const char *)response.body.data, "\"client_id\":\"file\"") != NULL);
      atomic_fetch_add(&answers, 1);
    } else {
      CHECK(is_empty(&response));
      atomic_fetch_add(&refusals, 1);
      CHECK_CODE(SEGL_INVALID_HANDLE, error);
    }
    segl_http_response_free(&response);
  }
  return unused;
}

/* The client is freed while they send. */
static void threads_share_a_client(void) {
  pthread_t threads[THREADS];
  atomic_store(&shared, open_client("maskinporten"));
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, send_often, NULL) == 0);
  const struct timespec pause = {0, 1000000};
  while (atomic_load(&answers) < rounds()) nanosleep(&pause, NULL);
  segl_client_free(atomic_load(&shared));
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
  server = listen_locally(server_url, sizeof server_url);
  client = open_client("maskinporten");
  it_can_be_cancelled();
  it_ends_in_time();
  it_outlives_its_client();
  large_bodies_come_and_go_whole(MOST, SEGL_OK);
  large_bodies_come_and_go_whole(MOST + 1, SEGL_RESPONSE_TOO_LARGE);
  threads_share_a_client();
  segl_client_free(client);
  close(server);
  CHECK_OK(segl_shutdown());
  return 0;
}
