package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import no.segl.internal.Native;
import org.junit.jupiter.api.Test;

/** Every function of the library is bound. */
class HeaderTest {
  @Test
  void everyFunctionIsBound() throws Exception {
    Path symbols = Path.of(System.getProperty("segl.test.root"), "tests/data/abi-symbols.txt");
    Set<String> bound =
        Stream.of(Native.class.getMethods())
            .map(Method::getName)
            .filter(name -> name.startsWith("segl_"))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(new TreeSet<>(Files.readAllLines(symbols)), bound);
  }
}
