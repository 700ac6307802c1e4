package no.segl.internal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.stream.Stream;

/** The library and its memory, by java.lang.foreign. */
final class FfmLibrary extends FfmFunctions {
  /** All memory: addresses come from segl and from calloc, and are valid as segl.h says. */
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final MethodHandle CALLOC =
      FfmSymbols.libc("calloc", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle FREE =
      FfmSymbols.libc("free", FunctionDescriptor.ofVoid(JAVA_LONG));

  private final Callbacks callbacks =
      new Callbacks(stub("sign"), stub("send"), stub("log"), stub("destroy"));

  @Override
  public Callbacks callbacks() {
    return callbacks;
  }

  @Override
  public long allocate(long size) {
    long address = FfmCalls.address(CALLOC, 1L, size);
    if (address == 0) {
      throw new OutOfMemoryError("no native memory of " + size + " bytes");
    }
    return address;
  }

  @Override
  public void release(long address) {
    FfmCalls.nothing(FREE, address);
  }

  @Override
  public void wipe(long address, long size) {
    MEMORY.asSlice(address, size).fill((byte) 0);
  }

  @Override
  public byte getByte(long address) {
    return MEMORY.get(JAVA_BYTE, address);
  }

  @Override
  public int getInt(long address) {
    return MEMORY.get(JAVA_INT, address);
  }

  @Override
  public long getLong(long address) {
    return MEMORY.get(JAVA_LONG, address);
  }

  @Override
  public void putInt(long address, int value) {
    MEMORY.set(JAVA_INT, address, value);
  }

  @Override
  public void putLong(long address, long value) {
    MEMORY.set(JAVA_LONG, address, value);
  }

  @Override
  public byte[] getBytes(long address, int length) {
    byte[] bytes = new byte[length];
    MemorySegment.copy(MEMORY, JAVA_BYTE, address, bytes, 0, length);
    return bytes;
  }

  @Override
  public void putBytes(long address, byte[] bytes) {
    MemorySegment.copy(bytes, 0, MEMORY, JAVA_BYTE, address, bytes.length);
  }

  /** A function pointer for the method of {@link Upcalls} with this name. */
  private static long stub(String name) {
    var method =
        Stream.of(Upcalls.class.getDeclaredMethods())
            .filter(candidate -> candidate.getName().equals(name))
            .findFirst()
            .orElseThrow();
    try {
      return Linker.nativeLinker()
          .upcallStub(
              MethodHandles.lookup().unreflect(method),
              FfmSymbols.descriptor(method),
              Arena.global())
          .address();
    } catch (IllegalAccessException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
