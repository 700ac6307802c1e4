package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import no.segl.ErrorCode;
import no.segl.SignCallback;
import no.segl.Signer;
import no.segl.TokenClient;
import no.segl.TokenRequest;
import org.junit.jupiter.api.Test;

/** Many threads at a time: virtual ones where Java has them, else those of the system. */
class ThreadsTest {
  private static final int TASKS = 5_000;

  private static ExecutorService threads() throws ReflectiveOperationException {
    return Given.FFM
        ? (ExecutorService)
            Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null)
        : Executors.newFixedThreadPool(64);
  }

  @Test
  void oneClientServesThemAll() throws Exception {
    ExecutorService threads = threads();
    SignCallback sign = CallbackTest.javaSigner();
    try (TokenClient client = Given.client("bank");
        Signer own = Signer.fromCallback(Given.variable("SEGL_TEST_RSA_JWK"), sign)) {
      List<Future<Long>> tokens = new ArrayList<>();
      for (int i = 0; i < TASKS; i++) {
        int task = i;
        tokens.add(
            threads.submit(
                () -> {
                  if (task % 50 == 0) {
                    own.sign("RS256", new byte[100]);
                  }
                  if (task % 7 == 0) {
                    Given.fails(ErrorCode.KEY_URI, () -> Signer.open("x" + task));
                  }
                  return task % 3 == 0
                      ? client.token(TokenRequest.scopes("demo:konto.read")).generation()
                      : client.token().generation();
                }));
      }
      Set<Long> generations = new HashSet<>();
      for (Future<Long> token : tokens) {
        generations.add(token.get(120, TimeUnit.SECONDS));
      }
      assertEquals(1, generations.size(), "one token was fetched for all");
      assertFalse(generations.contains(0L));
    } finally {
      threads.shutdown();
    }
  }
}
