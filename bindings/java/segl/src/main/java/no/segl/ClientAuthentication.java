package no.segl;

/**
 * How a client proves who it is at the token endpoint, in the words of its registration (RFC 7591
 * section 2, RFC 8705 section 2).
 */
public enum ClientAuthentication {
  /** By an assertion that its key signs. */
  PRIVATE_KEY_JWT("private_key_jwt"),
  /** By a client certificate that an authority issued. */
  TLS_CLIENT_AUTH("tls_client_auth"),
  /** By a client certificate that is registered itself. */
  SELF_SIGNED_TLS_CLIENT_AUTH("self_signed_tls_client_auth");

  private final String word;

  ClientAuthentication(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
