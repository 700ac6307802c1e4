package no.segl;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** An access token. Immutable; its text shows nothing of it. */
public final class Token {
  private final String accessToken;
  private final @Nullable String response;
  private final long expiresAtMillis;
  private final long generation;
  private final boolean fromCache;
  private final boolean dpop;

  Token(
      String accessToken,
      @Nullable String response,
      long expiresAtMillis,
      long generation,
      boolean fromCache,
      boolean dpop) {
    this.accessToken = accessToken;
    this.response = response;
    this.expiresAtMillis = expiresAtMillis;
    this.generation = generation;
    this.fromCache = fromCache;
    this.dpop = dpop;
  }

  /** The token itself; {@link #authorization} is the header's value. */
  public String accessToken() {
    return accessToken;
  }

  /** When the token ends. */
  public Instant expiresAt() {
    return Instant.ofEpochMilli(expiresAtMillis);
  }

  /** Whether the token was in the cache. */
  public boolean fromCache() {
    return fromCache;
  }

  /**
   * Whether the token is bound to a key (DPoP): each request needs a proof from {@link
   * TokenClient#dpopProof(String, String, String)} then.
   */
  public boolean dpop() {
    return dpop;
  }

  /** A number that no other token of this process has. */
  public long generation() {
    return generation;
  }

  /** The whole token response, JSON, where {@link CallOptions#withResponse} asked for it; or null. */
  public @Nullable String response() {
    return response;
  }

  /** The value of the header {@code Authorization}: "Bearer …" or "DPoP …". */
  public String authorization() {
    return (dpop ? "DPoP " : "Bearer ") + accessToken;
  }

  long expiresAtMillis() {
    return expiresAtMillis;
  }

  /** This token, for those who ask after it was fetched. */
  Token cached() {
    return fromCache
        ? this
        : new Token(accessToken, response, expiresAtMillis, generation, true, dpop);
  }

  @Override
  public String toString() {
    return "Token[redacted]";
  }
}
