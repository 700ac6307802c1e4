package no.segl.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the library is found, in virtual machines of its own with little on their class path. */
class LoadingTest {
  private static final String ACCESS = "--enable-native-access=ALL-UNNAMED";
  private static final Path ROOT = Path.of(System.getProperty("segl.test.root"));

  @TempDir static Path folder;

  private record Result(int status, String output) {}

  @BeforeAll
  static void compileTheExample() throws Exception {
    String compiler = Path.of(System.getProperty("java.home"), "bin/javac").toString();
    Result result =
        run(
            Map.of(),
            compiler,
            "-cp",
            System.getProperty("segl.test.jar"),
            "-d",
            folder.resolve("classes").toString(),
            ROOT.resolve("examples/java/GetToken.java").toString());
    assertEquals(0, result.status(), result.output());
  }

  /** Runs the example with the jar, what else is on the class path, and flags. */
  private static Result example(
      Map<String, String> environment, List<String> jars, String... flags) throws Exception {
    return run(environment, exampleCommand(jars, flags).toArray(String[]::new));
  }

  private static List<String> exampleCommand(List<String> jars, String... flags) {
    List<String> path = new ArrayList<>(List.of(System.getProperty("segl.test.jar")));
    path.addAll(jars);
    path.add(folder.resolve("classes").toString());
    if (!Given.FFM) {
      path.add(jna());
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(List.of(flags));
    command.add("-cp");
    command.add(String.join(File.pathSeparator, path));
    command.addAll(List.of("GetToken", Given.variable("SEGL_TEST_CONFIG"), "bank"));
    return command;
  }

  private static String jna() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(path -> path.contains("/jna-"))
        .findFirst()
        .orElseThrow();
  }

  private static Result run(Map<String, String> environment, String... command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove("SEGL_LIBRARY_PATH");
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes());
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Result(process.exitValue(), output);
  }

  private static String[] access(String... more) {
    return Stream.concat(Given.FFM ? Stream.of(ACCESS) : Stream.empty(), Stream.of(more))
        .toArray(String[]::new);
  }

  @Test
  void theLibraryInAJarIsEnough() throws Exception {
    String[] flags =
        Given.FFM ? access("--illegal-native-access=deny") : access("-Xcheck:jni");
    List<String> natives = List.of(System.getProperty("segl.test.natives"));
    for (int i = 0; i < 2; i++) {
      Result result = example(Map.of(), natives, flags);
      assertEquals(0, result.status(), result.output());
      // Under -Xcheck:jni JNA warns about its own start, before that.
      List<String> lines = result.output().lines().collect(Collectors.toList());
      assertTrue(
          lines.get(lines.size() - 1).matches("a token of \\d+ bytes, valid until .*"),
          result.output());
      assertFalse(result.output().contains("FATAL"), result.output());
    }
    Path cache = folder.resolve("cache/segl");
    try (Stream<Path> folders = Files.list(cache)) {
      Path only = folders.collect(Collectors.toList()).get(0);
      assertEquals(
          "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(only)));
      try (Stream<Path> files = Files.list(only)) {
        Path library = files.collect(Collectors.toList()).get(0);
        assertEquals("libsegl.so", library.getFileName().toString());
        // What somebody changed is not loaded, but put right.
        Files.write(library, new byte[] {1, 2, 3});
        Result result = example(Map.of(), natives, flags);
        assertEquals(0, result.status(), result.output());
        assertTrue(Files.size(library) > 3);
      }
    }
  }

  @Test
  void theLibraryCanBeNamed() throws Exception {
    String library = Given.variable("SEGL_LIBRARY_PATH");
    Result result = example(Map.of(), List.of(), access("-Dsegl.library.path=" + library));
    assertEquals(0, result.status(), result.output());
    result = example(Map.of("SEGL_LIBRARY_PATH", library), List.of(), access());
    assertEquals(0, result.status(), result.output());
    result =
        example(
            Map.of("SEGL_LIBRARY_PATH", library),
            List.of(),
            access("-Dsegl.library.path=/nowhere/libsegl.so"));
    says(result, "segl.library.path", "/nowhere/libsegl.so", "there is no such file");
  }

  @Test
  void whatIsNotFoundSaysWhereItWasSought() throws Exception {
    Result result = example(Map.of(), List.of(), access());
    says(
        result,
        "segl.library.path",
        "SEGL_LIBRARY_PATH",
        "libsegl.so.1",
        "native/segl/linux-",
        "segl-natives");
  }

  @Test
  void aLibraryOfAnotherVersionIsRefused() throws Exception {
    for (int[] version : new int[][] {{2, 0}, {1, 1}}) {
      Path source = folder.resolve("fake.c");
      Path library = folder.resolve("libfake" + version[0] + ".so");
      Files.writeString(
          source,
          "unsigned segl_abi_version(void) { return "
              + version[0]
              + "u << 16 | "
              + version[1]
              + "; }\n");
      Result compiled =
          run(Map.of(), "cc", "-shared", "-fPIC", "-o", library.toString(), source.toString());
      assertEquals(0, compiled.status(), compiled.output());
      Result result = example(Map.of(), List.of(), access("-Dsegl.library.path=" + library));
      says(result, "version " + version[0] + "." + version[1] + " of the ABI", "needs 1.2");
    }
  }

  @Test
  void aFileThatIsNoLibraryIsRefused() throws Exception {
    Path text = Files.writeString(folder.resolve("text.so"), "no library");
    says(
        example(Map.of(), List.of(), access("-Dsegl.library.path=" + text)),
        "cannot be loaded",
        text.toString(),
        "file too short");
  }

  @Test
  void aDamagedJarIsRefused() throws Exception {
    Path resources = folder.resolve("damaged/native/segl/" + System.getProperty("segl.test.platform"));
    Files.createDirectories(resources);
    Files.writeString(resources.resolve("libsegl.so"), "no library");
    Files.writeString(resources.resolve("libsegl.so.sha256"), "0".repeat(64));
    says(
        example(Map.of(), List.of(folder.resolve("damaged").toString()), access()),
        "the jar is damaged");
  }

  @Test
  void aCacheWhereNothingMayRunIsNamed() throws Exception {
    Path cache = Files.createDirectories(folder.resolve("noexec"));
    // How large the library is depends on how it was built.
    long room = Files.size(Path.of(Given.variable("SEGL_LIBRARY_PATH"))) + (1 << 20);
    List<String> mounted =
        List.of(
            "unshare",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o noexec,size=" + room + " tmpfs '" + cache + "' && exec \"$@\"",
            "sh");
    List<String> nothing = new ArrayList<>(mounted);
    nothing.add("true");
    assumeTrue(
        run(Map.of(), nothing.toArray(String[]::new)).status() == 0,
        "file systems cannot be mounted here");
    List<String> command = new ArrayList<>(mounted);
    command.addAll(
        exampleCommand(
            List.of(System.getProperty("segl.test.natives")), access("-Djna.tmpdir=" + folder)));
    says(
        run(Map.of("XDG_CACHE_HOME", cache.toString()), command.toArray(String[]::new)),
        "mounted noexec",
        "XDG_CACHE_HOME");
  }

  @Test
  void withoutTheFlagJavaSaysWhatToDo() throws Exception {
    assumeTrue(Given.FFM, "the flag is for Java 22 and newer");
    Result result =
        example(
            Map.of("SEGL_LIBRARY_PATH", Given.variable("SEGL_LIBRARY_PATH")),
            List.of(),
            "--illegal-native-access=deny");
    says(result, "--enable-native-access=ALL-UNNAMED");
  }

  @Test
  void onTheModulePathOnlySeglNeedsTheFlag() throws Exception {
    List<String> command = new ArrayList<>();
    String path = System.getProperty("segl.test.jar");
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    if (Given.FFM) {
      command.addAll(List.of("--enable-native-access=no.segl", "--illegal-native-access=deny"));
      command.addAll(List.of("--module-path", path, "--add-modules", "no.segl"));
    } else {
      command.addAll(List.of("--module-path", path + File.pathSeparator + jna()));
      command.addAll(List.of("--add-modules", "no.segl,com.sun.jna"));
    }
    command.add("-cp");
    command.add(
        System.getProperty("segl.test.natives") + File.pathSeparator + folder.resolve("classes"));
    command.addAll(List.of("GetToken", Given.variable("SEGL_TEST_CONFIG"), "bank"));
    Result result = run(Map.of(), command.toArray(String[]::new));
    assertEquals(0, result.status(), result.output());
  }

  @Test
  void allOfItCanBeModules() throws Exception {
    List<String> path = new ArrayList<>();
    path.add(System.getProperty("segl.test.jar"));
    path.add(System.getProperty("segl.test.natives"));
    String modules = "no.segl,no.segl.natives";
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    if (Given.FFM) {
      command.addAll(List.of("--enable-native-access=no.segl", "--illegal-native-access=deny"));
    } else {
      path.add(jna());
      modules += ",com.sun.jna";
    }
    command.addAll(List.of("--module-path", String.join(File.pathSeparator, path)));
    command.addAll(List.of("--add-modules", modules, "-cp", folder.resolve("classes").toString()));
    command.addAll(List.of("GetToken", Given.variable("SEGL_TEST_CONFIG"), "bank"));
    Result result = run(Map.of(), command.toArray(String[]::new));
    assertEquals(0, result.status(), result.output());
  }

  /** A program in a jar whose manifest has the jars beside it, and on Java 22 the permission. */
  @Test
  void aProgramInAJarNeedsNoFlags() throws Exception {
    List<Path> jars = new ArrayList<>();
    jars.add(Path.of(System.getProperty("segl.test.jar")));
    jars.add(Path.of(System.getProperty("segl.test.natives")));
    if (!Given.FFM) {
      jars.add(Path.of(jna()));
    }
    Path manifest = folder.resolve("manifest");
    // A line of a manifest is 72 bytes at most, and may go on in the next one after a blank.
    String beside =
        jars.stream().map(jar -> jar.toUri().toString()).collect(Collectors.joining(" "));
    Files.writeString(
        manifest,
        "Main-Class: GetToken\nEnable-Native-Access: ALL-UNNAMED\nClass-Path:"
            + (" " + beside).replaceAll("(.{1,50})", "$1\n ").stripTrailing()
            + "\n");
    Path program = folder.resolve("program.jar");
    Path bin = Path.of(System.getProperty("java.home"), "bin");
    Result made =
        run(
            Map.of(),
            bin.resolve("jar").toString(),
            "--create",
            "--file=" + program,
            "--manifest=" + manifest,
            "-C",
            folder.resolve("classes").toString(),
            ".");
    assertEquals(0, made.status(), made.output());
    List<String> command = new ArrayList<>(List.of(bin.resolve("java").toString()));
    if (Given.FFM) {
      command.add("--illegal-native-access=deny");
    }
    command.addAll(List.of("-jar", program.toString()));
    command.addAll(List.of(Given.variable("SEGL_TEST_CONFIG"), "bank"));
    Result result = run(Map.of(), command.toArray(String[]::new));
    assertEquals(0, result.status(), result.output());
  }

  @Test
  void onlyTheApiIsExportedAndJnaIsNotUsedOnJava22() throws Exception {
    String jar = System.getProperty("segl.test.jar");
    String bin = System.getProperty("java.home") + "/bin/";
    Result described = run(Map.of(), bin + "jar", "--describe-module", "--file=" + jar);
    assertTrue(described.output().contains("exports no.segl\n"), described.output());
    assertFalse(described.output().contains("exports no.segl.internal"), described.output());
    assertTrue(described.output().contains("requires com.sun.jna static"), described.output());
    List<String> natives = List.of(System.getProperty("segl.test.natives"), jna());
    Result loaded = example(Map.of(), natives, access("-Xlog:class+load"));
    assertEquals(0, loaded.status(), loaded.output());
    assertEquals(!Given.FFM, loaded.output().contains(" com.sun.jna."), "JNA is loaded");
    assertEquals(Given.FFM, loaded.output().contains("FfmLibrary"), "java.lang.foreign is used");
  }

  @Test
  void beforeJava22JnaIsAskedFor() throws Exception {
    assumeTrue(!Given.FFM, "Java 22 and newer need no JNA");
    String path =
        System.getProperty("segl.test.jar") + File.pathSeparator + folder.resolve("classes");
    Result result =
        run(
            Map.of(),
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-cp",
            path,
            "GetToken");
    says(result, "net.java.dev.jna:jna");
  }

  private static void says(Result result, String... texts) {
    assertFalse(result.status() == 0, result.output());
    for (String text : texts) {
      assertTrue(result.output().contains(text), "no \"" + text + "\" in: " + result.output());
    }
  }
}
