package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import no.segl.CallOptions;
import no.segl.Config;
import no.segl.ErrorCode;
import no.segl.HttpRequest;
import no.segl.HttpResponse;
import no.segl.SeglException;
import no.segl.Signer;
import no.segl.Token;
import no.segl.TokenClient;
import no.segl.TokenException;
import no.segl.TokenRequest;
import org.junit.jupiter.api.Test;

/** Tokens, assertions and registrations with keys in SoftHSM, from the simulator. */
class TokenTest {
  private static final String SCOPE = "demo:konto.read";

  @Test
  void aTokenIsFetchedOnceAndHeld() throws Exception {
    try (TokenClient client = Given.client("bank")) {
      Token first = client.token();
      assertFalse(first.fromCache());
      assertEquals(SCOPE, SignedJWT.parse(first.accessToken()).getJWTClaimsSet().getClaim("scope"));
      assertTrue(first.expiresAt().isAfter(Instant.now().plusSeconds(3600)));
      assertFalse(first.dpop());
      assertEquals("Bearer " + first.accessToken(), first.authorization());
      assertNull(first.response());

      Token second = client.token();
      assertTrue(second.fromCache());
      assertSame(first.accessToken(), second.accessToken());
      assertSame(second, client.token());
      assertSame(second, client.token(null, CallOptions.defaults().withTimeout(Duration.ofSeconds(5))));

      Token asked = client.token(TokenRequest.scopes(SCOPE));
      assertEquals(first.generation(), asked.generation());
      assertSame(asked.accessToken(), client.token(TokenRequest.scopes(SCOPE)).accessToken());

      client.forget();
      assertNotEquals(first.generation(), client.token().generation());
      assertEquals(2L, ((Map<?, ?>) Given.json(client.health()).get("tokens")).get("requests"));
    }
  }

  @Test
  void theResponseIsThereWhenItIsAskedFor() throws Exception {
    try (TokenClient client = Given.client("bank")) {
      Token token = client.token(null, CallOptions.defaults().withResponse());
      assertEquals(token.accessToken(), Given.json(token.response()).get("access_token"));
      assertNull(client.token().response());
    }
  }

  @Test
  void nothingShowsATokenInItsText() {
    try (TokenClient client = Given.client("bank")) {
      Token token = client.token();
      assertEquals("Token[redacted]", token.toString());
      assertFalse(TokenRequest.builder().pid("24014021406").build().toString().contains("2401"));
    }
  }

  @Test
  void tokensGoWhereTheSettingsSay() {
    String settings = Given.variable("SEGL_TEST_FILE_JSON").replaceFirst("\\{", "{\"apis\":[\"https://api.example/a/\"],");
    try (TokenClient client = TokenClient.create(Config.fromJson(settings));
        TokenClient anywhere = Given.client("file")) {
      client.requireAllowed("https://api.example/a/b?c=d");
      anywhere.requireAllowed("https://other.example/");
      for (String url : List.of("https://api.example/b", "https://api.example.evil/a/")) {
        Given.fails(ErrorCode.API_NOT_ALLOWED, () -> client.requireAllowed(url));
      }
      Given.fails(ErrorCode.URL, () -> anywhere.requireAllowed("http://api.example/a/"));
    }
  }

  @Test
  void aRejectedTokenIsReplaced() {
    try (TokenClient client = Given.client("bank")) {
      Token first = client.token();
      client.reject(first);
      assertNotEquals(first.accessToken(), client.token().accessToken());
      TokenRequest request = TokenRequest.scopes(SCOPE);
      client.reject(client.token(request), request);
      client.forget(request);
    }
  }

  @Test
  void assertionsAreSignedByTheKeyInTheToken() throws Exception {
    try (TokenClient client = Given.client("bank");
        Signer signer = Signer.open(Given.variable("SEGL_TEST_RSA_KEY"))) {
      Map<String, Object> claims = Given.verified(client.assertion(), signer.publicJwk());
      assertEquals("bank", claims.get("iss"));
      assertEquals(SCOPE, claims.get("scope"));

      TokenRequest request =
          TokenRequest.builder()
              .scopes(List.of("a:æ", "b:c"))
              .resource(List.of("https://api.example"))
              .consumerOrg("974760673")
              .pid("24014021406")
              .build();
      Given.fails(ErrorCode.INVALID_ARGUMENT, () -> client.assertion(request));
      TokenRequest ascii =
          TokenRequest.builder()
              .scopes(List.of("a:b"))
              .resource(List.of("https://api.example"))
              .consumerOrg("974760673")
              .build();
      claims = Given.verified(client.assertion(ascii), signer.publicJwk());
      assertEquals("a:b", claims.get("scope"));
      assertEquals("974760673", claims.get("consumer_org"));
      assertEquals(List.of("https://api.example"), claims.get("resource"));
      claims =
          Given.verified(
              client.assertion(TokenRequest.builder().withoutConsumerOrg().build()),
              signer.publicJwk());
      assertNull(claims.get("consumer_org"));
    }
  }

  @Test
  void authorizationDetailsGoIntoTheAssertion() throws Exception {
    try (TokenClient client = Given.client("bank");
        Signer signer = Signer.open(Given.variable("SEGL_TEST_RSA_KEY"))) {
      TokenRequest request =
          TokenRequest.builder()
              .authorizationDetails(
                  "[{\"type\":\"urn:altinn:systemuser\",\"systemuser_org\":"
                      + "{\"authority\":\"iso6523-actorid-upis\",\"ID\":\"0192:910753614\"}}]")
              .build();
      Map<String, Object> claims = Given.verified(client.assertion(request), signer.publicJwk());
      Map<?, ?> first = (Map<?, ?>) ((List<?>) claims.get("authorization_details")).get(0);
      assertEquals("urn:altinn:systemuser", first.get("type"));
    }
    Given.fails(
        ErrorCode.INVALID_ARGUMENT,
        () -> TokenRequest.builder().authorizationDetails("[{]"));
  }

  @Test
  void aRegistrationIsSignedByTheKeyThatItRegisters() throws Exception {
    try (TokenClient client = Given.client("dnb");
        Signer signer = Signer.open(Given.variable("SEGL_TEST_EC_KEY"))) {
      Given.verified(client.registration(), signer.publicJwk());
      assertFalse(client.token().accessToken().isEmpty());
    }
    try (TokenClient client = Given.client("bank")) {
      Given.fails(ErrorCode.UNSUPPORTED, client::registration);
    }
  }

  @Test
  void aRefusalTellsAllThatIsKnown() {
    try (TokenClient client = Given.client("refused")) {
      SeglException failure = Given.fails(ErrorCode.TOKEN_CLIENT_UNKNOWN, client::token);
      assertInstanceOf(TokenException.class, failure);
      assertEquals("MP-100", failure.providerCode());
      assertEquals(522, failure.number());
      assertFalse(failure.retryable());
      assertEquals("invalid_grant", failure.oauthError());
      assertTrue(failure.oauthErrorDescription().contains("Client not found"));
      assertTrue(failure.httpStatus() >= 400);
      assertNull(failure.ckRv());
    }
  }

  @Test
  void anApiIsCalledWithTheToken() {
    String url = Given.variable("SEGL_TEST_API");
    try (TokenClient client = Given.client("bank")) {
      HttpResponse answer = client.send(HttpRequest.of("GET", url));
      assertEquals(200, answer.status());
      byte[] body = "{\"navn\":\"Kåre\"}".getBytes(StandardCharsets.UTF_8);
      answer =
          client.send(
              HttpRequest.of("POST", url)
                  .withHeader("Content-Type", "application/json")
                  .withBody(body),
              TokenRequest.scopes(SCOPE),
              CallOptions.defaults().withTimeout(Duration.ofSeconds(10)));
      assertEquals(200, answer.status());
      assertTrue(answer.text().contains("\"method\":\"POST\""), answer.text());
      assertTrue(answer.header("CONTENT-TYPE").startsWith("application/json"));
      Given.fails(ErrorCode.URL, () -> client.send(HttpRequest.of("GET", "http://example.com/")));
    }
  }

  @Test
  void headersAndBodiesArriveAsTheyAre() throws Exception {
    byte[] everything = new byte[100_000];
    for (int i = 0; i < everything.length; i++) {
      everything[i] = (byte) i;
    }
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          exchange.getResponseHeaders().add("X-Method", exchange.getRequestMethod());
          exchange
              .getResponseHeaders()
              .add("X-Was", exchange.getRequestHeaders().getFirst("X-Quoted"));
          exchange.sendResponseHeaders(418, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    try (TokenClient client = Given.client("bank")) {
      HttpResponse answer =
          client.send(
              HttpRequest.of("PUT", "http://127.0.0.1:" + server.getAddress().getPort() + "/a?b=c")
                  .withHeader("X-Quoted", "a \"b\" \\c")
                  .withBody(everything));
      assertEquals(418, answer.status());
      assertArrayEquals(everything, answer.body());
      assertEquals("PUT", answer.header("x-method"));
      assertEquals("a \"b\" \\c", answer.header("x-was"));
      assertNull(answer.header("x-none"));
    } finally {
      server.stop(0);
    }
  }

  @Test
  void dpopTokensComeWithProofs() throws Exception {
    try (TokenClient client = Given.client("dpop")) {
      Token token = client.token();
      assertTrue(token.dpop());
      assertEquals("DPoP " + token.accessToken(), token.authorization());
      String url = Given.variable("SEGL_TEST_DPOP_API");
      client.dpopNonce(url, "nonce-1");
      var proof = SignedJWT.parse(client.dpopProof("GET", url, token.accessToken()));
      assertEquals("nonce-1", proof.getJWTClaimsSet().getClaim("nonce"));
      assertEquals("GET", proof.getJWTClaimsSet().getClaim("htm"));
      assertEquals(200, client.send(HttpRequest.of("GET", url)).status());
    }
    try (TokenClient client = Given.client("bank")) {
      Given.fails(
          ErrorCode.UNSUPPORTED, () -> client.dpopProof("GET", "https://example.com/", null));
    }
  }

  @Test
  void aFileThatIsNotThereIsAnErrorWithItsPath() {
    SeglException failure =
        Given.fails(ErrorCode.IO, () -> TokenClient.open("/nowhere/sægl.toml", "bank"));
    assertTrue(failure.getMessage().contains("/nowhere/sægl.toml"), failure.getMessage());
    Given.fails(ErrorCode.CONFIG, () -> Given.client("nobody"));
  }
}
