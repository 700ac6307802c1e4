package no.segl;

/**
 * Takes log records, on the thread of the call that they are about or on one of segl's own, on
 * several at a time. What it throws is dropped. Records hold no PIN, passphrase, token, assertion,
 * private key or personal identifier.
 */
@FunctionalInterface
public interface LogSink {
  /**
   * Takes a record.
   *
   * @param level how much it matters
   * @param target the layer that it comes from, for example "pkcs11"
   * @param message what happened
   */
  void log(LogLevel level, String target, String message);
}
