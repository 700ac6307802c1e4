package no.segl;

/**
 * Signs with a key that the program has access to: another SDK, a cloud's vault, a smart card.
 *
 * <p>It is called on the threads that need signatures, and for tokens on threads of segl, on several
 * at a time. It may use segl, but must not refer to the {@link Signer} that is made of it, which
 * would never be collected then.
 */
@FunctionalInterface
public interface SignCallback {
  /**
   * Signs a message. segl checks the signature with the public key.
   *
   * @param alg a JOSE name, such as "ES256"
   * @param message what to sign, not hashed yet
   * @return the signature in JOSE form: RSA as it is, ECDSA as R||S; at most 1024 bytes
   * @throws Exception when it cannot: the caller of segl gets {@link ErrorCode#CALLBACK_FAILED} with
   *     its class and text, or the code and the message of a {@link SeglException}
   */
  byte[] sign(String alg, byte[] message) throws Exception;
}
