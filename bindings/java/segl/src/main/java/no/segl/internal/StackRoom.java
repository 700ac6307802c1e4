package no.segl.internal;

/**
 * Makes sure that a call of segl that may call the program has stack for that. From Java 22 on the
 * virtual machine ends when a function that C calls finds the stack full at its beginning, before it
 * can catch anything: the StackOverflowError has to come before the call.
 */
public final class StackRoom {
  // Some 50 KiB with compiled code and twice that without.
  private static final int FRAMES = 200;

  private static volatile long sink;

  private StackRoom() {}

  /**
   * Does nothing as long as segl has never been given anything to call.
   *
   * @throws StackOverflowError when the stack is almost full
   */
  public static void ensure() {
    if (Upcalls.any()) {
      sink = down(FRAMES, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    }
  }

  /** All parameters live on after the call, so that each frame has to keep them. */
  private static long down(
      int left,
      long a,
      long b,
      long c,
      long d,
      long e,
      long f,
      long g,
      long h,
      long i,
      long j,
      long k,
      long l,
      long m,
      long n,
      long o,
      long p) {
    if (left == 0) {
      return a;
    }
    long below = down(left - 1, p, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
    return below ^ a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j ^ k ^ l ^ m ^ n ^ o ^ p;
  }
}
