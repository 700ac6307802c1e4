package no.segl;

/**
 * How the key of a JWE's content is encrypted to an RSA key (RFC 7518 section 4.3). There is no
 * RSA1_5: an answer about what was wrong with its padding gives the content away (RFC 3218), so it
 * cannot be asked for.
 */
public enum KeyEncryption {
  /** RSAES-OAEP with SHA-256, and MGF1 with SHA-256. */
  RSA_OAEP_256("RSA-OAEP-256"),
  /**
   * RSAES-OAEP with SHA-1, and MGF1 with SHA-1. Its strength does not rest on SHA-1 being free of
   * collisions.
   */
  RSA_OAEP("RSA-OAEP");

  private final String word;

  KeyEncryption(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
