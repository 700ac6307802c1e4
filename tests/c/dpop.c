/* Tokens that are bound to a key (DPoP), for a program that sends its own requests. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forking.h"
#include "given.h"
#include "http.h"

/* Sends a GET of `path` and returns the status. `nonce` is what the answer's DPoP-Nonce has. */
static int get(const char *base, const char *path, const segl_token *token, const segl_bytes *proof,
               char nonce[256]) {
  struct sockaddr_in server;
  memset(&server, 0, sizeof server);
  server.sin_family = AF_INET;
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server.sin_port = htons((uint16_t)atoi(strrchr(base, ':') + 1));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)&server, sizeof server) == 0);
  static char text[MAX_FILE];
  int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: api\r\nAuthorization: DPoP %s\r\nDPoP: %s\r\n\r\n",
                     path, (const char *)token->access_token.data, (const char *)proof->data);
  CHECK(len > 0 && (size_t)len < sizeof text && write(fd, text, (size_t)len) == len);
  size_t got = 0;
  ssize_t more;
  while ((more = read(fd, text + got, sizeof text - 1 - got)) > 0) got += (size_t)more;
  close(fd);
  text[got] = '\0';
  nonce[0] = '\0';
  const char *header = strstr(text, "\r\ndpop-nonce: ");
  if (header != NULL) CHECK(sscanf(header + 14, "%255[^\r]", nonce) == 1);
  int status = 0;
  CHECK(sscanf(text, "HTTP/1.1 %d", &status) == 1);
  return status;
}

static segl_error *prove(const segl_client *client, const char *method, const char *url, const segl_token *token,
                         segl_bytes *proof) {
  return segl_client_dpop_proof(client, method, strlen(method), url, strlen(url),
                                token == NULL ? NULL : (const char *)token->access_token.data,
                                token == NULL ? 0 : token->access_token.len, NULL, proof);
}

static segl_error *keep(const segl_client *client, const char *url, const char *nonce) {
  return segl_client_dpop_nonce(client, url, strlen(url), nonce, strlen(nonce));
}

static segl_client *bound_client(const char *base) {
  char settings[1024];
  snprintf(settings, sizeof settings,
           "{\"profile\":\"generic\",\"issuer\":\"%s\",\"token_endpoint\":\"%s/token\",\"client_id\":\"c\","
           "\"kid\":\"k\"}",
           base, base);
  segl_signer *own = open_pem("GIVEN_RSA_PEM"), *dpop = open_pem("GIVEN_EC_PEM");
  segl_client_params params = params_for(settings, own);
  params.dpop_signer = dpop;
  segl_client *client = NULL;
  CHECK_OK(segl_client_new(&params, NULL, &client));
  params.dpop_signer = (const segl_signer *)client;
  segl_client *none = NULL;
  CHECK_CODE(SEGL_INVALID_HANDLE, segl_client_new(&params, NULL, &none));
  segl_signer_free(own);
  segl_signer_free(dpop);
  return client;
}

static void requests(const segl_client *client, const segl_token *token, const char *base) {
  char url[256], nonce[256];
  snprintf(url, sizeof url, "%s/api?page=1", base);
  int refused = 0;
  for (int round = 0; round < rounds(); round++) {
    segl_bytes proof = {0};
    CHECK_OK(prove(client, "GET", url, token, &proof));
    CHECK(strlen((const char *)proof.data) == proof.len);
    int status = get(base, "/api?page=1", token, &proof, nonce);
    CHECK(nonce[0] != '\0');
    CHECK_OK(keep(client, url, nonce));
    if (status != 200) {
      refused++;
      segl_bytes_free(&proof);
      CHECK_OK(prove(client, "GET", url, token, &proof));
      CHECK(get(base, "/api?page=1", token, &proof, nonce) == 200);
      CHECK_OK(keep(client, url, nonce));
    }
    segl_bytes_free(&proof);
  }
  CHECK(refused == 1);
}

/* segl makes the proof itself, and follows the nonces. */
static void send_to_api(const segl_client *client, const char *base) {
  char url[256];
  snprintf(url, sizeof url, "%s/api?page=2", base);
  segl_http_request request = request_for("GET", url);
  segl_http_response response = no_response();
  CHECK_OK(send_it(client, &request, &response));
  CHECK(response.status == 200);
  segl_http_response_free(&response);
}

/* The child has the token and the nonces of its parent, and gets others. Nothing of the
 * one is in the other's way: the server takes no jti twice. */
static void forked(const segl_client *client, const char *base) {
  pid_t child = fork_quietly();
  CHECK(child >= 0);
  if (child == 0) {
    send_to_api(client, base);
    CHECK_OK(segl_client_forget(client, NULL, 0));
    send_to_api(client, base);
    _exit(0);
  }
  for (int round = 0; round < 5; round++) send_to_api(client, base);
  CHECK(succeeded(child));
  CHECK_OK(segl_client_forget(client, NULL, 0));
  send_to_api(client, base);
}

/* How the key is doing that tokens are bound to. */
static void health(const segl_client *client) {
  segl_bytes json = {0};
  CHECK_OK(segl_client_health(client, &json));
  const char *dpop = strstr((const char *)json.data, "\"dpop\":{");
  CHECK(dpop != NULL && strstr(dpop, "\"name\":\"dpop_signer\"") != NULL);
  segl_bytes_free(&json);
}

/* For a request that carries no token: that of a host's own code flow. */
static void without_token(const segl_client *client) {
  segl_bytes with = {0}, without = {0};
  segl_token token;
  memset(&token, 0, sizeof token);
  token.struct_size = sizeof token;
  CHECK_OK(segl_client_token(client, NULL, 0, NULL, &token));
  CHECK_OK(prove(client, "POST", "https://as.example/token", &token, &with));
  CHECK_OK(prove(client, "POST", "https://as.example/token", NULL, &without));
  CHECK(without.len < with.len);
  segl_token_free(&token);
  segl_bytes_free(&with);
  segl_bytes_free(&without);
}

static void misuse(const segl_client *client, const segl_token *token) {
  const char *url = "https://api.example/a";
  segl_bytes proof = {(uint8_t *)"x", 1, 1};
  CHECK_CODE(SEGL_INVALID_ARGUMENT, prove(client, "get", url, token, &proof));
  CHECK(proof.data == NULL && proof.len == 0);
  CHECK_CODE(SEGL_URL, prove(client, "GET", "http://api.example/a", token, &proof));
  CHECK_CODE(SEGL_URL, prove(client, "GET", "https://api.example/a#b", token, &proof));
  CHECK_CODE(SEGL_NULL_ARGUMENT, prove(client, "GET", url, token, NULL));
  CHECK_CODE(SEGL_NULL_ARGUMENT, prove(NULL, "GET", url, token, &proof));
  CHECK_CODE(SEGL_INVALID_ARGUMENT,
             segl_client_dpop_proof(client, SEGL_S("GET"), url, strlen(url), "", 0, NULL, &proof));
  CHECK_CODE(SEGL_NULL_ARGUMENT,
             segl_client_dpop_proof(client, SEGL_S("GET"), url, strlen(url), NULL, 1, NULL, &proof));
  CHECK_CODE(SEGL_INVALID_ARGUMENT, keep(client, url, "two words"));
  CHECK_CODE(SEGL_INVALID_ARGUMENT, keep(client, url, ""));
  CHECK_CODE(SEGL_NULL_ARGUMENT, segl_client_dpop_nonce(client, url, strlen(url), NULL, 0));

  segl_signer *own = open_pem("GIVEN_RSA_PEM");
  segl_client *unbound = NULL;
  CHECK_OK(new_client(MASKINPORTEN, own, &unbound));
  CHECK_CODE(SEGL_UNSUPPORTED, prove(unbound, "GET", url, token, &proof));
  CHECK_CODE(SEGL_UNSUPPORTED, keep(unbound, url, "n"));
  segl_client_free(unbound);
  segl_signer_free(own);
}

int main(void) {
  const char *base = given("GIVEN_DPOP_URL");
  segl_client *client = bound_client(base);
  segl_token token;
  memset(&token, 0, sizeof token);
  token.struct_size = sizeof token;
  CHECK_OK(segl_client_token(client, NULL, 0, NULL, &token));
  CHECK(token.flags == SEGL_TOKEN_DPOP);
  segl_token again;
  memset(&again, 0, sizeof again);
  again.struct_size = sizeof again;
  CHECK_OK(segl_client_token_if_newer(client, NULL, 0, token.generation, NULL, &again));
  CHECK(again.flags == (SEGL_TOKEN_FROM_CACHE | SEGL_TOKEN_UNCHANGED | SEGL_TOKEN_DPOP));

  requests(client, &token, base);
  without_token(client);
  misuse(client, &token);
  health(client);
  send_to_api(client, base);
  forked(client, base);

  segl_token_free(&again);
  segl_token_free(&token);
  segl_client_free(client);
  return 0;
}
