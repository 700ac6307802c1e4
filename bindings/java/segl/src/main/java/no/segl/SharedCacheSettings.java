package no.segl;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A token cache that several instances share. {@code docs/shared-cache.md} says what is in it, and
 * what happens when it is away. Immutable; {@link #toString} shows no values.
 */
public final class SharedCacheSettings {
  private final Map<String, Object> members;

  private SharedCacheSettings(Map<String, Object> members) {
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
    return "SharedCacheSettings" + members.keySet();
  }

  /** Makes a {@link SharedCacheSettings}; not for several threads at a time. */
  public static final class Builder {
    private final Map<String, Object> members;

    private Builder(Map<String, Object> members) {
      this.members = members;
    }

    /**
     * The certificates (PEM) that a {@code rediss://} server's is checked against, instead of the
     * operating system's.
     */
    public Builder caFile(String value) {
      return put("ca_file", value);
    }

    /**
     * Where the key is read from that seals the tokens: {@code file:/ABSOLUTE/PATH} or {@code env:NAME}.
     * It is 32 random bytes in base64 or base64url, the same for every instance.
     */
    public Builder key(String value) {
      return put("key", value);
    }

    /** Several keys, while one replaces another: the first seals, each of them opens. Excludes {@code key}. */
    public Builder keys(List<String> values) {
      return put("keys", List.copyOf(values));
    }

    /**
     * For how long one instance may keep the others waiting while it fetches a token, in milliseconds, 100
     * to 60,000. Longer than a fetch usually lasts. Default 10,000.
     */
    public Builder leaseMs(long value) {
      return put("lease_ms", value);
    }

    /**
     * Where the password for Redis is read from, once: {@code file:/ABSOLUTE/PATH} or {@code env:NAME}.
     * Excludes a password in {@code url}.
     */
    public Builder password(String value) {
      return put("password", value);
    }

    /** What the names of segl's entries begin with. Default {@code segl}. */
    public Builder prefix(String value) {
      return put("prefix", value);
    }

    /** Time for one question to the store in milliseconds, connecting included, 1 to 5,000. Default 250. */
    public Builder timeoutMs(long value) {
      return put("timeout_ms", value);
    }

    /**
     * Where Redis or Valkey is: {@code redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]}, {@code
     * rediss://…} for TLS, or {@code redis+unix:///PATH[?db=DATABASE]}. Left out when the program gives a
     * store of its own.
     */
    public Builder url(String value) {
      return put("url", value);
    }

    /** The settings so far. */
    public SharedCacheSettings build() {
      return new SharedCacheSettings(Collections.unmodifiableMap(new LinkedHashMap<>(members)));
    }

    private Builder put(String name, Object value) {
      members.put(name, Objects.requireNonNull(value, name));
      return this;
    }
  }
}
