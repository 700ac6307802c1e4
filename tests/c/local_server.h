/* A server on a free port of loopback that does what a test says, to the byte. */

#ifndef LOCAL_SERVER_H
#define LOCAL_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

/* Listens, and writes its address, as in "http://127.0.0.1:4711". */
static inline int listen_locally(char *url, size_t room) {
  int server = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address;
  socklen_t len = sizeof address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(server >= 0 && bind(server, (struct sockaddr *)&address, sizeof address) == 0 && listen(server, 8) == 0);
  CHECK(getsockname(server, (struct sockaddr *)&address, &len) == 0);
  int written = snprintf(url, room, "http://127.0.0.1:%d", (int)ntohs(address.sin_port));
  CHECK(written > 0 && (size_t)written < room);
  return server;
}

/* Waits for a connection and the first byte of its request. */
static inline int accept_request(int server) {
  char byte;
  int connection = accept(server, NULL, NULL);
  CHECK(connection >= 0 && recv(connection, &byte, 1, 0) == 1);
  return connection;
}

static inline void write_all(int connection, const void *data, size_t len) {
  for (size_t sent = 0; sent < len;) {
    ssize_t more = send(connection, (const char *)data + sent, len - sent, MSG_NOSIGNAL);
    CHECK(more > 0);
    sent += (size_t)more;
  }
}

#endif
