/* The other part of double_include_a.c. */

#include "segl.h"

const char *version_in_b(void);

const char *version_in_b(void) { return segl_version(); }
