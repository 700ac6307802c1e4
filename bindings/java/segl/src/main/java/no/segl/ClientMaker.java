package no.segl;

import java.lang.ref.Reference;
import no.segl.internal.Frame;
import no.segl.internal.Native;
import no.segl.internal.Utf8;
import org.jspecify.annotations.Nullable;

/** Makes the handle of a client. */
final class ClientMaker {
  private static final int PARAMS_SIZE = 88;

  private ClientMaker() {}

  static long open(String path, String name, ClientOptions options) {
    byte[] file = Utf8.bytes(path);
    byte[] client = Utf8.bytes(name);
    if (options.isPlain()) {
      return Calls.handle(
          null,
          (segl, frame, call, out) ->
              segl.segl_client_open(
                  frame.put(file), file.length, frame.put(client), client.length, call, out));
    }
    return make(
        options,
        (segl, frame, params) -> {
          segl.putLong(params + 56, frame.put(file));
          segl.putLong(params + 64, file.length);
          segl.putLong(params + 72, frame.put(client));
          segl.putLong(params + 80, client.length);
        });
  }

  static long create(Config config, ClientOptions options) {
    byte[] json = Utf8.bytes(config.toJson());
    return make(
        options,
        (segl, frame, params) -> {
          segl.putLong(params + 8, frame.put(json));
          segl.putLong(params + 16, json.length);
        });
  }

  private interface Settings {
    void put(Native segl, Frame frame, long params);
  }

  private static long make(ClientOptions options, Settings settings) {
    try {
      return TransportMaker.with(
          options.transport(),
          transport ->
              Calls.handle(
                  options.opening(),
                  (library, frame, call, out) -> {
                    long params = frame.struct(PARAMS_SIZE);
                    settings.put(library, frame, params);
                    library.putLong(params + 24, handle(options.signer()));
                    library.putLong(params + 32, handle(options.tlsSigner()));
                    library.putLong(params + 40, handle(options.dpopSigner()));
                    library.putLong(params + 48, transport);
                    return library.segl_client_new(params, call, out);
                  }));
    } finally {
      Reference.reachabilityFence(options);
    }
  }

  private static long handle(@Nullable Signer signer) {
    return signer == null ? 0 : signer.handle();
  }
}
