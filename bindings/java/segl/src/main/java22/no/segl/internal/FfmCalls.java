package no.segl.internal;

import java.lang.invoke.MethodHandle;

/**
 * Calls by a handle, for each shape of function in segl.h. They cost nothing: where the handle is
 * constant the compiler puts the call in the place of these methods.
 */
final class FfmCalls {
  private FfmCalls() {}

  /** Functions of C throw nothing: what comes here is a fault of the virtual machine or of ours. */
  static AssertionError unexpected(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return new AssertionError(thrown);
  }

  static int number(MethodHandle function) {
    try {
      return (int) function.invokeExact();
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static int number(MethodHandle function, long a) {
    try {
      return (int) function.invokeExact(a);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static int number(MethodHandle function, long a, int b, long c) {
    try {
      return (int) function.invokeExact(a, b, c);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function) {
    try {
      return (long) function.invokeExact();
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function, int a) {
    try {
      return (long) function.invokeExact(a);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function, long a) {
    try {
      return (long) function.invokeExact(a);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function, long a, int b) {
    try {
      return (long) function.invokeExact(a, b);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function, long a, int b, long c) {
    try {
      return (long) function.invokeExact(a, b, c);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function, long a, long b) {
    try {
      return (long) function.invokeExact(a, b);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function, long a, long b, long c) {
    try {
      return (long) function.invokeExact(a, b, c);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function, long a, long b, long c, long d) {
    try {
      return (long) function.invokeExact(a, b, c, d);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function, long a, long b, long c, long d, long e) {
    try {
      return (long) function.invokeExact(a, b, c, d, e);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(MethodHandle function, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) function.invokeExact(a, b, c, d, e, f);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(
      MethodHandle function, long a, long b, long c, long d, long e, long f, long g) {
    try {
      return (long) function.invokeExact(a, b, c, d, e, f, g);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static long address(
      MethodHandle function, long a, long b, long c, long d, long e, long f, long g, long h, long i) {
    try {
      return (long) function.invokeExact(a, b, c, d, e, f, g, h, i);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static void nothing(MethodHandle function, long a) {
    try {
      function.invokeExact(a);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static void nothing(MethodHandle function, long a, int b, long c, long d) {
    try {
      function.invokeExact(a, b, c, d);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }

  static void nothing(MethodHandle function, long a, int b, long c, long d, long e, long f) {
    try {
      function.invokeExact(a, b, c, d, e, f);
    } catch (Throwable thrown) {
      throw unexpected(thrown);
    }
  }
}
