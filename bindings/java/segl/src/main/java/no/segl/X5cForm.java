package no.segl;

/** How much of the certificate chain goes into {@code x5c}. */
public enum X5cForm {
  /** The certificate of the key only. */
  LEAF("leaf"),
  /** That certificate and its issuers, in order. */
  CHAIN("chain"),
  /** No {@code x5c}, even when a certificate is beside the key. */
  NONE("none");

  private final String word;

  X5cForm(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
