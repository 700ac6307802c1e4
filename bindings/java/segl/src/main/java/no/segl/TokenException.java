package no.segl;

import org.jspecify.annotations.Nullable;

/** The token endpoint refused or failed: errors 500 to 599. */
public class TokenException extends SeglException {
  private static final long serialVersionUID = 1L;

  TokenException(int number, String message, Fields fields, @Nullable Throwable cause) {
    super(number, message, fields, cause);
  }
}
