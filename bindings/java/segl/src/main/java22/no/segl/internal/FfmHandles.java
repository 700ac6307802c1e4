package no.segl.internal;

import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Method;
import java.util.stream.Stream;

/** The functions of segl.h as handles; looked up when this class is initialised. */
final class FfmHandles {
  static final MethodHandle ABI_VERSION = bind("segl_abi_version");
  static final MethodHandle VERSION = bind("segl_version");
  static final MethodHandle SHUTDOWN = bind("segl_shutdown");
  static final MethodHandle CANCEL_NEW = bind("segl_cancel_new");
  static final MethodHandle CANCEL_TRIGGER = bind("segl_cancel_trigger");
  static final MethodHandle CANCEL_FREE = bind("segl_cancel_free");
  static final MethodHandle FAIL_SET = bind("segl_fail_set");
  static final MethodHandle REPLY_SET = bind("segl_reply_set");
  static final MethodHandle CLIENT_NEW = bind("segl_client_new");
  static final MethodHandle CLIENT_OPEN = bind("segl_client_open");
  static final MethodHandle CLIENT_ASSERTION = bind("segl_client_assertion");
  static final MethodHandle CLIENT_REGISTRATION = bind("segl_client_registration");
  static final MethodHandle CLIENT_TOKEN = bind("segl_client_token");
  static final MethodHandle CLIENT_TOKEN_IF_NEWER = bind("segl_client_token_if_newer");
  static final MethodHandle CLIENT_REJECT = bind("segl_client_reject");
  static final MethodHandle CLIENT_FORGET = bind("segl_client_forget");
  static final MethodHandle CLIENT_HEALTH = bind("segl_client_health");
  static final MethodHandle CLIENT_FREE = bind("segl_client_free");
  static final MethodHandle CLIENT_CALL_API = bind("segl_client_call_api");
  static final MethodHandle CLIENT_DPOP_PROOF = bind("segl_client_dpop_proof");
  static final MethodHandle CLIENT_DPOP_NONCE = bind("segl_client_dpop_nonce");
  static final MethodHandle CLIENT_REQUIRE_ALLOWED = bind("segl_client_require_allowed");
  static final MethodHandle CLIENT_SEND = bind("segl_client_send");
  static final MethodHandle HTTP_RESPONSE_FREE = bind("segl_http_response_free");
  static final MethodHandle ERROR_CODE = bind("segl_error_code");
  static final MethodHandle ERROR_NAME = bind("segl_error_name");
  static final MethodHandle ERROR_MESSAGE = bind("segl_error_message");
  static final MethodHandle ERROR_INT = bind("segl_error_int");
  static final MethodHandle ERROR_STR = bind("segl_error_str");
  static final MethodHandle ERROR_FREE = bind("segl_error_free");
  static final MethodHandle JWS_SIGN = bind("segl_jws_sign");
  static final MethodHandle LOG_SET = bind("segl_log_set");
  static final MethodHandle SIGNER_OPEN = bind("segl_signer_open");
  static final MethodHandle SIGNER_FROM_BYTES = bind("segl_signer_from_bytes");
  static final MethodHandle SIGNER_FROM_VTABLE = bind("segl_signer_from_vtable");
  static final MethodHandle SIGNER_DESCRIBE = bind("segl_signer_describe");
  static final MethodHandle SIGNER_PUBLIC_JWK = bind("segl_signer_public_jwk");
  static final MethodHandle SIGNER_SIGN = bind("segl_signer_sign");
  static final MethodHandle SIGNER_PROBE = bind("segl_signer_probe");
  static final MethodHandle SIGNER_HEALTH = bind("segl_signer_health");
  static final MethodHandle SIGNER_FREE = bind("segl_signer_free");
  static final MethodHandle TRANSPORT_FROM_VTABLE = bind("segl_transport_from_vtable");
  static final MethodHandle TRANSPORT_FREE = bind("segl_transport_free");
  static final MethodHandle VALIDATOR_NEW = bind("segl_validator_new");
  static final MethodHandle VALIDATOR_CHECK = bind("segl_validator_check");
  static final MethodHandle VALIDATOR_FREE = bind("segl_validator_free");
  static final MethodHandle TOKEN_FREE = bind("segl_token_free");
  static final MethodHandle BYTES_FREE = bind("segl_bytes_free");

  private FfmHandles() {}

  /** A handle with the types of the method of {@link Native} that has the function's name. */
  private static MethodHandle bind(String name) {
    Method method =
        Stream.of(Native.class.getMethods())
            .filter(candidate -> candidate.getName().equals(name))
            .findFirst()
            .orElseThrow();
    return Linker.nativeLinker()
        .downcallHandle(FfmSymbols.function(name), FfmSymbols.descriptor(method));
  }
}
