package no.segl.internal;

import no.segl.ErrorCode;
import no.segl.SeglException;

/** How native functions are called: here, from Java 22 on, by java.lang.foreign. */
final class Backend {
  private Backend() {}

  static Native load() {
    try {
      // The functions are looked up when their class is initialised, which is after this.
      FfmSymbols.load();
      return new FfmLibrary();
    } catch (IllegalCallerException denied) {
      throw SeglException.of(
          ErrorCode.UNSUPPORTED,
          "Java does not let segl call native functions: start it with"
              + " --enable-native-access=ALL-UNNAMED, or =no.segl when segl is on the module path",
          denied);
    }
  }
}
