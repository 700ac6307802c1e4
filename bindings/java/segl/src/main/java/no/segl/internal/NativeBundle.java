package no.segl.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The library in a jar, copied to a folder of the user's own: {@code
 * ${XDG_CACHE_HOME:-~/.cache}/segl/SHA-256/}.
 */
final class NativeBundle {
  private NativeBundle() {}

  /** The files of libraries that jars have for a platform; what fails is added to {@code tried}. */
  static List<Path> extract(Platform platform, List<String> tried) {
    for (String classifier : platform.classifiers()) {
      String resource = "native/segl/" + classifier + "/" + platform.file();
      String label = resource + " (in a jar): ";
      try {
        byte[] sum = resource(resource + ".sha256");
        if (sum == null) {
          tried.add(label + "there is none");
          continue;
        }
        String hash = new String(sum, StandardCharsets.US_ASCII).strip();
        if (!hash.matches("[0-9a-f]{64}")) {
          tried.add(label + "its .sha256 is not one");
          continue;
        }
        return List.of(copy(resource, hash, platform.file()));
      } catch (IOException | SecurityException thrown) {
        tried.add(label + "it cannot be copied to a folder under " + cache() + ": " + thrown);
      }
    }
    return List.of();
  }

  private static Path copy(String resource, String hash, String name) throws IOException {
    Path folder = privateFolder(cache().resolve("segl").resolve(hash));
    Path file = folder.resolve(name);
    if (Files.isRegularFile(file) && hash(Files.readAllBytes(file)).equals(hash)) {
      return file;
    }
    byte[] library = resource(resource);
    if (library == null || !hash(library).equals(hash)) {
      throw new IOException(resource + " is not what its .sha256 says: the jar is damaged");
    }
    // Other processes may do the same: each writes its own file, and the name changes at once.
    Path part = Files.createTempFile(folder, name, ".part");
    try {
      Files.write(part, library);
      try {
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException unsupported) {
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(part);
    }
    return file;
  }

  private static Path cache() {
    String xdg = System.getenv("XDG_CACHE_HOME");
    if (xdg != null && xdg.startsWith("/")) {
      return Path.of(xdg);
    }
    String local = System.getenv("LOCALAPPDATA");
    if (local != null && !local.isEmpty()) {
      return Path.of(local);
    }
    return Path.of(System.getProperty("user.home", "."), ".cache");
  }

  /** Makes a folder that only its owner can use, or makes sure that it is one. */
  private static Path privateFolder(Path folder) throws IOException {
    if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      return Files.createDirectories(folder);
    }
    var mode = PosixFilePermissions.fromString("rwx------");
    Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(mode));
    // Fails for the folder of another user, which is as it should be.
    Files.setPosixFilePermissions(folder, mode);
    return folder;
  }

  private static byte @Nullable [] resource(String name) throws IOException {
    // Not through the class: in a named module that would find the module's own only.
    try (InputStream stream = NativeBundle.class.getClassLoader().getResourceAsStream(name)) {
      return stream == null ? null : stream.readAllBytes();
    }
  }

  private static String hash(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
