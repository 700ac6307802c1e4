package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jose.jwk.JWK;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.Signature;
import java.time.Duration;
import java.util.Arrays;
import no.segl.CallOptions;
import no.segl.CancelToken;
import no.segl.ErrorCode;
import no.segl.HsmException;
import no.segl.KeyException;
import no.segl.SeglException;
import no.segl.Signer;
import no.segl.UsageException;
import org.junit.jupiter.api.Test;

/** Keys in SoftHSM and in files; signatures are checked by java.security. */
class SignerTest {
  private static final byte[] MESSAGE = "seglet på brevet".getBytes(StandardCharsets.UTF_8);

  @Test
  void keysInATokenSign() throws Exception {
    signs(Signer.open(Given.variable("SEGL_TEST_RSA_KEY")), "RS256", "SHA256withRSA");
    signs(
        Signer.open(Given.variable("SEGL_TEST_EC_KEY")), "ES256", "SHA256withECDSAinP1363Format");
  }

  @Test
  void keysInFilesSign() throws Exception {
    signs(Given.signer("SEGL_TEST_RSA_PEM"), "RS256", "SHA256withRSA");
    signs(Given.signer("SEGL_TEST_EC_PEM"), "ES256", "SHA256withECDSAinP1363Format");
    String uri = "file:" + Path.of(Given.variable("SEGL_TEST_EC_PEM"));
    signs(Signer.open(uri), "ES256", "SHA256withECDSAinP1363Format");
  }

  @Test
  void thePinCanStandBesideTheUri() throws Exception {
    byte[] pin = Given.variable("SEGL_TEST_PIN").getBytes(StandardCharsets.UTF_8);
    byte[] copy = pin.clone();
    CallOptions options = CallOptions.defaults().withTimeout(Duration.ofSeconds(30));
    signs(
        Signer.open(Given.variable("SEGL_TEST_EC_KEY_NO_PIN"), pin, options),
        "ES256",
        "SHA256withECDSAinP1363Format");
    assertArrayEquals(copy, pin);
  }

  private static void signs(Signer opened, String alg, String algorithm) throws Exception {
    try (Signer signer = opened) {
      JWK jwk = JWK.parse(signer.publicJwk());
      Signature verifier = Signature.getInstance(algorithm);
      verifier.initVerify(
          alg.startsWith("RS") ? jwk.toRSAKey().toPublicKey() : jwk.toECKey().toPublicKey());
      verifier.update(MESSAGE);
      assertTrue(verifier.verify(signer.sign(alg, MESSAGE)));

      byte[] large = new byte[1_000_000];
      Arrays.fill(large, (byte) 7);
      verifier.update(large);
      assertTrue(verifier.verify(signer.sign(alg, large)));
      verifier.update(new byte[0]);
      assertTrue(verifier.verify(signer.sign(alg, new byte[0])));

      String header = "{\"alg\":\"" + alg + "\",\"kid\":\"k\",\"typ\":\"JWT\"}";
      byte[] claims = "{\"iss\":\"sæl\"}".getBytes(StandardCharsets.UTF_8);
      assertEquals(
          "sæl", Given.verified(signer.jws(header, claims), signer.publicJwk()).get("iss"));

      signer.probe();
      signer.probe(CallOptions.defaults().withTimeout(Duration.ofSeconds(20)));
      assertEquals("ready", Given.json(signer.health()).get("state"));
      assertTrue(Given.json(signer.describe()).containsKey("thumbprint"));
      assertFalse(signer.describe().contains(Given.variable("SEGL_TEST_PIN")));
    }
  }

  @Test
  void failuresHaveTheirClasses() throws Exception {
    SeglException failure =
        Given.fails(
            ErrorCode.PIN_REQUIRED,
            () -> Signer.open(Given.variable("SEGL_TEST_EC_KEY_NO_PIN") + "&extractable=allow"));
    assertInstanceOf(HsmException.class, failure);
    failure = Given.fails(ErrorCode.KEY_URI, () -> Signer.open("pkcs11:nonsense=1"));
    assertInstanceOf(KeyException.class, failure);
    Given.fails(ErrorCode.KEY_FORMAT, () -> Signer.fromBytes(new byte[] {1, 2, 3}, null));
    Given.fails(ErrorCode.KEY_FORMAT, () -> Signer.fromBytes(new byte[0], new byte[0]));
    try (Signer signer = Given.signer("SEGL_TEST_EC_PEM")) {
      Given.fails(ErrorCode.ALGORITHM, () -> signer.sign("RS256", MESSAGE));
      Given.fails(ErrorCode.ALGORITHM, () -> signer.sign("ÆØÅ", MESSAGE));
      Given.fails(ErrorCode.INVALID_ARGUMENT, () -> signer.jws("[]", MESSAGE));
      failure =
          Given.fails(
              ErrorCode.INVALID_ARGUMENT,
              () -> CallOptions.defaults().withTimeout(Duration.ZERO));
      assertInstanceOf(UsageException.class, failure);
    }
  }

  @Test
  void aCancelledCallEnds() throws Exception {
    try (Signer signer = Given.signer("SEGL_TEST_EC_PEM");
        CancelToken cancel = new CancelToken()) {
      CallOptions options = CallOptions.defaults().withCancel(cancel);
      signer.sign("ES256", MESSAGE, options);
      cancel.trigger();
      cancel.trigger();
      Given.fails(ErrorCode.CANCELLED, () -> signer.sign("ES256", MESSAGE, options));
      cancel.close();
      cancel.trigger();
      Given.fails(ErrorCode.INVALID_HANDLE, () -> signer.sign("ES256", MESSAGE, options));
    }
  }
}
