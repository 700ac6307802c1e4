/* A log sink: gets records, is replaced while threads log, and is destroyed
 * once, after the last of them has left it. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "given.h"

#define THREADS 4

struct sink {
  atomic_int records, inside, destroyed;
  int32_t max_level;
};

static atomic_int done;

static void record(void *ctx, int32_t level, const char *target, size_t target_len, const char *message,
                   size_t message_len) {
  struct sink *sink = ctx;
  atomic_fetch_add(&sink->inside, 1);
  CHECK(atomic_load(&sink->destroyed) == 0);
  CHECK(level >= SEGL_LOG_ERROR && level <= sink->max_level);
  CHECK(target != NULL && target_len > 0 && message != NULL && message_len > 0);
  CHECK(memchr(target, 0, target_len) == NULL && memchr(message, 0, message_len) == NULL);
  atomic_fetch_add(&sink->records, 1);
  atomic_fetch_sub(&sink->inside, 1);
}

/* Makes a record: the attribute is unknown. */
static void make_a_record(void) {
  segl_signer *signer = NULL;
  CHECK_CODE(SEGL_MODULE_LOAD, segl_signer_open(SEGL_S("pkcs11:token=t;object=k?module-path=/no/such.so&x-unknown=1"),
                                                (const uint8_t *)"1234", 4, NULL, &signer));
}

/* Records that are made in here do not come back here. */
static void record_and_make(void *ctx, int32_t level, const char *target, size_t target_len, const char *message,
                            size_t message_len) {
  record(ctx, level, target, target_len, message, message_len);
  make_a_record();
}

static void destroy(void *ctx) {
  struct sink *sink = ctx;
  CHECK(atomic_load(&sink->inside) == 0);
  atomic_fetch_add(&sink->destroyed, 1);
}

static segl_error *set(struct sink *sink, int32_t level) {
  segl_log_sink functions = {sizeof functions, sink, record, destroy};
  sink->max_level = level;
  return segl_log_set(&functions, level);
}

static void *make_records(void *unused) {
  while (!atomic_load(&done)) make_a_record();
  return unused;
}

static void one_after_the_other(void) {
  struct sink first = {0}, second = {0}, quiet = {0}, never = {0};
  CHECK_OK(set(&first, SEGL_LOG_INFO));
  CHECK(atomic_load(&first.records) == 1);
  CHECK_CODE(SEGL_INVALID_ARGUMENT, set(&never, 0));
  CHECK_CODE(SEGL_INVALID_ARGUMENT, set(&never, SEGL_LOG_DEBUG + 1));
  CHECK(atomic_load(&first.destroyed) == 0 && atomic_load(&never.destroyed) == 0);
  CHECK_OK(set(&second, SEGL_LOG_DEBUG));
  CHECK(atomic_load(&first.destroyed) == 1 && atomic_load(&second.records) == 1);
  CHECK_OK(set(&quiet, SEGL_LOG_WARN));
  CHECK(atomic_load(&second.destroyed) == 1 && atomic_load(&quiet.records) == 0);
  CHECK_OK(segl_log_set(NULL, 0));
  CHECK(atomic_load(&quiet.destroyed) == 1 && atomic_load(&quiet.records) == 0);

  struct sink at_shutdown = {0};
  CHECK_OK(set(&at_shutdown, SEGL_LOG_INFO));
  CHECK_OK(segl_shutdown());
  CHECK(atomic_load(&at_shutdown.destroyed) == 1);
  CHECK(atomic_load(&first.destroyed) == 1 && atomic_load(&second.destroyed) == 1);
  CHECK(atomic_load(&never.records) == 0 && atomic_load(&never.destroyed) == 0);
}

static void that_calls_segl(void) {
  struct sink sink = {.max_level = SEGL_LOG_DEBUG};
  segl_log_sink functions = {sizeof functions, &sink, record_and_make, destroy};
  CHECK_OK(segl_log_set(&functions, SEGL_LOG_DEBUG));
  CHECK(atomic_load(&sink.records) == 1);
  make_a_record();
  CHECK(atomic_load(&sink.records) == 2);
  CHECK_OK(segl_log_set(NULL, 0));
  CHECK(atomic_load(&sink.destroyed) == 1);
}

/* Under valgrind and AddressSanitizer the free() finds a late record. */
static void wait_and_free(struct sink *replaced) {
  while (atomic_load(&replaced->destroyed) == 0) sched_yield();
  CHECK(atomic_load(&replaced->destroyed) == 1);
  free(replaced);
}

static void replaced_while_threads_log(void) {
  pthread_t threads[THREADS];
  struct sink *before = NULL;
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, make_records, NULL) == 0);
  for (int i = 0; i < rounds(); i++) {
    struct sink *sink = calloc(1, sizeof *sink);
    CHECK(sink != NULL);
    CHECK_OK(set(sink, SEGL_LOG_DEBUG));
    if (before != NULL) wait_and_free(before);
    /* One record is the sink's own; wait for those of the threads. */
    while (atomic_load(&sink->records) < 2) sched_yield();
    before = sink;
  }
  CHECK_OK(segl_log_set(NULL, 0));
  wait_and_free(before);
  atomic_store(&done, 1);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
  one_after_the_other();
  that_calls_segl();
  replaced_while_threads_log();
  CHECK_OK(segl_shutdown());
  return 0;
}
