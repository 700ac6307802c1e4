/* A client whose tokens are shared works in a forked child: it takes from the store
 * what its parent put there, and puts there what it fetches, over connections of its
 * own. */

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "given.h"

#define MAX_TOKEN 4096

static segl_client *client;

static void get_token(const segl_client *of, uint32_t flags, char text[MAX_TOKEN]) {
  segl_token token = {.struct_size = sizeof token};
  CHECK_OK(segl_client_token(of, NULL, 0, NULL, &token));
  CHECK(token.flags == flags);
  CHECK(token.access_token.len > 0 && token.access_token.len < MAX_TOKEN);
  memcpy(text, token.access_token.data, token.access_token.len + 1);
  segl_token_free(&token);
}

static int open_sockets(void) {
  int sockets = 0;
  struct stat status;
  for (int fd = 0; fd < 256; fd++) sockets += fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
  return sockets;
}

static int threads(void) {
  int entries = 0;
  DIR *tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  while (readdir(tasks) != NULL) entries++;
  closedir(tasks);
  return entries - 2; /* Without "." and "..". */
}

static int becomes(int (*count)(void), int expected) {
  const struct timespec pause = {.tv_nsec = 10000000};
  for (int i = 0; i < 1000 && count() != expected; i++) nanosleep(&pause, NULL);
  return count() == expected;
}

/* The token in the store, as one who comes new gets it. */
static void get_shared(char text[MAX_TOKEN]) {
  segl_client *new_one = open_client("shared");
  get_token(new_one, 0, text);
  segl_client_free(new_one);
}

static void run_child(const char *first, int pipe_end) {
  char text[MAX_TOKEN], fetched[MAX_TOKEN] = {0};
  int inherited = open_sockets();
  get_token(client, SEGL_TOKEN_FROM_CACHE, text);
  CHECK(strcmp(text, first) == 0);
  get_shared(text);
  CHECK(strcmp(text, first) == 0);

  /* One connection to the service and one to the store, beside the parent's. */
  CHECK_OK(segl_client_forget(client, NULL, 0));
  get_token(client, 0, fetched);
  CHECK(strcmp(fetched, first) != 0);
  /* A connection to the store is closed by its own thread, after its client is gone. */
  CHECK(becomes(open_sockets, inherited + 2));
  get_shared(text);
  CHECK(strcmp(text, fetched) == 0);
  CHECK(write(pipe_end, fetched, MAX_TOKEN) == MAX_TOKEN);
  segl_client_free(client);
  CHECK_OK(segl_shutdown());
}

int main(void) {
  char first[MAX_TOKEN] = {0}, text[MAX_TOKEN], childs[MAX_TOKEN] = {0};
  client = open_client("shared");
  get_token(client, 0, first);
  int connections = open_sockets();
  CHECK(connections >= 2);

  int ends[2];
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    close(ends[0]);
    run_child(first, ends[1]);
    _exit(0);
  }
  close(ends[1]);
  CHECK(read(ends[0], childs, MAX_TOKEN) == MAX_TOKEN);
  close(ends[0]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);

  /* The parent goes on with its own connections, and shares the child's token. */
  get_token(client, SEGL_TOKEN_FROM_CACHE, text);
  CHECK(strcmp(text, first) == 0);
  get_shared(text);
  CHECK(strcmp(text, childs) == 0);
  CHECK_OK(segl_client_forget(client, NULL, 0));
  get_token(client, 0, text);
  CHECK(strcmp(text, first) != 0 && strcmp(text, childs) != 0);
  CHECK(becomes(open_sockets, connections));
  segl_client_free(client);
  CHECK_OK(segl_shutdown());
  /* libcrypto has random number generators for each thread, and frees them when the thread ends. When the
   * process ends first they count as leaked. */
  CHECK(becomes(threads, 1));
  return 0;
}
