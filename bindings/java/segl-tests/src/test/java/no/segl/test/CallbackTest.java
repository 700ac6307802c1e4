package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicInteger;
import no.segl.ClientOptions;
import no.segl.Config;
import no.segl.ErrorCode;
import no.segl.SeglException;
import no.segl.SignCallback;
import no.segl.Signer;
import no.segl.TokenClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Signers of the program's own, and all that can go wrong in them. */
class CallbackTest {
  private static final byte[] MESSAGE = {1, 2, 3};

  static SignCallback javaSigner() throws Exception {
    String pem = Files.readString(Path.of(Given.variable("SEGL_TEST_RSA_PEM")));
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[^-]+-----", ""));
    PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
    return (alg, message) -> {
      assertEquals("RS256", alg);
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(key);
      signature.update(message);
      return signature.sign();
    };
  }

  static Config host() {
    return Config.fromJson(Given.variable("SEGL_TEST_HOST_JSON"));
  }

  @Test
  void aSignerOfTheProgramGetsTokens() throws Exception {
    try (Signer signer =
        Signer.fromCallback(Given.variable("SEGL_TEST_RSA_JWK"), javaSigner())) {
      ClientOptions options = ClientOptions.defaults().withSigner(signer);
      try (TokenClient created = TokenClient.create(host(), options);
          TokenClient opened =
              TokenClient.open(Given.variable("SEGL_TEST_CONFIG"), "host", options)) {
        signer.close();
        assertFalse(created.token().accessToken().isEmpty());
        assertFalse(opened.token().accessToken().isEmpty());
        Given.verified(created.assertion(), Given.variable("SEGL_TEST_RSA_JWK"));
      }
    }
  }

  private static SeglException failureOf(SignCallback callback) {
    try (Signer signer = Signer.fromCallback(Given.variable("SEGL_TEST_EC_JWK"), callback)) {
      return Given.fails(ErrorCode.CALLBACK_FAILED, () -> signer.sign("ES256", MESSAGE));
    }
  }

  private static int endless(int depth) {
    return endless(depth + 1) + 1;
  }

  @Test
  void whatIsThrownIsToldAndIsTheCause() {
    Exception checked = new Exception("nøkkelen er borte");
    SeglException failure =
        failureOf(
            (alg, message) -> {
              throw checked;
            });
    assertSame(checked, failure.getCause());
    assertTrue(
        failure.getMessage().contains("java.lang.Exception: nøkkelen er borte"),
        failure.getMessage());

    Error error = new AssertionError("fault");
    failure =
        failureOf(
            (alg, message) -> {
              throw error;
            });
    assertSame(error, failure.getCause());

    failure = failureOf((alg, message) -> new byte[endless(0)]);
    assertTrue(failure.getMessage().contains("StackOverflowError"), failure.getMessage());
    failure =
        failureOf(
            (alg, message) -> {
              throw new OutOfMemoryError();
            });
    assertTrue(failure.getMessage().contains("OutOfMemoryError"), failure.getMessage());
  }

  @Test
  void exceptionsThatMisbehaveAreFailuresToo() {
    SeglException failure =
        failureOf(
            (alg, message) -> {
              throw new RuntimeException() {
                @Override
                public String getMessage() {
                  throw new IllegalStateException();
                }
              };
            });
    assertTrue(failure.getMessage().contains("CallbackTest"), failure.getMessage());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 63, 65, 1024, 1025, 100_000})
  void aWrongSignatureIsNotReleased(int length) {
    try (Signer signer =
        Signer.fromCallback(
            Given.variable("SEGL_TEST_EC_JWK"), (alg, message) -> new byte[length])) {
      SeglException failure =
          org.junit.jupiter.api.Assertions.assertThrows(
              SeglException.class, () -> signer.sign("ES256", MESSAGE));
      assertTrue(
          failure.code() == ErrorCode.SIGNATURE_FAULT
              || failure.code() == ErrorCode.CALLBACK_FAILED,
          failure.toString());
    }
  }

  @Test
  void nullIsAFailure() {
    SeglException failure = failureOf((alg, message) -> null);
    assertTrue(failure.getMessage().contains("returned null"), failure.getMessage());
  }

  @Test
  void aCallbackMayUseSegl() throws Exception {
    SignCallback inner = javaSigner();
    try (TokenClient other = Given.client("file");
        Signer signer =
            Signer.fromCallback(
                Given.variable("SEGL_TEST_RSA_JWK"),
                (alg, message) -> {
                  other.assertion();
                  Given.fails(ErrorCode.KEY_URI, () -> Signer.open("nonsense"));
                  return inner.sign(alg, message);
                })) {
      byte[] claims = "{}".getBytes(StandardCharsets.UTF_8);
      Given.verified(
          signer.jws("{\"alg\":\"RS256\"}", claims), Given.variable("SEGL_TEST_RSA_JWK"));
    }
  }

  @Test
  void aCallbackMayCloseItsOwnSigner() throws Exception {
    Signer[] self = new Signer[1];
    SignCallback inner = javaSigner();
    self[0] =
        Signer.fromCallback(
            Given.variable("SEGL_TEST_RSA_JWK"),
            (alg, message) -> {
              self[0].close();
              return inner.sign(alg, message);
            });
    assertEquals(256, self[0].sign("RS256", MESSAGE).length);
    Given.fails(ErrorCode.INVALID_HANDLE, () -> self[0].sign("RS256", MESSAGE));
  }

  @Test
  void aCauseIsNotKeptForAnotherError() {
    failureOf(
        (alg, message) -> {
          throw new IllegalStateException("first");
        });
    assertNull(Given.fails(ErrorCode.KEY_URI, () -> Signer.open("nonsense")).getCause());
  }

  @Test
  void failuresOnThreadsOfSeglAreToldToo() {
    AtomicInteger calls = new AtomicInteger();
    try (Signer signer =
            Signer.fromCallback(
                Given.variable("SEGL_TEST_RSA_JWK"),
                (alg, message) -> {
                  calls.incrementAndGet();
                  throw new IllegalArgumentException("not today");
                });
        TokenClient client =
            TokenClient.create(host(), ClientOptions.defaults().withSigner(signer))) {
      SeglException failure = Given.fails(ErrorCode.CALLBACK_FAILED, client::token);
      assertTrue(failure.getMessage().contains("not today"), failure.getMessage());
      assertTrue(calls.get() > 0);
    }
  }

  @Test
  void aKeyThatIsNoneIsRefusedAndTheCallbackLetGo() throws Exception {
    var weak = new java.lang.ref.WeakReference<>(refused());
    assertTrue(Given.collected(() -> weak.get() == null), "the callback is still held");
  }

  private static SignCallback refused() {
    Object state = new Object();
    SignCallback callback =
        (alg, message) -> {
          throw new Exception(state.toString());
        };
    Given.fails(ErrorCode.KEY_FORMAT, () -> Signer.fromCallback("{}", callback));
    return callback;
  }
}
