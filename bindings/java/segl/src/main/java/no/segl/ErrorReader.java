package no.segl;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import no.segl.internal.Native;
import org.jspecify.annotations.Nullable;

/** Reads a segl_error; {@code scratch} is memory for one number. */
record ErrorReader(Native segl, long error, long scratch) {
  int code() {
    return segl.segl_error_code(error);
  }

  String message() {
    return text(segl.segl_error_message(error, scratch));
  }

  /** The name of a number, which a library may know that is newer than the binding. */
  static String name(Native segl, int code) {
    long address = segl.segl_error_name(code);
    long end = address;
    while (segl.getByte(end) != 0) {
      end++;
    }
    return new String(segl.getBytes(address, Math.toIntExact(end - address)), StandardCharsets.UTF_8);
  }

  Fields fields() {
    Long wait = integer(2);
    Long status = integer(3);
    Long retryable = integer(1);
    return new Fields(
        retryable != null && retryable != 0,
        wait == null ? null : Duration.ofMillis(wait),
        status == null ? null : status.intValue(),
        integer(4),
        string(100),
        string(101),
        string(102),
        string(103),
        string(104),
        string(105),
        string(106));
  }

  private @Nullable Long integer(int field) {
    return segl.segl_error_int(error, field, scratch) == 1 ? segl.getLong(scratch) : null;
  }

  private @Nullable String string(int field) {
    long address = segl.segl_error_str(error, field, scratch);
    return address == 0 ? null : text(address);
  }

  private String text(long address) {
    int length = Math.toIntExact(segl.getLong(scratch));
    return new String(segl.getBytes(address, length), StandardCharsets.UTF_8);
  }
}
