/* Prints what the header fixes: the size of each struct and where its members
 * are. */

#include <stdio.h>

#include "segl.h"

#define STRUCT(type) printf("%s size %zu align %zu\n", #type, sizeof(type), _Alignof(type))
#define MEMBER(type, member) \
  printf("%s.%s at %zu size %zu\n", #type, #member, offsetof(type, member), sizeof(((type *)0)->member))

int main(void) {
  STRUCT(segl_bytes);
  MEMBER(segl_bytes, data);
  MEMBER(segl_bytes, len);
  MEMBER(segl_bytes, cap);
  STRUCT(segl_call);
  MEMBER(segl_call, struct_size);
  MEMBER(segl_call, timeout_ms);
  MEMBER(segl_call, flags);
  MEMBER(segl_call, cancel);
  STRUCT(segl_client_params);
  MEMBER(segl_client_params, struct_size);
  MEMBER(segl_client_params, config_json);
  MEMBER(segl_client_params, config_json_len);
  MEMBER(segl_client_params, signer);
  MEMBER(segl_client_params, tls_signer);
  MEMBER(segl_client_params, dpop_signer);
  MEMBER(segl_client_params, transport);
  MEMBER(segl_client_params, config_path);
  MEMBER(segl_client_params, config_path_len);
  MEMBER(segl_client_params, client_name);
  MEMBER(segl_client_params, client_name_len);
  STRUCT(segl_http_request);
  MEMBER(segl_http_request, struct_size);
  MEMBER(segl_http_request, method);
  MEMBER(segl_http_request, method_len);
  MEMBER(segl_http_request, url);
  MEMBER(segl_http_request, url_len);
  MEMBER(segl_http_request, headers_json);
  MEMBER(segl_http_request, headers_json_len);
  MEMBER(segl_http_request, body);
  MEMBER(segl_http_request, body_len);
  STRUCT(segl_http_response);
  MEMBER(segl_http_response, struct_size);
  MEMBER(segl_http_response, headers_json);
  MEMBER(segl_http_response, body);
  MEMBER(segl_http_response, status);
  MEMBER(segl_http_response, reserved);
  STRUCT(segl_log_sink);
  MEMBER(segl_log_sink, struct_size);
  MEMBER(segl_log_sink, ctx);
  MEMBER(segl_log_sink, log);
  MEMBER(segl_log_sink, destroy);
  STRUCT(segl_signer_vtable);
  MEMBER(segl_signer_vtable, struct_size);
  MEMBER(segl_signer_vtable, ctx);
  MEMBER(segl_signer_vtable, sign);
  MEMBER(segl_signer_vtable, destroy);
  STRUCT(segl_transport_vtable);
  MEMBER(segl_transport_vtable, struct_size);
  MEMBER(segl_transport_vtable, ctx);
  MEMBER(segl_transport_vtable, send);
  MEMBER(segl_transport_vtable, destroy);
  STRUCT(segl_token);
  MEMBER(segl_token, struct_size);
  MEMBER(segl_token, access_token);
  MEMBER(segl_token, response_json);
  MEMBER(segl_token, expires_at_ms);
  MEMBER(segl_token, flags);
  MEMBER(segl_token, reserved);
  MEMBER(segl_token, generation);
  STRUCT(segl_validator_params);
  MEMBER(segl_validator_params, struct_size);
  MEMBER(segl_validator_params, config_json);
  MEMBER(segl_validator_params, config_json_len);
  MEMBER(segl_validator_params, config_path);
  MEMBER(segl_validator_params, config_path_len);
  MEMBER(segl_validator_params, validator_name);
  MEMBER(segl_validator_params, validator_name_len);
  MEMBER(segl_validator_params, transport);
  return 0;
}
