package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import no.segl.CallOptions;
import no.segl.ClientOptions;
import no.segl.Config;
import no.segl.ErrorCode;
import no.segl.HttpTransport;
import no.segl.SeglException;
import no.segl.Token;
import no.segl.TokenClient;
import no.segl.Validator;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/** Futures that end early, late, or while others wait for them. */
class AsyncTest {
  private static final int THREADS = 16;

  private static TokenClient stuck(CountDownLatch release) {
    return TokenClient.create(
        Config.fromJson(Given.variable("SEGL_TEST_FILE_JSON")),
        ClientOptions.defaults()
            .withTransport(
                (request, timeout) -> {
                  release.await();
                  throw new IOException("released");
                }));
  }

  @Test
  void aFutureThatEndsInAnotherWayEndsItsCall() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    try (TokenClient client = stuck(release)) {
      CompletableFuture<Token> future =
          client.tokenAsync().orTimeout(300, TimeUnit.MILLISECONDS);
      assertInstanceOf(
          TimeoutException.class,
          Assertions.assertThrows(ExecutionException.class, future::get).getCause());
      assertTrue(idleSoon(), "the call goes on");
    } finally {
      release.countDown();
    }
  }

  @Test
  void theTimeOfACallRunsWhileItWaitsForAThread() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    List<CompletableFuture<Token>> blocking = new ArrayList<>();
    try (TokenClient client = stuck(release);
        TokenClient other = Given.client("file");
        Validator validator = Validator.create(Given.validator())) {
      CallOptions longer = CallOptions.defaults().withTimeout(Duration.ofSeconds(1));
      for (int i = 0; i < THREADS; i++) {
        blocking.add(client.tokenAsync(null, longer));
      }
      CallOptions shorter = CallOptions.defaults().withTimeout(Duration.ofMillis(200));
      CompletableFuture<Token> late = other.tokenAsync(null, shorter);
      CompletableFuture<String> lateCheck = validator.checkAsync("no token", null, shorter);
      assertNull(timeout(late).httpStatus());
      assertEquals(503, timeout(lateCheck).httpStatus());
    } finally {
      release.countDown();
    }
  }

  private static SeglException timeout(CompletableFuture<?> late) {
    ExecutionException failure =
        Assertions.assertThrows(ExecutionException.class, () -> late.get(20, TimeUnit.SECONDS));
    SeglException cause = (SeglException) failure.getCause();
    assertEquals(ErrorCode.TIMEOUT, cause.code());
    assertTrue(cause.retryable());
    return cause;
  }

  /** Each thread's call ends, and what depends on it waits for another call. */
  @Test
  void whatDependsOnAFutureMayWaitForAnother() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    HttpTransport http = TransportTest.javaHttp(new ArrayList<>());
    try (TokenClient client =
        TokenClient.create(
            Config.fromJson(Given.variable("SEGL_TEST_FILE_JSON")),
            ClientOptions.defaults()
                .withTransport(
                    (request, timeout) -> {
                      release.await();
                      return http.send(request, timeout);
                    }))) {
      List<CompletableFuture<Token>> futures = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        futures.add(client.tokenAsync().thenApply(token -> client.tokenAsync().join()));
      }
      release.countDown();
      for (CompletableFuture<Token> future : futures) {
        assertFalse(future.get(20, TimeUnit.SECONDS).accessToken().isEmpty());
      }
    }
  }

  @Test
  void aClosedClientsFutureFails() throws Exception {
    TokenClient client = Given.client("file");
    client.close();
    ExecutionException failure =
        Assertions.assertThrows(
            ExecutionException.class, () -> client.tokenAsync().get(20, TimeUnit.SECONDS));
    assertEquals(ErrorCode.INVALID_HANDLE, ((SeglException) failure.getCause()).code());
  }

  @Test
  void futuresAreCancelledAtAnyMoment() throws Exception {
    try (TokenClient client = Given.client("file")) {
      for (int i = 0; i < 2_000; i++) {
        CompletableFuture<Token> future = client.tokenAsync();
        if (i % 3 == 0) {
          Thread.yield();
        }
        if (future.cancel(true)) {
          assertTrue(future.isCancelled());
        } else {
          assertFalse(future.get().accessToken().isEmpty());
        }
      }
      assertFalse(client.token().accessToken().isEmpty());
    }
  }

  @Test
  void anyTimeMayBeGiven() {
    try (TokenClient client = Given.client("file")) {
      for (Duration time :
          List.of(ChronoUnit.FOREVER.getDuration(), Duration.ofDays(50), Duration.ofNanos(1))) {
        CallOptions options = CallOptions.defaults().withTimeout(time);
        if (time.toNanosPart() == 1) {
          client.token();
        }
        assertFalse(client.token(null, options).accessToken().isEmpty());
      }
    }
  }

  private static boolean idleSoon() throws InterruptedException {
    for (int i = 0; i < 500; i++) {
      boolean idle =
          Thread.getAllStackTraces().entrySet().stream()
              .filter(thread -> thread.getKey().getName().startsWith("segl-async"))
              .flatMap(thread -> List.of(thread.getValue()).stream())
              .noneMatch(frame -> frame.getClassName().equals("no.segl.TokenClient"));
      if (idle) {
        return true;
      }
      Thread.sleep(10);
    }
    return false;
  }
}
