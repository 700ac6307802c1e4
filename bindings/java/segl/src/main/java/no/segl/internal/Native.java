package no.segl.internal;

/**
 * The functions of segl.h under their own names, and the memory that they work on. Pointers, handles
 * and size_t are {@code long}: segl is for 64-bit machines only.
 */
public interface Native {
  int segl_abi_version();

  long segl_version();

  long segl_shutdown();

  long segl_cancel_new(long out);

  void segl_cancel_trigger(long cancel);

  void segl_cancel_free(long cancel);

  void segl_fail_set(long fail, int code, long message, long messageLen);

  void segl_reply_set(
      long reply, int status, long headers, long headersLen, long body, long bodyLen);

  long segl_client_new(long params, long call, long out);

  long segl_client_open(long path, long pathLen, long name, long nameLen, long call, long out);

  long segl_client_assertion(long client, long request, long requestLen, long call, long out);

  long segl_client_registration(long client, long call, long out);

  long segl_client_token(long client, long request, long requestLen, long call, long out);

  long segl_client_token_if_newer(
      long client, long request, long requestLen, long generation, long call, long out);

  long segl_client_reject(long client, long request, long requestLen, long generation);

  long segl_client_forget(long client, long request, long requestLen);

  long segl_client_health(long client, long out);

  void segl_client_free(long client);

  long segl_client_call_api(
      long client,
      long operation,
      long operationLen,
      long input,
      long inputLen,
      long tokenRequest,
      long tokenRequestLen,
      long call,
      long out);

  long segl_client_dpop_proof(
      long client,
      long method,
      long methodLen,
      long url,
      long urlLen,
      long token,
      long tokenLen,
      long call,
      long out);

  long segl_client_dpop_nonce(long client, long url, long urlLen, long nonce, long nonceLen);

  long segl_client_require_allowed(long client, long url, long urlLen);

  long segl_client_send(
      long client, long request, long tokenRequest, long tokenRequestLen, long call, long out);

  void segl_http_response_free(long response);

  int segl_error_code(long error);

  long segl_error_name(int code);

  long segl_error_message(long error, long len);

  int segl_error_int(long error, int field, long out);

  long segl_error_str(long error, int field, long len);

  void segl_error_free(long error);

  long segl_jws_sign(
      long signer, long header, long headerLen, long payload, long payloadLen, long call, long out);

  long segl_log_set(long sink, int maxLevel);

  long segl_signer_open(long uri, long uriLen, long pin, long pinLen, long call, long out);

  long segl_signer_from_bytes(long key, long keyLen, long passphrase, long passphraseLen, long out);

  long segl_signer_from_vtable(long vtable, long jwk, long jwkLen, long out);

  long segl_signer_describe(long signer, long out);

  long segl_signer_public_jwk(long signer, long out);

  long segl_signer_sign(
      long signer, long alg, long algLen, long message, long messageLen, long call, long out);

  long segl_signer_probe(long signer, long call);

  long segl_signer_health(long signer, long out);

  void segl_signer_free(long signer);

  long segl_transport_from_vtable(long vtable, long out);

  void segl_transport_free(long transport);

  long segl_validator_new(long params, long out);

  long segl_validator_check(
      long validator,
      long token,
      long tokenLen,
      long requirements,
      long requirementsLen,
      long call,
      long out);

  void segl_validator_free(long validator);

  void segl_token_free(long token);

  void segl_bytes_free(long bytes);

  /** The function pointers that segl calls the program through. */
  Callbacks callbacks();

  /** Memory that is zero-filled. Never 0. */
  long allocate(long size);

  /** Ends what {@link #allocate} gave. */
  void release(long address);

  /** Fills memory with zeros. */
  void wipe(long address, long size);

  byte getByte(long address);

  int getInt(long address);

  long getLong(long address);

  void putInt(long address, int value);

  void putLong(long address, long value);

  /** Copies memory into a new array. */
  byte[] getBytes(long address, int length);

  /** Copies an array into memory. */
  void putBytes(long address, byte[] bytes);

  /** Addresses of functions that {@link Upcalls} stands behind; they live as long as the program. */
  record Callbacks(long sign, long send, long log, long destroy) {}
}
