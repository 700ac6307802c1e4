package no.segl;

/** An environment of a service. */
public enum Environment {
  /** The service's test environment. */
  TEST("test"),
  /** Production. */
  PROD("prod");

  private final String word;

  Environment(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
