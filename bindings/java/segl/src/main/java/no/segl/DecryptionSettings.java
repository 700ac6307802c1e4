package no.segl;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The key with which answers are decrypted that come encrypted (JWE, RFC 7516), or several while one
 * replaces another, and the algorithms that they may use. Immutable; {@link #toString} shows no values.
 */
public final class DecryptionSettings {
  private final Map<String, Object> members;

  private DecryptionSettings(Map<String, Object> members) {
    this.members = members;
  }

  /**
   * Begins settings.
   *
   * @param key The URI of the private key, an RSA key that may decrypt, with its PIN source: {@code
   *     pkcs11:…}, {@code awskms:…} or {@code file:…}. It is opened when it is used for the first
   *     time.
   */
  public static Builder builder(String key) {
    return new Builder(new LinkedHashMap<>()).put("key", key);
  }

  /** Begins settings without a key, for {@link Builder#keys}. */
  public static Builder builder() {
    return new Builder(new LinkedHashMap<>());
  }

  Map<String, Object> members() {
    return members;
  }

  /** The names of the settings that are set, and no values: some are secrets. */
  @Override
  public String toString() {
    return "DecryptionSettings" + members.keySet();
  }

  /** Makes a {@link DecryptionSettings}; not for several threads at a time. */
  public static final class Builder {
    private final Map<String, Object> members;

    private Builder(Map<String, Object> members) {
      this.members = members;
    }

    /**
     * How the content may be encrypted ({@code enc}). Default {@code A256GCM} and {@code
     * A128CBC-HS256}.
     */
    public Builder contentEncryption(List<ContentEncryption> values) {
      return put("content_encryption", values.stream().map(ContentEncryption::word).toList());
    }

    /** How the key of the content may be encrypted ({@code alg}). Default {@code RSA-OAEP-256}. */
    public Builder keyEncryption(List<KeyEncryption> values) {
      return put("key_encryption", values.stream().map(KeyEncryption::word).toList());
    }

    /**
     * Several keys, while some senders still encrypt to an old one: the key that an answer names
     * decrypts it, and when it names none of them, the first that can. Excludes {@code key}.
     */
    public Builder keys(List<DecryptionKey> values) {
      return put("keys", values.stream().map(DecryptionKey::members).toList());
    }

    /** The settings so far. */
    public DecryptionSettings build() {
      return new DecryptionSettings(Collections.unmodifiableMap(new LinkedHashMap<>(members)));
    }

    private Builder put(String name, Object value) {
      members.put(name, Objects.requireNonNull(value, name));
      return this;
    }
  }
}
