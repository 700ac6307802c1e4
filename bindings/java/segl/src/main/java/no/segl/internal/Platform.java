package no.segl.internal;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Where this program runs, in the words of the jars with libraries.
 *
 * @param os "linux", "osx" or "windows", or what Java calls another
 * @param architecture "x86_64" or "aarch_64", or what Java calls another
 * @param musl whether the C library is musl
 */
record Platform(String os, String architecture, boolean musl) {
  static Platform current() {
    String name = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String os =
        name.startsWith("linux")
            ? "linux"
            : name.startsWith("mac") ? "osx" : name.startsWith("windows") ? "windows" : name;
    String machine = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    String architecture =
        switch (machine) {
          case "amd64", "x86_64", "x86-64" -> "x86_64";
          case "aarch64", "arm64" -> "aarch_64";
          default -> machine;
        };
    return new Platform(os, architecture, os.equals("linux") && hasMusl());
  }

  /** The classifiers of jars that may fit, the best first. */
  List<String> classifiers() {
    String plain = os + "-" + architecture;
    if (!os.equals("linux")) {
      return List.of(plain);
    }
    // A machine may have both C libraries; Java itself uses one of them.
    String onMusl = plain + "-musl";
    return musl ? List.of(onMusl, plain) : List.of(plain, onMusl);
  }

  /** The name of the library's file in a jar. */
  String file() {
    return switch (os) {
      case "osx" -> "libsegl.dylib";
      case "windows" -> "segl.dll";
      default -> "libsegl.so";
    };
  }

  /** The name by which the system's loader knows an installed library. */
  String systemLibrary() {
    return switch (os) {
      case "osx" -> "libsegl.1.dylib";
      case "windows" -> "segl.dll";
      default -> "libsegl.so.1";
    };
  }

  private static boolean hasMusl() {
    try {
      if (Files.readString(Path.of("/proc/self/maps")).contains("/ld-musl-")) {
        return true;
      }
      if (Files.readString(Path.of("/proc/self/maps")).contains("/libc.so.6")) {
        return false;
      }
    } catch (IOException | SecurityException unreadable) {
      // Then by the loader's file.
    }
    try (DirectoryStream<Path> loaders =
        Files.newDirectoryStream(Path.of("/lib"), "ld-musl-*.so.1")) {
      return loaders.iterator().hasNext();
    } catch (IOException | SecurityException none) {
      return false;
    }
  }
}
