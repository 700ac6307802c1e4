package no.segl.internal;

import no.segl.ErrorCode;
import no.segl.SeglException;
import org.jspecify.annotations.Nullable;

/** The loaded library; loaded at the first use, once. */
public final class Library {
  private static final @Nullable Native NATIVE;
  private static final @Nullable Throwable FAILURE;

  static {
    Native loaded = null;
    Throwable failure = null;
    try {
      loaded = Backend.load();
    } catch (Exception | LinkageError thrown) {
      failure = thrown;
    }
    NATIVE = loaded;
    FAILURE = failure;
  }

  private Library() {}

  /**
   * The functions of segl.
   *
   * @throws SeglException when there is no library that can be used; each time anew
   */
  public static Native get() {
    Native loaded = NATIVE;
    if (loaded == null) {
      throw failure();
    }
    return loaded;
  }

  private static SeglException failure() {
    if (FAILURE instanceof SeglException exception) {
      ErrorCode code = exception.code();
      return SeglException.of(
          code == null ? ErrorCode.UNSUPPORTED : code, String.valueOf(exception.getMessage()), exception);
    }
    return SeglException.of(
        ErrorCode.UNSUPPORTED, "segl's native library cannot be used: " + FAILURE, FAILURE);
  }
}
