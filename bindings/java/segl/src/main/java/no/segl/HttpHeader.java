package no.segl;

import java.util.Objects;

/**
 * A header of an HTTP message. Its text shows the name and not the value, which may be a secret.
 *
 * @param name in any case
 * @param value without line breaks
 */
public record HttpHeader(String name, String value) {
  /** Neither may be null. */
  public HttpHeader {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(value, "value");
  }

  @Override
  public String toString() {
    return name + ": [redacted]";
  }
}
