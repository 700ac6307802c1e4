package no.segl;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import no.segl.internal.Json;

/**
 * The settings of one client. The same words in TOML, in JSON through the C ABI, and in every binding;
 * unknown ones are refused. Immutable; {@link #toString} shows no values.
 */
public final class Config {
  private final Map<String, Object> members;

  private Config(Map<String, Object> members) {
    this.members = members;
  }

  /**
   * Begins settings.
   *
   * @param profile Whose rules apply.
   */
  public static Builder builder(Profile profile) {
    return new Builder(new LinkedHashMap<>()).put("profile", profile.word());
  }

  /**
   * Settings from a JSON object with the words of segl.toml. Settings that segl does not know are
   * refused when a client is made of them.
   *
   * @throws UsageException {@link ErrorCode#CONFIG} when the text is not a JSON object
   */
  public static Config fromJson(String json) {
    return new Config(Json.parseSettings(json));
  }

  /** Begins settings that are these but for what is set. */
  public Builder toBuilder() {
    return new Builder(new LinkedHashMap<>(members));
  }

  /** The settings as a JSON object. It has the secrets that are in the settings. */
  public String toJson() {
    return Json.write(members);
  }

  /** The names of the settings that are set, and no values: some are secrets. */
  @Override
  public String toString() {
    return "Config" + members.keySet();
  }

  /** Makes a {@link Config}; not for several threads at a time. */
  public static final class Builder {
    private final Map<String, Object> members;

    private Builder(Map<String, Object> members) {
      this.members = members;
    }

    /** The signature algorithm; the key's usual one when left out. */
    public Builder alg(String value) {
      return put("alg", value);
    }

    /**
     * The base URLs of the APIs that {@code segl call}, {@code segl_client_send} and {@code
     * segl::apis::ApiRequest} may send this client's tokens to: those URLs and all below them. Left out,
     * any https URL.
     */
    public Builder apis(List<String> values) {
      return put("apis", List.copyOf(values));
    }

    /** The {@code aud} claim, instead of the service's usual one. */
    public Builder audience(String value) {
      return put("audience", value);
    }

    /** Whether {@code aud} is a string or an array of one. */
    public Builder audienceForm(AudienceForm value) {
      return put("audience_form", value.word());
    }

    /**
     * Seconds by which {@code iat} lies before the time of signing, 0 to 9, against clocks that are a
     * little ahead. Default 2 for Digdir's services, else 0.
     */
    public Builder backdateSeconds(long value) {
      return put("backdate_seconds", value);
    }

    /**
     * {@code file:} URI of the certificate (PEM with the chain, or DER) for {@code x5c}. Left out, a
     * certificate beside the key (token object, PKCS#12, PEM) is used.
     */
    public Builder certificate(String value) {
      return put("certificate", value);
    }

    /**
     * The client's identifier at the service. DNB gives it after registration; until then it may be left
     * out for {@code segl register dnb}. An {@code eseal} needs none.
     */
    public Builder clientId(String value) {
      return put("client_id", value);
    }

    /** Time for the name look-up, and again for connection and TLS, in milliseconds. Default 5,000. */
    public Builder connectTimeoutMs(long value) {
      return put("connect_timeout_ms", value);
    }

    /**
     * Organisation number of the consumer on whose behalf tokens are requested (Maskinporten delegation),
     * unless a request names its own, or {@code null} for none.
     */
    public Builder consumerOrg(String value) {
      return put("consumer_org", value);
    }

    /** The keys to which services encrypt their answers, as the banks of DSOP Control do. */
    public Builder decryption(DecryptionSettings value) {
      return put("decryption", value.members());
    }

    /**
     * Takes the token endpoint from the issuer's metadata (RFC 8414; DNB's and HelseID's is OpenID Connect
     * Discovery, as is that of a generic server which answers 404 for the former), which is read at the
     * first request and every 24 hours. A client with a client certificate uses the one in {@code
     * mtls_endpoint_aliases} (RFC 8705), if there is one. Excludes {@code token_endpoint}.
     */
    public Builder discovery(boolean value) {
      return put("discovery", value);
    }

    /**
     * Tokens that are bound to a key of the client (DPoP, RFC 9449): profile {@code generic} when this is
     * set, {@code helseid} always.
     */
    public Builder dpop(DpopSettings value) {
      return put("dpop", value.members());
    }

    /** Which environment of the service: sets issuer, audience and endpoint. */
    public Builder environment(Environment value) {
      return put("environment", value.word());
    }

    /**
     * The key is one of a European eSeal (Maskinporten's pilot): {@code x5c} has the whole chain, {@code
     * kid} is excluded, and {@code client_id} may be left out.
     */
    public Builder eseal(boolean value) {
      return put("eseal", value);
    }

    /** How the assertion is used (profile {@code generic} only). */
    public Builder grant(Grant value) {
      return put("grant", value.word());
    }

    /** The authorisation server's issuer identifier, instead of the environment's. */
    public Builder issuer(String value) {
      return put("issuer", value);
    }

    /** The form of {@code jti}. */
    public Builder jti(JtiForm value) {
      return put("jti", value.word());
    }

    /**
     * The URI of the private key: {@code pkcs11:…}, {@code awskms:…} or {@code file:…}. Left out when
     * {@code keys} is set, or when the program gives a signer of its own.
     */
    public Builder key(String value) {
      return put("key", value);
    }

    /**
     * Several keys, used in order: a later one signs while those before it cannot, or the service refuses
     * them. Excludes {@code key}, {@code kid}, {@code certificate}, {@code x5c}, {@code alg} and {@code
     * registered_until}, which stand in each entry.
     */
    public Builder keys(List<ClientKey> values) {
      return put("keys", values.stream().map(ClientKey::members).toList());
    }

    /** The {@code kid} under which the public key is registered. DNB's default is the RFC 7638 thumbprint. */
    public Builder kid(String value) {
      return put("kid", value);
    }

    /** Life of an assertion, {@code exp - iat}, in seconds. */
    public Builder lifetimeSeconds(long value) {
      return put("lifetime_seconds", value);
    }

    /**
     * The most bytes that the body of an answer may have, of the token endpoint and of APIs. Default
     * 1,048,576.
     */
    public Builder maxResponseBytes(long value) {
      return put("max_response_bytes", value);
    }

    /** Where the metadata is, when it is not where the issuer's should be. As {@code discovery} otherwise. */
    public Builder metadata(String value) {
      return put("metadata", value);
    }

    /** Adds {@code nbf}, equal to {@code iat}. Off by default. */
    public Builder nbf(boolean value) {
      return put("nbf", value);
    }

    /** Leaves {@code kid} out of the assertion's header (profile {@code dnb} only). */
    public Builder omitKid(boolean value) {
      return put("omit_kid", value);
    }

    /**
     * Organisation number of the client itself. A certificate must be that organisation's, and {@code
     * consumer_org} another. Left out, the certificate's counts.
     */
    public Builder orgno(String value) {
      return put("orgno", value);
    }

    /**
     * When the registration under {@code kid} ends: a date such as "2027-11-20", which stands for its
     * first second in UTC, or RFC 3339. Maskinporten's ends a year after the key was registered or
     * registered again. Nothing is refused after it; see {@code warn_days}.
     */
    public Builder registeredUntil(String value) {
      return put("registered_until", value);
    }

    /** {@code aud} of the registration JWT (profile {@code dnb} only). */
    public Builder registrationAudience(String value) {
      return put("registration_audience", value);
    }

    /** Life of the registration JWT in seconds, at most 30 days (profile {@code dnb} only). */
    public Builder registrationLifetimeSeconds(long value) {
      return put("registration_lifetime_seconds", value);
    }

    /** {@code resource} (RFC 8707) of every token, unless a request names its own. */
    public Builder resource(List<String> values) {
      return put("resource", List.copyOf(values));
    }

    /** Whether {@code resource} is an array (default) or, when there is one, a string. */
    public Builder resourceForm(AudienceForm value) {
      return put("resource_form", value.word());
    }

    /** Scopes of every token, unless a request names its own. */
    public Builder scopes(List<String> values) {
      return put("scopes", List.copyOf(values));
    }

    /**
     * Base URL of Digdir's administration API, instead of the environment's, for {@code segl register
     * maskinporten} (profile {@code maskinporten} only).
     */
    public Builder selfService(String value) {
      return put("self_service", value);
    }

    /** Sends {@code client_id} as a form parameter too (client assertions only). */
    public Builder sendClientId(boolean value) {
      return put("send_client_id", value);
    }

    /**
     * The services behind this client's tokens, by name, where they differ from what segl knows of them.
     */
    public Builder services(Map<String, ServiceSettings> values) {
      Map<String, Object> services = new LinkedHashMap<>();
      values.forEach((name, settings) -> services.put(name, settings.members()));
      return put("services", Collections.unmodifiableMap(services));
    }

    /** A cache that the instances of a service share, so that not each of them fetches its own token. */
    public Builder sharedCache(SharedCacheSettings value) {
      return put("shared_cache", value.members());
    }

    /**
     * Time for one try to get a token, signing included, in milliseconds. Default 10,000. A call goes on
     * trying until its own time is over.
     */
    public Builder timeoutMs(long value) {
      return put("timeout_ms", value);
    }

    /** How the client speaks TLS: its certificate, and what it expects of servers. */
    public Builder tls(TlsSettings value) {
      return put("tls", value.members());
    }

    /** The token endpoint, instead of the environment's. */
    public Builder tokenEndpoint(String value) {
      return put("token_endpoint", value);
    }

    /**
     * How the client proves who it is (profile {@code generic} only). Default {@code private_key_jwt}.
     * With a method of TLS it is the client certificate of {@code tls} alone: there is no assertion, and
     * no setting of one.
     */
    public Builder tokenEndpointAuthMethod(ClientAuthentication value) {
      return put("token_endpoint_auth_method", value.word());
    }

    /** The {@code typ} header. An empty text leaves it out. */
    public Builder typ(String value) {
      return put("typ", value);
    }

    /**
     * How many days before a certificate or a registration of this client ends warnings begin: in the log,
     * once a day while assertions are made, and in the health of its keys. Default 30; 0 for none.
     */
    public Builder warnDays(long value) {
      return put("warn_days", value);
    }

    /** What goes into {@code x5c}: the leaf only (default) or the whole chain. */
    public Builder x5c(X5cForm value) {
      return put("x5c", value.word());
    }

    /** Adds {@code x5t#S256}, the certificate's thumbprint, to the header. */
    public Builder x5tS256(boolean value) {
      return put("x5t_s256", value);
    }

    /** The settings so far. */
    public Config build() {
      return new Config(Collections.unmodifiableMap(new LinkedHashMap<>(members)));
    }

    private Builder put(String name, Object value) {
      members.put(name, Objects.requireNonNull(value, name));
      return this;
    }
  }
}
