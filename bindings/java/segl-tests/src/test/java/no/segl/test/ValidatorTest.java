package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import no.segl.CallOptions;
import no.segl.CancelToken;
import no.segl.ErrorCode;
import no.segl.HttpRequest;
import no.segl.HttpTransport;
import no.segl.SeglException;
import no.segl.TokenClient;
import no.segl.ValidationException;
import no.segl.Validator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens of the simulator, as the API behind them sees them. */
class ValidatorTest {
  private static final String PERSON = "12345678901";
  private static final String SCOPE = "demo:konto.read";

  private static String issuer;
  private static String metadata;
  private static String settings;
  private static String token;

  @BeforeAll
  static void aToken() throws Exception {
    settings = Given.validator();
    issuer = (String) Given.json(settings).get("issuer");
    metadata = (String) Given.json(settings).get("metadata");
    try (TokenClient client = Given.client("file")) {
      token = client.token().accessToken();
    }
  }

  @Test
  void aTokenSaysWhoseItIs() throws Exception {
    try (Validator validator = Validator.create(settings)) {
      Map<String, Object> claims = Given.json(validator.check(token));
      assertEquals(issuer, claims.get("issuer"));
      assertEquals("file", claims.get("client_id"));
      assertEquals(List.of(SCOPE), claims.get("scopes"));
      assertEquals("910753614", ((Map<?, ?>) claims.get("consumer")).get("orgno"));
      String met = "{\"scopes\":[\"" + SCOPE + "\"],\"consumer\":\"910753614\",\"supplier\":null}";
      assertEquals(claims, Given.json(validator.check(token, met)));
      CallOptions options = CallOptions.defaults().withTimeout(Duration.ofSeconds(20));
      assertEquals(claims, Given.json(validator.check(token, null, options)));
    }
  }

  @Test
  void whatIsNotMetHasItsNumber() {
    try (Validator validator = Validator.create(settings)) {
      ValidationException scope =
          refusal(validator, token, "{\"scopes\":[\"" + SCOPE + "\",\"demo:konto.write\"]}");
      assertEquals(708, scope.number());
      assertEquals(ErrorCode.ACCESS_TOKEN_SCOPE, scope.code());
      assertEquals(403, scope.httpStatus());
      assertEquals("insufficient_scope", scope.oauthError());
      assertTrue(scope.getMessage().contains("demo:konto.write"), scope.getMessage());

      ValidationException consumer = refusal(validator, token, "{\"consumer\":\"974760673\"}");
      assertEquals(ErrorCode.ACCESS_TOKEN_CONSUMER, consumer.code());
      ValidationException consent =
          refusal(
              validator,
              token,
              "{\"consent\":{\"from\":\"05848998356\",\"resources\":[\"bank-saldo\"]}}");
      assertEquals(720, consent.number());
      assertEquals(ErrorCode.CONSENT_MISSING, consent.code());
      assertEquals(403, consent.httpStatus());
      assertEquals("insufficient_scope", consent.oauthError());
      assertFalse(consent.getMessage().contains("05848998356"), consent.getMessage());
      ValidationException malformed = refusal(validator, "no token", null);
      assertEquals(ErrorCode.ACCESS_TOKEN_MALFORMED, malformed.code());
      assertEquals(401, malformed.httpStatus());
      assertEquals("invalid_token", malformed.oauthError());
      int end = token.lastIndexOf('.') + 1;
      String changed =
          token.substring(0, end)
              + (token.charAt(end) == 'A' ? 'B' : 'A')
              + token.substring(end + 1);
      assertEquals(
          ErrorCode.ACCESS_TOKEN_SIGNATURE, refusal(validator, changed, null).code());
    }
    try (Validator other = Validator.create("{\"environment\":\"test\"}", cut())) {
      assertEquals(ErrorCode.JWKS_UNAVAILABLE, refusal(other, token, null).code());
    }
  }

  private static ValidationException refusal(Validator validator, String token, String wanted) {
    ValidationException failure =
        assertThrows(ValidationException.class, () -> validator.check(token, wanted));
    assertFalse(failure.getMessage().contains(token), failure.getMessage());
    return failure;
  }

  /** A transport that has nothing to answer. */
  private static HttpTransport cut() {
    return (request, timeout) -> {
      throw new IOException("the cable is cut");
    };
  }

  @Test
  void aFileNamesValidators(@TempDir Path folder) throws Exception {
    String text = "[validators.own]\nissuer = '" + issuer + "'\nmetadata = '" + metadata + "'\n";
    Path file = Files.writeString(folder.resolve("segl.toml"), text);
    try (Validator validator = Validator.open(file.toString(), "own")) {
      assertTrue(validator.check(token).contains(SCOPE));
    }
    SeglException none =
        Given.fails(ErrorCode.CONFIG, () -> Validator.open(file.toString(), "other"));
    assertTrue(none.getMessage().contains("own"), none.getMessage());
    Given.fails(ErrorCode.IO, () -> Validator.open(folder.resolve("none").toString(), "own"));
  }

  @Test
  void whatIsWrongIsNamed() {
    SeglException unknown =
        Given.fails(
            ErrorCode.CONFIG,
            () -> Validator.create("{\"issuer\":\"https://a.example\",\"leeway\":1}"));
    assertTrue(unknown.configPath().contains("leeway"), unknown.configPath());
    for (String text : List.of("", "[]", "{}", "{")) {
      Given.fails(ErrorCode.CONFIG, () -> Validator.create(text));
    }
    try (Validator validator = Validator.create(settings)) {
      for (String wanted :
          List.of("", "[]", "{", "{\"pid\":\"" + PERSON + "\"}", "{\"person\":\"" + PERSON + "\"}")) {
        SeglException failure =
            Given.fails(ErrorCode.INVALID_ARGUMENT, () -> validator.check(token, wanted));
        assertFalse(failure.getMessage().contains(PERSON), failure.getMessage());
      }
      assertThrows(NullPointerException.class, () -> validator.check(null));
    }
    assertThrows(NullPointerException.class, () -> Validator.create(null));
  }

  @Test
  void keysComeThroughTheProgramsTransportOnce() throws Exception {
    List<HttpRequest> seen = Collections.synchronizedList(new ArrayList<>());
    try (Validator validator = Validator.create(settings, TransportTest.javaHttp(seen))) {
      ExecutorService threads = Executors.newFixedThreadPool(8);
      List<Future<String>> checks = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        checks.add(threads.submit(() -> validator.check(token)));
      }
      for (Future<String> check : checks) {
        assertTrue(check.get(20, TimeUnit.SECONDS).contains(SCOPE));
      }
      threads.shutdown();
      assertEquals(2, seen.size(), "the issuer's metadata and its keys");
    }
  }

  @Test
  void aCheckIsBounded() {
    CountDownLatch release = new CountDownLatch(1);
    HttpTransport silent =
        (request, timeout) -> {
          release.await();
          throw new IOException("released");
        };
    try (Validator validator = Validator.create(settings, silent);
        CancelToken cancel = new CancelToken()) {
      CallOptions brief = CallOptions.defaults().withTimeout(Duration.ofMillis(200));
      Given.fails(ErrorCode.TIMEOUT, () -> validator.check(token, null, brief));
      cancel.trigger();
      CallOptions over = CallOptions.defaults().withCancel(cancel);
      Given.fails(ErrorCode.CANCELLED, () -> validator.check(token, null, over));
    } finally {
      release.countDown();
    }
  }

  @Test
  void aClosedOneSaysSo() {
    Validator validator = Validator.create(settings);
    validator.close();
    validator.close();
    SeglException failure = Given.fails(ErrorCode.INVALID_HANDLE, () -> validator.check(token));
    assertEquals("The validator is closed", failure.getMessage());
  }

  @Test
  void aCheckThatWaitsOutlivesItsValidator() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    HttpTransport slow =
        (request, timeout) -> {
          asked.countDown();
          release.await();
          throw new IOException("released");
        };
    Validator validator = Validator.create(settings, slow);
    CompletableFuture<String> check = validator.checkAsync(token, null);
    assertTrue(asked.await(20, TimeUnit.SECONDS));
    validator.close();
    Given.fails(ErrorCode.INVALID_HANDLE, () -> validator.check(token));
    release.countDown();
    Throwable failure =
        assertThrows(ExecutionException.class, () -> check.get(20, TimeUnit.SECONDS)).getCause();
    assertEquals(ErrorCode.JWKS_UNAVAILABLE, ((SeglException) failure).code());
  }

  @Test
  void aCheckIsAwaited() throws Exception {
    try (Validator validator = Validator.create(settings);
        CancelToken cancel = new CancelToken()) {
      assertEquals(
          validator.check(token), validator.checkAsync(token, null).get(20, TimeUnit.SECONDS));
      Throwable refusal =
          assertThrows(
                  ExecutionException.class,
                  () -> validator.checkAsync(token, "{\"consumer\":\"974760673\"}").get())
              .getCause();
      assertInstanceOf(ValidationException.class, refusal);
      CallOptions own = CallOptions.defaults().withCancel(cancel);
      Given.fails(
          ErrorCode.INVALID_ARGUMENT, () -> validator.checkAsync(token, null, own));
    }
  }

  @Test
  void closingInTheMidstOfChecks() throws Exception {
    AtomicReference<Validator> shared = new AtomicReference<>(Validator.create(settings));
    AtomicInteger well = new AtomicInteger();
    AtomicInteger rounds = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      running.add(
          threads.submit(
              () -> {
                while (rounds.incrementAndGet() < 200) {
                  Validator used = shared.get();
                  shared.getAndSet(Validator.create(settings)).close();
                  for (Validator each : List.of(used, shared.get())) {
                    try {
                      assertTrue(each.check(token).contains(SCOPE));
                      well.incrementAndGet();
                    } catch (SeglException failure) {
                      assertEquals(ErrorCode.INVALID_HANDLE, failure.code());
                    }
                  }
                }
                return null;
              }));
    }
    for (Future<?> each : running) {
      each.get(60, TimeUnit.SECONDS);
    }
    threads.shutdown();
    shared.get().close();
    assertTrue(well.get() > 0);
  }

  @Test
  void theCollectorFreesWhatWasForgotten() throws Exception {
    List<WeakReference<HttpTransport>> transports = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      transports.add(forgotten());
    }
    assertTrue(
        Given.collected(() -> transports.stream().allMatch(each -> each.get() == null)),
        "a transport is still held");
  }

  private static WeakReference<HttpTransport> forgotten() {
    Object state = new Object();
    HttpTransport transport =
        (request, timeout) -> {
          throw new IOException(state.toString());
        };
    Validator validator = Validator.create(settings, transport);
    SeglException failure =
        Given.fails(ErrorCode.JWKS_UNAVAILABLE, () -> validator.check(token));
    assertInstanceOf(ValidationException.class, failure);
    return new WeakReference<>(transport);
  }
}
