/* The bare PKCS#11 calls to a first ES256 signature: bare MODULE PIN.
 * The function table is used by position (PKCS#11 v2.40, CK_FUNCTION_LIST), so
 * that no vendor header is needed. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long ulong_t;
typedef ulong_t (*call_t)();
struct table { unsigned char version[2]; call_t at[68]; };
struct attribute { ulong_t type; void *value; ulong_t len; };
struct mechanism { ulong_t type; void *parameter; ulong_t len; };
enum { INITIALIZE = 0, GET_SLOT_LIST = 4, OPEN_SESSION = 12, LOGIN = 18,
       FIND_INIT = 26, FIND = 27, FIND_FINAL = 28, SIGN_INIT = 42, SIGN = 43 };

#define TRY(name, ...) do { \
  ulong_t rv = table->at[name](__VA_ARGS__); \
  if (rv != 0) { fprintf(stderr, #name ": %#lx\n", rv); return 1; } } while (0)

int main(int argc, char **argv) {
  struct table *table = NULL;
  ulong_t slots[8], count = 8, session = 0, key = 0, found = 0, len = 256;
  ulong_t class = 3;
  unsigned char id = 2, digest[32] = {1}, signature[256];
  struct attribute template[2] = {{0, &class, sizeof class}, {0x102, &id, 1}};
  struct mechanism ecdsa = {0x1041, NULL, 0};
  void *module = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (module == NULL) { fputs("usage: bare MODULE PIN\n", stderr); return 1; }
  ulong_t (*get)(struct table **) = NULL;
  *(void **)&get = dlsym(module, "C_GetFunctionList");
  if (get == NULL || get(&table) != 0) return 1;
  TRY(INITIALIZE, NULL);
  TRY(GET_SLOT_LIST, (unsigned char)1, slots, &count);
  TRY(OPEN_SESSION, slots[0], 4UL, NULL, NULL, &session);
  TRY(LOGIN, session, 1UL, argv[2], (ulong_t)strlen(argv[2]));
  TRY(FIND_INIT, session, template, 2UL);
  TRY(FIND, session, &key, 1UL, &found);
  TRY(FIND_FINAL, session);
  if (found != 1) return 1;
  TRY(SIGN_INIT, session, &ecdsa, key);
  TRY(SIGN, session, digest, sizeof digest, signature, &len);
  return len == 64 ? 0 : 1;
}
