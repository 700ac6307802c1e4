package no.segl;

import java.time.Duration;
import no.segl.internal.Library;
import org.jspecify.annotations.Nullable;

/**
 * What failed, on what, and what to do about it. The message and the fields never carry a PIN,
 * passphrase, token, assertion, private key or personal identifier.
 *
 * <p>There is a subclass for each hundred of {@link #number}. When a callback of the program failed
 * on the calling thread, what it threw is the cause.
 */
public class SeglException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int number;
  private final Fields fields;

  SeglException(int number, String message, Fields fields, @Nullable Throwable cause) {
    super(message, cause);
    this.number = number;
    this.fields = fields;
  }

  /**
   * An exception of the subclass that belongs to an error, for callbacks to throw: segl then gives
   * its caller an error with this code and message.
   *
   * @param code what failed
   * @param message what failed, on what, and what to do; no secrets
   * @param cause what led to it, or null
   */
  public static SeglException of(ErrorCode code, String message, @Nullable Throwable cause) {
    return of(code.number(), message, Fields.NONE, cause);
  }

  static SeglException of(int number, String message, Fields fields, @Nullable Throwable cause) {
    return switch (number / 100) {
      case 0 -> new UsageException(number, message, fields, cause);
      case 1 -> new KeyException(number, message, fields, cause);
      case 2 -> new HsmException(number, message, fields, cause);
      case 3 -> new KmsException(number, message, fields, cause);
      case 4 -> new NetworkException(number, message, fields, cause);
      case 5 -> new TokenException(number, message, fields, cause);
      case 6 -> new ApiException(number, message, fields, cause);
      case 7 -> new ValidationException(number, message, fields, cause);
      default -> new SeglException(number, message, fields, cause);
    };
  }

  /** What failed, or null for a number that this version of the binding does not know. */
  public @Nullable ErrorCode code() {
    return ErrorCode.of(number);
  }

  /** The number of the error; docs/errors.md lists them. */
  public int number() {
    return number;
  }

  /**
   * The name of the error, for example "PIN_INCORRECT". A library that is newer than the binding
   * names its own; "UNKNOWN" when it does not know the number either.
   */
  public String name() {
    ErrorCode code = code();
    return code != null ? code.name() : ErrorReader.name(Library.get(), number);
  }

  /** Whether the same call may succeed later without any change. */
  public boolean retryable() {
    return fields.retryable();
  }

  /** How long the server asked to wait, or null. */
  public @Nullable Duration retryAfter() {
    return fields.retryAfter();
  }

  /**
   * The HTTP status of the answer, or null. Of a {@link ValidationException}, the one that an API
   * answers the token with.
   */
  public @Nullable Integer httpStatus() {
    return fields.httpStatus();
  }

  /** The PKCS#11 return value (CK_RV), or null. */
  public @Nullable Long ckRv() {
    return fields.ckRv();
  }

  /** The PKCS#11 function that returned {@link #ckRv}, for example "C_Login", or null. */
  public @Nullable String ckFunction() {
    return fields.ckFunction();
  }

  /**
   * {@code error} of the token endpoint (RFC 6749 section 5.2), or null. Of a {@link
   * ValidationException}, the one that an API answers the token with (RFC 6750 section 3.1).
   */
  public @Nullable String oauthError() {
    return fields.oauthError();
  }

  /** {@code error_description} of the token endpoint, or null. */
  public @Nullable String oauthErrorDescription() {
    return fields.oauthErrorDescription();
  }

  /** {@code error_uri} of the token endpoint, or null. */
  public @Nullable String errorUri() {
    return fields.errorUri();
  }

  /** The provider's own code, for example Maskinporten's "MP-122", or null. */
  public @Nullable String providerCode() {
    return fields.providerCode();
  }

  /** The provider's trace id, to be quoted in a support case, or null. */
  public @Nullable String traceId() {
    return fields.traceId();
  }

  /** The path of the setting at fault, for example "clients.bank.key", or null. */
  public @Nullable String configPath() {
    return fields.configPath();
  }
}
