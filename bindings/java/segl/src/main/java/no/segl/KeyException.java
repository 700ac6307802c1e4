package no.segl;

import org.jspecify.annotations.Nullable;

/** A key or certificate cannot be used: errors 100 to 199. */
public class KeyException extends SeglException {
  private static final long serialVersionUID = 1L;

  KeyException(int number, String message, Fields fields, @Nullable Throwable cause) {
    super(number, message, fields, cause);
  }
}
