/* DNB over https: the client certificate's key is a signer of the program's. */

#include "given.h"
#include "http.h"

static segl_error *client_with(const char *settings, const segl_signer *signer, const segl_signer *tls_signer,
                               segl_client **out) {
  segl_client_params params = params_for(settings, signer);
  params.tls_signer = tls_signer;
  return segl_client_new(&params, NULL, out);
}

static segl_error *send_to(const segl_client *client, const char *method, const char *path, const char *body,
                           segl_http_response *response) {
  char url[512];
  CHECK(snprintf(url, sizeof url, "%s/%s", given("GIVEN_DNB_API"), path) < (int)sizeof url);
  const char *headers = "[[\"Content-Type\",\"application/json\"]]";
  segl_http_request request = request_for(method, url);
  request.headers_json = headers;
  request.headers_json_len = strlen(headers);
  request.body = (const uint8_t *)body;
  request.body_len = strlen(body);
  *response = no_response();
  return send_it(client, &request, response);
}

static int has(const segl_http_response *response, const char *text) {
  return response->body.data != NULL && strstr((const char *)response->body.data, text) != NULL;
}

int main(void) {
  segl_signer *assertions = open_pem("GIVEN_EC_PEM");
  segl_signer *in_token = open_uri("GIVEN_HSM_URI");
  segl_http_response response;
  segl_client *client = NULL;

  CHECK_OK(client_with(given("GIVEN_DNB"), assertions, in_token, &client));
  for (int i = 0; i < rounds(); i++) {
    CHECK_OK(send_to(client, "GET", "echo", "", &response));
    CHECK(response.status == 200 && has(&response, given("GIVEN_DNB_THUMBPRINT")));
    segl_http_response_free(&response);
  }
  CHECK_OK(send_to(client, "POST", "prevalidation/norway", "{\"account\":\"1\"}", &response));
  CHECK(response.status == 200 && has(&response, "\"request\":{\"account\":\"1\"}"));
  segl_http_response_free(&response);

  /* The signer that made the client is not needed any more. */
  segl_signer_free(in_token);
  CHECK_OK(send_to(client, "GET", "echo", "", &response));
  CHECK(response.status == 200);
  segl_http_response_free(&response);
  segl_client_free(client);

  /* No certificate, and one of another key. */
  CHECK_OK(client_with(given("GIVEN_DNB_BARE"), assertions, NULL, &client));
  CHECK_CODE(SEGL_TOKEN_INVALID_CLIENT, send_to(client, "GET", "echo", "", &response));
  CHECK(response.status == 0 && response.body.data == NULL);
  segl_client_free(client);
  CHECK_CODE(SEGL_CERTIFICATE_MISMATCH, client_with(given("GIVEN_DNB"), assertions, assertions, &client));
  CHECK(client == NULL);
  segl_signer_free(assertions);
  return 0;
}
