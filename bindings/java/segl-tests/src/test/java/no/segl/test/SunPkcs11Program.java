package no.segl.test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import no.segl.Segl;
import no.segl.Signer;
import no.segl.TokenClient;

/**
 * Does what its arguments say, with Java's own PKCS#11 provider and segl on one module: {@code sun},
 * {@code segl} and {@code shutdown}. It prints "well", or else what failed.
 */
final class SunPkcs11Program {
  private static final byte[] MESSAGE = "both".getBytes();

  private static Provider sun;
  private static KeyPair sunKey;
  private static Signer signer;
  private static TokenClient client;

  private SunPkcs11Program() {}

  public static void main(String[] steps) throws Exception {
    for (int i = 0; i < steps.length; i++) {
      try {
        switch (steps[i]) {
          case "sun" -> sunSigns();
          case "segl" -> seglSigns();
          case "shutdown" -> shutdown();
          default -> throw new IllegalArgumentException(steps[i]);
        }
      } catch (Exception failure) {
        System.out.println("step " + i + ", " + steps[i] + ": " + failure);
        failure.printStackTrace(System.out);
        System.exit(1);
      }
    }
    System.out.println("well");
  }

  private static void sunSigns() throws Exception {
    if (sun == null) {
      Path config = Files.createTempFile("sunpkcs11", ".cfg");
      Files.writeString(
          config,
          "name = bindings\nlibrary = "
              + Given.variable("SEGL_TEST_MODULE")
              + "\nslotListIndex = 0\nattributes(generate,CKO_PRIVATE_KEY,*) = { CKA_TOKEN = false }\n");
      sun = Security.getProvider("SunPKCS11").configure(config.toString());
      Files.delete(config);
      KeyStore.getInstance("PKCS11", sun).load(null, Given.variable("SEGL_TEST_PIN").toCharArray());
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", sun);
      generator.initialize(256);
      sunKey = generator.generateKeyPair();
    }
    Signature signature = Signature.getInstance("SHA256withECDSA", sun);
    signature.initSign(sunKey.getPrivate());
    signature.update(MESSAGE);
    byte[] made = signature.sign();
    Signature check = Signature.getInstance("SHA256withECDSA");
    check.initVerify(sunKey.getPublic());
    check.update(MESSAGE);
    if (!check.verify(made)) {
      throw new IllegalStateException("SunPKCS11's signature is wrong");
    }
  }

  /** With objects that stay open, so that each side works while the other has sessions. */
  private static void seglSigns() {
    if (signer == null) {
      signer = Signer.open(Given.variable("SEGL_TEST_EC_KEY"));
      client = Given.client("bank");
    }
    if (signer.sign("ES256", MESSAGE).length != 64 || client.assertion().length() < 100) {
      throw new IllegalStateException("segl's signature is wrong");
    }
  }

  private static void shutdown() {
    Segl.shutdown();
    signer = null;
    client = null;
  }
}
