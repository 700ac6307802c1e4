package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLException;
import no.segl.CallOptions;
import no.segl.CancelToken;
import no.segl.ClientOptions;
import no.segl.Config;
import no.segl.ErrorCode;
import no.segl.HttpHeader;
import no.segl.HttpRequest;
import no.segl.HttpResponse;
import no.segl.HttpTransport;
import no.segl.SeglException;
import no.segl.Token;
import no.segl.TokenClient;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/** Transports of the program's own, and calls that are asynchronous or cancelled. */
class TransportTest {
  private static final Duration SHORT = Duration.ofSeconds(2);

  private static TokenClient client(HttpTransport transport) {
    return TokenClient.create(
        Config.fromJson(Given.variable("SEGL_TEST_FILE_JSON")),
        ClientOptions.defaults().withTransport(transport).withTimeout(Duration.ofSeconds(20)));
  }

  static HttpTransport javaHttp(List<HttpRequest> seen) {
    HttpClient http = HttpClient.newHttpClient();
    return (request, timeout) -> {
      seen.add(request);
      var builder =
          java.net.http.HttpRequest.newBuilder(URI.create(request.url()))
              .timeout(timeout)
              .method(request.method(), BodyPublishers.ofByteArray(request.body()));
      for (HttpHeader header : request.headers()) {
        if (!header.name().equalsIgnoreCase("content-length")) {
          builder.header(header.name(), header.value());
        }
      }
      var answer = http.send(builder.build(), BodyHandlers.ofByteArray());
      List<HttpHeader> headers = new ArrayList<>();
      answer
          .headers()
          .map()
          .forEach((name, values) -> values.forEach(v -> headers.add(new HttpHeader(name, v))));
      return HttpResponse.of(answer.statusCode(), headers, answer.body());
    };
  }

  @Test
  void tokensAndRequestsGoThroughIt() {
    List<HttpRequest> seen = java.util.Collections.synchronizedList(new ArrayList<>());
    try (TokenClient client = client(javaHttp(seen))) {
      Token token = client.token();
      assertFalse(token.accessToken().isEmpty());
      assertEquals("POST", seen.get(0).method());
      String body = new String(seen.get(0).body(), StandardCharsets.UTF_8);
      assertTrue(body.contains("assertion="));
      assertFalse(seen.get(0).toString().contains("assertion"));

      byte[] text = "blåbær".getBytes(StandardCharsets.UTF_8);
      HttpResponse answer =
          client.send(
              HttpRequest.of("POST", Given.variable("SEGL_TEST_API"))
                  .withHeader("Content-Type", "text/plain; charset=utf-8")
                  .withBody(text));
      assertEquals(200, answer.status());
      assertArrayEquals(text, seen.get(1).body());
      assertEquals(2, seen.size());
      assertTrue(
          seen.get(1).headers().stream()
              .anyMatch(header -> header.value().equals(token.authorization())));
      assertFalse(seen.get(1).headers().toString().contains(token.accessToken()));
    }
  }

  @Test
  void whatItThrowsKeepsItsKind() {
    fails(ErrorCode.NETWORK, new IOException("the cable is cut"));
    fails(ErrorCode.TLS, new SSLException("a stranger"));
    fails(ErrorCode.TIMEOUT, new TimeoutException("too slow"));
    fails(ErrorCode.TIMEOUT, new java.net.http.HttpTimeoutException("too slow"));
    fails(ErrorCode.TIMEOUT, new java.net.SocketTimeoutException("too slow"));
    fails(ErrorCode.CALLBACK_FAILED, new IllegalStateException("what"));
    fails(ErrorCode.RESPONSE_TOO_LARGE, SeglException.of(ErrorCode.RESPONSE_TOO_LARGE, "oh", null));
  }

  private static void fails(ErrorCode code, Exception thrown) {
    try (TokenClient client =
        client(
            (request, timeout) -> {
              throw thrown;
            })) {
      SeglException failure =
          Given.fails(code, () -> client.token(null, CallOptions.defaults().withTimeout(SHORT)));
      assertTrue(failure.getMessage().contains(thrown.getMessage()), failure.getMessage());
      assertEquals(code == ErrorCode.NETWORK || code == ErrorCode.TIMEOUT, failure.retryable());
    }
  }

  @Test
  void errorsAndNullsAreFailures() {
    List<HttpTransport> broken =
        List.of(
            (request, timeout) -> null,
            (request, timeout) -> {
              throw new StackOverflowError();
            },
            (request, timeout) -> {
              throw new LinkageError("fault");
            },
            (request, timeout) -> HttpResponse.of(-1, List.of(), new byte[0]));
    for (HttpTransport transport : broken) {
      try (TokenClient client = client(transport)) {
        Given.fails(ErrorCode.CALLBACK_FAILED, client::token);
      }
    }
    try (TokenClient client =
        client((request, timeout) -> HttpResponse.of(200, List.of(), new byte[3]))) {
      Given.fails(ErrorCode.TOKEN_BAD_RESPONSE, client::token);
    }
  }

  @Test
  void aTransportMayUseSegl() {
    List<HttpRequest> seen = java.util.Collections.synchronizedList(new ArrayList<>());
    HttpTransport http = javaHttp(seen);
    try (TokenClient other = Given.client("bank");
        TokenClient client =
            client(
                (request, timeout) -> {
                  other.token();
                  return http.send(request, timeout);
                })) {
      assertFalse(client.token().accessToken().isEmpty());
    }
  }

  @Test
  void aFutureHasTheTokenOrTheFailure() throws Exception {
    try (TokenClient client = Given.client("file");
        TokenClient refused = Given.client("refused")) {
      List<CompletableFuture<Token>> futures = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        futures.add(client.tokenAsync());
      }
      String token = client.token().accessToken();
      for (CompletableFuture<Token> future : futures) {
        assertEquals(token, future.get(20, TimeUnit.SECONDS).accessToken());
      }
      ExecutionException failure =
          Assertions.assertThrows(
              ExecutionException.class, () -> refused.tokenAsync().get(20, TimeUnit.SECONDS));
      assertEquals(
          ErrorCode.TOKEN_CLIENT_UNKNOWN, ((SeglException) failure.getCause()).code());
      try (CancelToken cancel = new CancelToken()) {
        CallOptions options = CallOptions.defaults().withCancel(cancel);
        Given.fails(ErrorCode.INVALID_ARGUMENT, () -> client.tokenAsync(null, options));
      }
    }
  }

  @Test
  void aCancelledFutureEndsItsCall() throws Exception {
    CountDownLatch sending = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    try (TokenClient client =
        client(
            (request, timeout) -> {
              sending.countDown();
              release.await();
              throw new IOException("released");
            })) {
      CompletableFuture<Token> future = client.tokenAsync();
      assertTrue(sending.await(20, TimeUnit.SECONDS));
      assertEquals(1, callsUnderWay());
      assertTrue(future.cancel(true));
      Assertions.assertThrows(CancellationException.class, future::get);
      for (int i = 0; i < 500 && callsUnderWay() > 0; i++) {
        Thread.sleep(10);
      }
      assertEquals(0, callsUnderWay(), "the call goes on");
    } finally {
      release.countDown();
    }
  }

  private static long callsUnderWay() {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(thread -> thread.getKey().getName().startsWith("segl-async"))
        .filter(
            thread ->
                List.of(thread.getValue()).stream()
                    .anyMatch(frame -> frame.getClassName().equals("no.segl.TokenClient")))
        .count();
  }

  @Test
  void aCallEndsInItsTimeWhateverTheTransportDoes() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    AtomicInteger calls = new AtomicInteger();
    try (TokenClient client =
        client(
            (request, timeout) -> {
              calls.incrementAndGet();
              assertTrue(timeout.compareTo(Duration.ZERO) > 0);
              release.await();
              throw new IOException("released");
            })) {
      long start = System.nanoTime();
      Given.fails(
          ErrorCode.TIMEOUT,
          () -> client.token(null, CallOptions.defaults().withTimeout(Duration.ofMillis(300))));
      assertTrue(System.nanoTime() - start < 5_000_000_000L);
      assertTrue(calls.get() > 0);
    } finally {
      release.countDown();
    }
  }
}
