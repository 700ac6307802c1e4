package no.segl;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import no.segl.internal.Json;
import no.segl.internal.Utf8;
import org.jspecify.annotations.Nullable;

/**
 * What a token or an assertion is asked for; what is left out is as the settings say. Immutable, and
 * quickest when one object is used again and again. Its text shows nothing of it.
 */
public final class TokenRequest {
  private final byte[] json;
  private final int hash;

  private TokenRequest(Map<String, @Nullable Object> members) {
    json = Utf8.bytes(Json.write(members));
    hash = Arrays.hashCode(json);
  }

  /** Begins a request. */
  public static Builder builder() {
    return new Builder();
  }

  /** A request for scopes, and otherwise for what the settings say. */
  public static TokenRequest scopes(String... scopes) {
    return builder().scopes(List.of(scopes)).build();
  }

  /** The request as segl takes it, in UTF-8; not to be changed. */
  byte[] json() {
    return json;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other
        || other instanceof TokenRequest request && Arrays.equals(json, request.json);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return "TokenRequest[redacted]";
  }

  /** Makes a {@link TokenRequest}; not for several threads at a time. */
  public static final class Builder {
    private final Map<String, @Nullable Object> members = new LinkedHashMap<>();

    private Builder() {}

    /** The scopes, in the place of those in the settings. */
    public Builder scopes(List<String> values) {
      members.put("scopes", List.copyOf(values));
      return this;
    }

    /** {@code resource} (RFC 8707), in the place of that in the settings. */
    public Builder resource(List<String> values) {
      members.put("resource", List.copyOf(values));
      return this;
    }

    /** The organisation number of the consumer on whose behalf the token is asked for. */
    public Builder consumerOrg(String value) {
      members.put("consumer_org", Objects.requireNonNull(value, "value"));
      return this;
    }

    /** No consumer, whatever the settings say. */
    public Builder withoutConsumerOrg() {
      members.put("consumer_org", null);
      return this;
    }

    /** The national identity number of the person whom the token is about. */
    public Builder pid(String value) {
      members.put("pid", Objects.requireNonNull(value, "value"));
      return this;
    }

    /**
     * {@code authorization_details} (RFC 9396).
     *
     * @param json a JSON array of objects
     * @throws UsageException {@link ErrorCode#INVALID_ARGUMENT} when it is not JSON
     */
    public Builder authorizationDetails(String json) {
      try {
        members.put("authorization_details", Json.raw(json));
      } catch (IllegalArgumentException wrong) {
        throw SeglException.of(
            ErrorCode.INVALID_ARGUMENT,
            "authorization_details is not JSON: " + wrong.getMessage(),
            null);
      }
      return this;
    }

    /** The request so far. */
    public TokenRequest build() {
      return new TokenRequest(members);
    }
  }
}
