package no.segl.test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.Map;
import java.util.concurrent.Callable;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.SignedJWT;
import no.segl.ErrorCode;
import no.segl.SeglException;
import no.segl.Signer;
import no.segl.TokenClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What scripts/with-services made, and what several tests need. */
final class Given {
  static final boolean FFM = Runtime.version().feature() >= 22;

  private Given() {}

  static String variable(String name) {
    String value = System.getenv(name);
    if (value == null) {
      throw new IllegalStateException(name + " is not set: run this in scripts/with-services");
    }
    return value;
  }

  static TokenClient client(String name) {
    return TokenClient.open(variable("SEGL_TEST_CONFIG"), name);
  }

  /** The settings of a validator of the simulator's tokens. */
  static String validator() throws ParseException {
    String issuer = (String) json(variable("SEGL_TEST_HOST_JSON")).get("issuer");
    return JSONObjectUtils.toJSONString(
        Map.of("issuer", issuer, "metadata", issuer + ".well-known/oauth-authorization-server"));
  }

  static Signer signer(String variable) throws Exception {
    return Signer.fromBytes(Files.readAllBytes(Path.of(variable(variable))), null);
  }

  static SeglException fails(ErrorCode code, org.junit.jupiter.api.function.Executable call) {
    SeglException failure = assertThrows(SeglException.class, call);
    assertEquals(code, failure.code(), failure.toString());
    return failure;
  }

  /** The claims of a JWT whose signature the key of a JWK made. */
  static Map<String, Object> verified(String jwt, String publicJwk)
      throws ParseException, JOSEException {
    SignedJWT parsed = SignedJWT.parse(jwt);
    assertTrue(parsed.verify(verifier(publicJwk)), "the signature does not verify");
    return parsed.getJWTClaimsSet().getClaims();
  }

  private static JWSVerifier verifier(String publicJwk) throws ParseException, JOSEException {
    JWK jwk = JWK.parse(publicJwk);
    return jwk.getKeyType().getValue().equals("RSA")
        ? new RSASSAVerifier(jwk.toRSAKey())
        : new ECDSAVerifier(jwk.toECKey());
  }

  static Map<String, Object> json(String text) throws ParseException {
    return JSONObjectUtils.parse(text);
  }

  /** Lets the collector and the cleaner run until something is so. */
  static boolean collected(Callable<Boolean> done) throws Exception {
    for (int i = 0; i < 200; i++) {
      if (done.call()) {
        return true;
      }
      System.gc();
      Thread.sleep(20);
    }
    return false;
  }
}
