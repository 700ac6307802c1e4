package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import no.segl.LogLevel;
import no.segl.Segl;
import no.segl.SeglException;
import no.segl.Signer;
import org.junit.jupiter.api.Test;

/** Calls where the stack is about to end, in a virtual machine that may end with it. */
class StackTest {
  @Test
  void aFullStackIsAnErrorAndNoCrash() throws Exception {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + "/bin/java");
    if (Given.FFM) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(List.of("-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=/dev/null"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Program.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertTrue(process.waitFor(120, TimeUnit.SECONDS));
    assertTrue(output.endsWith("alive\n"), output);
    assertEquals(0, process.exitValue());
  }

  /** Fills the stack of a thread, and on the way back signs with a key of the program's own. */
  static final class Program {
    private static final byte[] MESSAGE = new byte[10];

    private static Signer signer;
    private static int way;
    private static int signed;
    private static int full;

    private Program() {}

    public static void main(String[] arguments) throws Exception {
      Signer inner = Given.signer("SEGL_TEST_EC_PEM");
      signer = Signer.fromCallback(inner.publicJwk(), (alg, message) -> inner.sign(alg, message));
      Segl.setLog(LogLevel.DEBUG, (level, target, message) -> {});
      signer.sign("ES256", MESSAGE);
      for (int size = 256; size <= 1024; size += 96) {
        Thread thread = new Thread(null, () -> fill(0), "deep", size * 1024L);
        thread.start();
        thread.join();
      }
      signer.sign("ES256", MESSAGE);
      System.out.println(signed > 0 && full > 0 ? "alive" : signed + " and " + full);
      System.exit(0);
    }

    private static int fill(int depth) {
      int reached;
      try {
        reached = fill(depth + 1);
      } catch (StackOverflowError end) {
        way = 0;
        reached = depth;
      }
      if (way++ < 6000 && way % 20 == 0) {
        sign();
      }
      return reached;
    }

    private static void sign() {
      try {
        signer.sign("ES256", MESSAGE);
        signed++;
      } catch (StackOverflowError expected) {
        full++;
      } catch (SeglException failure) {
        // The callback's own stack overflow.
      }
    }
  }
}
