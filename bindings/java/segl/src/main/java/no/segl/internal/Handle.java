package no.segl.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Cleaner;
import no.segl.ErrorCode;
import no.segl.SeglException;

/**
 * A handle of segl that ends with the object that owns it, or when that is closed. It does not refer
 * to its owner, which could not be collected otherwise.
 */
public final class Handle implements Runnable {
  /** What a handle is on. */
  public enum Kind {
    SIGNER("signer"),
    CLIENT("client"),
    VALIDATOR("validator"),
    CANCEL("cancel token");

    private final String noun;

    Kind(String noun) {
      this.noun = noun;
    }
  }

  private static final Cleaner CLEANER = Cleaner.create();
  private static final VarHandle VALUE;

  static {
    try {
      VALUE = MethodHandles.lookup().findVarHandle(Handle.class, "value", long.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  private final Native segl;
  private final Kind kind;
  private volatile long value;

  private Handle(Native segl, Kind kind, long value) {
    this.segl = segl;
    this.kind = kind;
    this.value = value;
  }

  /** A handle and what ends it: when it is asked to, or when the owner is collected. */
  public record Owned(Handle handle, Cleaner.Cleanable cleanable) {}

  /** Gives a new handle of segl to the object that is its only user. */
  public static Owned own(Object owner, Native segl, Kind kind, long value) {
    Handle handle = new Handle(segl, kind, value);
    return new Owned(handle, CLEANER.register(owner, handle));
  }

  /**
   * The handle, for segl.
   *
   * @throws SeglException {@link ErrorCode#INVALID_HANDLE} when it is closed
   */
  public long get() {
    long current = value;
    if (current == 0) {
      throw SeglException.of(ErrorCode.INVALID_HANDLE, "The " + kind.noun + " is closed", null);
    }
    return current;
  }

  /** The handle, or 0 when it is closed. */
  public long getOrZero() {
    return value;
  }

  /** Frees the handle, the first time. */
  @Override
  public void run() {
    // What segl lets go of may be the program's.
    StackRoom.ensure();
    long last = (long) VALUE.getAndSet(this, 0L);
    if (last == 0) {
      return;
    }
    switch (kind) {
      case SIGNER -> segl.segl_signer_free(last);
      case CLIENT -> segl.segl_client_free(last);
      case VALIDATOR -> segl.segl_validator_free(last);
      case CANCEL -> segl.segl_cancel_free(last);
    }
  }
}
