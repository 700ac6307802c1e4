package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import no.segl.ApiException;
import no.segl.ErrorCode;
import no.segl.HsmException;
import no.segl.KeyException;
import no.segl.KmsException;
import no.segl.NetworkException;
import no.segl.SeglException;
import no.segl.Signer;
import no.segl.TokenException;
import no.segl.UsageException;
import no.segl.ValidationException;
import no.segl.internal.Library;
import no.segl.internal.Native;
import org.junit.jupiter.api.Test;

/** Every error of segl has its code and its class here. */
class ErrorCodeTest {
  private static final Map<Integer, Class<?>> CLASSES =
      Map.of(
          0, UsageException.class,
          1, KeyException.class,
          2, HsmException.class,
          3, KmsException.class,
          4, NetworkException.class,
          5, TokenException.class,
          6, ApiException.class,
          7, ValidationException.class);

  @Test
  void theLibraryHasTheSameNamesAndNumbers() throws Exception {
    Native segl = Library.get();
    for (ErrorCode code : ErrorCode.values()) {
      assertEquals(code.name(), text(segl, segl.segl_error_name(code.number())));
    }
    Path frozen = Path.of(System.getProperty("segl.test.root"), "tests/data/error-codes.txt");
    for (String line : Files.readAllLines(frozen)) {
      String[] both = line.split(" ");
      assertEquals(both[1], ErrorCode.of(Integer.parseInt(both[0])).name());
    }
    assertEquals(Files.readAllLines(frozen).size(), ErrorCode.values().length);
    assertNull(ErrorCode.of(9999));
  }

  /** A callback throws each, segl takes it as its own error, and gives it back. */
  @Test
  void everyCodeArrivesAsItsClass() throws Exception {
    for (ErrorCode code : ErrorCode.values()) {
      SeglException thrown = SeglException.of(code, "message of " + code, null);
      try (Signer signer =
          Signer.fromCallback(
              Given.variable("SEGL_TEST_EC_JWK"),
              (alg, message) -> {
                throw thrown;
              })) {
        SeglException failure = Given.fails(code, () -> signer.sign("ES256", new byte[1]));
        assertEquals(code.name(), failure.name());
        assertEquals(CLASSES.get(code.number() / 100), failure.getClass());
        assertTrue(failure.getMessage().contains("message of " + code), failure.getMessage());
        assertEquals(thrown, failure.getCause());
      }
    }
  }

  private static String text(Native segl, long address) {
    int length = 0;
    while (segl.getByte(address + length) != 0) {
      length++;
    }
    return new String(segl.getBytes(address, length), StandardCharsets.UTF_8);
  }
}
