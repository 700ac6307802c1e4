package no.segl.internal;

import java.nio.charset.StandardCharsets;
import no.segl.ErrorCode;
import no.segl.SeglException;

/** Text as segl takes it. */
public final class Utf8 {
  private Utf8() {}

  /**
   * A text in UTF-8.
   *
   * @throws SeglException {@link ErrorCode#INVALID_UTF8} for half a surrogate pair, in the place of
   *     which Java would put a question mark, and so sign or send what nobody wrote
   */
  public static byte[] bytes(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        if (Character.isLowSurrogate(c)
            || i + 1 == text.length()
            || !Character.isLowSurrogate(text.charAt(i + 1))) {
          throw SeglException.of(
              ErrorCode.INVALID_UTF8, "Character " + i + " of a text is half a surrogate pair", null);
        }
        i++;
      }
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
