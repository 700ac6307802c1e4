package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.KeyStore;
import no.segl.ErrorCode;
import no.segl.Segl;
import no.segl.Signer;
import no.segl.TokenClient;
import org.junit.jupiter.api.Test;

/** Java's own PKCS#11 provider on the module that segl uses, in one process. */
class SunPkcs11Test {
  private static final byte[] MESSAGE = "both".getBytes();

  @Test
  void bothUseTheSameModule() throws Exception {
    // Other tests may have used the module: whoever initialises it finalizes it.
    Segl.shutdown();
    Provider sun = sunPkcs11();
    sunSigns(sun);
    for (int i = 0; i < 2; i++) {
      seglSigns();
      sunSigns(sun);
      Signer open = Signer.open(Given.variable("SEGL_TEST_EC_KEY"));
      Segl.shutdown();
      Given.fails(ErrorCode.INVALID_HANDLE, () -> open.sign("ES256", MESSAGE));
      open.close();
      sunSigns(sun);
    }
    seglSigns();
    sunSigns(sun);
  }

  private static Provider sunPkcs11() throws Exception {
    Path config = Path.of(Given.variable("SEGL_TEST_FOLDER"), "sunpkcs11.cfg");
    Files.writeString(
        config,
        "name = bindings\nlibrary = "
            + Given.variable("SEGL_TEST_MODULE")
            + "\nslotListIndex = 0\nattributes(generate,CKO_PRIVATE_KEY,*) = { CKA_TOKEN = false }\n");
    Provider sun = Security.getProvider("SunPKCS11").configure(config.toString());
    KeyStore store = KeyStore.getInstance("PKCS11", sun);
    store.load(null, Given.variable("SEGL_TEST_PIN").toCharArray());
    return sun;
  }

  private static void sunSigns(Provider sun) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", sun);
    generator.initialize(256);
    KeyPair pair = generator.generateKeyPair();
    Signature signature = Signature.getInstance("SHA256withECDSA", sun);
    signature.initSign(pair.getPrivate());
    signature.update(MESSAGE);
    byte[] made = signature.sign();
    Signature check = Signature.getInstance("SHA256withECDSA", sun);
    check.initVerify(pair.getPublic());
    check.update(MESSAGE);
    assertTrue(check.verify(made));
  }

  private static void seglSigns() {
    try (Signer signer = Signer.open(Given.variable("SEGL_TEST_EC_KEY"));
        TokenClient client = Given.client("bank")) {
      assertEquals(64, signer.sign("ES256", MESSAGE).length);
      assertTrue(client.assertion().length() > 100);
    }
  }
}
