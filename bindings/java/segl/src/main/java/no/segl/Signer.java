package no.segl;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import no.segl.internal.Frame;
import no.segl.internal.Handle;
import no.segl.internal.Library;
import no.segl.internal.Native;
import no.segl.internal.StackRoom;
import no.segl.internal.Upcalls;
import no.segl.internal.Utf8;
import org.jspecify.annotations.Nullable;

/** A private key that can sign, wherever it is. */
public final class Signer implements AutoCloseable {
  private static final int VTABLE_SIZE = 32;

  private final Native segl;
  private final Handle handle;
  private final Cleaner.Cleanable cleanable;

  private Signer(long value) {
    segl = Library.get();
    Handle.Owned owned = Handle.own(this, segl, Handle.Kind.SIGNER, value);
    handle = owned.handle();
    cleanable = owned.cleanable();
  }

  /** As {@link #open(String, byte[], CallOptions)}, with the URI's {@code pin-source}. */
  public static Signer open(String uri) {
    return open(uri, null, null);
  }

  /** As {@link #open(String, byte[], CallOptions)}, without bounds. */
  public static Signer open(String uri, byte @Nullable [] pin) {
    return open(uri, pin, null);
  }

  /**
   * Opens the key that a URI names: {@code pkcs11:} (RFC 7512), {@code awskms:} or {@code file:}. It
   * blocks while the device works.
   *
   * @param uri the key's URI
   * @param pin the PIN or passphrase, or null or empty for the URI's {@code pin-source}; for {@code
   *     awskms:} credentials, as JSON in the form of {@code credential_process}. Copies of it are
   *     wiped; the array is the caller's to wipe
   * @param options bounds, or null for none
   * @throws SeglException {@link ErrorCode#KEY_URI}, {@link ErrorCode#KEY_NOT_FOUND}, {@link
   *     ErrorCode#PIN_INCORRECT} and others. A PIN that the device refused is not tried again
   */
  public static Signer open(String uri, byte @Nullable [] pin, @Nullable CallOptions options) {
    byte[] name = Utf8.bytes(uri);
    return new Signer(
        Calls.handle(
            options,
            (segl, frame, call, out) ->
                segl.segl_signer_open(
                    frame.put(name),
                    name.length,
                    pin == null ? 0 : frame.put(pin),
                    pin == null ? 0 : pin.length,
                    call,
                    out)));
  }

  /**
   * Opens a private key from memory: PEM, DER or PKCS#12. Copies of both arrays are wiped; the
   * arrays are the caller's to wipe.
   *
   * @param key the key
   * @param passphrase the passphrase, which may be empty, or null for none
   * @throws SeglException {@link ErrorCode#KEY_FORMAT}, {@link ErrorCode#PASSPHRASE} or {@link
   *     ErrorCode#KEY_TYPE}
   */
  public static Signer fromBytes(byte[] key, byte @Nullable [] passphrase) {
    return new Signer(
        Calls.handle(
            null,
            (segl, frame, call, out) ->
                segl.segl_signer_from_bytes(
                    frame.put(key),
                    key.length,
                    passphrase == null ? 0 : frame.put(passphrase),
                    passphrase == null ? 0 : passphrase.length,
                    out)));
  }

  /**
   * Makes a signer of a method of the program. Every signature is checked with the public key before
   * it is released.
   *
   * @param publicJwk the public key (RFC 7517): RSA, P-256 or P-384
   * @param callback what signs
   * @throws SeglException {@link ErrorCode#KEY_FORMAT} or {@link ErrorCode#KEY_TYPE}
   */
  public static Signer fromCallback(String publicJwk, SignCallback callback) {
    byte[] jwk = Utf8.bytes(publicJwk);
    long ctx = Upcalls.register(callback);
    try {
      Signer signer =
          new Signer(
              Calls.handle(
                  null,
                  (segl, frame, call, out) ->
                      segl.segl_signer_from_vtable(
                          vtable(segl, frame, ctx), frame.put(jwk), jwk.length, out)));
      return signer;
    } catch (RuntimeException | Error failed) {
      Upcalls.destroy(ctx);
      throw failed;
    }
  }

  /** As {@link #sign(String, byte[], CallOptions)}, without bounds. */
  public byte[] sign(String alg, byte[] message) {
    return sign(alg, message, null);
  }

  /**
   * Signs a message. It blocks while the device works.
   *
   * @param alg a JOSE name, such as "ES256"
   * @param message what to sign, not hashed yet
   * @param options bounds, or null for none
   * @return the signature in JOSE form: RSA as it is, ECDSA as R||S
   * @throws SeglException {@link ErrorCode#ALGORITHM} when the key cannot make {@code alg}, otherwise
   *     what the key's home reports
   */
  public byte[] sign(String alg, byte[] message, @Nullable CallOptions options) {
    byte[] name = Utf8.bytes(alg);
    try {
      return Calls.bytes(
          options,
          (segl, frame, call, out) ->
              segl.segl_signer_sign(
                  handle.get(),
                  frame.put(name),
                  name.length,
                  frame.put(message),
                  message.length,
                  call,
                  out));
    } finally {
      fence(options);
    }
  }

  /** As {@link #jws(String, byte[], CallOptions)}, without bounds. */
  public String jws(String headerJson, byte[] payload) {
    return jws(headerJson, payload, null);
  }

  /**
   * Signs a payload as a JWS in compact serialisation (RFC 7515 section 7.1). It blocks while the
   * device works.
   *
   * @param headerJson the protected header, a JSON object with {@code alg}; members that segl does
   *     not know pass through, {@code crit} and {@code b64} are refused
   * @param payload for a JWT its claims, JSON in UTF-8
   * @param options bounds, or null for none
   * @throws SeglException {@link ErrorCode#INVALID_ARGUMENT} or {@link ErrorCode#ALGORITHM} for a
   *     header that cannot be used, otherwise what the key's home reports
   */
  public String jws(String headerJson, byte[] payload, @Nullable CallOptions options) {
    byte[] header = Utf8.bytes(headerJson);
    try {
      byte[] compact =
          Calls.bytes(
              options,
              (segl, frame, call, out) ->
                  segl.segl_jws_sign(
                      handle.get(),
                      frame.put(header),
                      header.length,
                      frame.put(payload),
                      payload.length,
                      call,
                      out));
      return new String(compact, StandardCharsets.ISO_8859_1);
    } finally {
      fence(options);
    }
  }

  /**
   * The public key as a JWK (RFC 7517) with {@code kid}, the thumbprint of RFC 7638, {@code use}
   * "sig" and the key's usual {@code alg}: what is registered with Maskinporten or DNB.
   */
  public String publicJwk() {
    return text((library, frame, call, out) -> library.segl_signer_public_jwk(handle.get(), out));
  }

  /**
   * The key as a JSON object: {@code kind}, {@code uri} (without secrets), {@code token}, {@code
   * extractable}, {@code kty}, {@code crv}, {@code bits}, {@code thumbprint}, {@code algorithms} and
   * {@code certificates}. What is not known is null. The device is not asked.
   */
  public String describe() {
    return text((library, frame, call, out) -> library.segl_signer_describe(handle.get(), out));
  }

  /**
   * How the key is doing, as a JSON object: {@code state} ("ready", "recovering", "unavailable",
   * "pin_refused", "key_refused" or "restart_required"), {@code problem}, {@code signatures}, {@code
   * last_signature} (seconds since 1970) and, for keys on a token, {@code token} with its sessions,
   * counters and last failure. The device is not asked.
   */
  public String health() {
    return text((library, frame, call, out) -> library.segl_signer_health(handle.get(), out));
  }

  /** As {@link #probe(CallOptions)}, without bounds. */
  public void probe() {
    probe(null);
  }

  /**
   * Checks that the key can be used now, by a signature where that is the only proof.
   *
   * @param options bounds, or null for none
   * @throws SeglException what the key's home reports
   */
  public void probe(@Nullable CallOptions options) {
    StackRoom.ensure();
    try (Frame frame = Frame.take(segl)) {
      Calls.check(
          segl, segl.segl_signer_probe(handle.get(), Calls.call(segl, frame, options, false)));
    } finally {
      fence(options);
    }
  }

  /** Lets go of the key. Clients that were made with it keep it; calls under way go on. */
  @Override
  public void close() {
    cleanable.clean();
  }

  /** The handle, for a call that ends with {@link Reference#reachabilityFence}. */
  long handle() {
    return handle.get();
  }

  private String text(Calls.Maker maker) {
    try {
      return Calls.text(null, maker);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  private void fence(@Nullable CallOptions options) {
    Reference.reachabilityFence(this);
    Reference.reachabilityFence(options);
  }

  private static long vtable(Native segl, Frame frame, long ctx) {
    long vtable = frame.struct(VTABLE_SIZE);
    segl.putLong(vtable + 8, ctx);
    segl.putLong(vtable + 16, segl.callbacks().sign());
    segl.putLong(vtable + 24, segl.callbacks().destroy());
    return vtable;
  }
}
