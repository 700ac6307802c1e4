package no.segl.internal;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import no.segl.HttpRequest;
import no.segl.HttpResponse;
import no.segl.HttpTransport;
import no.segl.LogLevel;
import no.segl.LogSink;
import no.segl.SignCallback;
import org.jspecify.annotations.Nullable;

/**
 * What segl calls. Nothing that is thrown leaves these methods: it would end the virtual machine.
 * The program's objects are found by a number, so that segl never holds the address of one, and they
 * are let go when segl says so.
 */
public final class Upcalls {
  private static final int MAX_SIGNATURE = 1024;
  private static final Map<Long, Object> TARGETS = new ConcurrentHashMap<>();
  private static final AtomicLong LAST = new AtomicLong();

  private static volatile boolean any;

  private Upcalls() {}

  /** Whether segl was ever given anything to call. */
  static boolean any() {
    return any;
  }

  /** The number under which segl calls an object, until {@link #destroy}. */
  public static long register(Object target) {
    long ctx = LAST.incrementAndGet();
    TARGETS.put(ctx, target);
    any = true;
    return ctx;
  }

  /** Lets go of an object, here because segl did not take its number. */
  public static void destroy(long ctx) {
    try {
      TARGETS.remove(ctx);
    } catch (Throwable ignored) {
      // Nobody could be told.
    }
  }

  static int sign(
      long ctx,
      long alg,
      long algLen,
      long message,
      long messageLen,
      long sig,
      long sigLen,
      long fail) {
    try {
      Native segl = Library.get();
      Thrown.forget();
      SignCallback callback = (SignCallback) target(ctx);
      byte[] signature =
          callback.sign(text(segl, alg, algLen), segl.getBytes(message, length(messageLen)));
      if (signature == null) {
        throw new IllegalStateException("the sign callback returned null");
      }
      if (signature.length > MAX_SIGNATURE) {
        throw new IllegalStateException(
            "the sign callback returned " + signature.length + " bytes; 1024 is the most");
      }
      segl.putBytes(sig, signature);
      segl.putLong(sigLen, signature.length);
      return 0;
    } catch (Throwable thrown) {
      return Thrown.report(fail, thrown);
    }
  }

  static int send(long ctx, long request, int timeoutMs, long reply, long fail) {
    try {
      Native segl = Library.get();
      Thrown.forget();
      HttpTransport transport = (HttpTransport) target(ctx);
      HttpRequest asked = HttpStructs.readRequest(segl, request);
      HttpResponse answer =
          transport.send(asked, Duration.ofMillis(Integer.toUnsignedLong(timeoutMs)));
      if (answer == null) {
        throw new IllegalStateException("the transport returned null");
      }
      HttpStructs.reply(segl, reply, answer);
      return 0;
    } catch (Throwable thrown) {
      return Thrown.report(fail, thrown);
    }
  }

  static void log(
      long ctx, int level, long target, long targetLen, long message, long messageLen) {
    try {
      Native segl = Library.get();
      LogSink sink = (LogSink) TARGETS.get(ctx);
      LogLevel known = LogLevel.of(level);
      if (sink != null && known != null) {
        sink.log(known, text(segl, target, targetLen), text(segl, message, messageLen));
      }
    } catch (Throwable ignored) {
      // A sink that fails loses its record; the call that the record is about goes on.
    }
  }

  private static Object target(long ctx) {
    @Nullable Object target = TARGETS.get(ctx);
    if (target == null) {
      throw new IllegalStateException("segl called what it had let go");
    }
    return target;
  }

  static String text(Native segl, long address, long length) {
    return address == 0
        ? ""
        : new String(segl.getBytes(address, length(length)), StandardCharsets.UTF_8);
  }

  static int length(long length) {
    return Math.toIntExact(length);
  }
}
