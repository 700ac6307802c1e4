package no.segl;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Tokens that are bound to a key of the client (DPoP, RFC 9449): who steals one can do nothing with
 * it. Immutable; {@link #toString} shows no values.
 */
public final class DpopSettings {
  private final Map<String, Object> members;

  private DpopSettings(Map<String, Object> members) {
    this.members = members;
  }

  /** Begins settings. */
  public static Builder builder() {
    return new Builder(new LinkedHashMap<>());
  }

  Map<String, Object> members() {
    return members;
  }

  /** The names of the settings that are set, and no values: some are secrets. */
  @Override
  public String toString() {
    return "DpopSettings" + members.keySet();
  }

  /** Makes a {@link DpopSettings}; not for several threads at a time. */
  public static final class Builder {
    private final Map<String, Object> members;

    private Builder(Map<String, Object> members) {
      this.members = members;
    }

    /**
     * The algorithm of the proofs. Left out, that of the assertions when the key is the client's own, else
     * the key's usual one.
     */
    public Builder alg(String value) {
      return put("alg", value);
    }

    /**
     * The URI of the private key that tokens are bound to, with its PIN source: {@code pkcs11:…} or {@code
     * file:…}. Left out, the client's own key is used, which several {@code keys} do not allow.
     */
    public Builder key(String value) {
      return put("key", value);
    }

    /** The settings so far. */
    public DpopSettings build() {
      return new DpopSettings(Collections.unmodifiableMap(new LinkedHashMap<>(members)));
    }

    private Builder put(String name, Object value) {
      members.put(name, Objects.requireNonNull(value, name));
      return this;
    }
  }
}
