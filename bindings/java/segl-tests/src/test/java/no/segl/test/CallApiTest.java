package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import no.segl.ApiException;
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
import no.segl.ServiceSettings;
import no.segl.TokenClient;
import no.segl.TokenRequest;
import org.junit.jupiter.api.Test;

/** Operations of the APIs that segl knows. */
class CallApiTest {
  private static final String EXCHANGE = "altinn.exchange_token";
  private static final String URL =
      "https://altinn.example/authentication/api/v1/exchange/maskinporten";
  private static final String PERSON = "12345678901";

  private static Config config() {
    return Config.fromJson(Given.variable("SEGL_TEST_FILE_JSON"));
  }

  private static TokenClient client(HttpTransport transport) {
    Config config =
        config()
            .toBuilder()
            .services(
                Map.of(
                    "altinn", ServiceSettings.builder().baseUrl("https://altinn.example").build()))
            .build();
    return TokenClient.create(config, ClientOptions.defaults().withTransport(transport));
  }

  /** Gives tokens, and an answer of Altinn's. */
  private static HttpTransport answering(int status, String body, List<HttpRequest> seen) {
    return (request, timeout) -> {
      seen.add(request);
      boolean altinn = request.url().startsWith("https://altinn.example/");
      String text =
          altinn
              ? body
              : "{\"access_token\":\"of-the-host\",\"token_type\":\"Bearer\",\"expires_in\":3600}";
      return HttpResponse.of(
          altinn ? status : 200,
          List.of(new HttpHeader("Content-Type", altinn ? "text/plain" : "application/json")),
          text.getBytes(StandardCharsets.UTF_8));
    };
  }

  private static List<HttpRequest> requests() {
    return Collections.synchronizedList(new ArrayList<>());
  }

  @Test
  void theAnswerIsJson() throws Exception {
    List<HttpRequest> seen = requests();
    try (TokenClient client = client(answering(200, "e30.e30.c2ln", seen))) {
      assertEquals(Map.of("token", "e30.e30.c2ln"), Given.json(client.callApi(EXCHANGE, "{}")));
      assertEquals(2, seen.size());
      assertEquals("GET", seen.get(1).method());
      assertEquals(URL, seen.get(1).url());
      assertTrue(
          seen.get(1).headers().stream()
              .anyMatch(header -> header.value().equals("Bearer of-the-host")));

      TokenRequest other = TokenRequest.builder().scopes(List.of("a:b")).build();
      CallOptions options = CallOptions.defaults().withTimeout(Duration.ofSeconds(20));
      client.callApi(EXCHANGE, "{}", other);
      client.callApi(EXCHANGE, "{}", other, options);
      assertEquals(5, seen.size(), "another token, once");
    }
  }

  @Test
  void aRefusalHasItsNumber() {
    try (TokenClient client = client(answering(403, "no", requests()))) {
      ApiException refusal =
          assertThrows(ApiException.class, () -> client.callApi(EXCHANGE, "{}"));
      assertEquals(ErrorCode.API_FORBIDDEN, refusal.code());
      assertEquals(403, refusal.httpStatus());
      assertTrue(refusal.getMessage().contains(EXCHANGE), refusal.getMessage());
    }
  }

  @Test
  void whatIsWrongIsRefusedBeforeAnythingIsSent() {
    List<HttpRequest> seen = requests();
    try (TokenClient client = client(answering(200, "e30.e30.c2ln", seen))) {
      List<String> inputs =
          List.of("", "[]", "{", "{} {}", "\"" + PERSON + "\"", "{\"pid\":\"" + PERSON + "\"}");
      for (String input : inputs) {
        SeglException failure =
            Given.fails(ErrorCode.INVALID_ARGUMENT, () -> client.callApi(EXCHANGE, input));
        assertFalse(failure.getMessage().contains(PERSON), failure.getMessage());
      }
      SeglException failure =
          Given.fails(ErrorCode.INVALID_ARGUMENT, () -> client.callApi("altinn.nothing", "{}"));
      assertTrue(failure.getMessage().contains(EXCHANGE), failure.getMessage());
      assertThrows(NullPointerException.class, () -> client.callApi(EXCHANGE, null));
      assertThrows(NullPointerException.class, () -> client.callApi(null, "{}"));
    }
    ClientOptions options = ClientOptions.defaults().withTransport(answering(200, "", seen));
    try (TokenClient client = TokenClient.create(config(), options)) {
      SeglException failure =
          Given.fails(ErrorCode.CONFIG, () -> client.callApi(EXCHANGE, "{}"));
      assertTrue(failure.configPath().contains("services"), failure.configPath());
    }
    assertEquals(0, seen.size());
  }

  @Test
  void itsTimeIsBounded() {
    CountDownLatch release = new CountDownLatch(1);
    TokenClient client =
        client(
            (request, timeout) -> {
              release.await();
              throw new IOException("released");
            });
    try (client;
        CancelToken cancel = new CancelToken()) {
      CallOptions options = CallOptions.defaults();
      CallOptions brief = options.withTimeout(Duration.ofMillis(200));
      Given.fails(ErrorCode.TIMEOUT, () -> client.callApi(EXCHANGE, "{}", null, brief));
      cancel.trigger();
      CallOptions over = options.withCancel(cancel);
      Given.fails(ErrorCode.CANCELLED, () -> client.callApi(EXCHANGE, "{}", null, over));
    } finally {
      release.countDown();
    }
    Given.fails(ErrorCode.INVALID_HANDLE, () -> client.callApi(EXCHANGE, "{}"));
  }
}
