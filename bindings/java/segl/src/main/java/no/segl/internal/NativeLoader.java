package no.segl.internal;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import no.segl.ErrorCode;
import no.segl.SeglException;
import org.jspecify.annotations.Nullable;

/**
 * Finds the library: the one that a setting names, else the system's, else the one in a jar. A
 * setting is the last word; of the others the first that can be used is taken.
 */
final class NativeLoader {
  /** The system property that names the library's file. */
  static final String PROPERTY = "segl.library.path";

  /** The environment variable that names the library's file, where the property does not. */
  static final String VARIABLE = "SEGL_LIBRARY_PATH";

  private static final int ABI_MAJOR = 1;
  private static final int ABI_MINOR = 2;

  private NativeLoader() {}

  /** How a file becomes a library; what is thrown says why it does not. */
  interface Opener<T> {
    T file(Path path);

    T named(String name);

    /** {@code segl_abi_version()} of a library. */
    int abiVersion(T library);
  }

  static <T> T load(Opener<T> opener) {
    if (System.getProperty("sun.arch.data.model", "64").equals("32")) {
      throw refusal("segl needs a 64-bit Java", null);
    }
    for (Explicit explicit : Explicit.all()) {
      if (explicit.value() != null && !explicit.value().isEmpty()) {
        return explicit(opener, explicit.name(), Path.of(explicit.value()).toAbsolutePath());
      }
    }
    List<String> tried = new ArrayList<>();
    List<Throwable> causes = new ArrayList<>();
    tried.add(PROPERTY + " (system property): not set");
    tried.add(VARIABLE + " (environment variable): not set");
    Platform platform = Platform.current();
    String name = platform.systemLibrary();
    try {
      return checked(opener, opener.named(name), name);
    } catch (IllegalArgumentException | UnsatisfiedLinkError | SeglException thrown) {
      tried.add(name + " (the system's): " + reason(thrown));
      causes.add(thrown);
    }
    for (Path file : NativeBundle.extract(platform, tried)) {
      try {
        return checked(opener, opener.file(file), file.toString());
      } catch (IllegalArgumentException | UnsatisfiedLinkError | SeglException thrown) {
        tried.add(file + " (from a jar): " + NoExec.explain(file, reason(thrown)));
        causes.add(thrown);
      }
    }
    SeglException failure =
        refusal(
            "segl's native library was not found. Tried:\n  - "
                + String.join("\n  - ", tried)
                + "\nSet "
                + PROPERTY
                + " or "
                + VARIABLE
                + " to the library's file, install it, or put the jar segl-natives with the classifier "
                + platform.classifiers().get(0)
                + " on the class path.",
            null);
    causes.forEach(failure::addSuppressed);
    throw failure;
  }

  private static <T> T explicit(Opener<T> opener, String setting, Path file) {
    try {
      return checked(opener, opener.file(file), file.toString());
    } catch (IllegalArgumentException | UnsatisfiedLinkError thrown) {
      throw refusal(
          "The library that "
              + setting
              + " names cannot be loaded: "
              + file
              + ": "
              + NoExec.explain(file, reason(thrown)),
          thrown);
    }
  }

  private static <T> T checked(Opener<T> opener, T library, String name) {
    int version = opener.abiVersion(library);
    int major = version >>> 16;
    int minor = version & 0xffff;
    if (major != ABI_MAJOR || minor < ABI_MINOR) {
      throw refusal(
          name
              + " has version "
              + major
              + "."
              + minor
              + " of the ABI, and this binding needs "
              + ABI_MAJOR
              + "."
              + ABI_MINOR
              + " or a later "
              + ABI_MAJOR
              + ".x",
          null);
    }
    return library;
  }

  private static String reason(Throwable thrown) {
    String message = thrown.getMessage();
    return message == null ? thrown.getClass().getName() : message.strip();
  }

  private static SeglException refusal(String message, @Nullable Throwable cause) {
    return SeglException.of(ErrorCode.UNSUPPORTED, message, cause);
  }

  /** A setting that names the library. */
  private record Explicit(String name, @Nullable String value) {
    static List<Explicit> all() {
      return List.of(
          new Explicit(PROPERTY, System.getProperty(PROPERTY)),
          new Explicit(VARIABLE, System.getenv(VARIABLE)));
    }
  }
}
