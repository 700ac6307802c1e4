package no.segl.internal;

import com.sun.jna.Callback;
import com.sun.jna.CallbackReference;
import com.sun.jna.CallbackThreadInitializer;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.file.Path;

/** The library and its memory, by JNA. */
final class JnaLibrary extends JnaFunctions {
  // JNA frees the code behind a function pointer with its callback, so they are kept here.
  private static final JnaCallbacks.Sign SIGN = Upcalls::sign;
  private static final JnaCallbacks.Send SEND = Upcalls::send;
  private static final JnaCallbacks.Log LOG = Upcalls::log;
  private static final JnaCallbacks.Destroy DESTROY = Upcalls::destroy;

  private final Callbacks callbacks =
      new Callbacks(pointer(SIGN), pointer(SEND), pointer(LOG), pointer(DESTROY));

  private JnaLibrary() {}

  /** Loads JNA itself, whose failures are others than those of segl's library. */
  static void start() {
    if (com.sun.jna.Native.POINTER_SIZE != Long.BYTES) {
      throw new UnsatisfiedLinkError("segl is for 64-bit machines");
    }
  }

  static Native load() {
    NativeLibrary found = NativeLoader.load(new Opener());
    com.sun.jna.Native.register(JnaFunctions.class, found);
    return new JnaLibrary();
  }

  @Override
  public Callbacks callbacks() {
    return callbacks;
  }

  @Override
  public long allocate(long size) {
    long address = com.sun.jna.Native.malloc(size);
    if (address == 0) {
      throw new OutOfMemoryError("no native memory of " + size + " bytes");
    }
    wipe(address, size);
    return address;
  }

  @Override
  public void release(long address) {
    com.sun.jna.Native.free(address);
  }

  @Override
  public void wipe(long address, long size) {
    new Pointer(address).clear(size);
  }

  @Override
  public byte getByte(long address) {
    return new Pointer(address).getByte(0);
  }

  @Override
  public int getInt(long address) {
    return new Pointer(address).getInt(0);
  }

  @Override
  public long getLong(long address) {
    return new Pointer(address).getLong(0);
  }

  @Override
  public void putInt(long address, int value) {
    new Pointer(address).setInt(0, value);
  }

  @Override
  public void putLong(long address, long value) {
    new Pointer(address).setLong(0, value);
  }

  @Override
  public byte[] getBytes(long address, int length) {
    return length == 0 ? new byte[0] : new Pointer(address).getByteArray(0, length);
  }

  @Override
  public void putBytes(long address, byte[] bytes) {
    new Pointer(address).write(0, bytes, 0, bytes.length);
  }

  private static long pointer(Callback callback) {
    // segl calls on threads of its own: they stay attached, and do not keep the program alive.
    com.sun.jna.Native.setCallbackThreadInitializer(
        callback, new CallbackThreadInitializer(true, false, "segl"));
    return Pointer.nativeValue(CallbackReference.getFunctionPointer(callback));
  }

  private static final class Opener implements NativeLoader.Opener<NativeLibrary> {
    @Override
    public NativeLibrary file(Path path) {
      return NativeLibrary.getInstance(path.toString());
    }

    @Override
    public NativeLibrary named(String name) {
      return NativeLibrary.getInstance(name);
    }

    @Override
    public int abiVersion(NativeLibrary opened) {
      return opened.getFunction("segl_abi_version").invokeInt(new Object[0]);
    }
  }
}
