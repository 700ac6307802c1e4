/* Checks that name their place and end the program. */

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "segl.h"

#define CHECK(condition) check_that((condition) != 0, #condition, __FILE__, __LINE__)

/* A call that must succeed. */
#define CHECK_OK(call) check_code(SEGL_OK, (call), #call, __FILE__, __LINE__)

/* A call that must fail with this number. */
#define CHECK_CODE(expected, call) check_code((expected), (call), #call, __FILE__, __LINE__)

static inline void check_that(int holds, const char *what, const char *file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
  _Exit(1);
}

static inline void check_code(int32_t expected, segl_error *error, const char *what, const char *file, int line) {
  int32_t code = segl_error_code(error);
  if (code != expected) {
    fprintf(stderr, "%s:%d: %s, not %s: %s\n  %s\n", file, line, segl_error_name(code), segl_error_name(expected),
            what, segl_error_message(error, NULL));
    _Exit(1);
  }
  segl_error_free(error);
}

#endif
