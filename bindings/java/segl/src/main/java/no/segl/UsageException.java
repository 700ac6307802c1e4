package no.segl;

import org.jspecify.annotations.Nullable;

/** segl was used wrongly, or the call was ended: errors 1 to 99. */
public class UsageException extends SeglException {
  private static final long serialVersionUID = 1L;

  UsageException(int number, String message, Fields fields, @Nullable Throwable cause) {
    super(number, message, fields, cause);
  }
}
