package no.segl;

/**
 * How the content of a JWE is encrypted (RFC 7518 section 5). Each of them finds out whether the
 * content was changed.
 */
public enum ContentEncryption {
  /** AES-GCM with a key of 256 bits. */
  A256GCM("A256GCM"),
  /** AES-CBC with a key of 128 bits, and HMAC with SHA-256. */
  A128CBC_HS256("A128CBC-HS256"),
  /** AES-CBC with a key of 256 bits, and HMAC with SHA-512. */
  A256CBC_HS512("A256CBC-HS512"),
  /** AES-GCM with a key of 128 bits. */
  A128GCM("A128GCM");

  private final String word;

  ContentEncryption(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
