package no.segl;

import java.nio.charset.StandardCharsets;
import no.segl.internal.Frame;
import no.segl.internal.Library;
import no.segl.internal.Native;
import no.segl.internal.StackRoom;
import no.segl.internal.Upcalls;

/** The library as a whole. */
public final class Segl {
  private static final int SINK_SIZE = 32;

  private Segl() {}

  /** The version of the native library, for example "1.2.3". */
  public static String version() {
    Native segl = Library.get();
    return cText(segl, segl.segl_version());
  }

  /** The version of the native library's ABI: {@code major << 16 | minor}. */
  public static int abiVersion() {
    return Library.get().segl_abi_version();
  }

  /**
   * Frees everything that is open, ends logging, closes the sessions with tokens, and finalizes the
   * PKCS#11 modules that segl initialised. One that SunPKCS11 used before segl stays as it is; one
   * that segl used first can no longer be used by SunPKCS11. Optional: segl does nothing by itself
   * when a program ends. Objects that were open fail with {@link ErrorCode#INVALID_HANDLE} then; new
   * ones can be made.
   *
   * @throws SeglException {@link ErrorCode#TIMEOUT} when calls into a module do not end within 5
   *     seconds, or what a module says; call it again then
   */
  public static void shutdown() {
    Native segl = Library.get();
    StackRoom.ensure();
    Calls.check(segl, segl.segl_shutdown());
  }

  /**
   * Sends log records to a sink, in the place of the sink before. It gets one record that names the
   * library's version.
   *
   * @param max the level up to which there are records
   */
  public static void setLog(LogLevel max, LogSink sink) {
    Native segl = Library.get();
    long ctx = Upcalls.register(sink);
    try (Frame frame = Frame.take(segl)) {
      StackRoom.ensure();
      long struct = frame.struct(SINK_SIZE);
      segl.putLong(struct + 8, ctx);
      segl.putLong(struct + 16, segl.callbacks().log());
      segl.putLong(struct + 24, segl.callbacks().destroy());
      Calls.check(segl, segl.segl_log_set(struct, max.number()));
      ctx = 0;
    } finally {
      if (ctx != 0) {
        Upcalls.destroy(ctx);
      }
    }
  }

  /**
   * Sends log records to the {@link System.Logger} "segl", as far as it takes them now. A level that
   * is changed later counts after the next call.
   */
  public static void logToSystemLogger() {
    System.Logger logger = System.getLogger("segl");
    LogLevel max = LogLevel.ERROR;
    for (LogLevel level : LogLevel.values()) {
      if (logger.isLoggable(level.systemLevel())) {
        max = level;
      }
    }
    setLog(max, (level, target, message) -> logger.log(level.systemLevel(), target + ": " + message));
  }

  /** Ends logging. */
  public static void endLog() {
    Native segl = Library.get();
    StackRoom.ensure();
    Calls.check(segl, segl.segl_log_set(0, 0));
  }

  /** A text of segl that ends with a NUL. */
  static String cText(Native segl, long address) {
    int length = 0;
    while (segl.getByte(address + length) != 0) {
      length++;
    }
    return new String(segl.getBytes(address, length), StandardCharsets.UTF_8);
  }
}
