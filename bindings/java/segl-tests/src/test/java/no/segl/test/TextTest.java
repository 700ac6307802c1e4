package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import no.segl.ClientOptions;
import no.segl.Config;
import no.segl.ErrorCode;
import no.segl.HttpHeader;
import no.segl.HttpRequest;
import no.segl.HttpResponse;
import no.segl.Signer;
import no.segl.TokenClient;
import no.segl.TokenRequest;
import no.segl.UsageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Texts that cannot be UTF-8, and those that hold a NUL. */
class TextTest {
  private static final String API = Given.variable("SEGL_TEST_API");

  @Test
  void halfASurrogatePairIsRefused() throws Exception {
    for (String half : List.of("\ud83d", "\ude00", "a\ud83db", "\ud83d\ud83d\ude00")) {
      try (TokenClient client = Given.client("file");
          Signer signer = Given.signer("SEGL_TEST_EC_PEM")) {
        List<Executable> calls =
            List.of(
                () -> Signer.open(half),
                () -> signer.sign(half, new byte[1]),
                () -> signer.jws("{\"alg\":\"ES256\",\"kid\":\"" + half + "\"}", new byte[1]),
                () -> Signer.fromCallback(half, (alg, message) -> message),
                () -> TokenClient.open(half, "bank"),
                () -> TokenClient.open(Given.variable("SEGL_TEST_CONFIG"), half),
                () -> TokenClient.create(Config.fromJson("{\"client_id\":\"" + half + "\"}")),
                () -> TokenRequest.scopes(half),
                () -> client.dpopProof("GET", half, null),
                () -> client.dpopNonce("https://a.example", half),
                () -> client.send(HttpRequest.of("GET", API + half)),
                () -> client.send(HttpRequest.of("GET", API).withHeader("X-Name", half)));
        for (Executable call : calls) {
          assertInstanceOf(UsageException.class, Given.fails(ErrorCode.INVALID_UTF8, call));
        }
      }
    }
    Given.fails(
        ErrorCode.INVALID_UTF8,
        () -> TokenClient.create(Config.fromJson("{\"client_id\":\"\\ud83d\"}")));
  }

  @Test
  void wholePairsAreText() throws Exception {
    try (Signer signer = Given.signer("SEGL_TEST_EC_PEM")) {
      String header = "{\"alg\":\"ES256\",\"kid\":\"\ud83d\ude00\"}";
      String jws = signer.jws(header, "{}".getBytes());
      assertEquals(
          "\ud83d\ude00", com.nimbusds.jwt.SignedJWT.parse(jws).getHeader().getKeyID());
    }
  }

  @Test
  void anAnswerThatCannotBeTextIsAFailureOfTheTransport() {
    HttpHeader header = new HttpHeader("x-half", "\ud83d");
    try (TokenClient client =
        TokenClient.create(
            Config.fromJson(Given.variable("SEGL_TEST_FILE_JSON")),
            ClientOptions.defaults()
                .withTransport(
                    (request, timeout) ->
                        HttpResponse.of(200, List.of(header), new byte[0])))) {
      Given.fails(ErrorCode.INVALID_UTF8, client::token);
    }
  }

  @Test
  void aNulEndsNothing() throws Exception {
    String config = Given.variable("SEGL_TEST_CONFIG");
    try (TokenClient client = Given.client("file");
        Signer signer = Given.signer("SEGL_TEST_EC_PEM")) {
      Given.fails(ErrorCode.IO, () -> TokenClient.open(config + "\0.toml", "bank"));
      Given.fails(ErrorCode.CONFIG, () -> TokenClient.open(config, "bank\0"));
      Given.fails(ErrorCode.ALGORITHM, () -> signer.sign("ES256\0", new byte[1]));
      Given.fails(
          ErrorCode.INVALID_ARGUMENT,
          () -> client.send(HttpRequest.of("GET", API).withHeader("X-Name", "a\0b")));
      Given.fails(
          ErrorCode.INVALID_ARGUMENT, () -> client.assertion(TokenRequest.scopes("a:b\0c")));
    }
  }
}
