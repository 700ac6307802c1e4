package no.segl;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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

  /** As {@link #run(CallOptions, Fields, Function)}, with an error that is only retryable. */
  static <T> CompletableFuture<T> run(
      @Nullable CallOptions options, Function<CallOptions, T> call) {
    return run(options, Fields.RETRYABLE, call);
  }

  /**
   * Makes a call that ends when its future does, however that comes about. Its bounds are those
   * given, whose time counts from now; an error has these fields when it runs out before the call.
   *
   * @throws UsageException {@link ErrorCode#INVALID_ARGUMENT} when they have a cancel token
   */
  static <T> CompletableFuture<T> run(
      @Nullable CallOptions options, Fields late, Function<CallOptions, T> call) {
    if (options != null && options.cancel() != null) {
      throw SeglException.of(
          ErrorCode.INVALID_ARGUMENT,
          "This call takes no cancel token: cancel the future that it returns",
          null);
    }
    CallOptions bounds = options == null ? CallOptions.defaults() : options;
    long start = System.nanoTime();
    CancelToken cancel = new CancelToken();
    CompletableFuture<T> future = new CompletableFuture<>();
    future.whenComplete((result, failure) -> cancel.trigger());
    POOL.execute(
        () -> {
          try (cancel) {
            if (!future.isDone()) {
              complete(future, call.apply(bounds.since(start, late).withCancel(cancel)), null);
            }
          } catch (Throwable thrown) {
            complete(future, null, thrown);
          }
        });
    return future;
  }

  /**
   * Ends a future elsewhere: what the program does next must not hold on to a thread here, which it
   * may itself be waiting for.
   */
  private static <T> void complete(
      CompletableFuture<T> future, @Nullable T result, @Nullable Throwable failure) {
    future
        .defaultExecutor()
        .execute(
            () -> {
              if (failure != null) {
                future.completeExceptionally(failure);
              } else {
                future.complete(result);
              }
            });
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
