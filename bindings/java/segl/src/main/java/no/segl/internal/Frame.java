package no.segl.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Native memory for the arguments and results of one call. Blocks are kept from call to call, as
 * allocating one costs more than the calls that matter; what was in them is wiped first.
 */
public final class Frame implements AutoCloseable {
  /** sizeof(segl_token); each block begins with one that is ready for use. */
  public static final int TOKEN_SIZE = 80;

  private static final int BLOCK = 8192;
  private static final int KEPT = 64;

  // Sixteen references are a cache line, so that threads do not disturb each other.
  private static final int STRIDE = 16;
  private static final AtomicReferenceArray<Frame> POOL = new AtomicReferenceArray<>(KEPT * STRIDE);

  private final Native segl;
  private final long block;
  private int used = TOKEN_SIZE;
  private int slot;
  private List<long[]> large = List.of();

  private Frame(Native segl) {
    this.segl = segl;
    this.block = segl.allocate(BLOCK);
    segl.putLong(block, TOKEN_SIZE);
  }

  /** A frame for this thread's next call. */
  public static Frame take(Native segl) {
    int slot = ((int) Thread.currentThread().getId() & (KEPT - 1)) * STRIDE;
    Frame frame = POOL.getAndSet(slot, null);
    if (frame == null) {
      frame = new Frame(segl);
    }
    frame.slot = slot;
    return frame;
  }

  /**
   * A segl_token whose {@code struct_size} is set. Whoever lets segl put text into it calls
   * segl_token_free before the frame is closed.
   */
  public long token() {
    return block;
  }

  /** Zero-filled memory, aligned for every member of a struct. */
  public long reserve(int size) {
    long rounded = (size + 7L) & ~7L;
    if (rounded > BLOCK - used) {
      return reserveLarge(rounded);
    }
    long address = block + used;
    used += (int) rounded;
    return address;
  }

  /** A struct that begins with its size. */
  public long struct(int size) {
    long address = reserve(size);
    segl.putLong(address, size);
    return address;
  }

  /** A copy of bytes; an address that is not 0, also for none. */
  public long put(byte[] bytes) {
    long address = reserve(Math.max(bytes.length, 1));
    segl.putBytes(address, bytes);
    return address;
  }

  /** Wipes what was in the frame, and keeps it for another call. */
  @Override
  public void close() {
    if (used != TOKEN_SIZE) {
      segl.wipe(block + TOKEN_SIZE, used - TOKEN_SIZE);
      used = TOKEN_SIZE;
    }
    if (!large.isEmpty()) {
      for (long[] extra : large) {
        if (extra[0] != 0) {
          segl.wipe(extra[0], extra[1]);
          segl.release(extra[0]);
        }
      }
      large = List.of();
    }
    if (!POOL.compareAndSet(slot, null, this)) {
      segl.release(block);
    }
  }

  private long reserveLarge(long size) {
    if (large.isEmpty()) {
      large = new ArrayList<>();
    }
    long[] extra = {0, size};
    large.add(extra);
    extra[0] = segl.allocate(size);
    return extra[0];
  }
}
