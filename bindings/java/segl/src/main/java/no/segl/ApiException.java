package no.segl;

import org.jspecify.annotations.Nullable;

/** An API refused or failed: errors 600 to 699. */
public class ApiException extends SeglException {
  private static final long serialVersionUID = 1L;

  ApiException(int number, String message, Fields fields, @Nullable Throwable cause) {
    super(number, message, fields, cause);
  }
}
