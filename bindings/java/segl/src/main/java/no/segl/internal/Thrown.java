package no.segl.internal;

import java.io.InterruptedIOException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import no.segl.ErrorCode;
import no.segl.SeglException;
import org.jspecify.annotations.Nullable;

/** What a callback threw: told to segl, and kept for the caller when that is on the same thread. */
public final class Thrown {
  private static final ThreadLocal<@Nullable Thrown> LAST = new ThreadLocal<>();

  private final Throwable throwable;
  private final String text;

  private Thrown(Throwable throwable, String text) {
    this.throwable = throwable;
    this.text = text;
  }

  static void forget() {
    LAST.remove();
  }

  /** The cause of an error with this message, where a callback on this thread is. */
  public static @Nullable Throwable causeOf(String message) {
    Thrown last = LAST.get();
    LAST.remove();
    // A callback may have failed before without its caller failing: another key signed.
    return last != null && message.contains(last.text) ? last.throwable : null;
  }

  /** Says to segl why a callback fails. */
  static int report(long fail, Throwable thrown) {
    try {
      String text = text(thrown);
      LAST.set(new Thrown(thrown, text));
      Native segl = Library.get();
      try (Frame frame = Frame.take(segl)) {
        byte[] message = text.getBytes(StandardCharsets.UTF_8);
        segl.segl_fail_set(fail, number(thrown), frame.put(message), message.length);
      }
    } catch (Throwable ignored) {
      // Then segl says that the callback failed, and not why.
    }
    return 1;
  }

  private static String text(Throwable thrown) {
    String name = thrown.getClass().getName();
    String message;
    try {
      message = thrown.getMessage();
    } catch (RuntimeException broken) {
      message = null;
    }
    if (thrown instanceof SeglException) {
      return message == null ? name : message;
    }
    return message == null || message.isEmpty() ? name : name + ": " + message;
  }

  /** Failures of the network keep their kind, for segl tries again after those that pass. */
  private static int number(Throwable thrown) {
    if (thrown instanceof SeglException exception) {
      return exception.number();
    }
    ErrorCode code = ErrorCode.CALLBACK_FAILED;
    if (thrown instanceof TimeoutException
        || thrown instanceof InterruptedIOException
        || thrown.getClass().getName().startsWith("java.net.http.Http")
            && thrown.getClass().getName().endsWith("TimeoutException")) {
      code = ErrorCode.TIMEOUT;
    } else if (thrown instanceof SSLException) {
      code = ErrorCode.TLS;
    } else if (thrown instanceof InterruptedException) {
      Thread.currentThread().interrupt();
      code = ErrorCode.CANCELLED;
    } else if (thrown instanceof IOException) {
      code = ErrorCode.NETWORK;
    }
    return code.number();
  }
}
