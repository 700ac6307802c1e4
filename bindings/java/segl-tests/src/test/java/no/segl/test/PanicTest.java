package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import no.segl.ErrorCode;
import no.segl.Signer;
import no.segl.internal.Library;
import no.segl.internal.Native;
import org.junit.jupiter.api.Test;

/** A fault inside segl is an error, and segl works after it. */
class PanicTest {
  private static final String[] MESSAGES = {
    "the test asked for it", "the test asked for number 1", "no message", "no message"
  };

  @Test
  void aPanicIsAnError() throws Exception {
    Native segl = Library.get();
    // It is in no header, and not in the library that is shipped.
    var panic =
        NativeLibrary.getInstance(Given.variable("SEGL_LIBRARY_PATH"))
            .getFunction("segl_test_panic");
    try (Signer signer = Given.signer("SEGL_TEST_EC_PEM")) {
      for (int how = 0; how < MESSAGES.length; how++) {
        long error = Pointer.nativeValue(panic.invokePointer(new Object[] {how}));
        assertEquals(ErrorCode.PANIC.number(), segl.segl_error_code(error));
        long length = segl.allocate(8);
        long message = segl.segl_error_message(error, length);
        byte[] text = segl.getBytes(message, (int) segl.getLong(length));
        assertTrue(new String(text, StandardCharsets.UTF_8).contains(MESSAGES[how]));
        segl.release(length);
        segl.segl_error_free(error);
        signer.probe();
      }
    }
  }
}
