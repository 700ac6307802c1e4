package no.segl;

import java.io.Serializable;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What an error carries beside its number and message. */
record Fields(
    boolean retryable,
    @Nullable Duration retryAfter,
    @Nullable Integer httpStatus,
    @Nullable Long ckRv,
    @Nullable String ckFunction,
    @Nullable String oauthError,
    @Nullable String oauthErrorDescription,
    @Nullable String errorUri,
    @Nullable String providerCode,
    @Nullable String traceId,
    @Nullable String configPath)
    implements Serializable {
  static final Fields NONE = only(false);
  static final Fields RETRYABLE = only(true);

  /** Of a check that nobody can tell the outcome of: what an API answers then. */
  static final Fields UNCHECKED =
      new Fields(true, null, 503, null, null, null, null, null, null, null, null);

  private static Fields only(boolean retryable) {
    return new Fields(retryable, null, null, null, null, null, null, null, null, null, null);
  }
}
