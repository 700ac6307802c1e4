package no.segl;

/** The services that segl knows. */
public enum Profile {
  /** Maskinporten's JWT grant. */
  MASKINPORTEN("maskinporten"),
  /** The same at Skyporten, for cloud services. */
  SKYPORTEN("skyporten"),
  /** ID-porten's client assertion, for use in the authorization code flow. */
  IDPORTEN("idporten"),
  /** DNB's client assertion and client registration. */
  DNB("dnb"),
  /** HelseID's client assertion, and tokens bound by DPoP. */
  HELSEID("helseid"),
  /** Any RFC 7523 server. */
  GENERIC("generic");

  private final String word;

  Profile(String word) {
    this.word = word;
  }

  /** The word that stands for it in segl.toml. */
  public String word() {
    return word;
  }
}
