package no.segl;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The bounds of one call. Immutable. */
public final class CallOptions {
  private static final CallOptions DEFAULTS = new CallOptions(null, null, false);

  private final @Nullable Duration timeout;
  private final @Nullable CancelToken cancel;
  private final boolean response;

  private CallOptions(
      @Nullable Duration timeout, @Nullable CancelToken cancel, boolean response) {
    this.timeout = timeout;
    this.cancel = cancel;
    this.response = response;
  }

  /** No bounds but those of segl and of the settings. */
  public static CallOptions defaults() {
    return DEFAULTS;
  }

  /**
   * These options with a time that the whole call may take, in whole milliseconds rounded up, 49
   * days at most.
   *
   * @throws UsageException {@link ErrorCode#INVALID_ARGUMENT} when it is not more than zero
   */
  public CallOptions withTimeout(Duration value) {
    if (value.isNegative() || value.isZero()) {
      throw SeglException.of(
          ErrorCode.INVALID_ARGUMENT, "A timeout must be more than zero", null);
    }
    return new CallOptions(value, cancel, response);
  }

  /** These options with what ends the call early, with {@link ErrorCode#CANCELLED}. */
  public CallOptions withCancel(CancelToken value) {
    return new CallOptions(timeout, value, response);
  }

  /** These options with the token response, {@link Token#response}; for tokens only. */
  public CallOptions withResponse() {
    return new CallOptions(timeout, cancel, true);
  }

  @Nullable Duration timeout() {
    return timeout;
  }

  @Nullable CancelToken cancel() {
    return cancel;
  }

  boolean response() {
    return response;
  }

  /**
   * These options with what is left of the time since a {@link System#nanoTime}.
   *
   * @throws UsageException {@link ErrorCode#TIMEOUT} with the fields, when nothing is
   */
  CallOptions since(long start, Fields late) {
    if (timeout == null) {
      return this;
    }
    Duration left = timeout.minusNanos(System.nanoTime() - start);
    if (left.isNegative() || left.isZero()) {
      throw SeglException.of(
          ErrorCode.TIMEOUT.number(),
          "The call's time ran out before a thread was free for it",
          late,
          null);
    }
    return withTimeout(left);
  }

  boolean isPlain() {
    return this == DEFAULTS;
  }
}
