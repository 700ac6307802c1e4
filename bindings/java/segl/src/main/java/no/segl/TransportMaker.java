package no.segl;

import java.util.function.LongUnaryOperator;
import no.segl.internal.Library;
import no.segl.internal.Native;
import no.segl.internal.Upcalls;
import org.jspecify.annotations.Nullable;

/** Makes the handle of a transport of the program's. */
final class TransportMaker {
  private static final int VTABLE_SIZE = 32;

  private TransportMaker() {}

  /** Makes what keeps a transport, with its handle, or with 0 when there is none. */
  static long with(@Nullable HttpTransport transport, LongUnaryOperator make) {
    Native segl = Library.get();
    long handle = transport == null ? 0 : make(transport);
    try {
      return make.applyAsLong(handle);
    } finally {
      if (handle != 0) {
        segl.segl_transport_free(handle);
      }
    }
  }

  private static long make(HttpTransport transport) {
    long ctx = Upcalls.register(transport);
    try {
      return Calls.handle(
          null,
          (library, frame, call, out) -> {
            long vtable = frame.struct(VTABLE_SIZE);
            library.putLong(vtable + 8, ctx);
            library.putLong(vtable + 16, library.callbacks().send());
            library.putLong(vtable + 24, library.callbacks().destroy());
            return library.segl_transport_from_vtable(vtable, out);
          });
    } catch (RuntimeException | Error failed) {
      Upcalls.destroy(ctx);
      throw failed;
    }
  }
}
