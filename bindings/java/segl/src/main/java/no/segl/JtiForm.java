package no.segl;

/** The form of {@code jti}. */
public enum JtiForm {
  /** A random UUID (version 4). */
  UUID("uuid"),
  /** The 16 bytes of a random UUID in base64url, 22 characters. */
  BASE64URL("base64url");

  private final String word;

  JtiForm(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
