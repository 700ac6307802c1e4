package no.segl;

/** A claim that servers want as a string or as an array of one. */
public enum AudienceForm {
  /** {@code "a"} */
  STRING("string"),
  /** {@code ["a"]} */
  ARRAY("array");

  private final String word;

  AudienceForm(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
