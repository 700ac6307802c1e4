package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Java's own PKCS#11 provider on the module that segl uses, in a virtual machine for each order. */
class SunPkcs11Test {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sun segl sun segl sun",
        "segl sun segl sun segl sun",
        "sun segl shutdown sun segl sun shutdown sun",
        "segl shutdown segl sun segl sun",
        "segl shutdown sun segl shutdown sun",
      })
  void bothUseTheSameModule(String steps) throws Exception {
    Result result = run(steps);
    assertTrue(result.output().endsWith("well\n"), steps + ": " + result.output());
    assertEquals(0, result.status());
  }

  /** The module is segl's to finalize where segl was first, which ends it for SunPKCS11 as well. */
  @ParameterizedTest
  @ValueSource(strings = {"segl sun shutdown sun", "segl sun segl shutdown segl sun"})
  void aShutdownEndsWhatSeglInitialised(String steps) throws Exception {
    Result result = run(steps);
    assertEquals(1, result.status(), result.output());
    assertTrue(result.output().matches("(?s).*step \\d, sun: .*CKR_.*"), result.output());
  }

  private record Result(int status, String output) {}

  private static Result run(String steps) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + "/bin/java");
    if (Given.FFM) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(SunPkcs11Program.class.getName());
    command.addAll(List.of(steps.split(" ")));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Result(process.exitValue(), output);
  }
}
