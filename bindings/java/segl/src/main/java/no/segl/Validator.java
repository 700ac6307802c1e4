package no.segl;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.CompletableFuture;
import no.segl.internal.Frame;
import no.segl.internal.Handle;
import no.segl.internal.Library;
import no.segl.internal.Native;
import no.segl.internal.Utf8;
import org.jspecify.annotations.Nullable;

/**
 * Checks access tokens that a program receives: signature, issuer, time, and what the program asks
 * for, such as the consumer and the scope. It keeps the issuer's keys, and fetches them again before
 * they are too old and when a token is signed with another. A program needs one for each issuer, for
 * all threads.
 */
public final class Validator implements AutoCloseable {
  private static final int PARAMS_SIZE = 64;

  private final Handle handle;
  private final Cleaner.Cleanable cleanable;

  private Validator(long value) {
    Handle.Owned owned = Handle.own(this, Library.get(), Handle.Kind.VALIDATOR, value);
    handle = owned.handle();
    cleanable = owned.cleanable();
  }

  /** As {@link #create(String, HttpTransport)}, with segl's own HTTP. */
  public static Validator create(String configJson) {
    return create(configJson, null);
  }

  /**
   * Makes a validator of settings. Nothing is sent before the first token.
   *
   * @param configJson a JSON object, as docs/config.schema.json has it under ValidatorSettings
   * @param transport what fetches keys, in the place of segl's own HTTP, or null
   * @throws SeglException {@link ErrorCode#CONFIG}, with {@link SeglException#configPath}
   */
  public static Validator create(String configJson, @Nullable HttpTransport transport) {
    byte[] json = Utf8.bytes(configJson);
    return make(
        transport,
        (segl, frame, params) -> {
          segl.putLong(params + 8, frame.put(json));
          segl.putLong(params + 16, json.length);
        });
  }

  /** As {@link #open(String, String, HttpTransport)}, with segl's own HTTP. */
  public static Validator open(String path, String name) {
    return open(path, name, null);
  }

  /**
   * Makes the validator that a configuration file names.
   *
   * @param path the file, such as "segl.toml"
   * @param name the validator's name in it
   * @param transport what fetches keys, in the place of segl's own HTTP, or null
   * @throws SeglException {@link ErrorCode#IO} when the file cannot be read, otherwise as {@link
   *     #create(String, HttpTransport)}
   */
  public static Validator open(String path, String name, @Nullable HttpTransport transport) {
    byte[] file = Utf8.bytes(path);
    byte[] validator = Utf8.bytes(name);
    return make(
        transport,
        (segl, frame, params) -> {
          segl.putLong(params + 24, frame.put(file));
          segl.putLong(params + 32, file.length);
          segl.putLong(params + 40, frame.put(validator));
          segl.putLong(params + 48, validator.length);
        });
  }

  /** As {@link #check(String, String, CallOptions)}, for what the settings ask for. */
  public String check(String token) {
    return check(token, null, null);
  }

  /** As {@link #check(String, String, CallOptions)}, without bounds. */
  public String check(String token, @Nullable String requirementsJson) {
    return check(token, requirementsJson, null);
  }

  /**
   * Checks a token. While the issuer's keys are known nothing is sent, and nobody waits for their
   * replacement.
   *
   * <pre>{@code
   * validator.check(token, "{\"consent\":{\"from\":\"05848998356\",\"resources\":[\"bank-saldo\"]}}");
   * }</pre>
   *
   * @param token the token as it was received, without "Bearer"
   * @param requirementsJson what the token must be for, a JSON object whose members go before the
   *     settings: {@code scopes}, {@code audience}, {@code consumer}, {@code supplier}, {@code
   *     consent} and the others that docs/services.md names; or null
   * @param options bounds, or null
   * @return what the token says, a JSON object; it may be about a person
   * @throws SeglException a {@link ValidationException} when the token is not what is asked for, with
   *     the reason; {@link ErrorCode#JWKS_UNAVAILABLE} when the issuer's keys were never to be had;
   *     {@link ErrorCode#INVALID_ARGUMENT} for requirements that are none
   */
  public String check(
      String token, @Nullable String requirementsJson, @Nullable CallOptions options) {
    byte[] jwt = Utf8.bytes(token);
    byte[] requirements = requirementsJson == null ? null : Utf8.bytes(requirementsJson);
    try {
      return Calls.text(
          options,
          (segl, frame, call, out) ->
              segl.segl_validator_check(
                  handle.get(),
                  frame.put(jwt),
                  jwt.length,
                  requirements == null ? 0 : frame.put(requirements),
                  requirements == null ? 0 : requirements.length,
                  call,
                  out));
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** As {@link #checkAsync(String, String, CallOptions)}, without bounds. */
  public CompletableFuture<String> checkAsync(String token, @Nullable String requirementsJson) {
    return checkAsync(token, requirementsJson, null);
  }

  /**
   * As {@link #check(String, String, CallOptions)}, on a thread as {@link
   * TokenClient#tokenAsync(TokenRequest, CallOptions)} says: for virtual threads, which would wait
   * while the issuer's keys are not known yet.
   *
   * @param token the token as it was received, without "Bearer"
   * @param requirementsJson what the token must be for, or null
   * @param options bounds, or null
   * @return what the token says, or what {@code check} throws
   * @throws UsageException {@link ErrorCode#INVALID_ARGUMENT} when the options have a {@link
   *     CancelToken}: the future takes its place
   */
  public CompletableFuture<String> checkAsync(
      String token, @Nullable String requirementsJson, @Nullable CallOptions options) {
    return AsyncCalls.run(
        options, Fields.UNCHECKED, bounds -> check(token, requirementsJson, bounds));
  }

  /** Ends the validator; calls under way go on. */
  @Override
  public void close() {
    cleanable.clean();
  }

  private interface Settings {
    void put(Native segl, Frame frame, long params);
  }

  private static Validator make(@Nullable HttpTransport transport, Settings settings) {
    return new Validator(
        TransportMaker.with(
            transport,
            carrier ->
                Calls.handle(
                    null,
                    (segl, frame, call, out) -> {
                      long params = frame.struct(PARAMS_SIZE);
                      settings.put(segl, frame, params);
                      segl.putLong(params + 56, carrier);
                      return segl.segl_validator_new(params, out);
                    })));
  }
}
