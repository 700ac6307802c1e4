package no.segl;

import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import no.segl.internal.Frame;
import no.segl.internal.Library;
import no.segl.internal.Native;
import no.segl.internal.StackRoom;
import no.segl.internal.Thrown;
import org.jspecify.annotations.Nullable;

/** What every call of segl needs: bounds, texts in, bytes out, errors. */
final class Calls {
  private static final int RESPONSE_JSON = 1;
  private static final int CALL_SIZE = 24;
  private static final int BYTES_SIZE = 24;
  private static final Duration LONGEST = Duration.ofMillis(0xffff_ffffL);

  private Calls() {}

  /** Makes one call that gives bytes. */
  @FunctionalInterface
  interface Maker {
    /** Returns the segl_error; {@code out} is a segl_bytes, {@code call} a segl_call or 0. */
    long make(Native segl, Frame frame, long call, long out);
  }

  static byte[] bytes(@Nullable CallOptions options, Maker maker) {
    Native segl = Library.get();
    StackRoom.ensure();
    try (Frame frame = Frame.take(segl)) {
      long out = frame.reserve(BYTES_SIZE);
      check(segl, maker.make(segl, frame, call(segl, frame, options, false), out));
      try {
        return read(segl, out);
      } finally {
        segl.segl_bytes_free(out);
      }
    } finally {
      Reference.reachabilityFence(options);
    }
  }

  static String text(@Nullable CallOptions options, Maker maker) {
    return new String(bytes(options, maker), StandardCharsets.UTF_8);
  }

  /** Makes one call that gives a handle. */
  static long handle(@Nullable CallOptions options, Maker maker) {
    Native segl = Library.get();
    StackRoom.ensure();
    try (Frame frame = Frame.take(segl)) {
      long out = frame.reserve(Long.BYTES);
      check(segl, maker.make(segl, frame, call(segl, frame, options, false), out));
      return segl.getLong(out);
    } finally {
      // Its cancel token would be freed otherwise, maybe before segl has seen it.
      Reference.reachabilityFence(options);
    }
  }

  /** A segl_call, or 0 when nothing is set. */
  static long call(Native segl, Frame frame, @Nullable CallOptions options, boolean response) {
    if (options == null || options.isPlain()) {
      return 0;
    }
    long call = frame.struct(CALL_SIZE);
    Duration timeout = options.timeout();
    segl.putInt(call + 8, timeout == null ? 0 : milliseconds(timeout));
    segl.putInt(call + 12, response ? RESPONSE_JSON : 0);
    CancelToken cancel = options.cancel();
    segl.putLong(call + 16, cancel == null ? 0 : cancel.handle());
    return call;
  }

  /** The bytes of a segl_bytes. */
  static byte[] read(Native segl, long bytes) {
    long length = segl.getLong(bytes + 8);
    if (length > Integer.MAX_VALUE - 8) {
      throw SeglException.of(
          ErrorCode.UNSUPPORTED, "A result of " + length + " bytes is more than Java can hold", null);
    }
    return length == 0
        ? new byte[0]
        : segl.getBytes(segl.getLong(bytes), (int) length);
  }

  static void check(Native segl, long error) {
    if (error != 0) {
      throw exception(segl, error);
    }
  }

  private static SeglException exception(Native segl, long error) {
    try (Frame frame = Frame.take(segl)) {
      ErrorReader reader = new ErrorReader(segl, error, frame.reserve(Long.BYTES));
      String message = reader.message();
      return SeglException.of(reader.code(), message, reader.fields(), Thrown.causeOf(message));
    } finally {
      segl.segl_error_free(error);
    }
  }

  private static int milliseconds(Duration timeout) {
    if (timeout.compareTo(LONGEST) >= 0) {
      return (int) LONGEST.toMillis();
    }
    long nanos = timeout.toNanosPart() % 1_000_000;
    return (int) (timeout.toMillis() + (nanos > 0 ? 1 : 0));
  }
}
