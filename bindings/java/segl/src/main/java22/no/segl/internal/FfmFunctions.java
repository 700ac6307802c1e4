package no.segl.internal;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.invoke.MethodHandle;

/** The functions of segl.h, bound by java.lang.foreign. */
abstract class FfmFunctions implements Native {
  private static final MethodHandle ABI_VERSION = returns(JAVA_INT, "segl_abi_version");
  private static final MethodHandle VERSION = returns(JAVA_LONG, "segl_version");
  private static final MethodHandle SHUTDOWN = returns(JAVA_LONG, "segl_shutdown");
  private static final MethodHandle CANCEL_NEW = returns(JAVA_LONG, "segl_cancel_new", JAVA_LONG);
  private static final MethodHandle CANCEL_TRIGGER = nothing("segl_cancel_trigger", JAVA_LONG);
  private static final MethodHandle CANCEL_FREE = nothing("segl_cancel_free", JAVA_LONG);
  private static final MethodHandle FAIL_SET = nothing(
      "segl_fail_set", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle REPLY_SET = nothing(
      "segl_reply_set", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CLIENT_NEW = returns(
      JAVA_LONG, "segl_client_new", JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CLIENT_OPEN = returns(
      JAVA_LONG,
      "segl_client_open",
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG);
  private static final MethodHandle CLIENT_ASSERTION = returns(
      JAVA_LONG, "segl_client_assertion", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CLIENT_REGISTRATION = returns(
      JAVA_LONG, "segl_client_registration", JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CLIENT_TOKEN = returns(
      JAVA_LONG, "segl_client_token", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CLIENT_TOKEN_IF_NEWER = returns(
      JAVA_LONG,
      "segl_client_token_if_newer",
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG);
  private static final MethodHandle CLIENT_REJECT = returns(
      JAVA_LONG, "segl_client_reject", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CLIENT_FORGET = returns(
      JAVA_LONG, "segl_client_forget", JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CLIENT_HEALTH = returns(
      JAVA_LONG, "segl_client_health", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CLIENT_FREE = nothing("segl_client_free", JAVA_LONG);
  private static final MethodHandle CLIENT_DPOP_PROOF = returns(
      JAVA_LONG,
      "segl_client_dpop_proof",
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG);
  private static final MethodHandle CLIENT_DPOP_NONCE = returns(
      JAVA_LONG, "segl_client_dpop_nonce", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CLIENT_SEND = returns(
      JAVA_LONG,
      "segl_client_send",
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG);
  private static final MethodHandle HTTP_RESPONSE_FREE = nothing(
      "segl_http_response_free", JAVA_LONG);
  private static final MethodHandle ERROR_CODE = returns(JAVA_INT, "segl_error_code", JAVA_LONG);
  private static final MethodHandle ERROR_NAME = returns(JAVA_LONG, "segl_error_name", JAVA_INT);
  private static final MethodHandle ERROR_MESSAGE = returns(
      JAVA_LONG, "segl_error_message", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle ERROR_INT = returns(
      JAVA_INT, "segl_error_int", JAVA_LONG, JAVA_INT, JAVA_LONG);
  private static final MethodHandle ERROR_STR = returns(
      JAVA_LONG, "segl_error_str", JAVA_LONG, JAVA_INT, JAVA_LONG);
  private static final MethodHandle ERROR_FREE = nothing("segl_error_free", JAVA_LONG);
  private static final MethodHandle JWS_SIGN = returns(
      JAVA_LONG,
      "segl_jws_sign",
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG);
  private static final MethodHandle LOG_SET = returns(
      JAVA_LONG, "segl_log_set", JAVA_LONG, JAVA_INT);
  private static final MethodHandle SIGNER_OPEN = returns(
      JAVA_LONG,
      "segl_signer_open",
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG);
  private static final MethodHandle SIGNER_FROM_BYTES = returns(
      JAVA_LONG, "segl_signer_from_bytes", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SIGNER_FROM_VTABLE = returns(
      JAVA_LONG, "segl_signer_from_vtable", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SIGNER_DESCRIBE = returns(
      JAVA_LONG, "segl_signer_describe", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SIGNER_PUBLIC_JWK = returns(
      JAVA_LONG, "segl_signer_public_jwk", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SIGNER_SIGN = returns(
      JAVA_LONG,
      "segl_signer_sign",
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG,
      JAVA_LONG);
  private static final MethodHandle SIGNER_PROBE = returns(
      JAVA_LONG, "segl_signer_probe", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SIGNER_HEALTH = returns(
      JAVA_LONG, "segl_signer_health", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SIGNER_FREE = nothing("segl_signer_free", JAVA_LONG);
  private static final MethodHandle TRANSPORT_FROM_VTABLE = returns(
      JAVA_LONG, "segl_transport_from_vtable", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle TRANSPORT_FREE = nothing("segl_transport_free", JAVA_LONG);
  private static final MethodHandle TOKEN_FREE = nothing("segl_token_free", JAVA_LONG);
  private static final MethodHandle BYTES_FREE = nothing("segl_bytes_free", JAVA_LONG);

  private static MethodHandle nothing(String name, MemoryLayout... arguments) {
    return bind(name, FunctionDescriptor.ofVoid(arguments));
  }

  private static MethodHandle returns(MemoryLayout result, String name, MemoryLayout... arguments) {
    return bind(name, FunctionDescriptor.of(result, arguments));
  }

  private static MethodHandle bind(String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker()
        .downcallHandle(FfmSymbols.function(name), descriptor);
  }

  /** Functions of C throw nothing: what comes here is a fault of the virtual machine or of ours. */
  static AssertionError unexpected(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return new AssertionError(thrown);
  }

  @Override
  public int segl_abi_version() {
    try {
      return (int) ABI_VERSION.invokeExact();
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_version() {
    try {
      return (long) VERSION.invokeExact();
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_shutdown() {
    try {
      return (long) SHUTDOWN.invokeExact();
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_cancel_new(long out) {
    try {
      return (long) CANCEL_NEW.invokeExact(out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_cancel_trigger(long cancel) {
    try {
      CANCEL_TRIGGER.invokeExact(cancel);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_cancel_free(long cancel) {
    try {
      CANCEL_FREE.invokeExact(cancel);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_fail_set(long fail, int code, long message, long messageLen) {
    try {
      FAIL_SET.invokeExact(fail, code, message, messageLen);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_reply_set(
      long reply, int status, long headers, long headersLen, long body, long bodyLen) {
    try {
      REPLY_SET.invokeExact(reply, status, headers, headersLen, body, bodyLen);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_new(long params, long call, long out) {
    try {
      return (long) CLIENT_NEW.invokeExact(params, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_open(
      long path, long pathLen, long name, long nameLen, long call, long out) {
    try {
      return (long) CLIENT_OPEN.invokeExact(path, pathLen, name, nameLen, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_assertion(
      long client, long request, long requestLen, long call, long out) {
    try {
      return (long) CLIENT_ASSERTION.invokeExact(client, request, requestLen, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_registration(long client, long call, long out) {
    try {
      return (long) CLIENT_REGISTRATION.invokeExact(client, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_token(long client, long request, long requestLen, long call, long out) {
    try {
      return (long) CLIENT_TOKEN.invokeExact(client, request, requestLen, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_token_if_newer(
      long client, long request, long requestLen, long generation, long call, long out) {
    try {
      return (long) CLIENT_TOKEN_IF_NEWER.invokeExact(
          client, request, requestLen, generation, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_reject(long client, long request, long requestLen, long generation) {
    try {
      return (long) CLIENT_REJECT.invokeExact(client, request, requestLen, generation);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_forget(long client, long request, long requestLen) {
    try {
      return (long) CLIENT_FORGET.invokeExact(client, request, requestLen);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_health(long client, long out) {
    try {
      return (long) CLIENT_HEALTH.invokeExact(client, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_client_free(long client) {
    try {
      CLIENT_FREE.invokeExact(client);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_dpop_proof(
      long client,
      long method,
      long methodLen,
      long url,
      long urlLen,
      long token,
      long tokenLen,
      long call,
      long out) {
    try {
      return (long) CLIENT_DPOP_PROOF.invokeExact(
          client, method, methodLen, url, urlLen, token, tokenLen, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_dpop_nonce(
      long client, long url, long urlLen, long nonce, long nonceLen) {
    try {
      return (long) CLIENT_DPOP_NONCE.invokeExact(client, url, urlLen, nonce, nonceLen);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_client_send(
      long client, long request, long tokenRequest, long tokenRequestLen, long call, long out) {
    try {
      return (long) CLIENT_SEND.invokeExact(
          client, request, tokenRequest, tokenRequestLen, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_http_response_free(long response) {
    try {
      HTTP_RESPONSE_FREE.invokeExact(response);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public int segl_error_code(long error) {
    try {
      return (int) ERROR_CODE.invokeExact(error);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_error_name(int code) {
    try {
      return (long) ERROR_NAME.invokeExact(code);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_error_message(long error, long len) {
    try {
      return (long) ERROR_MESSAGE.invokeExact(error, len);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public int segl_error_int(long error, int field, long out) {
    try {
      return (int) ERROR_INT.invokeExact(error, field, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_error_str(long error, int field, long len) {
    try {
      return (long) ERROR_STR.invokeExact(error, field, len);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_error_free(long error) {
    try {
      ERROR_FREE.invokeExact(error);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_jws_sign(
      long signer,
      long header,
      long headerLen,
      long payload,
      long payloadLen,
      long call,
      long out) {
    try {
      return (long) JWS_SIGN.invokeExact(signer, header, headerLen, payload, payloadLen, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_log_set(long sink, int maxLevel) {
    try {
      return (long) LOG_SET.invokeExact(sink, maxLevel);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_signer_open(long uri, long uriLen, long pin, long pinLen, long call, long out) {
    try {
      return (long) SIGNER_OPEN.invokeExact(uri, uriLen, pin, pinLen, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_signer_from_bytes(
      long key, long keyLen, long passphrase, long passphraseLen, long out) {
    try {
      return (long) SIGNER_FROM_BYTES.invokeExact(key, keyLen, passphrase, passphraseLen, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_signer_from_vtable(long vtable, long jwk, long jwkLen, long out) {
    try {
      return (long) SIGNER_FROM_VTABLE.invokeExact(vtable, jwk, jwkLen, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_signer_describe(long signer, long out) {
    try {
      return (long) SIGNER_DESCRIBE.invokeExact(signer, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_signer_public_jwk(long signer, long out) {
    try {
      return (long) SIGNER_PUBLIC_JWK.invokeExact(signer, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_signer_sign(
      long signer, long alg, long algLen, long message, long messageLen, long call, long out) {
    try {
      return (long) SIGNER_SIGN.invokeExact(signer, alg, algLen, message, messageLen, call, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_signer_probe(long signer, long call) {
    try {
      return (long) SIGNER_PROBE.invokeExact(signer, call);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_signer_health(long signer, long out) {
    try {
      return (long) SIGNER_HEALTH.invokeExact(signer, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_signer_free(long signer) {
    try {
      SIGNER_FREE.invokeExact(signer);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public long segl_transport_from_vtable(long vtable, long out) {
    try {
      return (long) TRANSPORT_FROM_VTABLE.invokeExact(vtable, out);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_transport_free(long transport) {
    try {
      TRANSPORT_FREE.invokeExact(transport);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_token_free(long token) {
    try {
      TOKEN_FREE.invokeExact(token);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  @Override
  public void segl_bytes_free(long bytes) {
    try {
      BYTES_FREE.invokeExact(bytes);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }
}
