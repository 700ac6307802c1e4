/* The header comes first, needs nothing before it, may come twice and be in
 * several parts of one program. */

#include "segl.h"

#include "segl.h"

const char *version_in_b(void);

int main(void) { return segl_version() == version_in_b() && SEGL_OK == 0 ? 0 : 1; }
