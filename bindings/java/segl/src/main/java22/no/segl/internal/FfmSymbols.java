package no.segl.internal;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Where the functions are. The library stays loaded as long as the program runs: one that is written
 * in Rust cannot be unloaded safely.
 */
final class FfmSymbols {
  private static volatile SymbolLookup loaded = Linker.nativeLinker().defaultLookup();

  private FfmSymbols() {}

  static void load() {
    loaded = NativeLoader.load(new Opener());
  }

  static MemorySegment function(String name) {
    return find(loaded, name);
  }

  static MethodHandle libc(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(find(linker.defaultLookup(), name), descriptor);
  }

  /** The types of a function that a method stands for or behind: all are int32_t or 64 bits wide. */
  static FunctionDescriptor descriptor(Method method) {
    Map<Class<?>, ValueLayout> layouts = Map.of(int.class, JAVA_INT, long.class, JAVA_LONG);
    ValueLayout[] arguments =
        Stream.of(method.getParameterTypes()).map(layouts::get).toArray(ValueLayout[]::new);
    ValueLayout result = layouts.get(method.getReturnType());
    return result == null
        ? FunctionDescriptor.ofVoid(arguments)
        : FunctionDescriptor.of(result, arguments);
  }

  private static MemorySegment find(SymbolLookup symbols, String name) {
    return symbols
        .find(name)
        .orElseThrow(() -> new UnsatisfiedLinkError("there is no function " + name));
  }

  private static final class Opener implements NativeLoader.Opener<SymbolLookup> {
    @Override
    public SymbolLookup file(Path path) {
      try {
        return SymbolLookup.libraryLookup(path, Arena.global());
      } catch (IllegalArgumentException refused) {
        throw new IllegalArgumentException(Dlopen.reason(path, refused), refused);
      }
    }

    @Override
    public SymbolLookup named(String name) {
      return SymbolLookup.libraryLookup(name, Arena.global());
    }

    @Override
    public int abiVersion(SymbolLookup library) {
      return FfmCalls.number(
          Linker.nativeLinker()
              .downcallHandle(
                  find(library, "segl_abi_version"), FunctionDescriptor.of(JAVA_INT)));
    }
  }
}
