/* Requests to APIs and their answers. */

#ifndef HTTP_H
#define HTTP_H

#include <string.h>

#include "segl.h"

static inline segl_http_request request_for(const char *method, const char *url) {
  segl_http_request request;
  memset(&request, 0, sizeof request);
  request.struct_size = sizeof request;
  request.method = method;
  request.method_len = strlen(method);
  request.url = url;
  request.url_len = strlen(url);
  return request;
}

static inline segl_http_response no_response(void) {
  segl_http_response response;
  memset(&response, 0, sizeof response);
  response.struct_size = sizeof response;
  return response;
}

static inline segl_error *send_it(const segl_client *client, const segl_http_request *request, segl_http_response *out) {
  return segl_client_send(client, request, NULL, 0, NULL, out);
}

static inline int is_empty(const segl_http_response *response) {
  return response->struct_size == sizeof *response && response->headers_json.data == NULL &&
         response->body.data == NULL && response->status == 0 && response->reserved == 0;
}

#endif
