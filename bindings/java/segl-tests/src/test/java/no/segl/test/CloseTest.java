package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import no.segl.CancelToken;
import no.segl.ClientOptions;
import no.segl.ErrorCode;
import no.segl.HttpRequest;
import no.segl.SeglException;
import no.segl.SignCallback;
import no.segl.Signer;
import no.segl.TokenClient;
import org.junit.jupiter.api.Test;

/** Objects that are closed early, twice, in the midst of calls, or never. */
class CloseTest {
  private static final int ROUNDS = 10_000;
  private static final int THREADS = 8;
  private static final byte[] MESSAGE = new byte[100];

  @Test
  void aClosedObjectSaysSo() throws Exception {
    TokenClient client = Given.client("bank");
    var token = client.token();
    client.close();
    client.close();
    SeglException failure = Given.fails(ErrorCode.INVALID_HANDLE, client::token);
    assertEquals("The client is closed", failure.getMessage());
    Given.fails(ErrorCode.INVALID_HANDLE, client::assertion);
    Given.fails(ErrorCode.INVALID_HANDLE, client::registration);
    Given.fails(ErrorCode.INVALID_HANDLE, client::health);
    Given.fails(ErrorCode.INVALID_HANDLE, client::forget);
    Given.fails(ErrorCode.INVALID_HANDLE, () -> client.reject(token));
    Given.fails(ErrorCode.INVALID_HANDLE, () -> client.dpopProof("GET", "https://a.example", null));
    Given.fails(ErrorCode.INVALID_HANDLE, () -> client.dpopNonce("https://a.example", "n"));
    Given.fails(
        ErrorCode.INVALID_HANDLE,
        () -> client.send(HttpRequest.of("GET", "https://a.example")));

    Signer signer = Given.signer("SEGL_TEST_EC_PEM");
    signer.close();
    signer.close();
    Given.fails(ErrorCode.INVALID_HANDLE, () -> signer.sign("ES256", new byte[1]));
    Given.fails(ErrorCode.INVALID_HANDLE, signer::publicJwk);
    Given.fails(ErrorCode.INVALID_HANDLE, signer::probe);
    CancelToken cancel = new CancelToken();
    cancel.close();
    cancel.close();
    cancel.trigger();
  }

  /** Eight threads use the same two objects, and in turn close them, ten thousand times. */
  @Test
  void closingInTheMidstOfCalls() throws Exception {
    byte[] key = Files.readAllBytes(Path.of(Given.variable("SEGL_TEST_EC_PEM")));
    AtomicReference<Signer> signer = new AtomicReference<>(Signer.fromBytes(key, null));
    // Reading a key is most of what opening a client costs, and not what is tested here.
    Signer rsa = Given.signer("SEGL_TEST_RSA_PEM");
    ClientOptions options = ClientOptions.defaults().withSigner(rsa);
    AtomicReference<TokenClient> client =
        new AtomicReference<>(TokenClient.create(CallbackTest.host(), options));
    AtomicInteger rounds = new AtomicInteger();
    AtomicLong well = new AtomicLong();
    AtomicLong late = new AtomicLong();
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      running.add(
          threads.submit(
              () -> {
                for (int round = 0; round < ROUNDS; round = rounds.incrementAndGet()) {
                  Signer usedSigner = signer.get();
                  TokenClient usedClient = client.get();
                  if (round % 2 == 0) {
                    signer.getAndSet(Signer.fromBytes(key, null)).close();
                  } else {
                    client.getAndSet(TokenClient.create(CallbackTest.host(), options)).close();
                  }
                  for (int call = 0; call < 2; call++) {
                    tally(() -> usedSigner.sign("ES256", MESSAGE), well, late);
                    tally(usedSigner::publicJwk, well, late);
                    tally(usedClient::health, well, late);
                    Signer newSigner = signer.get();
                    tally(() -> newSigner.sign("ES256", MESSAGE), well, late);
                    tally(client.get()::health, well, late);
                  }
                }
                return null;
              }));
    }
    for (Future<?> each : running) {
      each.get(300, TimeUnit.SECONDS);
    }
    threads.shutdown();
    signer.get().close();
    client.get().close();
    rsa.close();
    assertTrue(well.get() > ROUNDS && late.get() > ROUNDS, well + " and " + late);
    System.out.println(
        "closed " + ROUNDS + " times: " + well + " calls went well, " + late + " were too late");
  }

  private static void tally(Supplier<Object> call, AtomicLong well, AtomicLong late) {
    try {
      call.get();
      well.incrementAndGet();
    } catch (SeglException failure) {
      assertEquals(ErrorCode.INVALID_HANDLE, failure.code());
      late.incrementAndGet();
    }
  }

  /** What nobody holds any more is freed, and so are callbacks. */
  @Test
  void theCollectorFreesWhatWasForgotten() throws Exception {
    List<WeakReference<SignCallback>> callbacks = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      callbacks.add(forgotten());
    }
    assertTrue(
        Given.collected(() -> callbacks.stream().allMatch(callback -> callback.get() == null)),
        "a callback is still held");
  }

  private static WeakReference<SignCallback> forgotten() {
    Object state = new Object();
    SignCallback callback =
        (alg, message) -> {
          throw new Exception(state.toString());
        };
    Signer signer = Signer.fromCallback(Given.variable("SEGL_TEST_EC_JWK"), callback);
    signer.describe();
    return new WeakReference<>(callback);
  }

  /** Objects that the collector may take as soon as their last call has begun. */
  @Test
  void theCollectorRunsDuringCalls() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    Thread collector =
        new Thread(
            () -> {
              while (!done.get()) {
                System.gc();
                // Everything stands still meanwhile: without a pause hardly a call is under way.
                LockSupport.parkNanos(2_000_000);
              }
            });
    collector.start();
    try {
      SignCallback sign = CallbackTest.javaSigner();
      for (int i = 0; i < 200; i++) {
        assertEquals(
            256,
            Signer.fromCallback(Given.variable("SEGL_TEST_RSA_JWK"), sign)
                .sign("RS256", new byte[10])
                .length);
        assertTrue(Given.client("file").assertion().length() > 100);
        Given.signer("SEGL_TEST_EC_PEM").probe();
      }
    } finally {
      done.set(true);
      collector.join();
    }
  }
}
