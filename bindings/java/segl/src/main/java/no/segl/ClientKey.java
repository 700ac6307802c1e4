package no.segl;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * One of several keys of a client: the same key pair on another token, or one that is registered
 * beside the others. Each setting is as that of the client with the same name. Immutable; {@link
 * #toString} shows no values.
 */
public final class ClientKey {
  private final Map<String, Object> members;

  private ClientKey(Map<String, Object> members) {
    this.members = members;
  }

  /**
   * Begins settings.
   *
   * @param key The URI of the private key: {@code pkcs11:…}, {@code awskms:…} or {@code file:…}.
   */
  public static Builder builder(String key) {
    return new Builder(new LinkedHashMap<>()).put("key", key);
  }

  Map<String, Object> members() {
    return members;
  }

  /** The names of the settings that are set, and no values: some are secrets. */
  @Override
  public String toString() {
    return "ClientKey" + members.keySet();
  }

  /** Makes a {@link ClientKey}; not for several threads at a time. */
  public static final class Builder {
    private final Map<String, Object> members;

    private Builder(Map<String, Object> members) {
      this.members = members;
    }

    /** The signature algorithm; the key's usual one when left out. */
    public Builder alg(String value) {
      return put("alg", value);
    }

    /** {@code file:} URI of the certificate for {@code x5c}. */
    public Builder certificate(String value) {
      return put("certificate", value);
    }

    /** The {@code kid} under which the public key is registered. */
    public Builder kid(String value) {
      return put("kid", value);
    }

    /** When the registration under {@code kid} ends: a date such as "2027-11-20", or RFC 3339. */
    public Builder registeredUntil(String value) {
      return put("registered_until", value);
    }

    /** What goes into {@code x5c}: the leaf only (default) or the whole chain. */
    public Builder x5c(X5cForm value) {
      return put("x5c", value.word());
    }

    /** The settings so far. */
    public ClientKey build() {
      return new ClientKey(Collections.unmodifiableMap(new LinkedHashMap<>(members)));
    }

    private Builder put(String name, Object value) {
      members.put(name, Objects.requireNonNull(value, name));
      return this;
    }
  }
}
