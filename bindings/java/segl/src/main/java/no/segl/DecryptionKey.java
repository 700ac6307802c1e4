package no.segl;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * One of several keys that others encrypt to. An answer names it by its {@code kid}, which is the one
 * here or the public key's RFC 7638 thumbprint, or by {@code x5t#S256}, the thumbprint of the
 * certificate. Immutable; {@link #toString} shows no values.
 */
public final class DecryptionKey {
  private final Map<String, Object> members;

  private DecryptionKey(Map<String, Object> members) {
    this.members = members;
  }

  /**
   * Begins settings.
   *
   * @param key The URI of the private key, an RSA key that may decrypt, with its PIN source: {@code
   *     pkcs11:…}, {@code awskms:…} or {@code file:…}.
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
    return "DecryptionKey" + members.keySet();
  }

  /** Makes a {@link DecryptionKey}; not for several threads at a time. */
  public static final class Builder {
    private final Map<String, Object> members;

    private Builder(Map<String, Object> members) {
      this.members = members;
    }

    /** {@code file:} URI of the certificate that senders encrypt to (PEM or DER). */
    public Builder certificate(String value) {
      return put("certificate", value);
    }

    /** What senders call the key in {@code kid}. */
    public Builder kid(String value) {
      return put("kid", value);
    }

    /** The settings so far. */
    public DecryptionKey build() {
      return new DecryptionKey(Collections.unmodifiableMap(new LinkedHashMap<>(members)));
    }

    private Builder put(String name, Object value) {
      members.put(name, Objects.requireNonNull(value, name));
      return this;
    }
  }
}
