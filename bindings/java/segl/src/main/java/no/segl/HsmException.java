package no.segl;

import org.jspecify.annotations.Nullable;

/** A PKCS#11 token or its module failed: errors 200 to 299. */
public class HsmException extends SeglException {
  private static final long serialVersionUID = 1L;

  HsmException(int number, String message, Fields fields, @Nullable Throwable cause) {
    super(number, message, fields, cause);
  }
}
