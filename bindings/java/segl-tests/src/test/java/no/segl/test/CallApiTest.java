package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import com.nimbusds.jose.util.JSONObjectUtils;
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
import org.junit.jupiter.api.io.TempDir;

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
  void altinnGivesATokenOfItsOwn() throws Exception {
    try (TokenClient client = Given.client("services")) {
      String token = (String) Given.json(client.callApi(EXCHANGE, "{}")).get("token");
      assertEquals(3, token.split("\\.").length);
      assertNotEquals(client.token().accessToken(), token);
    }
  }

  @Test
  void krrAnswersAboutPersons() throws Exception {
    String person = Given.variable("SEGL_TEST_PERSON");
    try (TokenClient client = Given.client("services")) {
      String both = "{\"persons\":[\"" + person + "\",\"05848998356\"]}";
      Map<String, Object> answer = Given.json(client.callApi("krr.lookup", both));
      assertEquals(List.of("05848998356"), answer.get("missing"));
      Map<?, ?> found = (Map<?, ?>) ((List<?>) answer.get("persons")).get(0);
      assertEquals(person, found.get("personidentifikator"));
      assertEquals(
          Map.of("epostadresse", "ola.nordmann@example.no"), found.get("kontaktinformasjon"));
      SeglException wrong =
          Given.fails(
              ErrorCode.INVALID_ARGUMENT,
              () -> client.callApi("krr.lookup", "{\"persons\":[\"" + PERSON + "\"]}"));
      assertFalse(wrong.getMessage().contains(PERSON), wrong.getMessage());
    }
  }

  @Test
  void kfrTakesAFilePartByPart(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("customers.csv");
    Files.writeString(file, "922203687#2019-11-08\n23079422568#2020-02-29\n05848998356\n");
    String batch =
        JSONObjectUtils.toJSONString(
            Map.of(
                "institution", "910753614",
                "file", file.toString(),
                "resume", true,
                "max_parts", 1,
                "max_relations", 2,
                "relations_per_second", 0));
    List<Object> accepted = new ArrayList<>();
    try (TokenClient client = Given.client("services")) {
      Map<String, Object> answer;
      do {
        answer = Given.json(client.callApi("kfr.batch", batch));
        accepted.add(answer.get("relations_accepted"));
        assertEquals(3L, answer.get("relations"));
        assertEquals(1, ((List<?>) answer.get("correlation_ids")).size());
      } while (!(boolean) answer.get("done"));
    }
    assertEquals(List.of(2L, 3L), accepted);
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
  void callsAreAwaited() throws Exception {
    List<HttpRequest> seen = requests();
    try (TokenClient client = client(answering(200, "e30.e30.c2ln", seen))) {
      String answer = client.callApiAsync(EXCHANGE, "{}").get(20, TimeUnit.SECONDS);
      assertEquals(client.callApi(EXCHANGE, "{}"), answer);
      HttpResponse sent =
          client.sendAsync(HttpRequest.of("GET", URL)).get(20, TimeUnit.SECONDS);
      assertEquals(200, sent.status());
      Throwable wrong =
          assertThrows(
                  ExecutionException.class, () -> client.callApiAsync(EXCHANGE, "[]").get())
              .getCause();
      assertEquals(ErrorCode.INVALID_ARGUMENT, ((SeglException) wrong).code());
    }
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
