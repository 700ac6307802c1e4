package no.segl.internal;

/** The functions of segl.h, bound by JNA's direct mapping. */
abstract class JnaFunctions implements Native {
  @Override
  public native int segl_abi_version();

  @Override
  public native long segl_version();

  @Override
  public native long segl_shutdown();

  @Override
  public native long segl_cancel_new(long out);

  @Override
  public native void segl_cancel_trigger(long cancel);

  @Override
  public native void segl_cancel_free(long cancel);

  @Override
  public native void segl_fail_set(long fail, int code, long message, long messageLen);

  @Override
  public native void segl_reply_set(
      long reply, int status, long headers, long headersLen, long body, long bodyLen);

  @Override
  public native long segl_client_new(long params, long call, long out);

  @Override
  public native long segl_client_open(
      long path, long pathLen, long name, long nameLen, long call, long out);

  @Override
  public native long segl_client_assertion(
      long client, long request, long requestLen, long call, long out);

  @Override
  public native long segl_client_registration(long client, long call, long out);

  @Override
  public native long segl_client_token(
      long client, long request, long requestLen, long call, long out);

  @Override
  public native long segl_client_token_if_newer(
      long client, long request, long requestLen, long generation, long call, long out);

  @Override
  public native long segl_client_reject(
      long client, long request, long requestLen, long generation);

  @Override
  public native long segl_client_forget(long client, long request, long requestLen);

  @Override
  public native long segl_client_health(long client, long out);

  @Override
  public native void segl_client_free(long client);

  @Override
  public native long segl_client_call_api(
      long client,
      long operation,
      long operationLen,
      long input,
      long inputLen,
      long tokenRequest,
      long tokenRequestLen,
      long call,
      long out);

  @Override
  public native long segl_client_dpop_proof(
      long client,
      long method,
      long methodLen,
      long url,
      long urlLen,
      long token,
      long tokenLen,
      long call,
      long out);

  @Override
  public native long segl_client_dpop_nonce(
      long client, long url, long urlLen, long nonce, long nonceLen);

  @Override
  public native long segl_client_require_allowed(long client, long url, long urlLen);

  @Override
  public native long segl_client_send(
      long client, long request, long tokenRequest, long tokenRequestLen, long call, long out);

  @Override
  public native void segl_http_response_free(long response);

  @Override
  public native int segl_error_code(long error);

  @Override
  public native long segl_error_name(int code);

  @Override
  public native long segl_error_message(long error, long len);

  @Override
  public native int segl_error_int(long error, int field, long out);

  @Override
  public native long segl_error_str(long error, int field, long len);

  @Override
  public native void segl_error_free(long error);

  @Override
  public native long segl_jws_sign(
      long signer, long header, long headerLen, long payload, long payloadLen, long call, long out);

  @Override
  public native long segl_log_set(long sink, int maxLevel);

  @Override
  public native long segl_signer_open(
      long uri, long uriLen, long pin, long pinLen, long call, long out);

  @Override
  public native long segl_signer_from_bytes(
      long key, long keyLen, long passphrase, long passphraseLen, long out);

  @Override
  public native long segl_signer_from_vtable(long vtable, long jwk, long jwkLen, long out);

  @Override
  public native long segl_signer_describe(long signer, long out);

  @Override
  public native long segl_signer_public_jwk(long signer, long out);

  @Override
  public native long segl_signer_sign(
      long signer, long alg, long algLen, long message, long messageLen, long call, long out);

  @Override
  public native long segl_signer_probe(long signer, long call);

  @Override
  public native long segl_signer_health(long signer, long out);

  @Override
  public native void segl_signer_free(long signer);

  @Override
  public native long segl_transport_from_vtable(long vtable, long out);

  @Override
  public native void segl_transport_free(long transport);

  @Override
  public native long segl_validator_new(long params, long out);

  @Override
  public native long segl_validator_check(
      long validator,
      long token,
      long tokenLen,
      long requirements,
      long requirementsLen,
      long call,
      long out);

  @Override
  public native void segl_validator_free(long validator);

  @Override
  public native void segl_token_free(long token);

  @Override
  public native void segl_bytes_free(long bytes);
}
