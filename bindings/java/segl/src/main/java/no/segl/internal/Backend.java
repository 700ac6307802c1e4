package no.segl.internal;

import no.segl.ErrorCode;
import no.segl.SeglException;

/** How native functions are called: here, before Java 22, by JNA. */
final class Backend {
  private Backend() {}

  static Native load() {
    try {
      JnaLibrary.start();
    } catch (NoClassDefFoundError missing) {
      throw SeglException.of(
          ErrorCode.UNSUPPORTED,
          "Before Java 22 segl needs JNA: put net.java.dev.jna:jna on the class path, or use Java 22"
              + " or newer",
          missing);
    } catch (UnsatisfiedLinkError broken) {
      throw SeglException.of(
          ErrorCode.UNSUPPORTED,
          "JNA cannot load its own library. Where its temporary folder is mounted noexec, set the"
              + " system property jna.tmpdir to another: "
              + broken.getMessage(),
          broken);
    }
    return JnaLibrary.load();
  }
}
