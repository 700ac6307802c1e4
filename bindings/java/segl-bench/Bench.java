package no.segl;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.Callable;
import no.segl.internal.Library;
import no.segl.internal.Native;

/**
 * Measures what the binding costs, and signed JWTs against Nimbus JOSE+JWT with the same keys. It is
 * in the package of segl to measure a token's copy alone.
 */
final class Bench {
  private static final int BATCHES = 15;
  private static final long WARM_UP_NANOS = 3_000_000_000L;
  private static final long BATCH_NANOS = 200_000_000L;
  private static final byte[] CLAIMS =
      ("{\"aud\":\"https://test.maskinporten.no/\",\"iss\":\"7ea43b76-6b7d-49e8-af2b-4114ebb66c80\","
              + "\"scope\":\"lanekassen:lan/v1/saldoopplysninger\",\"iat\":1700000000,\"exp\":1700000120,"
              + "\"jti\":\"0b6ad9a2-8a2b-4ef2-8d5b-7b1c7a6f1c11\"}")
          .getBytes(StandardCharsets.US_ASCII);

  private static volatile Object sink = "";

  private Bench() {}

  public static void main(String[] arguments) throws Exception {
    String config = System.getenv("SEGL_TEST_CONFIG");
    try (TokenClient client = TokenClient.open(config, "file")) {
      client.token();
      client.token();
      report("cached token", client::token);
      TokenRequest request = TokenRequest.scopes("demo:konto.read");
      report("cached token of a request", () -> client.token(request));
    }
    Native segl = Library.get();
    long handle = ClientMaker.open(config, "file", ClientOptions.defaults());
    report("new token string", () -> new HeldTokens().get(segl, handle, null, null));
    segl.segl_client_free(handle);

    jwt("ES256", "SEGL_TEST_EC_PEM", "EC");
    jwt("RS256", "SEGL_TEST_RSA_PEM", "RSA");
  }

  private static void jwt(String alg, String variable, String type) throws Exception {
    byte[] pem = Files.readAllBytes(Path.of(System.getenv(variable)));
    String header = "{\"alg\":\"" + alg + "\",\"kid\":\"key-1\"}";
    try (Signer signer = Signer.fromBytes(pem, null)) {
      report(alg + " JWT", () -> signer.jws(header, CLAIMS));
    }
    byte[] der =
        Base64.getMimeDecoder()
            .decode(new String(pem, StandardCharsets.US_ASCII).replaceAll("-----[^-]+-----", ""));
    PrivateKey key = KeyFactory.getInstance(type).generatePrivate(new PKCS8EncodedKeySpec(der));
    JWSSigner nimbus =
        type.equals("EC") ? new ECDSASigner((ECPrivateKey) key) : new RSASSASigner(key);
    JWSHeader nimbusHeader = new JWSHeader.Builder(JWSAlgorithm.parse(alg)).keyID("key-1").build();
    report(
        alg + " JWT by Nimbus",
        () -> {
          JWSObject object = new JWSObject(nimbusHeader, new Payload(CLAIMS));
          object.sign(nimbus);
          return object.serialize();
        });
  }

  private static void report(String what, Callable<Object> operation) throws Exception {
    int calls = 1;
    long end = System.nanoTime() + WARM_UP_NANOS;
    while (System.nanoTime() < end) {
      long taken = batch(operation, calls);
      if (taken < BATCH_NANOS) {
        calls = (int) Math.min(100_000_000L, calls * 2L);
      }
    }
    double[] each = new double[BATCHES];
    for (int i = 0; i < BATCHES; i++) {
      each[i] = batch(operation, calls) / (double) calls;
    }
    Arrays.sort(each);
    System.out.printf("java | %s | %.1f%n", what, each[BATCHES / 2]);
  }

  private static long batch(Callable<Object> operation, int calls) throws Exception {
    long start = System.nanoTime();
    Object last = "";
    for (int i = 0; i < calls; i++) {
      last = operation.call();
    }
    long taken = System.nanoTime() - start;
    sink = last;
    return taken;
  }
}
