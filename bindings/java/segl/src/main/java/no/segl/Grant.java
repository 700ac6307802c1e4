package no.segl;

/** How an assertion is used (RFC 7523). */
public enum Grant {
  /** As an authorisation grant (section 2.1). */
  JWT_BEARER("jwt_bearer"),
  /**
   * As client authentication (section 2.2, {@code private_key_jwt}) for the grant {@code
   * client_credentials}.
   */
  CLIENT_CREDENTIALS("client_credentials");

  private final String word;

  Grant(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
