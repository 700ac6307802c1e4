package no.segl;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * Calls on threads of their own. These are threads of the operating system, for a call of segl would
 * hold on to the carrier of a virtual one, and daemons, so that they keep no program alive.
 */
final class AsyncCalls {
  private static final int THREADS = 16;
  private static final long IDLE_SECONDS = 30;
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final ThreadPoolExecutor POOL = pool();

  private AsyncCalls() {}

  /** Makes a call whose future ends it when it is cancelled. */
  static <T> CompletableFuture<T> run(Function<CancelToken, T> call) {
    CancelToken cancel = new CancelToken();
    CompletableFuture<T> future =
        new CompletableFuture<>() {
          @Override
          public boolean cancel(boolean mayInterrupt) {
            boolean cancelled = super.cancel(mayInterrupt);
            if (cancelled) {
              cancel.trigger();
            }
            return cancelled;
          }
        };
    POOL.execute(
        () -> {
          try (cancel) {
            if (!future.isDone()) {
              future.complete(call.apply(cancel));
            }
          } catch (Throwable thrown) {
            future.completeExceptionally(thrown);
          }
        });
    return future;
  }

  private static ThreadPoolExecutor pool() {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "segl-async-" + COUNT.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }
}
