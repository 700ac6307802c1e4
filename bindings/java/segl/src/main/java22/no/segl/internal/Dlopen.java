package no.segl.internal;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** Says why a library cannot be loaded: Java itself says only that it cannot. */
final class Dlopen {
  private static final int RTLD_LAZY = 1;

  private Dlopen() {}

  static String reason(Path path, IllegalArgumentException refused) {
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle dlopen =
          FfmSymbols.libc("dlopen", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
      MethodHandle dlerror = FfmSymbols.libc("dlerror", FunctionDescriptor.of(ADDRESS));
      MemorySegment opened =
          (MemorySegment) dlopen.invokeExact(arena.allocateFrom(path.toString()), RTLD_LAZY);
      MemorySegment text = (MemorySegment) dlerror.invokeExact();
      if (opened.address() == 0 && text.address() != 0) {
        return text.reinterpret(Long.MAX_VALUE).getString(0);
      }
    } catch (Throwable unavailable) {
      // Where there is no dlopen.
    }
    return refused.getMessage();
  }
}
