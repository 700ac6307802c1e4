package no.segl.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Says when a library cannot be loaded because its file system is mounted noexec. */
final class NoExec {
  private static final Path MOUNTS = Path.of("/proc/self/mounts");

  private NoExec() {}

  static String explain(Path file, String reason) {
    if (!Files.exists(file)) {
      return "there is no such file";
    }
    String mount = mountWithout(file);
    return mount == null
        ? reason
        : reason
            + " (the file system at "
            + mount
            + " is mounted noexec, so no library can be loaded from it: set XDG_CACHE_HOME or the"
            + " library's path to a folder elsewhere)";
  }

  private static @Nullable String mountWithout(Path file) {
    List<String> lines;
    Path real;
    try {
      lines = Files.readAllLines(MOUNTS);
      real = file.toRealPath();
    } catch (IOException | SecurityException unreadable) {
      return null;
    }
    String best = null;
    boolean denied = false;
    for (String line : lines) {
      String[] fields = line.split(" ");
      if (fields.length < 4) {
        continue;
      }
      String mount = fields[1].replace("\\040", " ");
      if (real.startsWith(mount) && (best == null || mount.length() >= best.length())) {
        best = mount;
        denied = Arrays.asList(fields[3].split(",")).contains("noexec");
      }
    }
    return denied ? best : null;
  }
}
