package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import no.segl.CallOptions;
import no.segl.ErrorCode;
import no.segl.SeglException;
import no.segl.Signer;
import no.segl.Token;
import no.segl.TokenClient;
import no.segl.Validator;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/** Resident memory stays what it is, whatever is called. */
class GrowthTest {
  private static final int CALLS = 50_000;
  private static final double MOST = 1.05;

  @Test
  void memoryDoesNotGrow() throws Exception {
    try (TokenClient client = Given.client("file");
        Validator validator = Validator.create(Given.validator());
        Signer signer = Given.signer("SEGL_TEST_EC_PEM")) {
      Signer closed = Given.signer("SEGL_TEST_EC_PEM");
      closed.close();
      CallOptions response = CallOptions.defaults().withResponse();
      // Until the heap and the compiler have what they need.
      long before = 0;
      for (int i = 0; i < 3; i++) {
        round(client, validator, signer, closed, response, CALLS);
        before = resident();
      }
      round(client, validator, signer, closed, response, CALLS);
      long after = resident();
      System.out.printf(
          "resident memory: %d MiB, and %d MiB %d rounds later%n",
          before >> 20, after >> 20, CALLS);
      assertTrue(after < before * MOST, "from " + before + " to " + after + " bytes");
    }
  }

  private static void round(
      TokenClient client,
      Validator validator,
      Signer signer,
      Signer closed,
      CallOptions response,
      int calls) {
    for (int i = 0; i < calls; i++) {
      Token token = client.token();
      if (token.generation() == 0) {
        throw new AssertionError();
      }
      client.token(null, response);
      signer.publicJwk();
      SeglException late = Assertions.assertThrows(SeglException.class, closed::publicJwk);
      if (i % 10 == 0) {
        Given.fails(ErrorCode.ALGORITHM, () -> signer.sign("RS256", new byte[1]));
        Given.fails(ErrorCode.KEY_URI, () -> Signer.open("nonsense"));
        validator.check(token.accessToken(), "{\"supplier\":null}");
        Given.fails(
            ErrorCode.ACCESS_TOKEN_CONSUMER,
            () -> validator.check(token.accessToken(), "{\"consumer\":\"974760673\"}"));
        Given.fails(
            ErrorCode.INVALID_ARGUMENT, () -> client.callApi("altinn.exchange_token", "{\"a\":1}"));
      }
      if (i % 100 == 0) {
        signer.sign("ES256", new byte[20_000]);
      }
      if (late.code() != ErrorCode.INVALID_HANDLE) {
        throw new AssertionError(late);
      }
    }
  }

  private static long resident() throws IOException, InterruptedException {
    System.gc();
    Thread.sleep(200);
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
      }
    }
    throw new IOException("no VmRSS");
  }
}
