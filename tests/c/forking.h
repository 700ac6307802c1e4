/* Forks in a test. */

#ifndef FORKING_H
#define FORKING_H

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* True while segl has a thread that fetches a token or keys, or has just done so. */
static inline int is_fetching(void) {
  DIR *tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  int found = 0;
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
    char path[sizeof entry->d_name + 32], name[32] = {0};
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
    FILE *file = fopen(path, "r");
    if (file == NULL) continue;
    found |= fgets(name, sizeof name, file) != NULL &&
             (strncmp(name, "segl-token", 10) == 0 || strncmp(name, "segl-jwks", 9) == 0);
    fclose(file);
  }
  closedir(tasks);
  return found;
}

/* A fork when no thread fetches: what only its stack held is lost in the child. */
static inline pid_t fork_quietly(void) {
  const struct timespec pause = {.tv_nsec = 10000000};
  for (int tries = 0; is_fetching() && tries < 500; tries++) nanosleep(&pause, NULL);
  return fork();
}

/* True when the child ended well. */
static inline int succeeded(pid_t child) {
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
