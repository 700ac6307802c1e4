package no.segl;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What a client is made of beside its settings. Immutable. Signers may be closed afterwards. */
public final class ClientOptions {
  private static final ClientOptions DEFAULTS =
      new ClientOptions(null, null, null, null, null);

  private final @Nullable Signer signer;
  private final @Nullable Signer tlsSigner;
  private final @Nullable Signer dpopSigner;
  private final @Nullable HttpTransport transport;
  private final @Nullable CallOptions opening;

  private ClientOptions(
      @Nullable Signer signer,
      @Nullable Signer tlsSigner,
      @Nullable Signer dpopSigner,
      @Nullable HttpTransport transport,
      @Nullable CallOptions opening) {
    this.signer = signer;
    this.tlsSigner = tlsSigner;
    this.dpopSigner = dpopSigner;
    this.transport = transport;
    this.opening = opening;
  }

  /** Nothing but the settings. */
  public static ClientOptions defaults() {
    return DEFAULTS;
  }

  /** These options with the client's key, in the place of the settings {@code key} and {@code keys}. */
  public ClientOptions withSigner(Signer value) {
    return new ClientOptions(value, tlsSigner, dpopSigner, transport, opening);
  }

  /**
   * These options with the key of the client certificate that servers are shown in TLS, in the place
   * of the setting {@code tls.key}; the certificate is {@code tls.certificate}, or the one beside the
   * key.
   */
  public ClientOptions withTlsSigner(Signer value) {
    return new ClientOptions(signer, value, dpopSigner, transport, opening);
  }

  /** These options with the key that tokens are bound to (DPoP), in the place of {@code dpop.key}. */
  public ClientOptions withDpopSigner(Signer value) {
    return new ClientOptions(signer, tlsSigner, value, transport, opening);
  }

  /** These options with what sends HTTP requests, in the place of segl's own HTTP and TLS. */
  public ClientOptions withTransport(HttpTransport value) {
    return new ClientOptions(signer, tlsSigner, dpopSigner, value, opening);
  }

  /**
   * These options with a time that opening the keys may take.
   *
   * @throws UsageException {@link ErrorCode#INVALID_ARGUMENT} when it is not more than zero
   */
  public ClientOptions withTimeout(Duration value) {
    return new ClientOptions(
        signer, tlsSigner, dpopSigner, transport, CallOptions.defaults().withTimeout(value));
  }

  @Nullable Signer signer() {
    return signer;
  }

  @Nullable Signer tlsSigner() {
    return tlsSigner;
  }

  @Nullable Signer dpopSigner() {
    return dpopSigner;
  }

  @Nullable HttpTransport transport() {
    return transport;
  }

  @Nullable CallOptions opening() {
    return opening;
  }

  boolean isPlain() {
    return this == DEFAULTS;
  }
}
