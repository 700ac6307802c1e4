package no.segl;

import org.jspecify.annotations.Nullable;

/** A server cannot be reached, or TLS failed: errors 400 to 499. */
public class NetworkException extends SeglException {
  private static final long serialVersionUID = 1L;

  NetworkException(int number, String message, Fields fields, @Nullable Throwable cause) {
    super(number, message, fields, cause);
  }
}
