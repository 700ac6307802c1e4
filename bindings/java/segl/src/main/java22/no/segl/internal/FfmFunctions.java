package no.segl.internal;

/** The functions of segl.h, bound by java.lang.foreign. */
abstract class FfmFunctions implements Native {
  @Override
  public int segl_abi_version() {
    return FfmCalls.number(FfmHandles.ABI_VERSION);
  }

  @Override
  public long segl_version() {
    return FfmCalls.address(FfmHandles.VERSION);
  }

  @Override
  public long segl_shutdown() {
    return FfmCalls.address(FfmHandles.SHUTDOWN);
  }

  @Override
  public long segl_cancel_new(long out) {
    return FfmCalls.address(FfmHandles.CANCEL_NEW, out);
  }

  @Override
  public void segl_cancel_trigger(long cancel) {
    FfmCalls.nothing(FfmHandles.CANCEL_TRIGGER, cancel);
  }

  @Override
  public void segl_cancel_free(long cancel) {
    FfmCalls.nothing(FfmHandles.CANCEL_FREE, cancel);
  }

  @Override
  public void segl_fail_set(long fail, int code, long message, long messageLen) {
    FfmCalls.nothing(FfmHandles.FAIL_SET, fail, code, message, messageLen);
  }

  @Override
  public void segl_reply_set(
      long reply, int status, long headers, long headersLen, long body, long bodyLen) {
    FfmCalls.nothing(FfmHandles.REPLY_SET, reply, status, headers, headersLen, body, bodyLen);
  }

  @Override
  public long segl_client_new(long params, long call, long out) {
    return FfmCalls.address(FfmHandles.CLIENT_NEW, params, call, out);
  }

  @Override
  public long segl_client_open(
      long path, long pathLen, long name, long nameLen, long call, long out) {
    return FfmCalls.address(FfmHandles.CLIENT_OPEN, path, pathLen, name, nameLen, call, out);
  }

  @Override
  public long segl_client_assertion(
      long client, long request, long requestLen, long call, long out) {
    return FfmCalls.address(FfmHandles.CLIENT_ASSERTION, client, request, requestLen, call, out);
  }

  @Override
  public long segl_client_registration(long client, long call, long out) {
    return FfmCalls.address(FfmHandles.CLIENT_REGISTRATION, client, call, out);
  }

  @Override
  public long segl_client_token(long client, long request, long requestLen, long call, long out) {
    return FfmCalls.address(FfmHandles.CLIENT_TOKEN, client, request, requestLen, call, out);
  }

  @Override
  public long segl_client_token_if_newer(
      long client, long request, long requestLen, long generation, long call, long out) {
    return FfmCalls.address(
        FfmHandles.CLIENT_TOKEN_IF_NEWER, client, request, requestLen, generation, call, out);
  }

  @Override
  public long segl_client_reject(long client, long request, long requestLen, long generation) {
    return FfmCalls.address(FfmHandles.CLIENT_REJECT, client, request, requestLen, generation);
  }

  @Override
  public long segl_client_forget(long client, long request, long requestLen) {
    return FfmCalls.address(FfmHandles.CLIENT_FORGET, client, request, requestLen);
  }

  @Override
  public long segl_client_health(long client, long out) {
    return FfmCalls.address(FfmHandles.CLIENT_HEALTH, client, out);
  }

  @Override
  public void segl_client_free(long client) {
    FfmCalls.nothing(FfmHandles.CLIENT_FREE, client);
  }

  @Override
  public long segl_client_call_api(
      long client,
      long operation,
      long operationLen,
      long input,
      long inputLen,
      long tokenRequest,
      long tokenRequestLen,
      long call,
      long out) {
    return FfmCalls.address(
        FfmHandles.CLIENT_CALL_API,
        client,
        operation,
        operationLen,
        input,
        inputLen,
        tokenRequest,
        tokenRequestLen,
        call,
        out);
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
    return FfmCalls.address(
        FfmHandles.CLIENT_DPOP_PROOF, client, method, methodLen, url, urlLen, token, tokenLen, call, out);
  }

  @Override
  public long segl_client_dpop_nonce(
      long client, long url, long urlLen, long nonce, long nonceLen) {
    return FfmCalls.address(FfmHandles.CLIENT_DPOP_NONCE, client, url, urlLen, nonce, nonceLen);
  }

  @Override
  public long segl_client_require_allowed(long client, long url, long urlLen) {
    return FfmCalls.address(FfmHandles.CLIENT_REQUIRE_ALLOWED, client, url, urlLen);
  }

  @Override
  public long segl_client_send(
      long client, long request, long tokenRequest, long tokenRequestLen, long call, long out) {
    return FfmCalls.address(
        FfmHandles.CLIENT_SEND, client, request, tokenRequest, tokenRequestLen, call, out);
  }

  @Override
  public void segl_http_response_free(long response) {
    FfmCalls.nothing(FfmHandles.HTTP_RESPONSE_FREE, response);
  }

  @Override
  public int segl_error_code(long error) {
    return FfmCalls.number(FfmHandles.ERROR_CODE, error);
  }

  @Override
  public long segl_error_name(int code) {
    return FfmCalls.address(FfmHandles.ERROR_NAME, code);
  }

  @Override
  public long segl_error_message(long error, long len) {
    return FfmCalls.address(FfmHandles.ERROR_MESSAGE, error, len);
  }

  @Override
  public int segl_error_int(long error, int field, long out) {
    return FfmCalls.number(FfmHandles.ERROR_INT, error, field, out);
  }

  @Override
  public long segl_error_str(long error, int field, long len) {
    return FfmCalls.address(FfmHandles.ERROR_STR, error, field, len);
  }

  @Override
  public void segl_error_free(long error) {
    FfmCalls.nothing(FfmHandles.ERROR_FREE, error);
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
    return FfmCalls.address(
        FfmHandles.JWS_SIGN, signer, header, headerLen, payload, payloadLen, call, out);
  }

  @Override
  public long segl_log_set(long sink, int maxLevel) {
    return FfmCalls.address(FfmHandles.LOG_SET, sink, maxLevel);
  }

  @Override
  public long segl_signer_open(long uri, long uriLen, long pin, long pinLen, long call, long out) {
    return FfmCalls.address(FfmHandles.SIGNER_OPEN, uri, uriLen, pin, pinLen, call, out);
  }

  @Override
  public long segl_signer_from_bytes(
      long key, long keyLen, long passphrase, long passphraseLen, long out) {
    return FfmCalls.address(
        FfmHandles.SIGNER_FROM_BYTES, key, keyLen, passphrase, passphraseLen, out);
  }

  @Override
  public long segl_signer_from_vtable(long vtable, long jwk, long jwkLen, long out) {
    return FfmCalls.address(FfmHandles.SIGNER_FROM_VTABLE, vtable, jwk, jwkLen, out);
  }

  @Override
  public long segl_signer_describe(long signer, long out) {
    return FfmCalls.address(FfmHandles.SIGNER_DESCRIBE, signer, out);
  }

  @Override
  public long segl_signer_public_jwk(long signer, long out) {
    return FfmCalls.address(FfmHandles.SIGNER_PUBLIC_JWK, signer, out);
  }

  @Override
  public long segl_signer_sign(
      long signer, long alg, long algLen, long message, long messageLen, long call, long out) {
    return FfmCalls.address(
        FfmHandles.SIGNER_SIGN, signer, alg, algLen, message, messageLen, call, out);
  }

  @Override
  public long segl_signer_probe(long signer, long call) {
    return FfmCalls.address(FfmHandles.SIGNER_PROBE, signer, call);
  }

  @Override
  public long segl_signer_health(long signer, long out) {
    return FfmCalls.address(FfmHandles.SIGNER_HEALTH, signer, out);
  }

  @Override
  public void segl_signer_free(long signer) {
    FfmCalls.nothing(FfmHandles.SIGNER_FREE, signer);
  }

  @Override
  public long segl_transport_from_vtable(long vtable, long out) {
    return FfmCalls.address(FfmHandles.TRANSPORT_FROM_VTABLE, vtable, out);
  }

  @Override
  public void segl_transport_free(long transport) {
    FfmCalls.nothing(FfmHandles.TRANSPORT_FREE, transport);
  }

  @Override
  public long segl_validator_new(long params, long out) {
    return FfmCalls.address(FfmHandles.VALIDATOR_NEW, params, out);
  }

  @Override
  public long segl_validator_check(
      long validator,
      long token,
      long tokenLen,
      long requirements,
      long requirementsLen,
      long call,
      long out) {
    return FfmCalls.address(
        FfmHandles.VALIDATOR_CHECK,
        validator,
        token,
        tokenLen,
        requirements,
        requirementsLen,
        call,
        out);
  }

  @Override
  public void segl_validator_free(long validator) {
    FfmCalls.nothing(FfmHandles.VALIDATOR_FREE, validator);
  }

  @Override
  public void segl_token_free(long token) {
    FfmCalls.nothing(FfmHandles.TOKEN_FREE, token);
  }

  @Override
  public void segl_bytes_free(long bytes) {
    FfmCalls.nothing(FfmHandles.BYTES_FREE, bytes);
  }
}
