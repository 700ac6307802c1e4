package no.segl;

import org.jspecify.annotations.Nullable;

/** How much a log record matters, the most first. */
public enum LogLevel {
  /** A fault in segl itself. */
  ERROR(1, System.Logger.Level.ERROR),
  /** Something will fail, or was retried. */
  WARN(2, System.Logger.Level.WARNING),
  /** A session was opened, a token fetched. */
  INFO(3, System.Logger.Level.INFO),
  /** Timings and decisions. */
  DEBUG(4, System.Logger.Level.DEBUG);

  private final int number;
  private final System.Logger.Level systemLevel;

  LogLevel(int number, System.Logger.Level systemLevel) {
    this.number = number;
    this.systemLevel = systemLevel;
  }

  /** The number of this level in the C ABI. */
  public int number() {
    return number;
  }

  /** The level of {@link System.Logger} that is like it. */
  public System.Logger.Level systemLevel() {
    return systemLevel;
  }

  /** The level with a number, or null for one that this version does not know. */
  public static @Nullable LogLevel of(int number) {
    return number >= 1 && number <= values().length ? values()[number - 1] : null;
  }
}
