package no.segl;

/** A version of TLS. */
public enum TlsVersion {
  /** TLS 1.2 (RFC 5246). */
  TLS_1_2("1.2"),
  /** TLS 1.3 (RFC 8446). */
  TLS_1_3("1.3");

  private final String word;

  TlsVersion(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
