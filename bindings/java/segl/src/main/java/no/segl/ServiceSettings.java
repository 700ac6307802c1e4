package no.segl;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Where a service is and what it wants to be sent, where that differs from what segl knows.
 * Immutable; {@link #toString} shows no values.
 */
public final class ServiceSettings {
  private final Map<String, Object> members;

  private ServiceSettings(Map<String, Object> members) {
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
    return "ServiceSettings" + members.keySet();
  }

  /** Makes a {@link ServiceSettings}; not for several threads at a time. */
  public static final class Builder {
    private final Map<String, Object> members;

    private Builder(Map<String, Object> members) {
      this.members = members;
    }

    /**
     * Where the key is that some services want beside a token: {@code file:/ABSOLUTE/PATH} or {@code
     * env:NAME}. It is {@code {api_key}} in {@code headers}.
     */
    public Builder apiKey(String value) {
      return put("api_key", value);
    }

    /** The base URL, instead of that of the client's environment. */
    public Builder baseUrl(String value) {
      return put("base_url", value);
    }

    /**
     * Headers by name, instead of or beside the service's usual ones. In a value, {@code {access_token}}
     * and the placeholders that {@code docs/services.md} names for the service stand for what belongs
     * there; an empty value leaves the header out.
     */
    public Builder headers(Map<String, String> values) {
      return put("headers", Collections.unmodifiableMap(new LinkedHashMap<>(values)));
    }

    /** The settings so far. */
    public ServiceSettings build() {
      return new ServiceSettings(Collections.unmodifiableMap(new LinkedHashMap<>(members)));
    }

    private Builder put(String name, Object value) {
      members.put(name, Objects.requireNonNull(value, name));
      return this;
    }
  }
}
