package no.segl;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * How a client speaks TLS, to the token endpoint and to the APIs behind it. Immutable; {@link
 * #toString} shows no values.
 */
public final class TlsSettings {
  private final Map<String, Object> members;

  private TlsSettings(Map<String, Object> members) {
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
    return "TlsSettings" + members.keySet();
  }

  /** Makes a {@link TlsSettings}; not for several threads at a time. */
  public static final class Builder {
    private final Map<String, Object> members;

    private Builder(Map<String, Object> members) {
      this.members = members;
    }

    /** The certificates (PEM) that servers' are checked against, instead of the operating system's. */
    public Builder caFile(String value) {
      return put("ca_file", value);
    }

    /**
     * {@code file:} URI of the client certificate (PEM with its issuers, or DER). Left out, the
     * certificate beside the key (token object, PKCS#12, PEM) is used.
     */
    public Builder certificate(String value) {
      return put("certificate", value);
    }

    /**
     * The URI of the client certificate's private key: {@code pkcs11:…}, {@code file:…} or {@code
     * awskms:…}. Servers that ask for no certificate are given none.
     */
    public Builder key(String value) {
      return put("key", value);
    }

    /** The oldest version that is spoken. Default {@code 1.2}. */
    public Builder minVersion(TlsVersion value) {
      return put("min_version", value.word());
    }

    /**
     * Whether a later connection may resume the session of an earlier one, without a signature of the key.
     * Default true. False makes every new connection sign.
     */
    public Builder resumption(boolean value) {
      return put("resumption", value);
    }

    /** The settings so far. */
    public TlsSettings build() {
      return new TlsSettings(Collections.unmodifiableMap(new LinkedHashMap<>(members)));
    }

    private Builder put(String name, Object value) {
      members.put(name, Objects.requireNonNull(value, name));
      return this;
    }
  }
}
