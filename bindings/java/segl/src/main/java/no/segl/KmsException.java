package no.segl;

import org.jspecify.annotations.Nullable;

/** AWS KMS failed: errors 300 to 399. */
public class KmsException extends SeglException {
  private static final long serialVersionUID = 1L;

  KmsException(int number, String message, Fields fields, @Nullable Throwable cause) {
    super(number, message, fields, cause);
  }
}
