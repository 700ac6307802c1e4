package no.segl;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import no.segl.internal.Handle;
import no.segl.internal.Library;
import no.segl.internal.Native;

/** Ends calls early: those that carry it in {@link CallOptions#withCancel}. */
public final class CancelToken implements AutoCloseable {
  private final Native segl;
  private final Handle handle;
  private final Cleaner.Cleanable cleanable;

  /**
   * A token that is not triggered.
   *
   * @throws SeglException when there is no native library that can be used
   */
  public CancelToken() {
    segl = Library.get();
    long value =
        Calls.handle(null, (library, frame, call, out) -> library.segl_cancel_new(out));
    Handle.Owned owned = Handle.own(this, segl, Handle.Kind.CANCEL, value);
    handle = owned.handle();
    cleanable = owned.cleanable();
  }

  /**
   * Ends every call that carries the token, now and later. It cannot be undone; triggering again, or
   * after {@link #close}, does nothing.
   */
  public void trigger() {
    try {
      long value = handle.getOrZero();
      if (value != 0) {
        segl.segl_cancel_trigger(value);
      }
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Ends the token. Calls that carry it go on, and can no longer be cancelled. */
  @Override
  public void close() {
    cleanable.clean();
  }

  long handle() {
    return handle.get();
  }
}
