package no.segl;

import org.jspecify.annotations.Nullable;

/**
 * A token that was received, or the consent in it, does not allow what is asked: errors 700 to 799.
 * {@link #httpStatus} and {@link #oauthError} are what a resource server answers (RFC 6750 section
 * 3.1).
 */
public class ValidationException extends SeglException {
  private static final long serialVersionUID = 1L;

  ValidationException(int number, String message, Fields fields, @Nullable Throwable cause) {
    super(number, message, fields, cause);
  }
}
