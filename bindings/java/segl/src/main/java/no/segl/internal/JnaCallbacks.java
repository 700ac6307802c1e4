package no.segl.internal;

import com.sun.jna.Callback;

/** The shapes of the functions that segl calls. */
final class JnaCallbacks {
  private JnaCallbacks() {}

  interface Sign extends Callback {
    int callback(
        long ctx,
        long alg,
        long algLen,
        long message,
        long messageLen,
        long sig,
        long sigLen,
        long fail);
  }

  interface Send extends Callback {
    int callback(long ctx, long request, int timeoutMs, long reply, long fail);
  }

  interface Log extends Callback {
    void callback(
        long ctx, int level, long target, long targetLen, long message, long messageLen);
  }

  interface Destroy extends Callback {
    void callback(long ctx);
  }
}
